"""The dispatch tick: gather, solve outside any transaction, offer in one short transaction."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.assembly.policies import Policy
from app.dispatch import queries, run_queries
from app.dispatch.explain import explanation, join_explanation
from app.dispatch.gather import OFFER_TIME, WEIGHT, Gathered, Gathering
from app.dispatch.runs import stored_stops
from app.dispatch.schemas import offer_view
from app.dispatch.sharing import Sharing
from app.dispatch.solver import Asked, Decided, Round, Solver
from app.drivers.positions import Positions
from app.foundation import metrics
from app.foundation.clock import Clock
from app.foundation.database import Database
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.roads.service import Roads
from matching.anticipation import sent
from matching.arrays import FloatArray
from matching.booked import is_due
from matching.passed_over import reachable
from matching.problem import Assignment, Demand, Pairing, Problem, Supply
from matching.record import pack
from matching.road_times import Block
from matching.travel import Point, distance_m

SEED = 1  # ties are drawn from it; a stored tick replays to the same result
# A pairing that is proven so near to the best is good; else more drives are asked for, so often,
# and not once this much of the tick is over (real seconds, the clock of the machine).
GOOD_GAP = 0.005
MOST_ROUNDS = 3
NO_ROUND_AFTER_S = 1.0
BLOCKS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class TickResult:
    """What one tick did, for whoever watches. `gap` is None where nothing was proven."""

    riders: int
    drivers: int
    offers: int
    held: int = 0
    gap: float | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """An offer to be made, its columns in the order of the statement."""

    id: UUID
    ride_id: Any
    driver_id: Any
    pickup_s: int
    pickup_m: int
    explanation: dict[str, Any]
    run: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of pairing riders and drivers; `record` is None where nobody was to be paired."""

    drafts: Sequence[_Draft] = ()
    riders: int = 0
    drivers: int = 0
    candidates: int = 0
    held: int = 0
    solver: str = "nobody to pair"
    objective_ds: int = 0
    gap: float | None = None
    record: bytes | None = None
    passed_over: Sequence[Any] = ()


_NOBODY_PAIRED = _Outcome()
_COLUMNS = [field.name for field in fields(_Draft)]


