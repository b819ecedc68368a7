"""What was booked wrongly is taken back once, with a reason, and both stay to be seen."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from app.foundation.database import Database
from app.foundation.ids import new_id
from app.ledger import corrections, postings, queries
from app.ledger import service as ledger
from app.ledger.accounts import JournalKind
from app.ledger.errors import (
    BalanceTooLow,
    BookingIsFinal,
    HoldEndedBefore,
    JournalReversedBefore,
)
from app.ledger.postings import Recipe, TransferLine
from tests.conftest import FRIDAY_EVENING
from tests.factories import Person, make_member

HOUR = timedelta(hours=1)


@pytest.fixture
async def ids(owner: asyncpg.Connection) -> dict[str, UUID]:
    """The accounts of one rider and of the house, by kind."""
    rider = await make_member(owner, now=FRIDAY_EVENING)
    rows = await owner.fetch(
        "select kind, id from account where member_id = $1 or member_id is null", rider.id
    )
    return {row["kind"]: row["id"] for row in rows}


async def book(database: Database, kind: JournalKind, *ways: tuple[UUID, UUID, int]) -> int:
    lines = tuple(TransferLine(debit, credit, minor) for debit, credit, minor in ways)
    async with database.transaction() as tx:
        return await ledger.post(
            tx,
            Recipe(kind, lines),
            scope="test",
            key=str(new_id()),
            subject_id=new_id(),
            now=FRIDAY_EVENING,
        )


async def take_back(database: Database, journal_id: int, *, reason: str = "by mistake") -> int:
    async with database.transaction() as tx:
        return await corrections.reverse_journal(
            tx,
            journal_id=journal_id,
            reason=reason,
            decided_by=None,
            now=FRIDAY_EVENING + HOUR,
        )


EXPLAINED = {JournalKind.PLATFORM_COST, JournalKind.OTHER_INCOME}  # taken back with a document


@pytest.mark.parametrize(
    "kind", sorted(set(JournalKind) - EXPLAINED - {JournalKind.REVERSAL, JournalKind.ADJUSTMENT})
)
async def test_a_journal_of_each_kind_is_taken_back_whole(
    database: Database, owner: asyncpg.Connection, ids: dict[str, UUID], kind: JournalKind
) -> None:
    ways = ((ids["rider"], ids["surplus"], 500), (ids["surplus"], ids["bank"], 75))
    number = await book(database, kind, *ways)
    back = await take_back(database, number)

    row = await owner.fetchrow(
        "select kind, reverses, effective_at, reason, j.subject_id = (select subject_id"
        " from journal where id = $2) as same from journal j"
        " join journal_reason r on r.journal_id = j.id where id = $1",
        back,
        number,
    )
    assert tuple(row or ()) == ("reversal", number, FRIDAY_EVENING, "by mistake", True)
    moved = await owner.fetch(
        "select debit_id, credit_id, amount_minor from transfer where journal_id = $1"
        " order by line",
        back,
    )
    assert [tuple(line) for line in moved] == [(y, x, minor) for x, y, minor in ways]
    assert await owner.fetchval("select posted_minor from balance") == 0


async def test_the_same_again_books_nothing_more_and_another_is_refused(
    database: Database, owner: asyncpg.Connection, ids: dict[str, UUID]
) -> None:
    number = await book(database, JournalKind.TIP, (ids["rider"], ids["surplus"], 500))
    back = await take_back(database, number)
    assert await take_back(database, number) == back
    with pytest.raises(JournalReversedBefore):
        await take_back(database, number, reason="for another reason")
    with pytest.raises(BookingIsFinal):
        await take_back(database, back)
    assert await owner.fetchval("select count(*) from journal") == 2


async def test_who_spent_the_money_cannot_give_it_back(
    database: Database, ids: dict[str, UUID]
) -> None:
    earned = await book(database, JournalKind.TIP, (ids["surplus"], ids["rider"], 500))
    await book(database, JournalKind.PAYOUT, (ids["rider"], ids["bank"], 50_400))
    with pytest.raises(BalanceTooLow):
        await take_back(database, earned)


async def test_a_part_is_given_back_with_a_reason_and_once(
    database: Database, owner: asyncpg.Connection, ids: dict[str, UUID]
) -> None:
    recipe = postings.adjustment([TransferLine(ids["commission_income"], ids["rider"], 120)])
    ride_id = new_id()
    for _ in range(2):
        async with database.transaction() as tx:
            number = await corrections.post_adjustment(
                tx,
                recipe,
                scope="refund",
                key=str(ride_id),
                subject_id=ride_id,
                reason="a longer way than quoted",
                decided_by=None,
                now=FRIDAY_EVENING,
            )
    assert await owner.fetchval("select posted_minor from balance") == 120
    assert (
        await owner.fetchval("select reason from journal_reason where journal_id = $1", number)
        == "a longer way than quoted"
    )


@pytest.mark.parametrize("kind", [JournalKind.ADJUSTMENT, JournalKind.REVERSAL])
async def test_a_correction_without_a_reason_is_refused_by_the_database(
    database: Database, owner: asyncpg.Connection, ids: dict[str, UUID], kind: JournalKind
) -> None:
    with pytest.raises(asyncpg.PostgresError, match="corrects without a reason"):
        await book(database, kind, (ids["rider"], ids["bank"], 5))
    assert await owner.fetchval("select count(*) from journal") == 0


@pytest.mark.parametrize("kind", sorted(set(JournalKind) - {JournalKind.LOSS_ABSORPTION}))
async def test_the_statutory_reserve_pays_for_nothing(
    database: Database, owner: asyncpg.Connection, ids: dict[str, UUID], kind: JournalKind
) -> None:
    with pytest.raises(BookingIsFinal):
        await book(database, kind, (ids["statutory_reserve"], ids["surplus"], 5))
    with pytest.raises(asyncpg.PostgresError, match="only absorbs losses"):
        await owner.execute(
            "with j as (insert into journal (idem_scope, idem_key, fingerprint, kind, subject_id,"
            " effective_at) values ('x', 'x', '', $3, uuidv7(), now()) returning id)"
            " insert into transfer select id, 1, $1, $2, 5, 'CHF' from j",
            ids["statutory_reserve"],
            ids["bank"],
            kind,
        )


async def test_the_statutory_reserve_absorbs_a_loss_and_nothing_else_in_its_name(
    database: Database, ids: dict[str, UUID]
) -> None:
    await book(database, JournalKind.LOSS_ABSORPTION, (ids["statutory_reserve"], ids["surplus"], 5))
    with pytest.raises(BookingIsFinal):
        await book(
            database, JournalKind.LOSS_ABSORPTION, (ids["statutory_reserve"], ids["rider"], 5)
        )
    filled = await book(
        database, JournalKind.SURPLUS_SHARE, (ids["surplus"], ids["statutory_reserve"], 5)
    )
    with pytest.raises(BookingIsFinal):
        await take_back(database, filled)


async def held(
    database: Database, rider: Person, *, minor: int, expires_in: timedelta | None = HOUR
) -> UUID:
    hold_id = new_id()
    async with database.transaction() as tx:
        await ledger.hold_fare(
            tx,
            hold_id=hold_id,
            rider_id=rider.id,
            fare_minor=minor,
            now=FRIDAY_EVENING,
            expires_at=None if expires_in is None else FRIDAY_EVENING + expires_in,
        )
    return hold_id


@pytest.mark.parametrize("fare_minor", [1, 999, 1_000, 1_001])
async def test_a_hold_is_taken_in_part_or_whole_and_its_rest_is_free(
    database: Database, owner: asyncpg.Connection, fare_minor: int
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    hold_id = await held(database, rider, minor=1_000)
    rider_id, house_id = [
        row["id"]
        for row in await owner.fetch(
            "select id from account where kind in ('rider', 'surplus') order by kind"
        )
    ]
    async with database.transaction() as tx:
        await ledger.post(
            tx,
            Recipe(JournalKind.RIDE_FARE, (TransferLine(rider_id, house_id, fare_minor),)),
            scope="x",
            key="x",
            subject_id=hold_id,
            now=FRIDAY_EVENING,
            hold_id=hold_id,
        )
    row = await owner.fetchrow("select posted_minor, held_minor from balance")
    assert tuple(row or ()) == (-fare_minor, 0)
    with pytest.raises(HoldEndedBefore):
        async with database.transaction() as tx:
            await ledger.release_fare(tx, hold_id=hold_id, now=FRIDAY_EVENING)


async def test_a_hold_is_not_taken_by_a_journal_of_another_account(
    database: Database, owner: asyncpg.Connection, ids: dict[str, UUID]
) -> None:
    other = await make_member(owner, now=FRIDAY_EVENING)
    hold_id = await held(database, other, minor=1_000)
    with pytest.raises(asyncpg.PostgresError, match="takes nothing from the account of hold"):
        async with database.transaction() as tx:
            await ledger.post(
                tx,
                Recipe(JournalKind.TIP, (TransferLine(ids["rider"], ids["bank"], 1),)),
                scope="x",
                key="x",
                subject_id=hold_id,
                now=FRIDAY_EVENING,
                hold_id=hold_id,
            )


async def test_holds_expire_at_their_moment_and_not_before(
    database: Database, owner: asyncpg.Connection
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    due = await held(database, rider, minor=10)
    await held(database, rider, minor=200, expires_in=None)
    await held(database, rider, minor=3_000, expires_in=2 * HOUR)

    sweeps = [FRIDAY_EVENING + HOUR - timedelta(seconds=1), *[FRIDAY_EVENING + HOUR] * 2]
    ended = []
    for now in sweeps:
        async with database.transaction() as tx:
            ended.append(await ledger.expire_holds(tx, now=now))

    assert ended == [[], [due], []]
    assert await owner.fetchval("select held_minor from balance") == 3_200
    assert await owner.fetchval("select outcome from hold_end") == "expired"


async def test_whoever_moves_money_at_this_moment_goes_before_the_sweep(
    database: Database, owner: asyncpg.Connection
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    hold_id = await held(database, rider, minor=10)

    async def swept() -> list[UUID]:
        async with database.transaction() as tx:
            return await ledger.expire_holds(tx, now=FRIDAY_EVENING + HOUR)

    async with database.transaction() as tx:
        await queries.void_hold(tx, hold_id=hold_id, at=FRIDAY_EVENING)
        assert await swept() == []
    assert await swept() == []
    assert await owner.fetchval("select outcome from hold_end") == "voided"
