"""Statements about memberships, the register of members and their keys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from governance.electorate import House

# On the register at $1: admitted by then, which asks a paid share, and not gone by then.
_REGISTERED = "m.admitted_at <= $1 and (m.left_at is null or m.left_at > $1)"

_MEMBERSHIP = (
    "select m.id, m.member_id, p.name as member_name, m.house, m.shares_minor, m.applied_at,"
    " m.shares_paid_at, m.admitted_at, m.refused_at, m.reason, m.left_at, m.last_active_at,"
    " c.currency from membership m join member p on p.id = m.member_id cross join cooperative c"
)

# What became of a membership, as a condition on ``m``.
IN_STATE = {
    "applied": "m.admitted_at is null and m.refused_at is null and m.left_at is null",
    "admitted": "m.admitted_at is not null and m.left_at is null",
    "refused": "m.refused_at is not null",
    "left": "m.left_at is not null",
}


async def find_figures(reader: Transaction, *, at: datetime) -> dict[str, Any]:
    """Return what the statutes in force say about the register, and time_zone and currency.

    Read here and not from the assembly's room, which stands above this one.
    """
    row = await reader.row(
        "select (select jsonb_object_agg(key, value) from (select distinct on (key) key, value"
        "  from policy_version where effective_from <= $1 and key = any(array['houses',"
        "   'waiting_s', 'share_drivers_minor', 'share_riders_minor'])"
        "  order by key, effective_from desc) as latest) as figures,"
        " time_zone, currency from cooperative",
        at,
    )
    assert row is not None, "no statutes are in force: was the cooperative founded?"
    return {**row["figures"], "time_zone": row["time_zone"], "currency": row["currency"]}


async def insert_membership(
    tx: Transaction,
    *,
    membership_id: UUID,
    member_id: UUID,
    house: House,
    shares_minor: int,
    paid: bool,
    now: datetime,
) -> UUID | None:
    """Enter an application, never before its member left last; None where one is open."""
    made: UUID | None = await tx.value(
        "insert into membership (id, member_id, house, shares_minor, applied_at, shares_paid_at,"
        " last_active_at) select $1, $2, $3, $4, began, case when $5 then began end, began"
        " from (select greatest($6, max(left_at)) as began from membership where member_id = $2)"
        " as latest on conflict (member_id) where refused_at is null and left_at is null"
        " do nothing returning id",
        membership_id,
        member_id,
        house,
        shares_minor,
        paid,
        now,
    )
    return made


async def find_membership(reader: Transaction, *, membership_id: UUID) -> Any | None:
    """Return one membership with its member's name and the currency, or None."""
    return await reader.row(f"{_MEMBERSHIP} where m.id = $1", membership_id)


async def find_newest_membership(reader: Transaction, *, member_id: UUID) -> Any | None:
    """Return the newest membership of a member, or None."""
    return await reader.row(
        f"{_MEMBERSHIP} where m.member_id = $1 order by m.applied_at desc, m.id desc limit 1",
        member_id,
    )


async def list_memberships(
    reader: Transaction, *, state: str | None, after: UUID | None, limit: int
) -> list[Any]:
    """Return memberships in the order in which people applied; in one state, unless None."""
    condition = IN_STATE[state] if state else "true"
    return await reader.rows(
        f"{_MEMBERSHIP} where {condition} and ($1::uuid is null or m.id > $1)"
        " order by m.id limit $2",
        after,
        limit,
    )


# Each of these takes an open membership one step on, whoever else is at it: the row's lock puts
# rivals in line, and the condition is looked at again behind it. A moment is never put before the
# one it follows, though requests may come to the row in another order than they began.


async def mark_share_paid(
    tx: Transaction, *, membership_id: UUID, by: UUID, now: datetime
) -> Any | None:
    """Enter that the share is paid; return member_id and shares_minor, None where not to do."""
    return await tx.row(
        "update membership m set shares_paid_at = greatest($3, applied_at), shares_booked_by = $2"
        f" where id = $1 and member_id <> $2 and shares_paid_at is null and {IN_STATE['applied']}"
        " returning member_id, shares_minor",
        membership_id,
        by,
        now,
    )


