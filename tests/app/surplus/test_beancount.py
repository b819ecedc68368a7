"""The exported text adds up in a reader that knows nothing of our books."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from app.foundation.database import Database
from app.ledger.accounts import AccountKind
from app.ledger.beancount import OPENING, PLACES, export
from tests.app.surplus.test_command import meent
from tests.app.surplus.year import SINCE, UNTIL, Town, worked_year

# beancount's own grammar, as far as the export uses it; anything else is refused.
_ACCOUNT = r"(?:Assets|Liabilities|Equity|Income|Expenses)(?::[A-Z][A-Za-z0-9-]*)+"
_NUMBER = r"-?\d+\.\d\d"
OPTION = re.compile(r'option "[a-z_]+" "(?:[^"\\]|\\.)*"')
OPEN = re.compile(rf"(\d{{4}}-\d\d-\d\d) open ({_ACCOUNT}) ([A-Z]{{3}})")
TRANSACTION = re.compile(r'(\d{4}-\d\d-\d\d) \* "[^"]+"')
META = re.compile(r'  (journal|reverses): "(\d+)"')
POSTING = re.compile(rf"  ({_ACCOUNT}) ({_NUMBER}) ([A-Z]{{3}})")
BALANCE = re.compile(rf"(\d{{4}}-\d\d-\d\d) balance ({_ACCOUNT}) ({_NUMBER}) ([A-Z]{{3}})")


class Read:
    """A strict reader: it opens accounts, adds up postings and checks what is asserted."""

    def __init__(self, lines: list[str]) -> None:
        self.opened: dict[str, tuple[date, str]] = {}
        self.postings: list[tuple[date, str, Decimal]] = []
        self.journals: list[int] = []
        self.asserted: dict[str, Decimal] = {}
        self._open: list[Decimal] = []
        self._assertions: dict[str, tuple[date, Decimal]] = {}
        self._day: date | None = None
        for line in lines:
            self._read(line)
        self._end()
        for account, (day, told) in self._assertions.items():
            held = sum(
                (a for d, name, a in self.postings if name == account and d < day), Decimal()
            )
            assert held == told, f"{account} holds {held}, not {told}"
            self.asserted[account] = told

    def _end(self) -> None:
        assert sum(self._open, Decimal()) == 0, f"a transaction of {self._day} does not balance"
        self._open = []

    def _read(self, line: str) -> None:
        if found := POSTING.fullmatch(line):
            assert self._day is not None, f"a posting of no transaction: {line}"
            day, unit = self.opened[found[1]]
            assert day <= self._day
            assert unit == found[3]
            self._open.append(Decimal(found[2]))
            self.postings.append((self._day, found[1], Decimal(found[2])))
        elif found := META.fullmatch(line):
            if found[1] == "journal":
                self.journals.append(int(found[2]))
        elif found := TRANSACTION.fullmatch(line):
            self._end()
            self._day = date.fromisoformat(found[1])
        elif found := OPEN.fullmatch(line):
            assert found[2] not in self.opened
            self.opened[found[2]] = date.fromisoformat(found[1]), found[3]
        elif found := BALANCE.fullmatch(line):
            self._end()
            self._assertions[found[2]] = date.fromisoformat(found[1]), Decimal(found[3])
        else:
            assert OPTION.fullmatch(line), f"beancount does not know: {line}"


async def text_of(database: Database, *, since: datetime, until: datetime) -> list[str]:
    async with database.reading() as reader:
        return [line async for line in export(reader, since=since, until=until)]


async def balances(owner: asyncpg.Connection) -> list[Decimal]:
    """What every account holds by our own sums, a debit positive; nothing left out."""
    rows = await owner.fetch(
        "select coalesce(sum(case when t.debit_id = a.id then t.amount_minor"
        " else -t.amount_minor end), 0)::bigint as minor from account a"
        " left join transfer t on a.id in (t.debit_id, t.credit_id) group by a.id"
    )
    return sorted(Decimal(row["minor"]) / 100 for row in rows)


async def test_the_text_of_a_closed_year_adds_up_and_holds_every_journal(town: Town) -> None:
    people = await worked_year(town)
    await town.close()
    until = town.clock.now() + timedelta(days=1)

    lines = await text_of(town.database, since=SINCE - timedelta(days=99), until=until)
    read = Read(lines)

    numbers = [row["id"] for row in await town.owner.fetch("select id from journal order by id")]
    assert sorted(read.journals) == numbers
    assert sorted(read.asserted.values()) == await balances(town.owner)
    assert read.asserted["Equity:Statutory-Reserve"] == Decimal("-2280.00")
    text = "\n".join(lines)
    assert not [person for person in people.values() if str(person.id) in text]


async def test_a_part_of_the_books_begins_with_what_stood_before(town: Town) -> None:
    await worked_year(town)
    begins, ends = SINCE + timedelta(days=30), town.clock.now() + timedelta(days=1)

    early = Read(await text_of(town.database, since=SINCE - timedelta(days=9), until=begins))
    late = Read(await text_of(town.database, since=begins, until=ends))

    assert set(early.journals).isdisjoint(late.journals)
    total = await town.owner.fetchval("select count(*) from journal")
    assert len(early.journals) + len(late.journals) == total
    assert sum(amount for _, name, amount in late.postings if name == OPENING) == 0
    assert sorted(late.asserted.values()) == await balances(town.owner)


async def test_a_reader_finds_a_changed_amount(town: Town) -> None:
    await worked_year(town)
    lines = await text_of(town.database, since=SINCE, until=UNTIL)
    at = next(n for n, line in enumerate(lines) if POSTING.fullmatch(line))

    spoilt = [*lines]
    spoilt[at] = spoilt[at].replace(".", "9.", 1)
    with pytest.raises(AssertionError, match="does not balance"):
        Read(spoilt)
    end = next(n for n, line in enumerate(lines) if BALANCE.fullmatch(line))
    spoilt = [*lines]
    spoilt[end] = spoilt[end].replace(".", "9.", 1)
    with pytest.raises(AssertionError, match="holds"):
        Read(spoilt)


@pytest.mark.parametrize(("currency", "fare"), [("JPY", "20000"), ("KWD", "20.000")])
async def test_an_amount_has_the_decimals_of_its_currency(
    town: Town, currency: str, fare: str
) -> None:
    await town.owner.execute("set session_replication_role = replica")
    await town.owner.execute("update cooperative set currency = $1", currency)
    await town.owner.execute("set session_replication_role = origin")
    await town.drive(await town.driver(), [20_000], engaged=timedelta(hours=1))

    lines = await text_of(town.database, since=SINCE, until=UNTIL)

    assert [line for line in lines if line.endswith(f" {fare} {currency}")]
    assert [line for line in lines if line.endswith(f" -{fare} {currency}")]


def test_every_kind_of_account_has_a_place_of_its_own() -> None:
    assert set(PLACES) == set(AccountKind)
    assert len({*PLACES.values()}) == len(PLACES)


async def test_the_command_writes_the_text(town: Town, dsn: str, tmp_path: Path) -> None:
    await worked_year(town)
    file = tmp_path / "books.beancount"

    code, _, err = await meent(
        dsn, tmp_path, "export", "--beancount", "-o", str(file), room="ledger"
    )

    assert code == 0, err
    numbers = [row["id"] for row in await town.owner.fetch("select id from journal")]
    assert sorted(Read(file.read_text().splitlines()).journals) == sorted(numbers)


async def test_days_that_run_backwards_are_refused_and_nothing_is_written(
    town: Town, dsn: str, tmp_path: Path
) -> None:
    file = tmp_path / "books.beancount"
    days = ("--from", "2026-03-01", "--to", "2026-02-01")

    code, _, err = await meent(
        dsn, tmp_path, "export", "--beancount", "-o", str(file), *days, room="ledger"
    )

    assert code == 2
    assert "--to: 2026-02-01 does not come after the first day" in err
    assert not file.exists()
