"""What one socket hears of the assembly: the stream that all members share, beside their own."""

from typing import Protocol
from uuid import UUID

from app.assembly.stream import ASSEMBLY_STREAM
from app.foundation.events import LoggedEvent
from app.realtime import messages


class Line(Protocol):
    """A socket, as far as the assembly's events are concerned."""

    @property
    def room(self) -> int:
        """How many more messages fit."""

    def offer(self, message: messages.FromServer, *, of: UUID) -> bool:
        """Queue a message of a stream; False where it does not fit: it is asked for again later."""


class AssemblyFeed:
    """A listener to the assembly's stream. `seq` is the number of the last event queued of it."""

    stream_id = ASSEMBLY_STREAM

    def __init__(self, line: Line, *, seq: int) -> None:
        self.seq = seq
        self._line = line

    @property
    def room(self) -> int:
        """How many more events it can take now."""
        return self._line.room

    def deliver(self, events: list[LoggedEvent]) -> None:
        """Queue the events after `seq`, in order; what does not fit stays in the log for later."""
        for event in events:
            if event.seq <= self.seq:
                continue
            if event.seq > self.seq + 1:
                gap = messages.AssemblyResync(last_seq=event.seq - 1)
                if not self._line.offer(gap, of=self.stream_id):
                    return
                self.seq = event.seq - 1
            told = messages.AssemblyEvent(event.seq, event.type, event.at, event.data)
            if not self._line.offer(told, of=self.stream_id):
                return
            self.seq = event.seq
