"""However many rides come to one driver at once: never mixed, never too full, never a fourth."""

import asyncio
import random
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.foundation.database import Database
from app.foundation.problems import Problem
from app.rides import service as rides
from app.rides.errors import CarFull, DriverBusy
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import book

ROUNDS = 10


async def give(database: Database, ride_id: str, driver: Person, clock: StandingClock) -> str:
    """Give a ride to a driver; return what came of it."""
    assert driver.vehicle_id is not None
    try:
        async with database.transaction() as tx:
            await rides.assign_driver(
                tx,
                ride_id=UUID(ride_id),
                driver_id=driver.id,
                vehicle_id=driver.vehicle_id,
                now=clock.now(),
            )
    except (CarFull, DriverBusy) as refused:
        return refused.slug
    return "given"


async def booked(
    client: httpx.AsyncClient, owner: asyncpg.Connection, *, shared: bool, seats: int
) -> str:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    return str((await book(client, rider, shared=shared, seats=seats))["id"])


async def test_parties_of_all_sizes_at_once_never_fill_a_car_too_much(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    chance = random.Random(1)
    seen = set()
    for _ in range(ROUNDS):
        driver = await make_driver(owner, now=FRIDAY_EVENING)
        wanted = [
            await booked(
                client, owner, shared=chance.random() < 0.8, seats=chance.choice([1, 1, 2, 3])
            )
            for _ in range(8)
        ]

        came = await asyncio.gather(
            *(give(app.state.database, ride_id, driver, clock) for ride_id in wanted)
        )

        seen |= set(came)
        row = await owner.fetchrow(
            "select count(*) as rides, sum(seats) as seats, bool_or(is_shared) as any_shared,"
            " bool_and(is_shared) as all_shared from ride where driver_id = $1",
            driver.id,
        )
        assert row is not None
        assert row["rides"] == came.count("given") > 0
        assert row["seats"] <= 4
        assert row["rides"] <= 3
        assert row["any_shared"] == row["all_shared"]
        assert row["all_shared"] or row["rides"] == 1
    assert seen == {"given", "car-full", "driver-busy"}


@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [
        ((False, 1), (False, 1), DriverBusy),
        ((False, 1), (True, 1), DriverBusy),
        ((True, 1), (False, 1), DriverBusy),
        ((True, 3), (True, 2), CarFull),
        ((True, 2), (True, 2), None),
    ],
)
async def test_what_may_ride_beside_what_the_database_decides(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    first: tuple[bool, int],
    second: tuple[bool, int],
    refusal: type[Problem] | None,
) -> None:
    driver = await make_driver(owner, now=FRIDAY_EVENING)
    came = [
        await give(
            app.state.database,
            await booked(client, owner, shared=shared, seats=seats),
            driver,
            clock,
        )
        for shared, seats in (first, second)
    ]

    assert came == ["given", refusal.slug if refusal else "given"]


async def test_even_by_hand_nobody_gets_into_a_full_car(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=FRIDAY_EVENING)
    ride_id = await booked(client, owner, shared=True, seats=4)
    assert await give(app.state.database, ride_id, driver, clock) == "given"

    with pytest.raises(asyncpg.CheckViolationError, match="not so many seats"):
        await owner.execute("update ride set seats = 5 where id = $1", UUID(ride_id))
