"""Where the shell gets the time: the system's clock, or the demo's faster one."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits by it. Only routes, sockets and workers hold one."""

    @property
    def speed(self) -> float:
        """How many of this clock's seconds pass in a second of the machine's."""
        ...

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many of this clock's seconds."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clock."""

    speed: float = 1.0

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` seconds."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """A clock that began at ``start`` when the machine's said ``anchor_s`` and runs ``speed`` fold.

    Several processes with the same three values tell the same time. Demo profile only.
    """

    start: datetime
    anchor_s: float  # Unix time of the machine when this clock showed `start`
    speed: float

    def now(self) -> datetime:
        """Return the scaled time, aware, in UTC."""
        return self.start + timedelta(seconds=(time.time() - self.anchor_s) * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` scaled seconds."""
        await asyncio.sleep(seconds / self.speed)
