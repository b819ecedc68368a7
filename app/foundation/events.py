"""The event log: append-only, gap-free per stream; outbox, audit trail and catch-up at once."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, told to the streams of those whom it concerns.

    Attributes:
        type: Past tense, dotted by room: ``ride.requested``.
        streams: A stream is a subject or a member. Each gets the event under its own next number.
        data: What the readers may know. Every stream of one event gets the same data.
    """

    type: str
    streams: tuple[UUID, ...]
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as it stands in one stream."""

    stream_id: UUID
    seq: int
    type: str
    at: datetime
    data: dict[str, Any]
