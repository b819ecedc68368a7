"""Measures how long an event loop stands still while a large batch is solved beside it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from load_tests.figures import percentile
from matching.assignment import Limits
from matching.certified import solve_certified
from matching.problem import Problem
from matching.road_certificate import LeastDrive
from matching.travel import StraightLine, great_circle_m

if TYPE_CHECKING:
    from app.dispatch.solver import Asked, Solver

TICK_S = 0.001
_TIMES = 5
_IDLE_S = 1.0
# A tick has less: then the pairing is greedy, or less is proven, and the loop is left alone sooner.
_UNHURRIED_S = 10.0


@dataclass(frozen=True, slots=True)
class Stall:
    """How late a ticker of one millisecond was, while something ran `where` it says.

    `longest_ms` is the median, over several runs, of each run's longest stall, `worst_ms` the
    longest of all: another program that takes the processor stalls the loop as well, which the
    idle figure shows.
    """

    where: str
    took_ms: float
    longest_ms: float
    worst_ms: float
    p99_ms: float
    is_judged: bool


def named_by_uuid(problem: Problem, *, seed: int) -> Problem:
    """The same city with ids as in a live tick, which take longer to hand to another process."""
    random = Random(seed)
    riders, drivers = (
        tuple(UUID(int=random.getrandbits(128)) for _ in side.ids)
        for side in (problem.demand, problem.supply)
    )
    return replace(
        problem,
        demand=replace(problem.demand, ids=riders),
        supply=replace(problem.supply, ids=drivers),
    )


async def measure_stalls(problem: Problem, *, line: StraightLine) -> list[Stall]:
    """The stalls with nothing to do, with the solve in a thread, and in the solver's process."""
    from app.dispatch.solver import Round, Solver  # noqa: PLC0415 - the rest does without

    limits = Limits(deadline_s=_UNHURRIED_S)

    async def idle() -> None:
        await asyncio.sleep(_IDLE_S)

    async def in_a_thread() -> None:
        await asyncio.to_thread(solve_certified, problem, line=line, limits=limits, seed=1)

    with Solver(deadline_s=_UNHURRIED_S) as solver:
        await solver.warm_up()
        asked = await _asked(solver, problem, line=line)
        nobody_gives_up_s = np.full(len(problem.demand), 1e6)
        round_ = Round(problem, nobody_gives_up_s, LeastDrive(0.0, float(line.drive_s(1.0))))

        async def in_the_process() -> None:
            await solver.decide(round_, asked, seed=1)

        return [
            await _stall("nothing to do", idle, is_judged=False),
            await _stall("certified, in a thread", in_a_thread, is_judged=True),
            await _stall("the tick's solver, in its process", in_the_process, is_judged=True),
        ]


async def _asked(solver: "Solver", problem: Problem, *, line: StraightLine) -> "Asked":
    """The drives that the solver asks for, answered by the straight line."""
    from app.dispatch.solver import Asked  # noqa: PLC0415 - as above

    blocks = await solver.first_blocks(problem)
    demand, supply = problem.demand, problem.supply
    crow_m = [
        great_circle_m(
            from_lat=supply.lat[block.drivers, np.newaxis],
            from_lng=supply.lng[block.drivers, np.newaxis],
            to_lat=demand.lat[block.riders],
            to_lng=demand.lng[block.riders],
        )
        for block in blocks
    ]
    return Asked(blocks, tuple(line.drive_s(metres) for metres in crow_m))


async def _stall(where: str, work: Callable[[], Awaitable[None]], *, is_judged: bool) -> Stall:
    took_s, longest_s, late_s = [], [], []
    await work()
    for _ in range(_TIMES):
        before_s = time.perf_counter()
        late = await _lateness(work)
        took_s.append(time.perf_counter() - before_s)
        longest_s.append(max(late))
        late_s += late
    return Stall(
        where=where,
        took_ms=float(np.median(took_s)) * 1000,
        longest_ms=float(np.median(longest_s)) * 1000,
        worst_ms=max(longest_s) * 1000,
        p99_ms=percentile(late_s, 0.99) * 1000,
        is_judged=is_judged,
    )


async def _lateness(work: Callable[[], Awaitable[None]]) -> list[float]:
    """How much later than asked each tick came while `work` went on, in seconds."""
    late: list[float] = []
    is_done = asyncio.Event()

    async def tick() -> None:
        while not is_done.is_set():
            before_s = time.perf_counter()
            await asyncio.sleep(TICK_S)
            late.append(time.perf_counter() - before_s - TICK_S)

    async with asyncio.TaskGroup() as group:
        group.create_task(tick())
        # The ticker is on its way before the work begins.
        await asyncio.sleep(0)
        await work()
        is_done.set()
    return late
