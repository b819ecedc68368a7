"""Every statement about changes of a ride."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.rides.queries import CORE


async def find_for_change(reader: Transaction, *, ride_id: UUID, rider_id: UUID) -> Any | None:
    """Return a rider's own ride, its pickup, and where its driver was seen last and when."""
    return await reader.row(
        "select r.state, r.is_shared, q.pickup_lat, q.pickup_lng, p.lat, p.lng, p.at as seen_at"
        " from ride r join quote q on q.id = r.quote_id"
        " left join driver_position p on p.driver_id = r.driver_id"
        " where r.id = $1 and r.rider_id = $2",
        ride_id,
        rider_id,
    )


async def lock_own(tx: Transaction, *, ride_id: UUID, rider_id: UUID) -> Any | None:
    """Return a rider's own ride, locked, or None."""
    return await tx.row(
        f"select {CORE} from ride where id = $1 and rider_id = $2 for update",  # noqa: S608 - constant
        ride_id,
        rider_id,
    )


async def replace_open_change(tx: Transaction, *, ride_id: UUID, now: datetime) -> None:
    """Let the open change of a ride, if there is one, give way to another."""
    await tx.execute(
        "update ride_change set replaced_at = $2"
        " where ride_id = $1 and accepted_at is null and replaced_at is null",
        ride_id,
        now,
    )


async def insert_change(
    tx: Transaction,
    *,
    change_id: UUID,
    ride_id: UUID,
    from_quote_id: UUID,
    quote_id: UUID,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Store a change that may be accepted; the table refuses a second open one."""
    await tx.execute(
        "insert into ride_change (id, ride_id, from_quote_id, quote_id, asked_at, expires_at)"
        " values ($1, $2, $3, $4, $5, $6)",
        change_id,
        ride_id,
        from_quote_id,
        quote_id,
        now,
        expires_at,
    )


async def find_change(reader: Transaction, *, change_id: UUID, ride_id: UUID) -> Any | None:
    """Return a change of a ride, or None."""
    return await reader.row(
        "select from_quote_id, quote_id, expires_at, accepted_at, replaced_at from ride_change"
        " where id = $1 and ride_id = $2",
        change_id,
        ride_id,
    )


async def accept_change(
    tx: Transaction,
    *,
    change_id: UUID,
    ride_id: UUID,
    quote_id: UUID,
    hold_id: UUID,
    now: datetime,
) -> None:
    """Let a ride go by another quote, for which other money is set aside."""
    await tx.execute("update ride_change set accepted_at = $2 where id = $1", change_id, now)
    await tx.execute(
        "update ride set quote_id = $2, hold_id = $3 where id = $1", ride_id, quote_id, hold_id
    )


async def was_changed(reader: Transaction, *, quote_id: UUID) -> bool:
    """Return whether a ride was booked by this quote and goes by another one now."""
    return bool(
        await reader.value(
            "select exists (select from ride_change where from_quote_id = $1"
            " and accepted_at is not null)",
            quote_id,
        )
    )