class Dispatcher:
    """Pairs waiting rides with drivers free now or soon, again and again.

    Between ticks it holds nothing but the week's earnings, which are read again when they are old.
    A rider whose best driver is soon free is held: nobody is sent, and the next tick decides anew.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        roads: Roads,
        positions: Positions,
        solver: Solver,
        time_zone: ZoneInfo,
        max_pickup_s: float,
        window_s: float,
        empty_km_minor: int,
        sharing: Sharing,
    ) -> None:
        self._database = database
        self._clock = clock
        self._roads = roads
        self._solver = solver
        self._gathering = Gathering(
            database=database,
            roads=roads,
            positions=positions,
            time_zone=time_zone,
            max_pickup_s=max_pickup_s,
            window_s=window_s,
            empty_km_minor=empty_km_minor,
            sharing=sharing,
        )

    async def run_once(self) -> TickResult:
        """Close what is over, pair what waits, make offers; what changed meanwhile waits."""
        started_s = time.perf_counter()
        now = self._clock.now()
        await self._close_offers(now)
        gathered = await self._gathering.gather(now)
        if gathered is None:
            return TickResult(0, 0, 0)
        decided, solve_s = None, 0.0
        if gathered.round is not None:
            decided, solve_s = await self._decide(gathered.round, now, started_s=started_s)
        result = await self._offer(gathered, decided, solve_s, started_s)
        metrics.TICK_SOLVE_SECONDS.observe(solve_s)
        metrics.TICK_SECONDS.observe(time.perf_counter() - started_s)
        metrics.HELD_RIDERS.set(result.held)
        metrics.DISPATCH_GAP.set(float("nan") if result.gap is None else result.gap)
        return result

    async def _close_offers(self, now: datetime) -> None:
        async with self._database.transaction() as tx:
            for row in await queries.close_offers(tx, now=now):
                data = {"offer_id": str(row["id"]), "state": row["state"]}
                tx.emit(Event(f"offer.{row['state']}", (row["driver_id"],), data), at=now)
                metrics.OFFERS.labels(row["state"]).inc()

    async def _decide(
        self, round_: Round, now: datetime, *, started_s: float
    ) -> tuple[Decided, float]:
        """Return what is decided by road times, and how many seconds the solver took for it.

        Where few pairs were timed and the pairing is not proven good, those that might improve it
        are asked for and it is decided again, as often and as long as there is time.
        """
        problem = round_.problem
        solving_s = time.perf_counter()
        blocks = await self._solver.first_blocks(problem)
        solve_s = time.perf_counter() - solving_s
        is_estimate = self._roads.is_estimate
        asked = await self._ask(problem, blocks, now)
        decided: Decided | None = None
        for _ in range(1 + MOST_ROUNDS):
            solving_s = time.perf_counter()
            better = await self._solver.decide(round_, asked, seed=SEED)
            solve_s += time.perf_counter() - solving_s
            if decided is not None and better.assignment.fallback is not None:
                break  # What was found before is better than a greedy pairing.
            decided = better
            late = time.perf_counter() - started_s > NO_ROUND_AFTER_S
            # An estimate beside a real time would win or lose by its error.
            if _is_good(decided) or late or self._roads.is_estimate != is_estimate:
                break
            asked = asked.and_also(await self._ask(problem, decided.ask, now))
        assert decided is not None
        return decided, solve_s

    async def _ask(self, problem: Problem, blocks: tuple[Block, ...], now: datetime) -> Asked:
        """Return the times by road of all drives in these blocks."""
        at_once = asyncio.Semaphore(BLOCKS_AT_ONCE)

        async def ask(block: Block) -> FloatArray:
            async with at_once:
                return await self._roads.pickup_matrix(
                    _points(problem.supply, block.drivers),
                    destinations=_points(problem.demand, block.riders),
                    at=now,
                )

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(block)) for block in blocks]
        return Asked(blocks, tuple(task.result() for task in tasks))

    async def _offer(
        self, gathered: Gathered, decided: Decided | None, solve_s: float, started_s: float
    ) -> TickResult:
        """Write the tick and its offers, and tell the drivers; return what was done."""
        tick_id, now = new_id(), self._clock.now()
        outcome = _NOBODY_PAIRED
        if gathered.round is not None and decided is not None:
            outcome = await self._paired(gathered, gathered.round.problem, decided)
        drafts = [*outcome.drafts, *self._joining(gathered)]
        riders = outcome.riders + len(gathered.shared.spoken_for)
        held = outcome.held + len(gathered.shared.held)
        async with self._database.transaction() as tx:
            tick_ms = (time.perf_counter() - started_s) * 1000
            await queries.insert_tick(
                tx,
                [
                    tick_id,
                    now,
                    riders,
                    outcome.drivers,
                    gathered.soon_free,
                    outcome.candidates,
                    len(drafts),
                    held,
                    gathered.policies[WEIGHT].value,
                    outcome.solver,
                    outcome.objective_ds,
                    outcome.gap,
                    solve_s * 1000,
                    tick_ms,
                ],
            )
            stood = await queries.insert_offers(
                tx,
                tick_id=tick_id,
                now=now,
                expires_at=now + timedelta(seconds=gathered.policies[OFFER_TIME].value),
                columns=[[getattr(draft, name) for draft in drafts] for name in _COLUMNS],
            )
            asked = {draft.driver_id for draft in drafts if draft.id in stood}
            if outcome.record is not None:
                await queries.insert_input(
                    tx,
                    tick_id=tick_id,
                    now=now,
                    record=outcome.record,
                    passed_over=[one for one in outcome.passed_over if one not in asked],
                )
            if gathered.shared.record is not None:
                await run_queries.insert_pool(
                    tx, tick_id=tick_id, now=now, record=gathered.shared.record
                )
            for row in await queries.list_offers(tx, offer_ids=list(stood), driver_id=None):
                tx.emit(Event("offer.made", (row["driver_id"],), offer_view(row)), at=now)
        metrics.OFFERS.labels("made").inc(len(stood))
        return TickResult(riders, outcome.drivers, len(stood), held, outcome.gap)

    async def _paired(self, gathered: Gathered, problem: Problem, decided: Decided) -> _Outcome:
        """Return what came of pairing riders with drivers free now or soon."""
        assignment = decided.assignment
        free_now = sent(problem, assignment)
        going = tuple(one for one in free_now if is_due(problem, one))
        # A large round takes tens of milliseconds to compress, which releases Python's global lock,
        # and to explain.
        record = await asyncio.to_thread(
            pack, problem, decided.candidates, assignment, limits=self._solver.limits
        )
        drafts = await asyncio.to_thread(
            self._drafts, problem, assignment, going, policies=gathered.policies
        )
        return _Outcome(
            drafts=drafts,
            riders=len(problem.demand),
            drivers=len(problem.supply),
            candidates=len(decided.candidates),
            held=len(assignment.pairings) - len(free_now),
            solver=assignment.solver,
            objective_ds=assignment.objective_ds,
            gap=assignment.gap,
            record=record,
            passed_over=reachable(problem, decided.candidates),
        )

    def _drafts(
        self,
        problem: Problem,
        assignment: Assignment,
        going: tuple[Pairing, ...],
        *,
        policies: dict[str, Policy],
    ) -> list[_Draft]:
        demand, supply = problem.demand, problem.supply
        pickups = _points(demand, [pairing.rider for pairing in going])
        drivers = _points(supply, [pairing.driver for pairing in going])
        return [
            _Draft(
                id=new_id(),
                ride_id=demand.ids[pairing.rider],
                driver_id=supply.ids[pairing.driver],
                pickup_s=round(pairing.pickup_s),
                pickup_m=round(distance_m(driver, to=pickup)),
                explanation=explanation(
                    pairing,
                    assignment,
                    riders=len(demand),
                    drivers=len(supply),
                    is_estimate=self._roads.is_estimate,
                    weights=problem.weights,
                    policies=policies,
                ),
            )
            for pairing, pickup, driver in zip(going, pickups, drivers, strict=True)
        ]

    def _joining(self, gathered: Gathered) -> list[_Draft]:
        """Return the offers to drivers under way, whom another party may join."""
        return [
            _Draft(
                id=new_id(),
                ride_id=join.ride_id,
                driver_id=join.driver_id,
                pickup_s=round(join.pickup_s),
                pickup_m=round(join.pickup_m),
                explanation=join_explanation(
                    join,
                    riders=gathered.sharing,
                    is_estimate=self._roads.is_estimate,
                    policies=gathered.policies,
                ),
                run=stored_stops(join.run),
            )
            for join in gathered.shared.joins
        ]


def _is_good(decided: Decided) -> bool:
    gap = decided.assignment.gap
    return not decided.ask or (gap is not None and gap <= GOOD_GAP)


def _points(where: Demand | Supply, places: Any) -> list[Point]:
    return [Point(lat=float(where.lat[p]), lng=float(where.lng[p])) for p in places]
