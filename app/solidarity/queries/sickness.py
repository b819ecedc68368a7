"""Statements about who was sick from when to when, and what they were given."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

_LEAVES = (
    "select l.id, l.began_on, l.ended_on, l.reported_at, l.waiting_days, l.longest_months,"
    " l.confirmed_at, m.id as membership_id, m.member_id, m.circle_id, m.tier_minor,"
    " (m.left_at at time zone o.time_zone)::date as member_until, p.name as member_name,"
    " c.name as circle_name, (select count(*) from sick_leave_confirmation f"
    " where f.sick_leave_id = l.id) as confirmations"
    " from sick_leave l join circle_membership m on m.id = l.membership_id"
    " join circle c on c.id = m.circle_id join member p on p.id = m.member_id"
    " cross join cooperative o"
)


async def insert_leave(
    tx: Transaction,
    *,
    leave_id: UUID,
    membership_id: UUID,
    began_on: date,
    waiting_days: int,
    longest_months: int,
    now: datetime,
) -> bool:
    """Keep that a member cannot work; False where it is known."""
    kept = await tx.value(
        "insert into sick_leave (id, membership_id, began_on, reported_at, waiting_days,"
        " longest_months) values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning true",
        leave_id,
        membership_id,
        began_on,
        now,
        waiting_days,
        longest_months,
    )
    return bool(kept)


async def lock_leave(tx: Transaction, *, leave_id: UUID) -> Any | None:
    """Return an illness and let nobody else change it until the end, or None."""
    return await tx.row(f"{_LEAVES} where l.id = $1 for update of l", leave_id)


async def lock_open_leave(tx: Transaction, *, membership_id: UUID) -> Any | None:
    """Return the illness that a member has not come back from, locked, or None."""
    return await tx.row(
        f"{_LEAVES} where m.id = $1 and l.ended_on is null for update of l", membership_id
    )


async def last_end(reader: Transaction, *, membership_id: UUID) -> date | None:
    """Return the first day of work after a member's last illness, or None."""
    ended: date | None = await reader.value(
        "select max(ended_on) from sick_leave where membership_id = $1", membership_id
    )
    return ended


async def last_paid_month(reader: Transaction, *, leave_id: UUID) -> date | None:
    """Return the newest month that a gift was decided for, or None."""
    month: date | None = await reader.value(
        "select max(month) from sick_gift where sick_leave_id = $1", leave_id
    )
    return month


async def end_leave(tx: Transaction, *, leave_id: UUID, ended_on: date) -> None:
    """Keep the first day of work again."""
    await tx.execute("update sick_leave set ended_on = $2 where id = $1", leave_id, ended_on)


async def insert_confirmation(
    tx: Transaction, *, leave_id: UUID, confirmed_by: UUID, is_steward: bool, now: datetime
) -> None:
    """Keep that a person confirms an illness; the same person again changes nothing."""
    await tx.execute(
        "insert into sick_leave_confirmation (sick_leave_id, confirmed_by, is_steward,"
        " confirmed_at) values ($1, $2, $3, $4) on conflict do nothing",
        leave_id,
        confirmed_by,
        is_steward,
        now,
    )


async def count_confirmations(reader: Transaction, *, leave_id: UUID) -> Any:
    """Return how many peers and how many stewards have confirmed an illness."""
    return await reader.row(
        "select count(*) filter (where not is_steward) as peers,"
        " count(*) filter (where is_steward) as stewards"
        " from sick_leave_confirmation where sick_leave_id = $1",
        leave_id,
    )


async def confirm_leave(tx: Transaction, *, leave_id: UUID, now: datetime) -> None:
    """Let an illness be confirmed from now on."""
    await tx.execute("update sick_leave set confirmed_at = $2 where id = $1", leave_id, now)


async def list_unconfirmed(reader: Transaction, *, circle_id: UUID | None) -> list[Any]:
    """Return the illnesses that wait for confirmation, of one circle or of all, oldest first."""
    return await reader.rows(
        f"{_LEAVES} where l.confirmed_at is null and ($1::uuid is null or m.circle_id = $1)"
        " order by l.reported_at limit 200",
        circle_id,
    )


async def list_own_leaves(reader: Transaction, *, member_id: UUID) -> list[Any]:
    """Return a member's illnesses, the newest first."""
    return await reader.rows(
        f"{_LEAVES} where m.member_id = $1 order by l.began_on desc, l.id desc limit 100",
        member_id,
    )


async def list_own_gifts(reader: Transaction, *, member_id: UUID) -> list[Any]:
    """Return what a member was given, the newest month first."""
    return await reader.rows(
        "select g.month, g.days, g.full_minor, g.amount_minor, g.paid_at from sick_gift g"
        " join sick_leave l on l.id = g.sick_leave_id"
        " join circle_membership m on m.id = l.membership_id"
        " where m.member_id = $1 order by g.month desc limit 100",
        member_id,
    )


async def list_confirmed(reader: Transaction, *, ended_after: date) -> list[Any]:
    """Return the confirmed illnesses that gifts may still be due for, and the months decided.

    Each with `account_id`, the account the gift goes to. Call it under the fund's lock.
    """
    return await reader.rows(
        f"{_LEAVES.replace('select ', 'select a.id as account_id, decided.months, ', 1)}"
        " join account a on a.member_id = m.member_id and a.kind = 'driver'"
        " cross join lateral (select coalesce(array_agg(g.month), '{}') as months"
        "  from sick_gift g where g.sick_leave_id = l.id) as decided"
        " where l.confirmed_at is not null and (l.ended_on is null or l.ended_on > $1)"
        " order by a.id",
        ended_after,
    )


async def list_confirmed_of(reader: Transaction, *, memberships: Sequence[UUID]) -> list[Any]:
    """Return the confirmed illnesses of these places in a circle, the oldest first."""
    return await reader.rows(
        f"{_LEAVES} where l.confirmed_at is not null and m.id = any($1::uuid[])"
        " order by l.began_on, l.id",
        list(memberships),
    )


async def gathered(reader: Transaction, *, months: Sequence[date]) -> list[Any]:
    """Return due_minor and paid_minor of each circle and month: what its members contributed."""
    return await reader.rows(
        "select m.circle_id, s.month, sum(s.due_minor)::bigint as due_minor,"
        " sum(s.paid_minor)::bigint as paid_minor from solidarity_contribution s"
        " join circle_membership m on m.id = s.membership_id"
        " where s.month = any($1::date[]) group by 1, 2",
        list(months),
    )


async def insert_gift(
    tx: Transaction,
    *,
    gift_id: UUID,
    leave_id: UUID,
    month: date,
    days: int,
    full_minor: int,
    amount_minor: int,
    journal_id: int | None,
    now: datetime,
) -> None:
    """Keep what was given for a month."""
    await tx.execute(
        "insert into sick_gift (id, sick_leave_id, month, days, full_minor, amount_minor,"
        " journal_id, paid_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        gift_id,
        leave_id,
        month,
        days,
        full_minor,
        amount_minor,
        journal_id,
        now,
    )
