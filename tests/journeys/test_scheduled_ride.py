"""A ride is booked for tomorrow morning, and the car stands there when it was promised."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.audit.report import audit
from app.foundation.database import Database
from app.rides.scheduled import keep_schedule
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import TRIESEN, VADUZ, book, offered, slug, stand, take

AT_SEVEN = FRIDAY_EVENING + timedelta(hours=14)


@pytest.fixture
async def rider(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def driver(owner: asyncpg.Connection) -> Person:
    return await make_driver(owner, now=FRIDAY_EVENING)


async def at(
    app: FastAPI, clock: StandingClock, moment: datetime, *, standing: dict[Person, Any]
) -> None:
    """It is this moment, the schedule's worker has been round, and drivers say where they are."""
    clock.moment = moment
    await keep_schedule(app.state.database, now=moment)
    for driver, place in standing.items():
        await stand(app, driver, at=place, now=moment)


async def test_a_booked_ride_is_reminded_of_reserved_offered_in_time_driven_and_paid(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    ride = await book(client, rider, pickup_at=AT_SEVEN)
    here = {driver: TRIESEN}

    await at(app, clock, AT_SEVEN - timedelta(minutes=30), standing=here)
    assert (await app.state.dispatcher.run_once()).offers == 0

    await at(app, clock, AT_SEVEN - timedelta(minutes=14), standing=here)
    kept_back = await app.state.dispatcher.run_once()
    assert (kept_back.riders, kept_back.offers) == (1, 0)

    await at(app, clock, AT_SEVEN - timedelta(minutes=5), standing=here)
    offer = await offered(app, client, driver)
    assert datetime.fromisoformat(offer["pickup_from"]) == AT_SEVEN
    assert datetime.fromisoformat(offer["pickup_until"]) == AT_SEVEN + timedelta(minutes=10)
    accepted = await take(client, driver, f"/v1/offers/{offer['id']}/accept")
    assert accepted.status_code == 200, accepted.text

    clock.moment = AT_SEVEN - timedelta(minutes=1)
    arrived = await take(client, driver, f"/v1/rides/{ride['id']}/arrive")
    assert arrived.json()["state"] == "arrived"
    clock.moment = AT_SEVEN + timedelta(minutes=1)
    for step in ("start", "complete"):
        done = await take(client, driver, f"/v1/rides/{ride['id']}/{step}")
        assert done.status_code == 200, done.text

    assert done.json()["fare_minor"] == ride["fare_minor"]
    of_rider = await database.events_after([(rider.id, 0)])
    assert [event.type for event in of_rider] == [
        "ride.scheduled",
        "ride.reminder",
        "ride.search_began",
        "ride.assigned",
        "ride.driver_arrived",
        "ride.started",
        "ride.completed",
    ]
    told = await database.events_after([(driver.id, 0)])
    [assigned] = [event for event in told if event.type == "ride.assigned"]
    assert datetime.fromisoformat(assigned.data["pickup_from"]) == AT_SEVEN
    assert (await audit(owner)).violations == 0


async def test_a_driver_kept_for_a_booked_ride_is_not_sent_to_somebody_else(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    second = await make_driver(owner, now=FRIDAY_EVENING)
    await book(client, rider, pickup_at=AT_SEVEN)
    await at(app, clock, AT_SEVEN - timedelta(minutes=14), standing={driver: VADUZ})
    other = await book(client, await make_member(owner, now=FRIDAY_EVENING), dropoff=TRIESEN)

    alone = await app.state.dispatcher.run_once()
    await stand(app, second, at=TRIESEN, now=clock.now())
    helped = await app.state.dispatcher.run_once()

    assert (alone.riders, alone.offers, helped.offers) == (2, 0, 1)
    assert await owner.fetchval("select ride_id::text from offer") == other["id"]


async def test_nobody_is_kept_while_three_drivers_could_still_set_out_later(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
) -> None:
    three = [await make_driver(owner, now=FRIDAY_EVENING) for _ in range(3)]
    await book(client, rider, pickup_at=AT_SEVEN)
    await at(app, clock, AT_SEVEN - timedelta(minutes=14), standing=dict.fromkeys(three, VADUZ))
    for _ in three:
        await book(client, await make_member(owner, now=FRIDAY_EVENING), dropoff=TRIESEN)

    tick = await app.state.dispatcher.run_once()

    assert (tick.riders, tick.offers) == (4, 3)


async def test_a_driver_who_came_early_waits_for_the_window_before_a_no_show(
    app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, rider: Person, driver: Person
) -> None:
    ride = await book(client, rider, pickup_at=AT_SEVEN)
    await at(app, clock, AT_SEVEN - timedelta(minutes=2), standing={driver: VADUZ})
    offer = await offered(app, client, driver)
    await take(client, driver, f"/v1/offers/{offer['id']}/accept")
    await take(client, driver, f"/v1/rides/{ride['id']}/arrive")

    clock.moment = AT_SEVEN + timedelta(seconds=179)
    early = await take(client, driver, f"/v1/rides/{ride['id']}/no-show")
    clock.moment = AT_SEVEN + timedelta(seconds=180)
    late = await take(client, driver, f"/v1/rides/{ride['id']}/no-show")

    assert (early.status_code, slug(early)) == (409, "too-early-for-no-show")
    assert early.json()["earliest"] == (AT_SEVEN + timedelta(seconds=180)).isoformat()
    assert late.json()["state"] == "no_show"


async def test_a_driver_who_gives_a_booked_ride_back_is_replaced_within_the_window(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    second = await make_driver(owner, now=FRIDAY_EVENING)
    ride = await book(client, rider, pickup_at=AT_SEVEN)
    await at(app, clock, AT_SEVEN - timedelta(minutes=2), standing={driver: VADUZ})
    offer = await offered(app, client, driver)
    await take(client, driver, f"/v1/offers/{offer['id']}/accept")

    await take(client, driver, f"/v1/rides/{ride['id']}/withdraw", reason="a flat tyre")
    await stand(app, second, at=TRIESEN, now=clock.now())
    again = await offered(app, client, second)

    assert again["ride_id"] == ride["id"]
    assert clock.now() + timedelta(seconds=again["pickup_s"]) < AT_SEVEN + timedelta(minutes=10)
