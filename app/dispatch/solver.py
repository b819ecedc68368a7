"""The solver's own process: OR-Tools holds the interpreter, which sockets need too."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Self
from uuid import UUID

import numpy as np
import structlog

from app.dispatch import pools
from app.foundation.problems import TooManyRequests
from matching.anticipation import in_time
from matching.arrays import FloatArray
from matching.assignment import Limits, solve, solve_greedy
from matching.booked import in_play
from matching.candidates import find_candidates, for_router
from matching.passed_over import PassedOver, explain_passed_over
from matching.problem import Assignment, Candidates, Demand, Fallback, Problem, Supply
from matching.record import unpack
from matching.replay.policies import AT_BEST, POLICIES
from matching.road_certificate import LeastDrive, certify
from matching.road_times import Block, Timed, first_blocks
from matching.sought_after import sought_after

MEENT = POLICIES["meent"]  # the live tick decides as the replay of this name does
MOST_QUESTIONS = 16  # that wait for an answer at once
ANSWER_S = 5.0
# After this share of the deadline no further step of a proof begins: the pairing is worth more.
PROOF_SHARE = 0.3
MOST_EDGES = 50_000  # more make the solver slow and hardly a pairing better

log = structlog.get_logger("dispatch")


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """A problem, when each of its riders gives up, and the quickest drive there can be."""

    problem: Problem
    gives_up_in_s: FloatArray
    least: LeastDrive


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What the road engine was asked and what it said: a matrix (drivers, riders) per block."""

    blocks: tuple[Block, ...] = ()
    seconds: tuple[FloatArray, ...] = ()

    def and_also(self, more: "Asked") -> "Asked":
        """Return these answers and those."""
        return Asked(self.blocks + more.blocks, self.seconds + more.seconds)


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """Who may go to whom, who does, and what to ask the road engine to prove more."""

    candidates: Candidates
    assignment: Assignment
    ask: tuple[Block, ...]


class _LeftBehind(Exception):
    """The process did not answer in time, or is no more."""

    def __init__(self, why: Fallback) -> None:
        super().__init__(why)
        self.why = why


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Solver:
    """Solves in a spawned process within a deadline; on overrun or a crash, greedily here."""

    def __init__(self, *, deadline_s: float = 1.0) -> None:
        self._deadline_s = deadline_s
        self.limits = Limits(deadline_s=deadline_s)
        self._pool = self._new_pool()
        self._questions = 0
        # One at a time, so that the next round waits for one answer at most.
        self._answering = asyncio.Semaphore(1)

    @staticmethod
    def _new_pool() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            max_workers=1, mp_context=get_context("spawn"), initializer=_end_with_parent
        )

    async def warm_up(self) -> None:
        """Start the process and compile what it needs, there and here: the first tick is quick.

        What is compiled at its first call would otherwise hold up whoever calls it first.
        """
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            loop.run_in_executor(self._pool, _warm), asyncio.to_thread(_warm_searches)
        )

    async def first_blocks(self, problem: Problem) -> tuple[Block, ...]:
        """Return which drives to ask the road engine for first."""
        try:
            return await self._in_process(_first_blocks, problem)
        except _LeftBehind:
            return await asyncio.to_thread(_first_blocks, problem)

    async def decide(self, round_: Round, asked: Asked, *, seed: int) -> Decided:
        """Return the best pairing by the times asked for, and its gap over all pairs.

        Within the deadline; if it passes or the process fails, the greedy one, named as such and
        with nothing proven.
        """
        try:
            return await self._in_process(_decide, round_, asked, self.limits, seed)
        except _LeftBehind as left:
            log.warning("dispatch.solver.fell_back", why=str(left.why))
            return await asyncio.to_thread(_decide_greedily, round_, asked, seed, left.why)

    async def run[*A, R](self, function: Callable[[*A], R], *args: *A) -> R | None:
        """Work something else out there, between rounds; None if it took too long or failed."""
        try:
            return await self._in_process(function, *args)
        except _LeftBehind as left:
            log.warning("dispatch.solver.left_undone", why=str(left.why))
            return None

    async def _in_process[**P, R](
        self, function: Callable[P, R], *args: P.args, **_: P.kwargs
    ) -> R:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadline_s):
                return await loop.run_in_executor(self._pool, function, *args)
        except TimeoutError:
            raise _LeftBehind(Fallback.OVERRAN) from None
        except BrokenProcessPool:
            self._pool = self._new_pool()
            raise _LeftBehind(Fallback.SOLVER_FAILED) from None

    async def explain(self, packed: bytes, *, driver_id: UUID) -> PassedOver:
        """Return why a kept round passed this driver over.

        Raises:
            TooManyRequests: too many drivers ask at this moment, or the answer takes too long.
        """
        if self._questions >= MOST_QUESTIONS:
            raise TooManyRequests(retry_after_s=1)
        self._questions += 1
        try:
            async with asyncio.timeout(ANSWER_S), self._answering:
                return await asyncio.get_running_loop().run_in_executor(
                    self._pool, _explain, packed, driver_id
                )
        except TimeoutError:
            raise TooManyRequests(retry_after_s=1) from None
        except BrokenProcessPool:
            self._pool = self._new_pool()
            raise TooManyRequests(retry_after_s=1) from None
        finally:
            self._questions -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process without waiting for what it is solving."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _round_of_two() -> Problem:
    one = np.zeros(1)
    return Problem(
        demand=Demand(ids=("rider",), lat=one, lng=one, waited_s=one),
        supply=Supply(ids=("driver",), lat=one, lng=one),
    )


