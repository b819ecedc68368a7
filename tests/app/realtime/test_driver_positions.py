"""Whose position goes where: to the rider of the ride under way, and to nobody else."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.foundation.ids import new_id
from app.rides.lifecycle import CLOSED_STATES, DRIVING_STATES, RideState
from tests.app.realtime.phones import Phone, Server
from tests.conftest import StandingClock
from tests.factories import Person, make_driver, make_member


async def make_ride(
    owner: asyncpg.Connection,
    rider: Person,
    driver: Person,
    *,
    state: RideState,
    clock: Any,
    is_shared: bool = False,
) -> UUID:
    """A ride in this state, straight in its table; what it cost is of no concern here."""
    ride_id = new_id()
    await owner.execute("set session_replication_role = replica")
    await owner.execute(
        "insert into ride (id, rider_id, driver_id, vehicle_id, quote_id, hold_id, state,"
        " requested_at, search_until, is_shared, ended_at, cancelled_by)"
        " values ($1, $2, $3, $4, $5, $6, $7::text, $8, $8, $10,"
        " case when $7 = any($9) then $8::timestamptz end,"
        " case when $7 = 'cancelled' then 'rider' end)",
        ride_id,
        rider.id,
        driver.id,
        driver.vehicle_id,
        new_id(),
        new_id(),
        str(state),
        clock.now(),
        [str(state) for state in CLOSED_STATES],
        is_shared,
    )
    await owner.execute("set session_replication_role = origin")
    return ride_id


async def drive(phone: Phone, clock: StandingClock, *, lat: float) -> None:
    """Move a little, two seconds later, and wait until the server has it."""
    clock.pass_time(2)
    await phone.send(type="position", lat=lat, lng=9.52, at=clock.now().isoformat())
    assert await phone.is_served()


@pytest.mark.parametrize("state", DRIVING_STATES)
async def test_a_rider_sees_the_driver_of_their_own_ride_only(
    server: Server, owner: asyncpg.Connection, clock: StandingClock, state: RideState
) -> None:
    ada, bo = await make_member(owner, now=clock.now()), await make_member(owner, now=clock.now())
    driver, other = (
        await make_driver(owner, now=clock.now()),
        await make_driver(owner, now=clock.now()),
    )
    await server.app.state.positions.refresh_shifts(server.app.state.database)
    ride_id = await make_ride(owner, ada, driver, state=state, clock=clock)
    await make_ride(owner, bo, other, state=state, clock=clock)
    async with (
        server.phone(driver) as car,
        server.phone(ada) as rider,
        server.phone(bo) as stranger,
    ):
        await drive(car, clock, lat=47.14)
        seen = await rider.hear("position")
        assert seen == {
            "type": "position",
            "ride_id": str(ride_id),
            "lat": 47.14,
            "lng": 9.52,
            "at": clock.now().isoformat().replace("+00:00", "Z"),
        }
        assert await stranger.hears_nothing("position", for_s=1.2)


async def test_all_who_share_a_car_see_it_each_as_the_car_of_their_own_ride(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    ada, bo = await make_member(owner, now=clock.now()), await make_member(owner, now=clock.now())
    driver = await make_driver(owner, now=clock.now())
    await server.app.state.positions.refresh_shifts(server.app.state.database)
    rides = {}
    for rider, state in ((ada, RideState.UNDER_WAY), (bo, RideState.ASSIGNED)):
        rides[rider] = await make_ride(
            owner, rider, driver, state=state, clock=clock, is_shared=True
        )
    async with server.phone(driver) as car, server.phone(ada) as hers, server.phone(bo) as his:
        await drive(car, clock, lat=47.14)
        assert (await hers.hear("position"))["ride_id"] == str(rides[ada])
        assert (await his.hear("position"))["ride_id"] == str(rides[bo])
        await owner.execute(
            "update ride set state = 'completed', ended_at = $2 where id = $1",
            rides[ada],
            clock.now(),
        )
        await drive(car, clock, lat=47.1402)
        assert (await his.hear("position"))["lat"] == 47.1402
        assert await hers.hears_nothing("position", for_s=1.3)


@pytest.mark.parametrize("state", CLOSED_STATES)
async def test_nobody_is_seen_after_the_end_of_the_ride(
    server: Server, owner: asyncpg.Connection, clock: StandingClock, state: RideState
) -> None:
    ada, driver = (
        await make_member(owner, now=clock.now()),
        await make_driver(owner, now=clock.now()),
    )
    await server.app.state.positions.refresh_shifts(server.app.state.database)
    await make_ride(owner, ada, driver, state=state, clock=clock)
    async with server.phone(driver) as car, server.phone(ada) as rider:
        await drive(car, clock, lat=47.14)
        assert await rider.hears_nothing("position", for_s=1.3)


async def test_a_rider_sees_the_newest_position_at_most_once_a_second(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    ada, driver = (
        await make_member(owner, now=clock.now()),
        await make_driver(owner, now=clock.now()),
    )
    await server.app.state.positions.refresh_shifts(server.app.state.database)
    await make_ride(owner, ada, driver, state=RideState.UNDER_WAY, clock=clock)
    async with server.phone(driver) as car, server.phone(ada) as rider:
        await drive(car, clock, lat=47.14)
        await rider.hear("position")
        # A round has just gone by: all of these fall into the second before the next one.
        for step in range(1, 11):
            await drive(car, clock, lat=47.14 + step / 10_000)
        assert (await rider.hear("position"))["lat"] == 47.141
        assert await rider.hears_nothing("position", for_s=1.3)


async def test_positions_gathered_in_a_dead_zone_are_taken_as_far_as_they_are_fresh(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=clock.now())
    positions = server.app.state.positions
    await positions.refresh_shifts(server.app.state.database)
    items = [
        {
            "lat": 47.14 + step / 10_000,
            "lng": 9.52,
            "at": (clock.now() - timedelta(seconds=198 - 2 * step)).isoformat(),
        }
        for step in range(100)
    ]
    async with server.phone(driver) as car:
        await car.send(type="positions", items=items)
        assert await car.is_served()
    fix = positions.find(driver.id)
    assert (fix.lat, fix.at) == (items[-1]["lat"], clock.now())


async def test_a_driver_off_shift_is_not_followed(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=clock.now(), on_shift=False)
    async with server.phone(driver) as car:
        await drive(car, clock, lat=47.14)
        assert server.app.state.positions.find(driver.id) is None
        await server.client.post("/v1/shifts", headers=driver.act, json={})
        await drive(car, clock, lat=47.15)
        assert server.app.state.positions.find(driver.id).lat == 47.15
        await server.client.post("/v1/shifts/current/end", headers=driver.act)
        await drive(car, clock, lat=47.16)
        assert server.app.state.positions.find(driver.id) is None
