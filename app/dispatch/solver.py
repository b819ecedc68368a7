"""The solver's own process: OR-Tools holds the interpreter, which sockets need too."""

import asyncio
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Self
from uuid import UUID

import structlog

from app.foundation.problems import TooManyRequests
from matching.assignment import Limits, solve, solve_greedy
from matching.passed_over import PassedOver, explain_passed_over
from matching.problem import Assignment, Candidates, Fallback, Problem
from matching.record import unpack

MOST_QUESTIONS = 16  # that wait for an answer at once
ANSWER_S = 5.0

log = structlog.get_logger("dispatch")


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
        """Start the process and import the solver there, so that the first tick is quick."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._pool, _warm)

    async def solve(self, problem: Problem, candidates: Candidates, *, seed: int) -> Assignment:
        """Return the best assignment within the deadline, or the greedy one, named as such."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadline_s):
                return await loop.run_in_executor(
                    self._pool, _solve, problem, candidates, self.limits, seed
                )
        except TimeoutError:
            why = Fallback.OVERRAN
        except BrokenProcessPool:
            why = Fallback.SOLVER_FAILED
            self._pool = self._new_pool()
        log.warning("dispatch.solver.fell_back", why=str(why), edges=len(candidates))
        return solve_greedy(problem, candidates, seed=seed, because=why)

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


def _warm() -> None:
    """Nothing to do: importing this module imported the solver."""


def _explain(packed: bytes, driver_id: UUID) -> PassedOver:
    return explain_passed_over(unpack(packed), driver=driver_id)


def _solve(problem: Problem, candidates: Candidates, limits: Limits, seed: int) -> Assignment:
    return solve(problem, candidates, limits=limits, seed=seed)
