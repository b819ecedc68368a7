"""Measures how long an event loop stands still while a large batch is solved beside it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
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
IDLE = "nothing to do"
STRANGER = "a process that only counts"
_TIMES = 5
_IDLE_S = 1.0
_UNHURRIED_S = 60.0
# Three times what a live tick has, so that a busy machine also ends with a solved round.
_DEADLINE_S = 3.0


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
    """The stalls with the solve in a thread and in the solver's process, and without either.

    What a process costs that only counts, and says nothing to the loop, is the machine's own.
    """
    from app.dispatch.solver import Round, Solver  # noqa: PLC0415 - the rest does without

    limits = Limits(deadline_s=_UNHURRIED_S)

    async def idle() -> None:
        await asyncio.sleep(_IDLE_S)

    async def in_a_thread() -> None:
        await asyncio.to_thread(solve_certified, problem, line=line, limits=limits, seed=1)

    loop = asyncio.get_running_loop()
    with (
        Solver(deadline_s=_DEADLINE_S) as solver,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        await solver.warm_up()
        asked = await _asked(solver, problem, line=line)
        nobody_gives_up_s = np.full(len(problem.demand), 1e6)
        round_ = Round(problem, nobody_gives_up_s, LeastDrive(0.0, float(line.drive_s(1.0))))

        async def beside_a_stranger() -> None:
            await loop.run_in_executor(pool, _count, _IDLE_S)

        async def in_the_process() -> None:
            await solver.decide(round_, asked, seed=1)

        return await _stalls(
            {
                IDLE: idle,
                STRANGER: beside_a_stranger,
                "certified, in a thread": in_a_thread,
                "the tick's solver, in its process": in_the_process,
            }
        )


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


async def _stalls(works: dict[str, Callable[[], Awaitable[None]]]) -> list[Stall]:
    """Each of the works, taking turns so that all have the same neighbours."""
    took_s: dict[str, list[float]] = {where: [] for where in works}
    late_s: dict[str, list[list[float]]] = {where: [] for where in works}
    for turn in range(1 + _TIMES):
        for where, work in works.items():
            before_s = time.perf_counter()
            late = await _lateness(work)
            # The first turn only warms up.
            if turn:
                took_s[where].append(time.perf_counter() - before_s)
                late_s[where].append(late)
    return [
        Stall(
            where=where,
            took_ms=float(np.median(took_s[where])) * 1000,
            longest_ms=float(np.median([max(late) for late in late_s[where]])) * 1000,
            worst_ms=max(map(max, late_s[where])) * 1000,
            p99_ms=percentile([s for late in late_s[where] for s in late], 0.99) * 1000,
            is_judged=where not in (IDLE, STRANGER),
        )
        for where in works
    ]


def _count(seconds: float) -> None:
    """Keep a processor busy."""
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        pass


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
