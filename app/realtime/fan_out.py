"""Events from the log to the sockets of those whom they concern: in order, each once, no gap."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from itertools import groupby, islice
from typing import Protocol
from uuid import UUID

from app.foundation.database import Database
from app.foundation.events import LoggedEvent
from app.foundation.hints import Hints

STREAMS = 500  # in one round; what is left comes in the next
BATCH = 200  # events of one stream in one round


class Listener(Protocol):
    """A socket, as far as events are concerned. Its stream is its member's."""

    @property
    def stream_id(self) -> UUID:
        """The stream it listens to."""

    @property
    def seq(self) -> int:
        """The number of the last event that was given to it."""

    @property
    def room(self) -> int:
        """How many more events it can take now."""

    def deliver(self, events: list[LoggedEvent]) -> None:
        """Take those of these events that follow `seq`, in order, as many as there is room for."""


class FanOut:
    """Fetches what is new for all listeners in one statement a round.

    A hint only says where to look first. Hints may be lost or doubled, so every stream is looked
    at again each `sweep_s`; what a listener has, only its own `seq` says.
    """

    def __init__(
        self,
        database: Database,
        *,
        hints: Hints,
        on_event: Callable[[LoggedEvent], None],
        pace_s: float = 0.01,
        sweep_s: float = 1.0,
    ) -> None:
        self._database = database
        self._on_event = on_event
        self._pace_s = pace_s
        self._sweep_s = sweep_s
        self._swept_s = 0.0
        self._listeners: dict[UUID, list[Listener]] = {}
        self._dirty: set[UUID] = set()
        self._news = asyncio.Event()
        hints.subscribe(self._hear)

    def add(self, listener: Listener) -> None:
        """The listener gets every event after its `seq`, from now on."""
        self._listeners.setdefault(listener.stream_id, []).append(listener)
        self.look_at(listener.stream_id)

    def remove(self, listener: Listener) -> None:
        """The listener gets nothing any more."""
        left = self._listeners[listener.stream_id]
        left.remove(listener)
        if not left:
            del self._listeners[listener.stream_id]
            self._dirty.discard(listener.stream_id)

    def look_at(self, stream_id: UUID) -> None:
        """Fetch this stream in the next round."""
        self._dirty.add(stream_id)
        self._news.set()

    def _hear(self, streams: frozenset[UUID]) -> None:
        listened = streams & self._listeners.keys()
        if listened:
            self._dirty |= listened
            self._news.set()

    async def round(self) -> None:
        """Wait for news or for the next sweep, then hand out what there is."""
        now_s = asyncio.get_running_loop().time()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self._swept_s + self._sweep_s - now_s)):
                await self._news.wait()
                # News that comes together is fetched together.
                await asyncio.sleep(self._pace_s)
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._swept_s + self._sweep_s:
            self._swept_s = now_s
            self._dirty |= self._listeners.keys()
        self._news.clear()
        await self.hand_out()

    async def hand_out(self) -> None:
        """Give every listener of a stream with news the events after its own number."""
        asked = set(islice(self._dirty, STREAMS))
        self._dirty -= asked
        if self._dirty:
            self._news.set()
        after = dict(self._positions(asked))
        if not after:
            return
        try:
            events = await self._database.events_after(list(after.items()), limit=BATCH)
        except BaseException:
            # Nobody was told; what was asked for is news still.
            self._dirty |= asked & self._listeners.keys()
            raise
        for stream_id, group in groupby(events, key=lambda event: event.stream_id):
            self._deliver(stream_id, list(group), after=after[stream_id])

    def _positions(self, streams: set[UUID]) -> Iterator[tuple[UUID, int]]:
        for stream_id in streams:
            ready = [each.seq for each in self._listeners.get(stream_id, ()) if each.room > 0]
            if ready:
                yield stream_id, min(ready)

    def _deliver(self, stream_id: UUID, events: list[LoggedEvent], *, after: int) -> None:
        for event in events:
            self._on_event(event)
        for listener in tuple(self._listeners.get(stream_id, ())):
            # Who came, or had room again, while we asked may need events from before `after`.
            if listener.seq < after:
                self.look_at(stream_id)
            else:
                listener.deliver(events)
        if len(events) == BATCH:
            self.look_at(stream_id)
