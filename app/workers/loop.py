"""The loop that every worker runs in: a pace, a time-out, and no way to die of an error."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from app.foundation import metrics
from app.foundation.clock import Clock
from app.foundation.problems import DatabaseUnavailable

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
            await clock.sleep(self.pace_s)
