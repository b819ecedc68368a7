"""A trip that its rider changes costs the price that they accepted, or else the old one."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.audit.report import audit
from app.foundation.database import Database
from tests.app.fares.acts import put_in_force
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import BALZERS, TRIESEN, VADUZ, assigned_ride, slug, take


@pytest.fixture
async def rider(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def driver(owner: asyncpg.Connection) -> Person:
    return await make_driver(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def ride_id(
    app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, rider: Person, driver: Person
) -> str:
    """A ride from Vaduz to Balzers that is under way."""
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    for step in ("arrive", "start"):
        await take(client, driver, f"/v1/rides/{ride_id}/{step}")
    return ride_id


async def seen_at(
    owner: asyncpg.Connection, driver: Person, clock: StandingClock, place: Any
) -> None:
    await owner.execute(
        "insert into driver_position (driver_id, lat, lng, at) values ($1, $2, $3, $4)"
        " on conflict (driver_id) do update set lat = $2, lng = $3, at = $4",
        driver.id,
        place["lat"],
        place["lng"],
        clock.now(),
    )


async def ask(client: httpx.AsyncClient, rider: Person, ride_id: str, to: Any) -> httpx.Response:
    return await take(client, rider, f"/v1/rides/{ride_id}/changes", dropoff=to)


async def accept(
    client: httpx.AsyncClient, rider: Person, ride_id: str, change: dict[str, Any]
) -> httpx.Response:
    return await take(client, rider, f"/v1/rides/{ride_id}/changes/{change['id']}/accept")


async def settled_minor(owner: asyncpg.Connection) -> int:
    return int(await owner.fetchval("select fare_minor from ride_settlement"))


async def test_an_accepted_change_is_what_the_ride_costs_and_the_driver_is_told(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    ride_id: str,
) -> None:
    await seen_at(owner, driver, clock, TRIESEN)
    change = (await ask(client, rider, ride_id, VADUZ)).json()
    accepted = await accept(client, rider, ride_id, change)
    held = await owner.fetchval("select sum(held_minor) from balance")

    done = await take(client, driver, f"/v1/rides/{ride_id}/complete")

    # To Triesen and back is paid, although the new drop-off is where the ride began.
    assert accepted.json()["accepted"] is True
    assert change["quote"]["distance_m"] > 5_000
    assert change["fare_before_minor"] != change["quote"]["fare_minor"] == held
    assert done.json()["fare_minor"] == change["quote"]["fare_minor"]
    told = await database.events_after([(driver.id, 0)])
    [changed] = [event.data for event in told if event.type == "ride.changed"]
    assert changed["dropoff"]["lat"] == change["quote"]["dropoff"]["lat"]
    assert changed["driver_net_minor"] == done.json()["driver_net_minor"]
    assert (await audit(owner)).first_violation is None


async def test_a_change_is_priced_by_the_tariff_and_the_share_that_were_booked(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    ride_id: str,
) -> None:
    await seen_at(owner, driver, clock, VADUZ)
    before = (await ask(client, rider, ride_id, TRIESEN)).json()
    await put_in_force(client, owner, clock, base_minor=5_000)

    after = (await ask(client, rider, ride_id, TRIESEN)).json()

    assert after["quote"]["items"] == before["quote"]["items"]
    assert after["quote"]["policy_version_id"] == before["quote"]["policy_version_id"]


@pytest.mark.parametrize("what", ["nothing", "expired", "replaced"])
async def test_without_an_accepted_change_the_old_fare_stays(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    ride_id: str,
    what: str,
) -> None:
    await seen_at(owner, driver, clock, VADUZ)
    change = (await ask(client, rider, ride_id, TRIESEN)).json()
    if what == "expired":
        clock.pass_time(120)
    if what == "replaced":
        await ask(client, rider, ride_id, BALZERS)
    if what != "nothing":
        late = await accept(client, rider, ride_id, change)
        assert (late.status_code, slug(late)) == (409, "change-over")

    await take(client, driver, f"/v1/rides/{ride_id}/complete")

    assert await settled_minor(owner) == change["fare_before_minor"]


async def test_a_change_before_the_ride_begins_needs_no_position(
    app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, rider: Person, driver: Person
) -> None:
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())

    change = (await ask(client, rider, ride_id, TRIESEN)).json()

    assert change["quote"]["fare_minor"] < change["fare_before_minor"]


async def test_under_way_an_unseen_car_gets_no_new_price(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    ride_id: str,
) -> None:
    await seen_at(owner, driver, clock, VADUZ)
    clock.pass_time(121)

    answer = await ask(client, rider, ride_id, TRIESEN)

    assert (answer.status_code, slug(answer)) == (409, "car-not-seen")


async def test_nobody_books_the_price_of_a_change_or_a_price_that_was_changed(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    ride_id: str,
) -> None:
    await seen_at(owner, driver, clock, VADUZ)
    booked = await owner.fetchval("select quote_id from ride")
    change = (await ask(client, rider, ride_id, TRIESEN)).json()
    await accept(client, rider, ride_id, change)
    await take(client, driver, f"/v1/rides/{ride_id}/complete")

    for quote_id in (str(booked), change["quote"]["id"]):
        answer = await take(client, rider, "/v1/rides", quote_id=quote_id)
        assert (answer.status_code, slug(answer)) == (409, "quote-already-booked")


async def test_a_price_above_the_riders_limit_changes_nothing(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    ride_id: str,
) -> None:
    await seen_at(owner, driver, clock, BALZERS)
    change = (await ask(client, rider, ride_id, VADUZ)).json()
    await owner.execute("update balance set lowest_minor = posted_minor - held_minor")

    refused = await accept(client, rider, ride_id, change)
    await take(client, driver, f"/v1/rides/{ride_id}/complete")

    assert (refused.status_code, slug(refused)) == (409, "credit-limit-reached")
    assert await settled_minor(owner) == change["fare_before_minor"]


@pytest.mark.parametrize("step", ["ask", "accept"])
async def test_a_strangers_ride_cannot_be_changed(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    ride_id: str,
    step: str,
) -> None:
    await seen_at(owner, driver, clock, VADUZ)
    change = (await ask(client, rider, ride_id, TRIESEN)).json()
    stranger = await make_member(owner, now=clock.now())

    if step == "ask":
        answer = await ask(client, stranger, ride_id, TRIESEN)
    else:
        answer = await accept(client, stranger, ride_id, change)

    assert (answer.status_code, slug(answer)) == (404, "not-found")


@pytest.mark.parametrize("attempt", range(5))
async def test_of_accepting_and_completing_at_once_the_first_one_counts(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    ride_id: str,
    attempt: int,
) -> None:
    await seen_at(owner, driver, clock, VADUZ)
    change = (await ask(client, rider, ride_id, TRIESEN)).json()
    acts = [
        accept(client, rider, ride_id, change),
        accept(client, rider, ride_id, change),
        take(client, driver, f"/v1/rides/{ride_id}/complete"),
    ]

    answers = await asyncio.gather(*(acts[attempt % 3 :] + acts[: attempt % 3]))

    statuses = sorted(answer.status_code for answer in answers)
    accepted = await owner.fetchval("select accepted_at is not null from ride_change")
    assert statuses == ([200, 200, 409] if accepted else [200, 409, 409])
    expected = change["quote"]["fare_minor"] if accepted else change["fare_before_minor"]
    assert await settled_minor(owner) == expected
    assert await owner.fetchval("select sum(held_minor) from balance") == 0
    assert (await audit(owner)).first_violation is None


async def test_of_several_questions_at_once_one_stays_open(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    ride_id: str,
) -> None:
    await seen_at(owner, driver, clock, VADUZ)

    answers = await asyncio.gather(*(ask(client, rider, ride_id, TRIESEN) for _ in range(4)))

    assert {answer.status_code for answer in answers} == {201}
    assert await owner.fetchval("select count(*) from ride_change where replaced_at is null") == 1


@pytest.mark.parametrize("attempt", range(4))
async def test_of_cancelling_late_and_starting_at_once_one_is_paid_for(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    attempt: int,
) -> None:
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    clock.pass_time(121)
    await take(client, driver, f"/v1/rides/{ride_id}/arrive")
    acts = [
        take(client, rider, f"/v1/rides/{ride_id}/cancel", reason=""),
        take(client, driver, f"/v1/rides/{ride_id}/start"),
    ]

    answers = await asyncio.gather(*(acts if attempt % 2 else acts[::-1]))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    state = await owner.fetchval("select state from ride")
    fees = await owner.fetchval("select count(*) from ride_settlement where kind = 'fee'")
    assert fees == (1 if state == "cancelled" else 0)
    assert (await audit(owner)).first_violation is None
