"""The loop that every worker runs in: a pace, a time-out, and no way to die of an error."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from app.foundation import metrics
from app.foundation.clock import Clock
from app.foundation.problems import DatabaseUnavailable

LEAST_PACE_S = 0.05  # real seconds: a demo's fast clock must not turn a pace into a spin

log = structlog.get_logger("worker")


@dataclass(frozen=True, slots=True)
class Worker:
    """Something to be done again and again.

    Attributes:
        name: What the metric and the log call it.
        run_once: One round; it must leave nothing half done when it is cancelled.
        pace_s: Seconds of the program's clock from the end of a round to the next.
        timeout_s: Real seconds after which a round is given up.
    """

    name: str
    run_once: Callable[[], Awaitable[object]]
    pace_s: float
    timeout_s: float = 30.0

    async def run(self, clock: Clock) -> None:
        """Run rounds for ever; an error is logged and counted, and the next round comes."""
        while True:
            try:
                async with asyncio.timeout(self.timeout_s):
                    await self.run_once()
            except DatabaseUnavailable:
                # It is expected to come back; the cause is logged where the database is watched.
                metrics.WORKER_FAILURES.labels(self.name).inc()
                await asyncio.sleep(0.2)
            except Exception:
                metrics.WORKER_FAILURES.labels(self.name).inc()
                log.exception("worker.round.failed", worker=self.name)
                await asyncio.sleep(0.2)
            await asyncio.sleep(max(self.pace_s / clock.speed, LEAST_PACE_S))


async def watch_loop_lag() -> None:
    """Measure for ever how late the event loop wakes: what blocks it shows here."""
    while True:
        asleep_s = time.perf_counter()
        await asyncio.sleep(0.1)
        metrics.LOOP_LAG_SECONDS.observe(max(time.perf_counter() - asleep_s - 0.1, 0))


@asynccontextmanager
async def run_workers(workers: Sequence[Worker], clock: Clock) -> AsyncIterator[None]:
    """Run the workers beside the block; at its end they are cancelled and waited for."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker.run(clock), name=worker.name) for worker in workers]
        tasks.append(group.create_task(watch_loop_lag(), name="loop lag"))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
