"""What a tick decides from: who waits, who is free now or soon, what counts, who was asked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from app.assembly.policies import Policy, policy_in_force
from app.dispatch import queries, run_queries
from app.dispatch.earnings import Earnings
from app.dispatch.lately import LatelyAsked
from app.dispatch.pools import Shared
from app.dispatch.sharing import Sharing
from app.dispatch.solver import MEENT, Round
from app.drivers.positions import Positions
from app.foundation.database import Database, Transaction
from app.members.roles import DocumentKind
from app.rides.lifecycle import RideState
from app.roads.service import Roads, hour_of_week
from matching.anticipation import soon_free_s
from matching.arrays import LONGEST_S, FloatArray
from matching.location_index import Positions as Here
from matching.problem import Demand, Problem, Supply, Weights
from matching.replay.day import Rules
from matching.replay.policies import AT_BEST
from matching.road_certificate import LeastDrive
from matching.travel import Point, great_circle_m

MOST_RIDES = 5000  # of one tick; who came later waits for the next
MOST_SOON_FREE = 300  # whose way is asked for in one tick: those nearest to the end of their ride
WAYS_AT_ONCE = 25  # the engine answers n x n of which n are used, at the cost of 2 n searches
WEIGHT, OFFER_TIME = "fairness_weight_s", "offer_time_s"


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What a tick decides from: a round of pairs, and who shares.

    `round` is None where nobody is left to pair; `soon_free` is how many of its drivers are busy,
    `sharing` how many riders who share were looked at.
    """

    round: Round | None
    policies: dict[str, Policy]
    soon_free: int
    shared: Shared
    sharing: int


@dataclass(frozen=True, slots=True, eq=False)
class _SoonFree:
    ids: tuple[Any, ...]
    lat: FloatArray
    lng: FloatArray
    free_in_s: FloatArray


class Gathering:
    """Reads what a tick needs, each time anew but for the week's earnings."""

    def __init__(
        self,
        *,
        database: Database,
        roads: Roads,
        positions: Positions,
        time_zone: ZoneInfo,
        max_pickup_s: float,
        window_s: float,
        empty_km_minor: int,
        sharing: Sharing,
    ) -> None:
        self._database = database
        self._roads = roads
        self._positions = positions
        self._time_zone = time_zone
        self._rules = Rules(max_pickup_s=max_pickup_s, window_s=window_s)
        self._earnings = Earnings(empty_km_minor=empty_km_minor)
        self._lately = LatelyAsked()
        self._sharing = sharing

    async def gather(self, now: datetime) -> Gathered | None:
        """Return what is to be decided, or None where nobody waits or nobody drives."""
        today = now.astimezone(self._time_zone).date()
        papers = len(DocumentKind)
        async with self._database.reading() as reader:
            rides = await queries.waiting_rides(reader, now=now, limit=MOST_RIDES)
            if not rides:
                return None
            policies = {
                key: await policy_in_force(reader, key=key, at=now) for key in (WEIGHT, OFFER_TIME)
            }
            if policies[WEIGHT].value:
                await self._earnings.refresh(reader, now=now)
            free = await queries.free_drivers(reader, today=today, papers=papers)
            busy = await queries.busy_drivers(reader, today=today, papers=papers)
            asked = await _asked_before(reader, rides)
        self._lately.see(rides, now=now)
        here = self._positions.fresh(free, now=now)
        sharing = [ride for ride in rides if ride["is_shared"]]
        shared = await self._sharing.decide(sharing, free=here, asked=asked, now=now)
        rides = [ride for ride in rides if ride["id"] not in shared.spoken_for]
        soon = await self._soon_free(busy, now)
        if not rides or not (here.ids or soon.ids):
            is_idle = not shared.joins
            return None if is_idle else Gathered(None, policies, 0, shared, len(sharing))
        problem = MEENT.priced(
            Problem(
                demand=_demand(rides, now=now),
                supply=await self._supply(here, soon),
                weights=self._weights(policies[WEIGHT].value),
                excluded=asked,
            )
        )
        round_ = Round(
            problem=problem,
            gives_up_in_s=_seconds_to([ride["search_until"] for ride in rides], now=now),
            least=self._least(now),
        )
        return Gathered(round_, policies, len(soon.ids), shared, len(sharing))

    def _weights(self, fairness_s: int) -> Weights:
        """The live tick values what the replayed policy of this name does."""
        return replace(MEENT, fairness_s=float(fairness_s)).weights(self._rules)

    async def _supply(self, here: Here, soon: _SoonFree) -> Supply:
        ids = (*here.ids, *soon.ids)
        lat, lng = np.concatenate((here.lat, soon.lat)), np.concatenate((here.lng, soon.lng))
        return Supply(
            ids=ids,
            lat=lat,
            lng=lng,
            free_in_s=np.concatenate((np.zeros(len(here.ids)), soon.free_in_s)),
            underpaid=self._earnings.underpaid(ids),
            # Some ten milliseconds for thousands of drivers, without Python's global lock.
            sought_after=await asyncio.to_thread(self._lately.sought_after, lat=lat, lng=lng),
        )

    def _least(self, now: datetime) -> LeastDrive:
        """The quickest drive there can be, by this city's calibration of the engine."""
        hour = hour_of_week(now, time_zone=self._time_zone)
        engine_s = [0.0, float(AT_BEST.drive_s(1000.0))]
        nothing_s, km_s = self._roads.calibration.promise_s(engine_s, hour=hour).tolist()
        return LeastDrive(constant_s=nothing_s, s_per_m=(km_s - nothing_s) / 1000)

    async def _soon_free(self, busy: Sequence[Any], now: datetime) -> _SoonFree:
        """Return those of the busy who end their ride within the horizon: when, and where.

        Only drivers heard of lately: nobody is held for a telephone that is silent.
        """
        here = self._positions.fresh([row["driver_id"] for row in busy], now=now)
        ride_of = {row["driver_id"]: row for row in busy}
        rows = [ride_of[driver_id] for driver_id in here.ids]
        next_lat, next_lng = _next_stops(rows)
        after_s = np.array([self._after_next_stop_s(row) for row in rows], dtype=np.float64)
        crow_m = great_circle_m(
            from_lat=here.lat, from_lng=here.lng, to_lat=next_lat, to_lng=next_lng
        )
        at_least_s = AT_BEST.drive_s(crow_m) + after_s
        likely = np.argsort(at_least_s, kind="stable")[:MOST_SOON_FREE]
        likely = likely[at_least_s[likely] <= MEENT.horizon_s]
        ways_s = await self._ways_s(
            [Point(float(here.lat[one]), float(here.lng[one])) for one in likely],
            [Point(float(next_lat[one]), float(next_lng[one])) for one in likely],
            now,
        )
        free_in_s = soon_free_s(
            ways_s + after_s[likely],
            window_s=self._rules.window_s,
            horizon_s=MEENT.horizon_s,
        )
        soon = likely[np.isfinite(free_in_s)]
        return _SoonFree(
            ids=tuple(here.ids[one] for one in soon),
            lat=np.array([rows[one]["dropoff_lat"] for one in soon], dtype=np.float64),
            lng=np.array([rows[one]["dropoff_lng"] for one in soon], dtype=np.float64),
            free_in_s=free_in_s[np.isfinite(free_in_s)],
        )

    def _after_next_stop_s(self, ride: Any) -> float:
        """What is left of the ride when the car is where it goes next."""
        if ride["state"] == RideState.UNDER_WAY:
            return 0.0
        return self._rules.boarding_s + float(ride["duration_s"])

    async def _ways_s(
        self, starts: Sequence[Point], ends: Sequence[Point], now: datetime
    ) -> FloatArray:
        """Return the seconds from each start to its own end, nan where no way leads."""
        ways = [np.empty(0)]
        for first in range(0, len(starts), WAYS_AT_ONCE):
            some = slice(first, first + WAYS_AT_ONCE)
            between = await self._roads.pickup_matrix(starts[some], destinations=ends[some], at=now)
            ways.append(np.diagonal(between))
        return np.concatenate(ways)


