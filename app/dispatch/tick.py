"""The dispatch tick: gather, solve outside any transaction, offer in one short transaction."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from app.assembly.policies import Policy, policy_in_force
from app.dispatch import queries
from app.dispatch.explain import explanation
from app.dispatch.schemas import offer_view
from app.dispatch.solver import Solver
from app.drivers.positions import Positions
from app.foundation import metrics
from app.foundation.clock import Clock
from app.foundation.database import Database
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.members.roles import DocumentKind
from app.roads.service import Roads
from matching.candidates import find_candidates, for_router, refine
from matching.passed_over import reachable
from matching.problem import Assignment, Candidates, Demand, Problem, Supply, Weights
from matching.record import pack
from matching.travel import Point, StraightLine, distance_m

# Nobody gets there faster than this, so nobody is left out before the road engine was asked.
AT_BEST = StraightLine(detour=1.0, speed_mps=90 / 3.6)
MOST_RIDES = 5000  # of one tick; who came later waits for the next
SEED = 1  # ties are drawn from it; a stored tick replays to the same result


@dataclass(frozen=True, slots=True)
class TickResult:
    """What one tick did, for whoever watches."""

    riders: int
    drivers: int
    offers: int


class Dispatcher:
    """Pairs waiting rides with free drivers, again and again; holds nothing between ticks."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        roads: Roads,
        positions: Positions,
        solver: Solver,
        time_zone: ZoneInfo,
        weights: Weights | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._roads = roads
        self._positions = positions
        self._solver = solver
        self._time_zone = time_zone
        self._weights = weights or Weights()

    async def run_once(self) -> TickResult:
        """Close what is over, pair what waits, make offers; what changed meanwhile waits."""
        started_s = time.perf_counter()
        now = self._clock.now()
        await self._close_offers(now)
        problem = await self._gather(now)
        if problem is None:
            return TickResult(0, 0, 0)
        candidates = await self._candidates(problem, now)
        solving_s = time.perf_counter()
        assignment = await self._solver.solve(problem, candidates, seed=SEED)
        solve_s = time.perf_counter() - solving_s
        offers = await self._offer(problem, candidates, assignment, solve_s, started_s)
        metrics.TICK_SOLVE_SECONDS.observe(solve_s)
        metrics.TICK_SECONDS.observe(time.perf_counter() - started_s)
        return TickResult(len(problem.demand), len(problem.supply), offers)

    async def _close_offers(self, now: datetime) -> None:
        async with self._database.transaction() as tx:
            for row in await queries.close_offers(tx, now=now):
                data = {"offer_id": str(row["id"]), "state": row["state"]}
                tx.emit(Event(f"offer.{row['state']}", (row["driver_id"],), data), at=now)
                metrics.OFFERS.labels(row["state"]).inc()

    async def _gather(self, now: datetime) -> Problem | None:
        """Return who waits and who is free, or None where there is nobody to pair."""
        async with self._database.reading() as reader:
            rides = await queries.waiting_rides(reader, now=now, limit=MOST_RIDES)
            if not rides:
                return None
            free = await queries.free_drivers(
                reader, today=now.astimezone(self._time_zone).date(), papers=len(DocumentKind)
            )
            asked = await queries.asked_before(reader, ride_ids=[ride["id"] for ride in rides])
        here = self._positions.fresh(free, now=now)
        if not here.ids:
            return None
        waited_s = [max((now - ride["requested_at"]).total_seconds(), 0.0) for ride in rides]
        return Problem(
            demand=Demand(
                ids=tuple(ride["id"] for ride in rides),
                lat=np.array([ride["pickup_lat"] for ride in rides]),
                lng=np.array([ride["pickup_lng"] for ride in rides]),
                waited_s=np.array(waited_s),
            ),
            supply=Supply(ids=here.ids, lat=here.lat, lng=here.lng),
            weights=self._weights,
            excluded=frozenset((row["ride_id"], row["driver_id"]) for row in asked),
        )

    async def _candidates(self, problem: Problem, now: datetime) -> Candidates:
        """Return who is worth considering, with pickup times by road."""
        candidates = for_router(find_candidates(problem, line=AT_BEST))
        if not len(candidates):
            return candidates
        riders, rider_at = np.unique(candidates.rider, return_inverse=True)
        drivers, driver_at = np.unique(candidates.driver, return_inverse=True)
        seconds = await self._roads.pickup_matrix(
            _points(problem.supply, drivers),
            destinations=_points(problem.demand, riders),
            at=now,
        )
        return refine(
            candidates,
            pickup_s=seconds[driver_at, rider_at],
            max_pickup_s=problem.weights.max_pickup_s,
        )

    async def _offer(
        self,
        problem: Problem,
        candidates: Candidates,
        assignment: Assignment,
        solve_s: float,
        started_s: float,
    ) -> int:
        """Write the tick and its offers, and tell the drivers; return how many offers stood."""
        tick_id, now = new_id(), self._clock.now()
        # A large round takes tens of milliseconds to compress, which releases Python's global lock.
        record = await asyncio.to_thread(
            pack, problem, candidates, assignment, limits=self._solver.limits
        )
        async with self._database.transaction() as tx:
            offer_time = await policy_in_force(tx, key="offer_time_s", at=now)
            drafts = self._drafts(problem, assignment, policies={"offer_time_s": offer_time})
            tick_ms = (time.perf_counter() - started_s) * 1000
            await queries.insert_tick(
                tx,
                [
                    tick_id,
                    now,
                    len(problem.demand),
                    len(problem.supply),
                    len(candidates),
                    len(drafts),
                    assignment.solver,
                    assignment.objective_ds,
                    solve_s * 1000,
                    tick_ms,
                ],
            )
            stood = await queries.insert_offers(
                tx,
                tick_id=tick_id,
                now=now,
                expires_at=now + timedelta(seconds=offer_time.value),
                columns=[list(column) for column in zip(*drafts, strict=True)] or [[]] * 6,
            )
            asked = {driver_id for offer_id, _, driver_id, *_ in drafts if offer_id in stood}
            await queries.insert_input(
                tx,
                tick_id=tick_id,
                now=now,
                record=record,
                passed_over=[one for one in reachable(problem, candidates) if one not in asked],
            )
            for row in await queries.list_offers(tx, offer_ids=list(stood), driver_id=None):
                tx.emit(Event("offer.made", (row["driver_id"],), offer_view(row)), at=now)
        metrics.OFFERS.labels("made").inc(len(stood))
        return len(stood)

    def _drafts(
        self, problem: Problem, assignment: Assignment, *, policies: dict[str, Policy]
    ) -> list[tuple[UUID, Any, Any, int, int, dict[str, Any]]]:
        """Return id, ride, driver, pickup seconds and metres, and explanation of each pairing."""
        demand, supply = problem.demand, problem.supply
        pairings = assignment.pairings
        pickups = _points(demand, [pairing.rider for pairing in pairings])
        drivers = _points(supply, [pairing.driver for pairing in pairings])
        return [
            (
                new_id(),
                demand.ids[pairing.rider],
                supply.ids[pairing.driver],
                round(pairing.pickup_s),
                round(distance_m(driver, to=pickup)),
                explanation(
                    pairing,
                    assignment,
                    riders=len(demand),
                    drivers=len(supply),
                    is_estimate=self._roads.is_estimate,
                    weights=problem.weights,
                    policies=policies,
                ),
            )
            for pairing, pickup, driver in zip(pairings, pickups, drivers, strict=True)
        ]


def _points(where: Demand | Supply, places: Any) -> list[Point]:
    return [Point(lat=float(where.lat[p]), lng=float(where.lng[p])) for p in places]
