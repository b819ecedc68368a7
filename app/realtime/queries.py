"""Every statement of the socket's room."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction


@dataclass(frozen=True, slots=True)
class StreamState:
    """The number of a stream's newest event, and whether one that was asked about is kept."""

    last_seq: int
    is_kept: bool

    def can_resume(self, resume_from: int | None) -> bool:
        """Whether all that followed the last event somebody has can be told; None has none."""
        return resume_from is None or resume_from == self.last_seq or self.is_kept

    def begin_at(self, resume_from: int | None) -> int:
        """Return the number after which to go on: as asked where it can be, else from now."""
        if resume_from is not None and self.can_resume(resume_from):
            return resume_from
        return self.last_seq


async def find_stream(reader: Transaction, *, stream_id: UUID, seq: int) -> StreamState:
    """Return how far the stream is, and whether its event number `seq` is still kept."""
    row = await reader.row(
        "select coalesce((select last_seq from event_stream where stream_id = $1), 0) as last_seq,"
        " exists(select from event_log where stream_id = $1 and seq = $2) as is_kept",
        stream_id,
        seq,
    )
    assert row is not None
    return StreamState(row["last_seq"], row["is_kept"])


async def list_driven_rides(
    reader: Transaction, *, driver_ids: Iterable[UUID], rider_ids: Iterable[UUID]
) -> list[Any]:
    """Return id, driver_id and rider_id of rides that one of these drivers drives for one of these.

    The states are those of the index ride_driven, spelled out so that it is used.
    """
    return await reader.rows(
        "select id, driver_id, rider_id from ride where driver_id = any($1::uuid[])"
        " and rider_id = any($2::uuid[]) and state in ('assigned', 'arrived', 'under_way')",
        list(driver_ids),
        list(rider_ids),
    )