async def _asked_before(reader: Transaction, rides: Sequence[Any]) -> frozenset[tuple[UUID, UUID]]:
    """Return pairs (ride, driver) that must not be made: asked before, or too small a car."""
    asked = await queries.asked_before(reader, ride_ids=[ride["id"] for ride in rides])
    small = await run_queries.small_cars(reader, below=max(ride["seats"] for ride in rides))
    return frozenset(
        [
            *((row["ride_id"], row["driver_id"]) for row in asked),
            *(
                (ride["id"], car["driver_id"])
                for car in small
                for ride in rides
                if ride["seats"] > car["seats"]
            ),
        ]
    )


def _next_stops(rows: Sequence[Any]) -> tuple[FloatArray, FloatArray]:
    """The drop-off of a ride under way, and before that the pickup."""
    stops = ["dropoff" if row["state"] == RideState.UNDER_WAY else "pickup" for row in rows]
    lat, lng = (
        np.array([row[f"{stop}_{axis}"] for row, stop in zip(rows, stops, strict=True)])
        for axis in ("lat", "lng")
    )
    return lat.astype(np.float64), lng.astype(np.float64)


def _demand(rides: Sequence[Any], *, now: datetime) -> Demand:
    return Demand(
        ids=tuple(ride["id"] for ride in rides),
        lat=np.array([ride["pickup_lat"] for ride in rides]),
        lng=np.array([ride["pickup_lng"] for ride in rides]),
        waited_s=np.array(
            [max((now - ride["requested_at"]).total_seconds(), 0.0) for ride in rides]
        ),
        due_in_s=_seconds_to([ride["pickup_from"] for ride in rides], now=now),
        late_in_s=_seconds_to(
            [ride["pickup_until"] for ride in rides], now=now, unsaid_s=LONGEST_S
        ),
    )


def _seconds_to(
    moments: Sequence[datetime | None], *, now: datetime, unsaid_s: float = 0.0
) -> FloatArray:
    """Seconds from now on, 0 for what is past, and what is said of no moment at all."""
    return np.array(
        [
            unsaid_s if moment is None else max((moment - now).total_seconds(), 0.0)
            for moment in moments
        ]
    )
