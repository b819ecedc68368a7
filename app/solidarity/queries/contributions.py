"""Statements about what members contribute month by month."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

# Who was in a circle that had begun when the month began, and has not contributed to it.
_DUE = (
    " from circle_membership m join circle c on c.id = m.circle_id cross join lateral ("
    "select $1::date::timestamp at time zone time_zone as begins from cooperative) as o"
    " join account a on a.member_id = m.member_id and a.kind = 'driver'"
    " join balance b on b.account_id = a.id"
    " where c.begun_at < o.begins and m.joined_at < o.begins"
    " and (m.left_at is null or m.left_at >= o.begins)"
    " and not exists (select from solidarity_contribution s"
    "  where s.membership_id = m.id and s.month = $1)"
)


async def list_due(
    reader: Transaction, *, month: date, rate_bp: int, in_full: bool, most: int
) -> list[Any]:
    """Return whose contribution is to be taken: id, tier_minor and account_id.

    With `in_full` only those whose balance allows all of it.
    """
    return await reader.rows(
        "select m.id, m.tier_minor, a.id as account_id"
        f"{_DUE}"
        " and (not $3 or b.posted_minor - b.held_minor >= m.tier_minor * $2::int / 10000)"
        " order by m.id limit $4",
        month,
        rate_bp,
        in_full,
        most,
    )


async def is_all_taken(reader: Transaction, *, month: date) -> bool:
    """Return whether nobody's contribution to the month is still to be taken."""
    return bool(await reader.value(f"select not exists (select{_DUE})", month))


async def is_taken(reader: Transaction, *, membership_id: UUID, month: date) -> bool:
    """Return whether a member's contribution to the month was taken."""
    return bool(
        await reader.value(
            "select exists (select from solidarity_contribution"
            " where membership_id = $1 and month = $2)",
            membership_id,
            month,
        )
    )


async def insert_contribution(
    tx: Transaction,
    *,
    membership_id: UUID,
    month: date,
    rate_bp: int,
    due_minor: int,
    paid_minor: int,
    journal_id: int | None,
    now: datetime,
) -> None:
    """Keep what was taken."""
    await tx.execute(
        "insert into solidarity_contribution (membership_id, month, rate_bp, due_minor,"
        " paid_minor, journal_id, taken_at) values ($1, $2, $3, $4, $5, $6, $7)",
        membership_id,
        month,
        rate_bp,
        due_minor,
        paid_minor,
        journal_id,
        now,
    )


async def list_own(reader: Transaction, *, member_id: UUID) -> list[Any]:
    """Return what a member contributed, the newest month first."""
    return await reader.rows(
        "select s.month, s.rate_bp, s.due_minor, s.paid_minor from solidarity_contribution s"
        " join circle_membership m on m.id = s.membership_id where m.member_id = $1"
        " order by s.month desc limit 100",
        member_id,
    )
