"""The driver keeps the pay of a ride whose card failed; the fund pays once, and up to the cap."""

import asyncio

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.audit.report import audit
from app.members.roles import Role
from app.solidarity.service.guarantees import keep_guarantee, take_over
from tests.app.solidarity.scene import (
    GUARANTEES,
    FailedRide,
    balance,
    fail_payment,
    failed_ride,
    faults,
    fill_fund,
    fund_of,
    house,
    rider_balance,
    vote,
)
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_member
from tests.steps import ask_price, slug, take


@pytest.fixture
async def failed(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> FailedRide:
    return await failed_ride(app, client, owner, clock)


@pytest.fixture
async def staff(owner: asyncpg.Connection) -> list[Person]:
    return [await make_member(owner, Role.STAFF, now=FRIDAY_EVENING) for _ in range(3)]


async def pay_in(
    owner: asyncpg.Connection, rider: Person, amount_minor: int, clock: StandingClock
) -> None:
    """The rider pays after all, past any card."""
    await owner.execute(
        "select post_journal('test', uuidv7()::text, '', 'remittance', uuidv7(), null, $1,"
        " array[house.id], array[own.id], array[$2::bigint], null) from account house, account own"
        " where house.kind = 'bank' and own.kind = 'rider' and own.member_id = $3",
        clock.now(),
        amount_minor,
        rider.id,
    )


async def test_the_driver_is_paid_and_the_fund_takes_the_riders_debt_over_once(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, failed: FailedRide
) -> None:
    database, earned = app.state.database, await balance(owner, failed.driver)
    await fill_fund(owner, 10**6, clock)

    await asyncio.gather(*(keep_guarantee(database, now=clock.now()) for _ in range(4)))
    await keep_guarantee(database, now=clock.now())

    assert earned > 0
    assert await balance(owner, failed.driver) == earned
    assert await rider_balance(owner, failed.rider) == 0
    assert await fund_of(owner) == 10**6 - failed.fare_minor
    assert await owner.fetchval("select count(*) from guarantee") == 1
    assert (await audit(owner)).first_violation is None


async def test_two_who_take_over_one_payment_at_once_take_it_over_once(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, failed: FailedRide
) -> None:
    await fill_fund(owner, 10**6, clock)

    async def once() -> int | None:
        async with app.state.database.transaction() as tx:
            return await take_over(tx, payment_id=failed.payment_id, now=clock.now())

    taken = await asyncio.gather(*(once() for _ in range(4)))

    assert sorted(taken, key=str) == [failed.fare_minor, None, None, None]
    assert await fund_of(owner) == 10**6 - failed.fare_minor


async def test_above_the_cap_a_person_decides_that_it_is_a_cost_and_only_once(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    failed: FailedRide,
    staff: list[Person],
) -> None:
    await vote(owner, "guarantee_cap_minor", 500, at=clock.now())
    await owner.execute(
        "set session_replication_role = replica;"
        " update payment set failed_at = failed_at + interval '1 s' where state = 'failed';"
        " set session_replication_role = origin"
    )
    clock.pass_time(60)
    await fill_fund(owner, 10**6, clock)
    await keep_guarantee(app.state.database, now=clock.now())
    left = failed.fare_minor - 500
    path = f"{GUARANTEES}/{failed.payment_id}/write-off"

    owed = await rider_balance(owner, failed.rider)
    forbidden = await take(client, failed.driver, path, reason="please")
    answers = await asyncio.gather(
        *(take(client, person, path, reason="moved away") for person in staff)
    )

    assert owed == -left
    assert slug(forbidden) == "role-missing"
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {slug(one) for one in answers if one.status_code == 409} == {"nothing-owed"}
    assert await rider_balance(owner, failed.rider) == 0
    assert await house(owner, "platform_costs") == -left
    assert await fund_of(owner) == 10**6 - 500
    [shown] = (await client.get(GUARANTEES, headers=staff[0].headers)).json()["items"]
    assert (shown["covered_minor"], shown["written_off_minor"]) == (500, left)
    unknown = await take(client, staff[0], f"{GUARANTEES}/{staff[0].id}/write-off", reason="x")
    assert slug(unknown) == "not-found"
    assert await faults(owner) == set()


async def test_two_payments_of_one_ride_share_one_cap(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, failed: FailedRide
) -> None:
    await owner.execute("update balance set lowest_minor = -99999 where lowest_minor < 0")
    await pay_in(owner, failed.rider, 1, clock)
    await fill_fund(owner, 10**6, clock)
    await keep_guarantee(app.state.database, now=clock.now())
    first = await owner.fetchval("select covered_minor from guarantee")
    await owner.execute(
        "select post_journal('test', 'tip', '', 'tip', uuidv7(), null, $1, array[r.id],"
        " array[d.id], array[9000::bigint], null) from account r, account d"
        " where r.member_id = $2 and r.kind = 'rider' and d.member_id = $3 and d.kind = 'driver'",
        clock.now(),
        failed.rider.id,
        failed.driver.id,
    )
    await fail_payment(
        owner, ride_id=failed.ride_id, rider=failed.rider, amount_minor=9_000, at=clock.now()
    )
    await keep_guarantee(app.state.database, now=clock.now())

    assert first == failed.fare_minor - 1
    assert await owner.fetchval("select sum(covered_minor) from guarantee") == 5_000


async def test_what_the_rider_pays_later_goes_back_to_the_fund_and_no_more_than_that(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, failed: FailedRide
) -> None:
    database = app.state.database
    await fill_fund(owner, 10**6, clock)
    await keep_guarantee(database, now=clock.now())

    await pay_in(owner, failed.rider, 700, clock)
    await asyncio.gather(*(keep_guarantee(database, now=clock.now()) for _ in range(3)))
    some = await fund_of(owner)
    await pay_in(owner, failed.rider, failed.fare_minor, clock)
    await keep_guarantee(database, now=clock.now())
    await keep_guarantee(database, now=clock.now())

    assert some == 10**6 - failed.fare_minor + 700
    assert await fund_of(owner) == 10**6
    assert await rider_balance(owner, failed.rider) == 700
    assert (await audit(owner)).first_violation is None


async def test_who_owes_the_fund_rides_by_card_again_once_it_is_paid(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    failed: FailedRide,
) -> None:
    card = {"token": "tok_visa", "label": "card ending 4242"}
    assert (await take(client, failed.rider, "/v1/me/payment-methods", **card)).status_code == 201
    await fill_fund(owner, 10**6, clock)
    await keep_guarantee(app.state.database, now=clock.now())

    quote = await ask_price(client, failed.rider)
    wish = {"quote_id": quote["id"], "payment_method": "card"}
    refused = await take(client, failed.rider, "/v1/rides", **wish)
    await pay_in(owner, failed.rider, failed.fare_minor - 1, clock)
    await keep_guarantee(app.state.database, now=clock.now())
    still = await take(client, failed.rider, "/v1/rides", **wish)
    await pay_in(owner, failed.rider, 1, clock)
    await keep_guarantee(app.state.database, now=clock.now())
    taken = await take(client, failed.rider, "/v1/rides", **wish)

    assert (slug(refused), slug(still)) == ("fund-owed", "fund-owed")
    assert taken.status_code == 201, taken.text


async def test_an_empty_fund_takes_nothing_over_and_stays_at_nothing(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, failed: FailedRide
) -> None:
    await fill_fund(owner, 3, clock)
    await keep_guarantee(app.state.database, now=clock.now())
    assert await fund_of(owner) == 0
    assert await rider_balance(owner, failed.rider) == 3 - failed.fare_minor
    assert (await audit(owner)).first_violation is None


async def test_a_card_that_fails_before_the_ride_is_over_waits_for_its_end(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, failed: FailedRide
) -> None:
    await fill_fund(owner, 10**6, clock)
    await owner.execute(
        "set session_replication_role = replica; delete from ride_settlement;"
        " set session_replication_role = origin"
    )
    await keep_guarantee(app.state.database, now=clock.now())
    assert await owner.fetchval("select count(*) from guarantee") == 0


@pytest.mark.parametrize(
    "fault",
    [
        "update guarantee set cap_minor = cap_minor + 1",
        "update guarantee set payment_id = uuidv7()",
        "update guarantee set payment_minor = 99999, cap_minor = 99999, covered_minor = 99999",
        (
            "insert into guarantee_return select journal_id, payment_id, covered_minor + 1, now()"
            " from guarantee"
        ),
    ],
)
async def test_the_audit_names_a_guarantee_that_was_touched(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, failed: FailedRide, fault: str
) -> None:
    await fill_fund(owner, 10**6, clock)
    await keep_guarantee(app.state.database, now=clock.now())
    transaction = owner.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        await owner.execute("set local session_replication_role = replica")
        await owner.execute(fault)
        found = await faults(owner)
    finally:
        await transaction.rollback()

    assert "guarantees keep their cap" in found
