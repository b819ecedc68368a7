"""Statements about tips, and about the settled ride that everything here begins with."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction


async def find_ride(reader: Transaction, *, ride_id: UUID, member_id: UUID) -> Any | None:
    """Return a ride of which the member is rider or driver, with its settlement; or None.

    The row has rider_id, driver_id, and kind, fare_minor, policy_version_id and settled_at, which
    are null where the ride was not settled.
    """
    return await reader.row(
        "select r.id, r.rider_id, r.driver_id, s.kind, s.fare_minor, s.policy_version_id,"
        " s.settled_at from ride r left join ride_settlement s on s.ride_id = r.id"
        " where r.id = $1 and $2 in (r.rider_id, r.driver_id)",
        ride_id,
        member_id,
    )


async def lock_money(tx: Transaction, *, ride_id: UUID) -> None:
    """Let one tip or decision at a time look at what a ride's money has come to."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 720))", ride_id)


async def insert_tip(
    tx: Transaction,
    *,
    tip_id: UUID,
    ride_id: UUID,
    rider_id: UUID,
    driver_id: UUID,
    amount_minor: int,
    journal_id: int,
    now: datetime,
) -> None:
    """Keep a tip; a trigger refuses it where the ride's tips become too large."""
    await tx.execute(
        "insert into tip (id, ride_id, rider_id, driver_id, amount_minor, journal_id, tipped_at)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        tip_id,
        ride_id,
        rider_id,
        driver_id,
        amount_minor,
        journal_id,
        now,
    )


async def list_tips(reader: Transaction, *, ride_id: UUID) -> list[Any]:
    """Return id, ride_id, amount_minor, currency and tipped_at of a ride's tips, oldest first."""
    return await reader.rows(
        "select t.id, t.ride_id, t.amount_minor, c.currency, t.tipped_at from tip t"
        " cross join cooperative c where t.ride_id = $1 order by t.id",
        ride_id,
    )
