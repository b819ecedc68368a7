"""Month by month: contributions as far as balances reach, gifts as far as the fund reaches."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from app.audit.report import audit
from app.foundation.database import Database
from app.solidarity.service.months import keep_month
from tests.app.solidarity.scene import (
    Circle,
    balance,
    confirm,
    earn,
    faults,
    fill_fund,
    fund_of,
    give_wages,
    make_circle,
    report,
    vote,
)
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person
from tests.steps import slug, take

TODAY = "2026-05-22"
FULL = 100_000


def on(clock: StandingClock, month: int, day: int, *, year: int = 2026) -> datetime:
    clock.moment = datetime(year, month, day, 9, tzinfo=UTC)
    return clock.moment


@pytest.fixture
async def circle(owner: asyncpg.Connection, database: Database) -> Circle:
    return await make_circle(owner, database, now=FRIDAY_EVENING)


async def ill(client: httpx.AsyncClient, circle: Circle, number: int = 0) -> Person:
    """A member of the circle, ill since today, confirmed by two."""
    person, *others = circle.members[number:] + circle.members[:number]
    leave = await report(client, person, TODAY)
    for other in others[:2]:
        assert (await confirm(client, other, leave["id"])).status_code == 200
    return person


async def free_of_charge(owner: asyncpg.Connection, clock: StandingClock) -> None:
    """Nothing is contributed, so no circle gives less than in full."""
    for key in ("solidarity_contribution_bp", "solidarity_most_bp"):
        await vote(owner, key, 0, at=clock.now())


async def gifts(owner: asyncpg.Connection) -> list[tuple[str, int, int, int]]:
    rows = await owner.fetch("select * from sick_gift order by month, full_minor desc, id")
    return [
        (str(row["month"]), row["days"], row["full_minor"], row["amount_minor"]) for row in rows
    ]


async def test_a_contribution_is_taken_when_the_balance_bears_it_and_at_last_as_far_as_it_does(
    owner: asyncpg.Connection, database: Database, clock: StandingClock, circle: Circle
) -> None:
    rich, poor, broke = circle.members[0], circle.members[1], circle.members[2]
    await give_wages(owner, [rich], 10_000, clock)
    await give_wages(owner, [poor], 1_000, clock)
    await fill_fund(owner, 10**6, clock)

    # The circle began in May: June is the first month.
    await keep_month(database, now=clock.now())
    assert await fund_of(owner) == 10**6
    await keep_month(database, now=on(clock, 6, 2))
    taken = [await balance(owner, person) for person in (rich, poor, broke)]
    await keep_month(database, now=on(clock, 6, 25))
    await keep_month(database, now=on(clock, 6, 26))

    assert taken == [5_500, 1_000, 0]
    assert [await balance(owner, person) for person in (rich, poor, broke)] == [5_500, 0, 0]
    assert await fund_of(owner) == 10**6 + 5_500
    assert await owner.fetchval("select count(*) from solidarity_contribution") == 20
    assert (await audit(owner)).first_violation is None


async def test_two_workers_at_once_take_each_contribution_and_make_each_gift_once(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    circle: Circle,
) -> None:
    await give_wages(owner, circle.members, 20_000, clock)
    await fill_fund(owner, 10**6, clock)
    await ill(client, circle)

    for moment in (on(clock, 6, 2), on(clock, 7, 2)):
        await asyncio.gather(*(keep_month(database, now=moment) for _ in range(3)))

    assert await gifts(owner) == [("2026-06-01", 10, 33_333, 33_333)]
    assert await fund_of(owner) == 10**6 + 2 * 20 * 4_500 - 33_333
    assert [await balance(owner, person) for person in circle.members[1:]] == [11_000] * 19
    assert (await audit(owner)).first_violation is None


async def test_a_gift_waits_thirty_days_follows_what_the_circle_gathered_and_ends_with_the_illness(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    circle: Circle,
) -> None:
    # Nineteen contribute, one has nothing: the circle gives nineteen of twenty parts.
    await give_wages(owner, circle.members[1:], 20_000, clock)
    await fill_fund(owner, 10**6, clock)
    person = await ill(client, circle)

    await keep_month(database, now=on(clock, 6, 26))
    assert await gifts(owner) == []
    await keep_month(database, now=on(clock, 7, 1))
    first = await gifts(owner)
    recovery = "/v1/me/sick-leaves/recovery"
    paid_for = await take(client, person, recovery, ended_on="2026-06-29")
    ended = await take(client, person, recovery, ended_on="2026-07-01")
    await keep_month(database, now=on(clock, 7, 26))
    await keep_month(database, now=on(clock, 8, 3))
    own = (await client.get("/v1/me/solidarity", headers=person.headers)).json()

    assert first == [("2026-06-01", 10, 31_666, 31_666)]
    assert slug(paid_for) == "month-paid"
    assert ended.status_code == 200, ended.text
    assert await gifts(owner) == first
    assert [gift["amount_minor"] for gift in own["gifts"]] == [31_666]
    assert "no insurance" in own["law"]
    assert (await audit(owner)).first_violation is None


async def test_gifts_end_after_the_voted_duration_though_the_illness_lasts(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    circle: Circle,
) -> None:
    await vote(owner, "gift_longest_months", 3, at=FRIDAY_EVENING)
    await free_of_charge(owner, clock)
    clock.pass_time(60)
    await fill_fund(owner, 10**7, clock)
    await ill(client, circle)
    # A vote after the report does not change what was reported.
    await vote(owner, "gift_longest_months", 24, at=clock.now())

    for month in range(6, 13):
        await keep_month(database, now=on(clock, month, 26))

    assert await gifts(owner) == [
        ("2026-06-01", 10, 33_333, 33_333),
        ("2026-07-01", 31, FULL, FULL),
        ("2026-08-01", 31, FULL, FULL),
        ("2026-09-01", 20, 66_666, 66_666),
    ]
    assert await faults(owner) == set()


async def test_a_setback_waits_no_second_time_and_gifts_end_with_what_was_left(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    circle: Circle,
) -> None:
    await vote(owner, "gift_longest_months", 1, at=FRIDAY_EVENING)
    await free_of_charge(owner, clock)
    clock.pass_time(60)
    await fill_fund(owner, 10**7, clock)
    person = await ill(client, circle)
    on(clock, 7, 1)
    await take(client, person, "/v1/me/sick-leaves/recovery", ended_on="2026-07-01")
    on(clock, 7, 10)
    leave = await report(client, person, "2026-07-10")
    for other in circle.members[1:3]:
        confirmed = await confirm(client, other, leave["id"])

    for month in (7, 8, 9):
        await keep_month(database, now=on(clock, month, 26))

    assert (leave["gifts_from"], confirmed.json()["gifts_from"]) == ("2026-07-10", "2026-07-10")
    # Ten days in June, and from 10 July on the month less those ten.
    assert await gifts(owner) == [
        ("2026-06-01", 10, 33_333, 33_333),
        ("2026-07-01", 21, 67_741, 67_741),
    ]
    assert await faults(owner) == set()


async def test_the_order_of_gifts_in_the_books_tells_nobody_whose_they_are(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    circle: Circle,
) -> None:
    await fill_fund(owner, 10**7, clock)
    for number in range(12):
        await ill(client, circle, number)
    await free_of_charge(owner, clock)

    await keep_month(database, now=on(clock, 7, 1))

    rows = await owner.fetch(
        "select t.credit_id from sick_gift g join transfer t on t.journal_id = g.journal_id"
        " order by g.journal_id"
    )
    accounts = [row["credit_id"] for row in rows]
    assert len(accounts) == 12
    assert accounts != sorted(accounts)
    assert await faults(owner) == set()


async def test_where_the_fund_is_short_all_get_a_fair_part_and_it_is_never_overdrawn(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    circle: Circle,
) -> None:
    await fill_fund(owner, 20_001, clock)
    await ill(client, circle)
    await ill(client, circle, 5)

    await free_of_charge(owner, clock)
    await keep_month(database, now=on(clock, 6, 26))
    await keep_month(database, now=on(clock, 7, 1))

    assert sorted(amount for *_, amount in await gifts(owner)) == [10_000, 10_001]
    assert await fund_of(owner) == 0
    assert await faults(owner) == set()


async def test_the_contribution_rises_a_month_later_with_notice_and_falls_back_when_refilled(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    circle: Circle,
) -> None:
    async def state() -> dict[str, Any]:
        answer = await client.get("/v1/solidarity", headers=circle.members[0].headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    new = await state()
    await keep_month(database, now=on(clock, 6, 2))
    short = await state()
    await keep_month(database, now=on(clock, 7, 2))
    await fill_fund(owner, 10**6, clock)
    risen = await state()
    await keep_month(database, now=on(clock, 8, 2))
    back = await state()

    assert (new["rate_bp"], new["next_rate_bp"]) == (450, None)
    assert (short["rate_bp"], short["next_rate_bp"]) == (450, 1350)
    assert "From next month it is more: 13.5 %." in short["words"]
    assert (risen["rate_bp"], risen["next_rate_bp"]) == (1350, 1350)
    assert any("because the fund is short" in line for line in risen["words"])
    assert (back["rate_bp"], back["next_rate_bp"]) == (1350, 450)
    assert back["fund_about_minor"] == 10**6
    assert "ask a lawyer" in back["law"]
    told = await owner.fetch(
        "select data->>'rate_bp' as rate, count(*) as people from event_log"
        " where type = 'solidarity.contribution_changed' group by 1 order by 1"
    )
    assert [tuple(row) for row in told] == [("1350", 20), ("450", 20)]
    assert (await audit(owner)).first_violation is None


async def test_payments_to_fewer_than_ten_are_shown_to_nobody_and_to_ten_together(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    circle: Circle,
) -> None:
    async def shown() -> list[dict[str, Any]]:
        answer = await client.get("/v1/solidarity/payments", headers=circle.members[0].headers)
        return list(answer.json()["items"])

    await fill_fund(owner, 10**7, clock)
    await free_of_charge(owner, clock)
    for number in range(9):
        await ill(client, circle, number)
    for month in (6, 7, 8, 9):
        await keep_month(database, now=on(clock, month, 26))
    nine = await shown()
    late = circle.members[9]
    leave = await report(client, late, "2026-09-01")
    for other in circle.members[10:12]:
        await confirm(client, other, leave["id"])
    await keep_month(database, now=on(clock, 11, 2))
    current = await shown()
    on(clock, 12, 2)
    ten = await shown()

    assert nine == []
    assert current == []  # November is not over
    total = await owner.fetchval("select sum(amount_minor) from sick_gift")
    [group] = ten
    assert (group["since"], group["through"]) == ("2026-07-01", "2026-11-01")
    assert (group["kind"], group["amount_minor"]) == ("sick_gift", total)
    assert "member" not in group
    assert "person" not in group


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("update sick_gift set days = 31", "gifts keep waiting time and duration"),
        ("update sick_leave set confirmed_at = null", "gifts keep waiting time and duration"),
        ("update sick_leave set waiting_days = 3", "gifts keep waiting time and duration"),
        ("delete from sick_leave_confirmation", "people confirmed who is given to"),
        ("update solidarity_contribution set due_minor = 9000", "contributions are as voted"),
        ("update solidarity_month set base_bp = 1", "contributions are as voted"),
        (
            (
                "update transfer set amount_minor = 1 where journal_id ="
                " (select journal_id from sick_gift)"
            ),
            "the fund's payments are booked",
        ),
        ("delete from sick_gift", "the fund's journals are explained"),
        (
            (
                "delete from transfer where journal_id = (select min(id) from journal"
                " where idem_scope = 'test' and kind = 'surplus_share')"
            ),
            "the fund is never overdrawn",
        ),
        ("drop trigger sick_leave_keeps_its_history on sick_leave", "circles keep their guard"),
    ],
)
async def test_the_audit_names_what_was_touched(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    circle: Circle,
    fault: str,
    check: str,
) -> None:
    await fill_fund(owner, 10**6, clock)
    await earn(owner, circle.members[1], 5_000, clock)
    await ill(client, circle)
    await keep_month(database, now=on(clock, 6, 26))
    await keep_month(database, now=on(clock, 7, 1))
    transaction = owner.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        await owner.execute("set local session_replication_role = replica")
        await owner.execute(fault)
        found = await faults(owner)
    finally:
        await transaction.rollback()

    assert check in found
    assert (await audit(owner)).first_violation is None