async def admit(tx: Transaction, *, membership_id: UUID, by: UUID, now: datetime) -> Any | None:
    """Put an applicant with a paid share on the register; None where there is nothing to do."""
    return await tx.row(
        "update membership m set admitted_at = greatest($3, shares_paid_at), admitted_by = $2"
        " where id = $1 and member_id <> $2 and shares_paid_at is not null"
        f" and {IN_STATE['applied']} returning member_id, admitted_at, house",
        membership_id,
        by,
        now,
    )


async def refuse(
    tx: Transaction, *, membership_id: UUID, by: UUID, reason: str, now: datetime
) -> UUID | None:
    """Refuse an applicant; return who it is, None where there is nothing to do."""
    member_id: UUID | None = await tx.value(
        "update membership m set refused_at = greatest($4, applied_at), refused_by = $2,"
        f" reason = $3 where id = $1 and member_id <> $2 and {IN_STATE['applied']}"
        " returning member_id",
        membership_id,
        by,
        reason,
        now,
    )
    return member_id


async def leave(tx: Transaction, *, member_id: UUID, now: datetime) -> Any | None:
    """End a member's open membership; return its id, house and left_at, None without one."""
    return await tx.row(
        "update membership set left_at = greatest($2, admitted_at, shares_paid_at, applied_at)"
        " where member_id = $1 and refused_at is null and left_at is null"
        " returning id, house, left_at",
        member_id,
        now,
    )


async def refresh_activity(tx: Transaction, *, member_id: UUID, now: datetime) -> None:
    """Note that a member uses the program, to the day: more is nobody's business."""
    await tx.execute(
        "update membership set last_active_at = $2 where member_id = $1 and refused_at is null"
        " and left_at is null and last_active_at <= $2::timestamptz - interval '1 day'",
        member_id,
        now,
    )


async def find_house(reader: Transaction, *, member_id: UUID, at: datetime) -> str | None:
    """Return the house in whose register a member stands at a moment, or None."""
    house: str | None = await reader.value(
        f"select m.house from membership m where m.member_id = $2 and {_REGISTERED}", at, member_id
    )
    return house


async def list_register(reader: Transaction, *, at: datetime) -> list[Any]:
    """Return everybody on the register at a moment, with the key they have now."""
    return await reader.rows(
        "select m.member_id, m.house, m.admitted_at, m.shares_paid_at, m.last_active_at,"
        " k.public_key from membership m left join member_key k on k.member_id = m.member_id"
        f" and k.replaced_at is null where {_REGISTERED} order by m.member_id",
        at,
    )


async def count_active(
    reader: Transaction, *, at: datetime, admitted_by: datetime, active_since: datetime
) -> int:
    """Return how many on the register were admitted early enough and active late enough."""
    return int(
        await reader.value(
            f"select count(*) from membership m where {_REGISTERED}"
            " and m.admitted_at <= $2 and m.last_active_at >= $3",
            at,
            admitted_by,
            active_since,
        )
    )


async def lock_member(tx: Transaction, *, member_id: UUID) -> None:
    """Wait for whoever else is changing this member's keys or money, and keep the next waiting."""
    await tx.execute("select from member where id = $1 for update", member_id)


async def find_key(reader: Transaction, *, member_id: UUID) -> Any | None:
    """Return public_key and set_at of the key that a member has now, or None."""
    return await reader.row(
        "select public_key, set_at from member_key where member_id = $1 and replaced_at is null",
        member_id,
    )


async def replace_key(
    tx: Transaction, *, member_id: UUID, public_key: bytes, now: datetime
) -> bool:
    """Give a member another key and end the one before; False where it is or was in use."""
    await tx.execute(
        "update member_key set replaced_at = greatest($2, set_at)"
        " where member_id = $1 and replaced_at is null",
        member_id,
        now,
    )
    made = await tx.value(
        "insert into member_key (public_key, member_id, set_at) values ($1, $2, $3)"
        " on conflict (public_key) do nothing returning true",
        public_key,
        member_id,
        now,
    )
    return bool(made)
