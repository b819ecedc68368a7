"""Statements about the fund itself."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction


async def lock_fund(tx: Transaction) -> None:
    """Let nobody else take from the fund until the transaction ends: its balance is a sum."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('solidarity_fund', 0))")


async def fund_minor(reader: Transaction) -> int:
    """Return what is in the fund, in minor units; call it under the lock to pay from it."""
    return int(
        await reader.value(
            "select coalesce((select sum(amount_minor) from transfer where credit_id = a.id), 0)"
            " - coalesce((select sum(amount_minor) from transfer where debit_id = a.id), 0)"
            " from account a where a.kind = 'solidarity_fund' and a.member_id is null"
            " and a.partner_id is null"
        )
    )


async def time_zone(reader: Transaction) -> str:
    """Return the name of the cooperative's time zone."""
    return str(await reader.value("select time_zone from cooperative"))


async def find_month(reader: Transaction, *, month: date) -> Any | None:
    """Return what was decided about a month's contribution, or None."""
    return await reader.row("select * from solidarity_month where month = $1", month)


async def insert_month(
    tx: Transaction,
    *,
    month: date,
    base_bp: int,
    most_bp: int,
    rate_bp: int,
    fund_minor: int,
    expected_claims_minor: int,
    now: datetime,
) -> bool:
    """Keep a month's contribution; False where it was decided before."""
    decided = await tx.value(
        "insert into solidarity_month (month, base_bp, most_bp, rate_bp, fund_minor,"
        " expected_claims_minor, decided_at) values ($1, $2, $3, $4, $5, $6, $7)"
        " on conflict do nothing returning true",
        month,
        base_bp,
        most_bp,
        rate_bp,
        fund_minor,
        expected_claims_minor,
        now,
    )
    return bool(decided)


async def claims(reader: Transaction, *, since: date, until: date) -> Any:
    """Return tiers_minor now, and gifts_minor and guarantees_minor of the months between.

    Gifts count as they would be in full; of what was taken over, what came back is taken off.
    """
    return await reader.row(
        "select (select coalesce(sum(m.tier_minor), 0)::bigint from circle_membership m"
        "  join circle c on c.id = m.circle_id where m.left_at is null and c.begun_at is not null)"
        "  as tiers_minor,"
        " (select coalesce(sum(full_minor), 0)::bigint from sick_gift"
        "  where month >= $1 and month < $2) as gifts_minor,"
        " greatest(0, (select coalesce(sum(g.covered_minor), 0) from guarantee g"
        "  where g.taken_over_at >= o.since and g.taken_over_at < o.until)"
        " - (select coalesce(sum(b.amount_minor), 0) from guarantee_return b"
        "  where b.returned_at >= o.since and b.returned_at < o.until))::bigint as guarantees_minor"
        " from (select $1::date::timestamp at time zone time_zone as since,"
        "  $2::date::timestamp at time zone time_zone as until from cooperative) as o",
        since,
        until,
    )


async def list_circle_people(reader: Transaction) -> list[UUID]:
    """Return the members of circles that have begun."""
    rows = await reader.rows(
        "select m.member_id from circle_membership m join circle c on c.id = m.circle_id"
        " where m.left_at is null and c.begun_at is not null order by m.member_id"
    )
    return [row["member_id"] for row in rows]


async def list_paid(reader: Transaction, *, before: date) -> list[Any]:
    """Return month, kind, person and amount_minor of all that was paid in months before a day."""
    return await reader.rows(
        "select * from ("
        " select date_trunc('month', g.paid_at at time zone c.time_zone)::date as month,"
        "  'sick_gift' as kind, m.member_id::text as person, g.amount_minor"
        " from sick_gift g join sick_leave l on l.id = g.sick_leave_id"
        " join circle_membership m on m.id = l.membership_id cross join cooperative c"
        " where g.amount_minor > 0 union all"
        " select date_trunc('month', g.taken_over_at at time zone c.time_zone)::date,"
        "  'payout_guarantee', g.rider_id::text, g.covered_minor"
        " from guarantee g cross join cooperative c where g.covered_minor > 0"
        ") as paid where month < $1 order by month, kind, person, amount_minor",
        before,
    )
