"""What waits to be sent to one socket: bounded, events in order, positions only the newest."""

import asyncio
from collections import deque
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from app.foundation import metrics


@dataclass(frozen=True, slots=True)
class _Frame:
    text: str
    queued_s: float


class Outbox:
    """At most `limit` frames, and besides them one position for each ride.

    Nothing that was put in is ever dropped, but for a position that a newer one replaces.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._frames: deque[_Frame] = deque()
        self._positions: dict[UUID, _Frame] = {}
        self._sending: _Frame | None = None
        self._filled = asyncio.Event()

    @property
    def room(self) -> int:
        """How many more frames fit in."""
        return self._limit - len(self._frames)

    def put(self, text: str) -> bool:
        """Queue a frame and return True; or return False: it is full."""
        if self.room <= 0:
            return False
        self._frames.append(_Frame(text, monotonic()))
        self._filled.set()
        return True

    def put_position(self, ride_id: UUID, text: str) -> None:
        """Queue the newest position of a ride's driver in place of the one that still waits."""
        older = self._positions.get(ride_id)
        if older is not None:
            metrics.SOCKET_DROPPED.labels("position").inc()
        # The place in the queue stays that of the one replaced, so that its age is not forgotten.
        self._positions[ride_id] = _Frame(text, older.queued_s if older else monotonic())
        self._filled.set()

    async def take(self) -> str:
        """Return the next frame, as soon as there is one; events and answers go first.

        The frame counts as waiting until the next call: a send that hangs is a reader that does.
        """
        self._sending = None
        while not (self._frames or self._positions):
            self._filled.clear()
            await self._filled.wait()
        if self._frames:
            self._sending = self._frames.popleft()
        else:
            self._sending = self._positions.pop(next(iter(self._positions)))
        return self._sending.text

    def waiting_s(self, now_s: float) -> float:
        """Return how long the oldest unsent frame has waited, in seconds of `monotonic()`."""
        waiting = [self._sending] if self._sending else []
        waiting += [self._frames[0]] if self._frames else []
        waiting += self._positions.values()
        return max((now_s - frame.queued_s for frame in waiting), default=0.0)
