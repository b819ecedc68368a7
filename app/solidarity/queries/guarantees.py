"""Statements about failed payments and what the fund took over; payments are only read."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

# A card may fail before the ride is over: until it is settled, nobody owes anything for it.
_UNSEEN = (
    "p.state = 'failed' and p.amount_minor > 0"
    " and not exists (select from guarantee g where g.payment_id = p.id)"
    " and exists (select from ride_settlement s where s.ride_id = p.ride_id)"
)


async def list_failed(reader: Transaction, *, most: int) -> list[UUID]:
    """Return the payments that failed for good and were not looked at yet, oldest first."""
    rows = await reader.rows(
        f"select p.id from payment p where {_UNSEEN} order by p.failed_at, p.id limit $1",
        most,
    )
    return [row["id"] for row in rows]


async def find_failed(reader: Transaction, *, payment_id: UUID) -> Any | None:
    """Return a failed payment that was not looked at yet, the rider's account and its balance.

    `covered_minor` is what was taken over for the same ride before. Call it under the fund's lock.
    """
    return await reader.row(
        "select p.id, p.ride_id, p.rider_id, p.amount_minor, p.failed_at, a.id as account_id,"
        " b.posted_minor, (select coalesce(sum(g.covered_minor), 0)::bigint from guarantee g"
        "  where g.ride_id = p.ride_id) as covered_minor"
        " from payment p join account a on a.member_id = p.rider_id and a.kind = 'rider'"
        f" join balance b on b.account_id = a.id where p.id = $1 and {_UNSEEN}",
        payment_id,
    )


async def insert_guarantee(
    tx: Transaction,
    failed: Any,
    *,
    cap_minor: int,
    policy_version_id: UUID,
    covered_minor: int,
    journal_id: int | None,
    now: datetime,
) -> None:
    """Keep what the fund took over of a failed payment."""
    await tx.execute(
        "insert into guarantee (payment_id, ride_id, rider_id, payment_minor, cap_minor,"
        " policy_version_id, covered_minor, journal_id, taken_over_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        failed["id"],
        failed["ride_id"],
        failed["rider_id"],
        failed["amount_minor"],
        cap_minor,
        policy_version_id,
        covered_minor,
        journal_id,
        now,
    )


# What is left of what was taken over, and of what was not.
_STANDING = (
    "select g.payment_id, g.ride_id, g.rider_id, g.payment_minor, g.cap_minor, g.covered_minor,"
    " g.taken_over_at, a.id as account_id, b.posted_minor,"
    " (select coalesce(sum(r.amount_minor), 0)::bigint from guarantee_return r"
    "  where r.payment_id = g.payment_id) as returned_minor,"
    " (select count(*) from guarantee_return r where r.payment_id = g.payment_id) as returns,"
    " coalesce(w.amount_minor, 0) as written_off_minor, w.reason, w.decided_at"
    " from guarantee g join account a on a.member_id = g.rider_id and a.kind = 'rider'"
    " join balance b on b.account_id = a.id"
    " left join guarantee_write_off w on w.payment_id = g.payment_id"
)


async def find_guarantee(reader: Transaction, *, payment_id: UUID) -> Any | None:
    """Return how it stands with a payment that was looked at, or None."""
    return await reader.row(f"{_STANDING} where g.payment_id = $1", payment_id)


async def list_guarantees(reader: Transaction, *, before: UUID | None, limit: int) -> list[Any]:
    """Return how it stands with the payments that were looked at, the newest first."""
    return await reader.rows(
        f"{_STANDING} where $1::uuid is null or g.payment_id < $1"
        " order by g.payment_id desc limit $2",
        before,
        limit,
    )


async def list_repayable(reader: Transaction, *, most: int) -> list[UUID]:
    """Return the payments that the fund paid, whose riders have money now."""
    rows = await reader.rows(
        "select g.payment_id from guarantee g"
        " join account a on a.member_id = g.rider_id and a.kind = 'rider'"
        " join balance b on b.account_id = a.id where b.posted_minor - b.held_minor > 0"
        " and g.covered_minor > (select coalesce(sum(r.amount_minor), 0) from guarantee_return r"
        "  where r.payment_id = g.payment_id) order by g.taken_over_at, g.payment_id limit $1",
        most,
    )
    return [row["payment_id"] for row in rows]


async def insert_return(
    tx: Transaction, *, payment_id: UUID, amount_minor: int, journal_id: int, now: datetime
) -> None:
    """Keep what the fund got back."""
    await tx.execute(
        "insert into guarantee_return (journal_id, payment_id, amount_minor, returned_at)"
        " values ($1, $2, $3, $4)",
        journal_id,
        payment_id,
        amount_minor,
        now,
    )


async def insert_write_off(
    tx: Transaction,
    *,
    payment_id: UUID,
    amount_minor: int,
    decided_by: UUID,
    reason: str,
    journal_id: int,
    now: datetime,
) -> None:
    """Keep what a person decided that will never be paid."""
    await tx.execute(
        "insert into guarantee_write_off (payment_id, amount_minor, decided_by, reason,"
        " journal_id, decided_at) values ($1, $2, $3, $4, $5, $6)",
        payment_id,
        amount_minor,
        decided_by,
        reason,
        journal_id,
        now,
    )
