"""Riders are held for drivers soon free, the underpaid come first, and each tick says its gap."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.dispatch.queries import earnings
from app.foundation.database import Transaction
from app.rides.lifecycle import RideState
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import BALZERS, TRIESEN, VADUZ, assigned_ride, book, offered, stand, take

# By road from Balzers: 20 seconds farther than its own street, 40 seconds, and six minutes.
A_CORNER = {"lat": 47.0665, "lng": 9.5033}
NEXT_DOOR = {"lat": 47.0672, "lng": 9.5040}
MINUTES_AWAY = {"lat": 47.0907, "lng": 9.5216}


@pytest.fixture
async def rider(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def driver(owner: asyncpg.Connection) -> Person:
    return await make_driver(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def idle(owner: asyncpg.Connection) -> Person:
    return await make_driver(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def busy(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> tuple[Person, str]:
    """A driver with somebody in the car, about to end in Balzers; and the ride."""
    driver = await make_driver(owner, now=FRIDAY_EVENING)
    first = await make_member(owner, now=FRIDAY_EVENING)
    ride_id = await assigned_ride(app, client, rider=first, driver=driver, now=clock.now())
    for step in ("arrive", "start"):
        await take(client, driver, f"/v1/rides/{ride_id}/{step}")
    clock.pass_time(1200)
    await stand(app, driver, at=NEXT_DOOR, now=clock.now())
    return driver, ride_id


async def last_tick(owner: asyncpg.Connection) -> Any:
    return await owner.fetchrow("select * from dispatch_tick order by id desc limit 1")


async def set_weight(owner: asyncpg.Connection, weight_s: int, *, clock: StandingClock) -> None:
    """What the tally of a vote leaves behind; the program itself may not write this."""
    await owner.execute(
        "insert into policy_version (id, key, value, effective_from, source, tally_id)"
        " values (uuidv7(), 'fairness_weight_s', $1::text::jsonb, $2, 'tally', uuidv7())",
        str(weight_s),
        clock.now(),
    )


async def test_a_rider_is_held_for_a_driver_who_ends_next_door_and_then_gets_her(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    idle: Person,
    busy: tuple[Person, str],
) -> None:
    await stand(app, idle, at=VADUZ, now=clock.now())
    ride = await book(client, rider, pickup=BALZERS, dropoff=TRIESEN)

    held = await app.state.dispatcher.run_once()
    tick = await last_tick(owner)
    driver, first_ride = busy
    done = await take(client, driver, f"/v1/rides/{first_ride}/complete")
    offer = await offered(app, client, driver)

    assert (held.offers, held.held) == (0, 1)
    assert (tick["drivers"], tick["soon_free"], tick["held"], tick["offers"]) == (2, 1, 1, 0)
    assert done.status_code == 200
    assert offer["ride_id"] == ride["id"]


async def test_nobody_is_held_where_a_free_driver_is_as_near(
    app: FastAPI,
    client: httpx.AsyncClient,
    clock: StandingClock,
    rider: Person,
    idle: Person,
    busy: tuple[Person, str],
) -> None:
    await stand(app, idle, at=NEXT_DOOR, now=clock.now())
    ride = await book(client, rider, pickup=BALZERS, dropoff=TRIESEN)

    offer = await offered(app, client, idle)

    assert offer["ride_id"] == ride["id"]


async def test_a_held_rider_is_fetched_from_farther_before_she_gives_up(
    app: FastAPI,
    client: httpx.AsyncClient,
    clock: StandingClock,
    rider: Person,
    idle: Person,
    busy: tuple[Person, str],
) -> None:
    driver, _ = busy
    await stand(app, idle, at=MINUTES_AWAY, now=clock.now())
    ride = await book(client, rider, pickup=BALZERS, dropoff=TRIESEN)

    held = await app.state.dispatcher.run_once()
    clock.pass_time(580)
    # The ride before lasts longer than was expected of it.
    await stand(app, driver, at=NEXT_DOOR, now=clock.now())
    await stand(app, idle, at=MINUTES_AWAY, now=clock.now())
    offer = await offered(app, client, idle)

    assert held.held == 1
    assert offer["ride_id"] == ride["id"]


@pytest.mark.parametrize("reason", ["silent", "suspended", "ends far ahead"])
async def test_nobody_is_held_for_who_may_not_or_will_not_come(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    idle: Person,
    busy: tuple[Person, str],
    reason: str,
) -> None:
    driver, ride_id = busy
    match reason:
        case "silent":
            clock.pass_time(31)
        case "suspended":
            await owner.execute(
                "insert into suspension (id, member_id, by_member_id, reason, since)"
                " values (uuidv7(), $1, $2, 'a complaint is looked at', $3)",
                driver.id,
                idle.id,
                clock.now(),
            )
        case "ends far ahead":
            # Her rider is not in the car yet, and the way is long.
            await owner.execute(
                "update ride set state = $2, started_at = null where id = $1",
                ride_id,
                RideState.ARRIVED,
            )
    await stand(app, idle, at=VADUZ, now=clock.now())
    await book(client, rider, pickup=BALZERS, dropoff=TRIESEN)

    result = await app.state.dispatcher.run_once()

    assert (result.offers, result.held) == (1, 0)


@pytest.mark.parametrize(("weight_s", "who"), [(120, "underpaid"), (0, "nearer")])
async def test_of_two_about_as_near_the_underpaid_is_asked_if_the_members_want_it(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    weight_s: int,
    who: str,
) -> None:
    drivers = {"nearer": await make_driver(owner, now=FRIDAY_EVENING)}
    first = await make_member(owner, now=FRIDAY_EVENING)
    ride_id = await assigned_ride(
        app, client, rider=first, driver=drivers["nearer"], now=clock.now()
    )
    for step in ("arrive", "start", "complete"):
        await take(client, drivers["nearer"], f"/v1/rides/{ride_id}/{step}")
    drivers["underpaid"] = await make_driver(owner, now=FRIDAY_EVENING)
    clock.pass_time(3600)
    if weight_s != 120:
        await set_weight(owner, weight_s, clock=clock)
    await stand(app, drivers["nearer"], at=BALZERS, now=clock.now())
    await stand(app, drivers["underpaid"], at=A_CORNER, now=clock.now())
    ride = await book(client, rider, pickup=BALZERS, dropoff=TRIESEN)

    offer = await offered(app, client, drivers[who])

    assert offer["ride_id"] == ride["id"]
    assert (await last_tick(owner))["fairness_weight_s"] == weight_s


async def test_the_weight_of_fairness_is_what_the_newest_policy_says_and_nothing_else(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    await stand(app, driver, at=VADUZ, now=clock.now())
    await book(client, rider)
    seen = []
    for weight_s in (None, 300, 0):
        if weight_s is not None:
            await set_weight(owner, weight_s, clock=clock)
        await app.state.dispatcher.run_once()
        seen.append((await last_tick(owner))["fairness_weight_s"])
        clock.pass_time(20)  # The offer made is over, and somebody else has to be asked.
        await stand(app, await make_driver(owner, now=clock.now()), now=clock.now())

    assert seen == [120, 300, 0]


async def test_income_is_of_the_last_seven_days_per_hour_online_and_net_of_empty_ways(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    await stand(app, driver, at=TRIESEN, now=clock.now())
    ride = await book(client, rider)
    offer = await offered(app, client, driver)
    await take(client, driver, f"/v1/offers/{offer['id']}/accept")
    for step in ("arrive", "start", "complete"):
        await take(client, driver, f"/v1/rides/{ride['id']}/{step}")

    reader = Transaction(owner)
    since = FRIDAY_EVENING - timedelta(hours=1)
    [first] = await earnings(reader, since=since, until=FRIDAY_EVENING + timedelta(hours=2))
    [week_later] = await earnings(
        reader,
        since=FRIDAY_EVENING + timedelta(hours=1),
        until=FRIDAY_EVENING + timedelta(days=7),
    )

    assert (first["rides"], first["online_s"]) == (1, 7200)
    assert first["net_minor"] == offer["driver_net_minor"]
    assert first["empty_m"] == offer["pickup_m"]
    assert (week_later["rides"], week_later["net_minor"], week_later["empty_m"]) == (0, 0, 0)
    assert week_later["online_s"] == 7 * 24 * 3600 - 3600


async def test_each_tick_says_how_far_it_can_be_from_the_best_over_all_pairs(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    idle: Person,
) -> None:
    await stand(app, driver, at=VADUZ, now=clock.now())
    await stand(app, idle, at=BALZERS, now=clock.now())
    await book(client, rider)

    result = await app.state.dispatcher.run_once()

    assert result.gap == 0
    assert (await last_tick(owner))["gap"] == 0
    metrics = (await client.get("/metrics")).text
    assert "meent_dispatch_gap 0.0" in metrics
    assert "meent_dispatch_held_riders 0.0" in metrics
