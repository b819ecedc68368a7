"""A closed period stays as it was; balances and statements are read as of any moment."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from app.foundation.database import Database
from app.foundation.ids import new_id
from app.ledger import corrections, periods, postings, statements
from app.ledger import service as ledger
from app.ledger.accounts import HOUSE_KINDS
from app.ledger.errors import PeriodCannotBeClosed, PeriodIsClosed
from tests.conftest import FRIDAY_EVENING
from tests.factories import make_member

MONTH_END = datetime(2026, 5, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NEW_BOOKS = ("journal_reason", "period_lock", "journal_horizon", "account_rollup")


@pytest.fixture
async def ids(owner: asyncpg.Connection) -> dict[str, UUID]:
    """The accounts of one rider and of the house, by kind."""
    rider = await make_member(owner, now=FRIDAY_EVENING)
    rows = await owner.fetch(
        "select kind, id from account where member_id = $1 or member_id is null", rider.id
    )
    return {row["kind"]: row["id"] for row in rows}


async def earn(
    database: Database, ids: dict[str, UUID], minor: int, *, at: datetime = FRIDAY_EVENING
) -> int:
    """The house earns from the rider."""
    async with database.transaction() as tx:
        return await ledger.post(
            tx,
            postings.tip(
                rider_id=ids["rider"], driver_id=ids["commission_income"], amount_minor=minor
            ),
            scope="test",
            key=str(new_id()),
            subject_id=new_id(),
            now=at,
        )


async def close(database: Database, until: datetime, *, now: datetime = FRIDAY_EVENING) -> None:
    async with database.transaction() as tx:
        await periods.lock_period(tx, until=until, locked_by=None, now=now)


async def test_nothing_is_booked_into_a_closed_period_and_its_end_is_open(
    database: Database, ids: dict[str, UUID]
) -> None:
    await earn(database, ids, 1, at=MONTH_END - SECOND)
    await close(database, MONTH_END)
    with pytest.raises(PeriodIsClosed):
        await earn(database, ids, 1, at=MONTH_END - SECOND)
    await earn(database, ids, 1, at=MONTH_END)
    async with database.reading() as reader:
        assert await periods.locked_until(reader) == MONTH_END


@pytest.mark.parametrize("until", [MONTH_END, MONTH_END - SECOND, FRIDAY_EVENING + SECOND])
async def test_a_period_is_closed_once_and_after_its_end(
    database: Database, owner: asyncpg.Connection, until: datetime
) -> None:
    await close(database, MONTH_END)
    with pytest.raises(PeriodCannotBeClosed):
        await close(database, until)
    await close(database, FRIDAY_EVENING)
    assert await owner.fetchval("select count(*) from period_lock") == 2


async def test_what_is_taken_back_out_of_a_closed_period_concerns_now(
    database: Database, owner: asyncpg.Connection, ids: dict[str, UUID]
) -> None:
    closed = await earn(database, ids, 5, at=MONTH_END - SECOND)
    still_open = await earn(database, ids, 7, at=MONTH_END)
    await close(database, MONTH_END)
    for number in (closed, still_open):
        async with database.transaction() as tx:
            await corrections.reverse_journal(
                tx, journal_id=number, reason="not driven", decided_by=None, now=FRIDAY_EVENING
            )
    rows = await owner.fetch("select reverses, effective_at from journal where kind = 'reversal'")
    assert dict(rows) == {closed: FRIDAY_EVENING, still_open: MONTH_END}


async def test_a_balance_is_read_as_of_a_moment_and_as_was_known_at_another(
    database: Database, owner: asyncpg.Connection, ids: dict[str, UUID]
) -> None:
    await earn(database, ids, 100, at=MONTH_END - SECOND)
    known_at = await owner.fetchval("select clock_timestamp()")
    await earn(database, ids, 20, at=MONTH_END - SECOND)  # booked late
    await earn(database, ids, 3, at=MONTH_END)
    later = await owner.fetchval("select clock_timestamp()")

    async def seen(effective_before: datetime, recorded_before: datetime) -> int:
        async with database.reading() as reader:
            found = await statements.balances_as_of(
                reader,
                effective_before=effective_before,
                recorded_before=recorded_before,
                kinds=("commission_income", "rider"),
            )
        assert sum(found.values()) == 0
        return found[ids["commission_income"]]

    assert await seen(MONTH_END, known_at) == 100
    assert await seen(MONTH_END, later) == 120
    assert await seen(FRIDAY_EVENING, later) == 123
    assert await seen(MONTH_END - SECOND, later) == 0


async def test_a_statement_opens_moves_and_closes_to_the_cent_page_by_page(
    database: Database, owner: asyncpg.Connection, ids: dict[str, UUID]
) -> None:
    await earn(database, ids, 1_000, at=MONTH_END - SECOND)
    for minor in (1, 20, 300):
        await earn(database, ids, minor, at=MONTH_END)
    await earn(database, ids, 4_000, at=FRIDAY_EVENING)
    known_at = await owner.fetchval("select clock_timestamp()")
    await earn(database, ids, 40_000, at=MONTH_END)  # a page later nothing has moved

    pages, after = [], None
    async with database.reading() as reader:
        for _ in range(2):
            page = await statements.read_statement(
                reader,
                account_id=ids["commission_income"],
                since=MONTH_END,
                until=FRIDAY_EVENING,
                known_at=known_at,
                after=after,
                limit=2,
            )
            pages.append(page)
            after = page.next_after

    assert [[line.amount_minor for line in page.lines] for page in pages] == [[1, 20], [300]]
    assert after is None
    for page in pages:
        assert (page.opening_minor, page.credits_minor, page.debits_minor) == (1_000, 321, 0)
        assert page.closing_minor == 1_321


async def test_house_balances_are_roll_ups_and_the_rest_and_equal_the_plain_sum(
    database: Database, owner: asyncpg.Connection, ids: dict[str, UUID]
) -> None:
    plain = (
        "select kind, coalesce(sum(case when credit_id = a.id then amount_minor"
        " else -amount_minor end), 0)::bigint from account a"
        " left join transfer on a.id in (debit_id, credit_id) where member_id is null group by 1"
    )
    written = []
    for minor in (1, 20, 300, 4_000):
        await earn(database, ids, minor)
        written.append(await periods.roll_up(database, least_lines=1))
        async with database.reading() as reader:
            balances = await statements.house_balances(reader)
        assert balances == dict(await owner.fetch(plain))
        assert balances.keys() == set(HOUSE_KINDS)
    # The first round only sees how far nobody was posting; each later one sums up to there.
    assert written == [0, 1, 1, 1]
    sums = await owner.fetch("select credits_minor from account_rollup order by 1")
    assert [row[0] for row in sums] == [1, 21, 321]
    assert await periods.roll_up(database, least_lines=2) == 0


async def test_a_round_of_the_books_lets_overdue_holds_go(
    database: Database, owner: asyncpg.Connection
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    async with database.transaction() as tx:
        await ledger.hold_fare(
            tx,
            hold_id=new_id(),
            rider_id=rider.id,
            fare_minor=500,
            now=FRIDAY_EVENING,
            expires_at=FRIDAY_EVENING + SECOND,
        )
    held = []
    for now in (FRIDAY_EVENING, FRIDAY_EVENING + SECOND):
        await periods.keep_books(database, now=now)
        held.append(await owner.fetchval("select held_minor from balance"))
    assert held == [500, 0]


async def test_a_roll_up_gives_way_to_whoever_posts_for_long(
    database: Database, ids: dict[str, UUID], owner: asyncpg.Connection
) -> None:
    async with database.transaction() as tx:
        await tx.execute("select 1")
        await ledger.post(
            tx,
            postings.tip(rider_id=ids["rider"], driver_id=ids["bank"], amount_minor=1),
            scope="x",
            key="x",
            subject_id=new_id(),
            now=FRIDAY_EVENING,
        )
        await periods.roll_up(database, least_lines=1)
    assert await owner.fetchval("select count(*) from journal_horizon") == 0


@pytest.mark.parametrize("table", NEW_BOOKS)
@pytest.mark.parametrize("way", ["update {0} set {1} = {1}", "delete from {0}", "truncate {0}"])
async def test_the_new_books_are_only_added_to_and_only_by_functions(
    database: Database, owner: asyncpg.Connection, ids: dict[str, UUID], table: str, way: str
) -> None:
    number = await earn(database, ids, 5, at=MONTH_END - SECOND)
    async with database.transaction() as tx:
        await corrections.reverse_journal(
            tx, journal_id=number, reason="not driven", decided_by=None, now=FRIDAY_EVENING
        )
    await close(database, MONTH_END)
    for _ in range(2):
        await periods.roll_up(database, least_lines=1)
    column = {"period_lock": "until", "account_rollup": "account_id"}.get(table, "journal_id")
    assert await owner.fetchval(f"select count(*) from {table}") > 0

    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await owner.execute(way.format(table, column) + " cascade" * way.startswith("truncate"))
    rights = await owner.fetch(
        "select privilege_type from information_schema.role_table_grants"
        " where grantee = 'meent_app' and table_name = $1",
        table,
    )
    assert [row["privilege_type"] for row in rights] == ["SELECT"]
