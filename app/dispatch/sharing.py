"""Sharing at work: reads who rides with whom, asks for the times, and plans who could join."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby, islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from app.dispatch import queries, run_queries
from app.dispatch.pool_record import PoolInput, whole_ds, with_record
from app.dispatch.pools import (
    Pooling,
    Shared,
    insert_last,
    meaning_of,
    places_of,
    plan_shared,
    pooling_of,
)
from app.dispatch.runs import (
    MOST_PARTIES,
    Car,
    Party,
    RunStop,
    party_of,
    planned_stops,
    stops_left,
)
from app.dispatch.solver import Solver
from app.drivers.positions import Positions
from app.fares.rules import SHARING, max_delay_s
from app.fares.wishes import SharedTimes
from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.members.roles import DocumentKind
from app.rides.lifecycle import RideState
from app.roads.service import CalibratedRoute, Roads
from matching.arrays import FloatArray
from matching.location_index import Positions as Here
from matching.travel import Point, great_circle_m

# A tick asks for the times between all stops of these: what is beyond waits, or rides alone.
MOST_WAITING = 30
MOST_RUNS = 20
FREE_CARS_EACH = 2  # the nearest to each party, beside the cars under way


class Sharing:
    """Plans shared runs, each time anew: nothing is kept between two questions."""

    def __init__(
        self,
        *,
        database: Database,
        roads: Roads,
        positions: Positions,
        solver: Solver,
        time_zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._roads = roads
        self._positions = positions
        self._solver = solver
        self._time_zone = time_zone

    async def decide(
        self,
        rides: Sequence[Any],
        *,
        free: Here,
        asked: frozenset[tuple[UUID, UUID]],
        now: datetime,
    ) -> Shared:
        """Return which of the waiting shared rides join a run now, and which are held.

        The oldest come first; where the solver is late, nobody joins and nobody is held.
        """
        waiting = [party_of(ride) for ride in rides[:MOST_WAITING]]
        if not waiting:
            return Shared()
        given = await self._given(waiting, free, asked=asked, now=now)
        if given is None:
            return Shared()
        pooling = await asyncio.to_thread(_pooling_of, given)
        plan = await self._solver.run(plan_shared, pooling.pool)
        if plan is None:
            return Shared()
        shared = meaning_of(pooling, plan, asked=asked, now=now)
        return await asyncio.to_thread(with_record, shared, given)

    async def estimate(
        self, route: CalibratedRoute, *, seats: int, now: datetime
    ) -> SharedTimes | None:
        """Return when a party that asks now would be fetched and arrive; it promises nothing.

        None where nobody could come within the limits of this party and of those who ride already.
        """
        duration_s = round(route.duration_s)
        party = Party(
            ride_id=new_id(),
            state=RideState.REQUESTED,
            pickup=route.pickup.point,
            dropoff=route.dropoff.point,
            seats=seats,
            asked_at=now,
            boarded_at=None,
            duration_s=duration_s,
            max_wait_s=round(SHARING.wait_s),
            max_delay_s=max_delay_s(duration_s),
        )
        today = now.astimezone(self._time_zone).date()
        async with self._database.reading() as reader:
            free = await queries.free_drivers(reader, today=today, papers=len(DocumentKind))
        here = self._positions.fresh(free, now=now)
        given = await self._given([party], here, asked=frozenset(), now=now)
        if given is None:
            return None
        pooling = await asyncio.to_thread(_pooling_of, given)
        found = await self._solver.run(insert_last, pooling.pool)
        return None if found is None else SharedTimes(found.ride.pickup_s, found.ride.arrival_s)

    async def _given(
        self,
        waiting: Sequence[Party],
        free: Here,
        *,
        asked: frozenset[tuple[UUID, UUID]],
        now: datetime,
    ) -> PoolInput | None:
        """Return these parties and the cars near them, with times; None where there is no car."""
        today = now.astimezone(self._time_zone).date()
        async with self._database.reading() as reader:
            runs = await self._runs(reader, waiting, today=today, now=now)
            cars = [*runs, *await self._free_cars(reader, waiting, free, asked=asked)]
        if not cars:
            return None
        here, ends = places_of(cars, waiting)
        drive_s = await self._roads.pickup_matrix([*here, *ends], destinations=ends, at=now)
        rides = {party.ride_id for party in waiting}
        return PoolInput(
            cars=tuple(cars),
            waiting=tuple(waiting),
            drive_s=whole_ds(np.asarray(drive_s, dtype=np.float64)),
            asked=frozenset(pair for pair in asked if pair[0] in rides),
            now=now,
        )

    async def _runs(
        self, reader: Transaction, waiting: Sequence[Party], *, today: date, now: datetime
    ) -> list[Car]:
        """Return the cars under way that have room, those nearest to anybody who waits."""
        rows = await run_queries.list_runs(reader, today=today, papers=len(DocumentKind))
        of_driver = {
            driver_id: list(some) for driver_id, some in groupby(rows, key=lambda r: r["driver_id"])
        }
        roomy = [one for one, rides in of_driver.items() if len(rides) < MOST_PARTIES]
        here = self._positions.fresh(roomy, now=now)
        near = np.argsort(_away_m(here, waiting).min(axis=1), kind="stable")[:MOST_RUNS]
        places = {_driver(here, at): _place(here, at) for at in near.tolist()}
        drivers = list(places)
        plans = await run_queries.list_plans(
            reader,
            driver_ids=drivers,
            oldest_ride_ids=[of_driver[one][0]["ride_id"] for one in drivers],
        )
        planned = {row["driver_id"]: planned_stops(row["run"]) for row in plans}
        return [
            _car_of(of_driver[driver_id], planned=planned.get(driver_id, ()), place=place)
            for driver_id, place in places.items()
        ]

    async def _free_cars(
        self,
        reader: Transaction,
        waiting: Sequence[Party],
        free: Here,
        *,
        asked: frozenset[tuple[UUID, UUID]],
    ) -> list[Car]:
        """Return the empty cars nearest to each party that are large enough and may be asked."""
        drivers = [_driver(free, at) for at in range(len(free.ids))]
        seats = await run_queries.car_seats(reader, driver_ids=drivers)
        room = np.array([seats.get(driver_id, 0) for driver_id in drivers], dtype=np.int64)
        away_m = _away_m(free, waiting)
        chosen: dict[int, None] = {}
        for number, party in enumerate(waiting):
            order = np.argsort(away_m[:, number], kind="stable")
            fit = (
                at
                for at in order[room[order] >= party.seats].tolist()
                if (party.ride_id, drivers[at]) not in asked
            )
            chosen |= dict.fromkeys(islice(fit, FREE_CARS_EACH))
        return [
            Car(driver_id=drivers[at], place=_place(free, at), seats=int(room[at])) for at in chosen
        ]


def _pooling_of(given: PoolInput) -> Pooling:
    # Some ten thousand numbers are copied and looked at: not in the event loop.
    return pooling_of(given.cars, given.waiting, drive_s=given.drive_s, now=given.now)


def _driver(here: Here, at: int) -> UUID:
    driver_id = here.ids[at]
    assert isinstance(driver_id, UUID)
    return driver_id


def _place(here: Here, at: int) -> Point:
    return Point(lat=float(here.lat[at]), lng=float(here.lng[at]))


def _car_of(rows: Sequence[Any], *, planned: Sequence[RunStop], place: Point) -> Car:
    parties = tuple(party_of(row) for row in rows)
    return Car(
        driver_id=rows[0]["driver_id"],
        place=place,
        seats=rows[0]["car_seats"],
        parties=parties,
        stops=stops_left(planned, {party.ride_id: party.state for party in parties}),
        is_asked=any(row["is_asked"] for row in rows),
    )


def _away_m(here: Here, waiting: Sequence[Party]) -> FloatArray:
    """Return the metres from each driver (row) to each party's pickup, as the crow flies."""
    return great_circle_m(
        from_lat=here.lat[:, np.newaxis],
        from_lng=here.lng[:, np.newaxis],
        to_lat=np.array([party.pickup.lat for party in waiting])[np.newaxis, :],
        to_lng=np.array([party.pickup.lng for party in waiting])[np.newaxis, :],
    )
