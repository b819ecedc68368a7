"""Of all who move money at once, as many win as there is money, and nobody waits in a circle."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.foundation.database import Database, Transaction, open_database
from app.foundation.hints import Hints
from app.foundation.ids import new_id
from app.foundation.problems import Problem
from app.ledger import corrections, periods, postings, statements
from app.ledger import service as ledger
from app.ledger.accounts import AccountKind, JournalKind
from app.ledger.postings import Recipe, TransferLine
from tests.conftest import FRIDAY_EVENING
from tests.factories import Person, make_member

CONNECTIONS = 32
CREDIT_MINOR = 10_000
HOLD_MINOR = 300
COVERED = CREDIT_MINOR // HOLD_MINOR  # 33
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"
LATER = FRIDAY_EVENING + timedelta(hours=1)

type Step = Callable[[Transaction], Awaitable[Any]]


@pytest.fixture
async def many(dsn: str, owner: asyncpg.Connection) -> AsyncIterator[Database]:
    """The program's database with as many connections as commands come at once."""
    async with open_database(dsn, hints=Hints(), size=CONNECTIONS) as database:
        yield database


@pytest.fixture
async def rider(owner: asyncpg.Connection) -> Person:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    await owner.execute("update balance set lowest_minor = $1", -CREDIT_MINOR)
    return rider


async def at_once(database: Database, steps: Iterable[Step]) -> Counter[str]:
    """Run each step in its own transaction, all at once; count what came of them."""

    async def run(step: Step) -> str:
        try:
            async with database.transaction() as tx:
                await step(tx)
        except Problem as problem:
            return problem.slug
        return "done"

    return Counter(await asyncio.gather(*(run(step) for step in steps)))


def hold(rider: Person, *, hold_id: UUID | None = None) -> Step:
    return lambda tx: ledger.hold_fare(
        tx,
        hold_id=hold_id or new_id(),
        rider_id=rider.id,
        fare_minor=HOLD_MINOR,
        now=FRIDAY_EVENING,
        expires_at=LATER,
    )


async def accounts(owner: asyncpg.Connection, *people: Person) -> list[UUID]:
    rows = await owner.fetch(
        "select member_id, id from account where member_id = any($1)", [x.id for x in people]
    )
    return [dict(rows)[person.id] for person in people]


async def test_of_a_hundred_holds_of_300_on_10_000_exactly_33_are_placed(
    many: Database, owner: asyncpg.Connection, rider: Person
) -> None:
    came = await at_once(many, [hold(rider)] * 100)

    assert came == {"done": COVERED, "credit-limit-reached": 100 - COVERED}
    assert await owner.fetchval("select held_minor from balance") == COVERED * HOLD_MINOR


async def test_of_all_who_take_let_go_and_expire_the_same_holds_one_wins_each(
    many: Database, owner: asyncpg.Connection, rider: Person
) -> None:
    driver = await make_member(owner, now=FRIDAY_EVENING)
    [rider_id, driver_id] = await accounts(owner, rider, driver)
    holds = [new_id() for _ in range(COVERED)]
    for hold_id in holds:
        async with many.transaction() as tx:
            await hold(rider, hold_id=hold_id)(tx)

    def take(hold_id: UUID) -> Step:
        return lambda tx: ledger.post(
            tx,
            Recipe(JournalKind.RIDE_FARE, (TransferLine(rider_id, driver_id, 200),)),
            scope="ride_fare",
            key=str(hold_id),
            subject_id=hold_id,
            now=LATER,
            hold_id=hold_id,
        )

    def let_go(hold_id: UUID) -> Step:
        return lambda tx: ledger.release_fare(tx, hold_id=hold_id, now=LATER)

    def sweep(tx: Transaction) -> Awaitable[Any]:
        return ledger.expire_holds(tx, now=LATER)

    steps = [step(hold_id) for hold_id in holds for step in (take, let_go)]
    came = await at_once(many, [*steps, *[sweep] * 4])
    async with many.transaction() as tx:
        await sweep(tx)

    ends = dict(await owner.fetch("select outcome, count(*) from hold_end group by outcome"))
    balance = await owner.fetchrow("select * from balance where account_id = $1", rider_id)
    assert sum(ends.values()) == COVERED
    assert came["done"] + came["hold-ended-before"] == 2 * COVERED + 4
    assert came["done"] - 4 <= COVERED
    assert balance is not None
    assert balance["held_minor"] == 0
    assert balance["posted_minor"] == -200 * ends.get("posted", 0)


async def test_of_66_who_take_and_let_go_the_33_first_win(
    many: Database, owner: asyncpg.Connection, rider: Person
) -> None:
    driver = await make_member(owner, now=FRIDAY_EVENING)
    [rider_id, driver_id] = await accounts(owner, rider, driver)
    holds = [new_id() for _ in range(COVERED)]
    await at_once(many, [hold(rider, hold_id=hold_id) for hold_id in holds])

    def both(hold_id: UUID) -> list[Step]:
        fare = Recipe(JournalKind.RIDE_FARE, (TransferLine(rider_id, driver_id, HOLD_MINOR),))
        return [
            lambda tx: ledger.post(
                tx,
                fare,
                scope="ride_fare",
                key=str(hold_id),
                subject_id=hold_id,
                now=LATER,
                hold_id=hold_id,
            ),
            lambda tx: ledger.release_fare(tx, hold_id=hold_id, now=LATER),
        ]

    came = await at_once(many, [step for hold_id in holds for step in both(hold_id)])

    assert came == {"done": COVERED, "hold-ended-before": COVERED}
    assert await owner.fetchval("select count(*) from hold_end") == COVERED