def _warm_searches() -> None:
    """Search near one point, for one driver: what both processes do."""
    one = np.zeros(1)
    find_candidates(_round_of_two())
    sought_after(lat=one, lng=one, asked_lat=one, asked_lng=one)


def _warm() -> None:
    """Decide a round of two."""
    _warm_searches()
    problem, one = _round_of_two(), np.zeros(1)
    round_ = Round(problem, gives_up_in_s=one, least=LeastDrive(constant_s=0.0, s_per_m=0.0))
    _decide(
        round_, Asked(_first_blocks(problem), (np.zeros((1, 1)),)), Limits(deadline_s=1000.0), 1
    )
    pools.warm_up()


def _explain(packed: bytes, driver_id: UUID) -> PassedOver:
    return explain_passed_over(unpack(packed), driver=driver_id)


def _first_blocks(problem: Problem) -> tuple[Block, ...]:
    return first_blocks(problem, line=AT_BEST)


def _possible(round_: Round, timed: Timed) -> Candidates:
    """Who may go to whom now: whatever narrows the choice beyond `Problem` stands here."""
    return in_time(
        round_.problem,
        in_play(round_.problem, timed.candidates(round_.problem)),
        gives_up_in_s=round_.gives_up_in_s,
        rescue_s=MEENT.rescue_s,
        rescue_load=MEENT.rescue_load,
    )


def _thinned(possible: Candidates) -> Candidates:
    """All of them where they are few, else those that lose little; the gap is stated over all."""
    if len(possible) <= MOST_EDGES:
        return possible
    return for_router(possible, per_rider=MEENT.per_rider, per_driver=MEENT.per_driver)


def _decide(round_: Round, asked: Asked, limits: Limits, seed: int) -> Decided:
    proof_over = time.monotonic() + PROOF_SHARE * limits.deadline_s
    timed = Timed.of(asked.blocks, seconds=asked.seconds)
    possible = _possible(round_, timed)
    candidates = _thinned(possible)
    assignment = solve(round_.problem, candidates, limits=limits, seed=seed)
    stated = certify(
        round_.problem,
        possible,
        assignment,
        timed=timed,
        least=round_.least,
        is_over=lambda: time.monotonic() > proof_over,
    )
    return Decided(candidates, replace(assignment, gap=stated.gap), stated.ask)


def _decide_greedily(round_: Round, asked: Asked, seed: int, why: Fallback) -> Decided:
    candidates = _thinned(_possible(round_, Timed.of(asked.blocks, seconds=asked.seconds)))
    greedy = solve_greedy(round_.problem, candidates, seed=seed, because=why)
    return Decided(candidates, greedy, ())