async def test_32_connections_that_pay_each_other_in_every_direction_never_deadlock(
    many: Database, owner: asyncpg.Connection
) -> None:
    people = [await make_member(owner, now=FRIDAY_EVENING) for _ in range(4)]
    ids = await accounts(owner, *people)
    before = await owner.fetchval(DEADLOCKS)

    def pay(number: int) -> Step:
        ways = [*pairwise([*ids, ids[0]])]
        debit, credit = ways[number % 4] if number % 2 else ways[number % 4][::-1]
        both = (TransferLine(debit, credit, 5), TransferLine(credit, ids[(number + 2) % 4], 1))
        lines = tuple(line for line in both if line.debit_id != line.credit_id)
        return lambda tx: ledger.post(
            tx,
            Recipe(JournalKind.TIP, lines),
            scope="tip",
            key=str(number),
            subject_id=new_id(),
            now=LATER,
        )

    came = await at_once(many, [pay(number) for number in range(640)])

    await owner.execute("select pg_stat_force_next_flush()")
    assert came == {"done": 640}
    assert await owner.fetchval(DEADLOCKS) == before
    assert await owner.fetchval("select sum(posted_minor) from balance") == 0


async def test_of_all_who_repeat_one_posting_at_once_one_books(
    many: Database, owner: asyncpg.Connection
) -> None:
    ids = await accounts(owner, *[await make_member(owner, now=FRIDAY_EVENING) for _ in range(2)])

    def tip(tx: Transaction) -> Awaitable[Any]:
        return ledger.post(
            tx,
            postings.tip(rider_id=ids[0], driver_id=ids[1], amount_minor=50),
            scope="tip",
            key="the same",
            subject_id=ids[0],
            now=LATER,
        )

    assert await at_once(many, [tip] * 64) == {"done": 64}
    assert await owner.fetchval("select count(*) from journal") == 1
    assert await owner.fetchval("select max(posted_minor) from balance") == 50


async def test_of_all_who_take_one_journal_back_one_does(
    many: Database, owner: asyncpg.Connection
) -> None:
    ids = await accounts(owner, *[await make_member(owner, now=FRIDAY_EVENING) for _ in range(2)])
    async with many.transaction() as tx:
        number = await ledger.post(
            tx,
            postings.tip(rider_id=ids[0], driver_id=ids[1], amount_minor=50),
            scope="tip",
            key="once",
            subject_id=ids[0],
            now=LATER,
        )

    def take_back(why: str) -> Step:
        return lambda tx: corrections.reverse_journal(
            tx, journal_id=number, reason=why, decided_by=None, now=LATER
        )

    came = await at_once(many, [take_back(f"reason {n}") for n in range(32)])

    assert came == {"done": 1, "journal-reversed-before": 31}
    assert [row["posted_minor"] for row in await owner.fetch("select * from balance")] == [0, 0]


async def test_nothing_slips_into_a_period_while_it_is_closed_and_roll_ups_miss_nothing(
    many: Database, owner: asyncpg.Connection
) -> None:
    [rider_id] = await accounts(owner, await make_member(owner, now=FRIDAY_EVENING))
    income = await owner.fetchval("select id from account where kind = 'commission_income'")
    await owner.execute("update balance set lowest_minor = -1000000")

    def earn(number: int) -> Step:
        return lambda tx: ledger.post(
            tx,
            Recipe(JournalKind.RIDE_FARE, (TransferLine(rider_id, income, 1),)),
            scope="ride_fare",
            key=str(number),
            subject_id=new_id(),
            now=FRIDAY_EVENING if number % 2 else LATER,
        )

    def close(tx: Transaction) -> Awaitable[Any]:
        return periods.lock_period(tx, until=LATER, locked_by=None, now=LATER)

    async def round_(database: Database) -> int:
        return await periods.roll_up(database, least_lines=1)

    steps = [earn(number) for number in range(300)]
    steps.insert(150, close)
    async with asyncio.TaskGroup() as group:
        earning = group.create_task(at_once(many, steps))
        for _ in range(10):
            group.create_task(round_(many))
    came = earning.result()
    await round_(many)
    await round_(many)

    late = await owner.fetchval(
        "select count(*) from journal j, period_lock l"
        " where j.effective_at < l.until and j.id > l.through_journal"
    )
    async with many.reading() as reader:
        house = await statements.house_balances(reader)
    rolled = await owner.fetchval("select max(credits_minor) from account_rollup")
    booked = await owner.fetchval("select count(*) from journal")
    assert late == 0
    assert came["done"] + came["period-is-closed"] == 301
    assert came["period-is-closed"] > 0
    assert house[AccountKind.COMMISSION_INCOME] == rolled == booked == came["done"] - 1
