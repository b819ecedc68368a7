"""Statements about circles and who is in them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

_CIRCLES = (
    "select c.id, c.name, c.opened_at, c.begun_at,"
    " (select count(*) from circle_membership m where m.circle_id = c.id and m.left_at is null)"
    " as members from circle c"
)


async def list_circles(reader: Transaction) -> list[Any]:
    """Return every circle and how many are in it, by name."""
    return await reader.rows(f"{_CIRCLES} order by c.name")


async def find_circle(reader: Transaction, *, circle_id: UUID) -> Any | None:
    """Return a circle and how many are in it, or None."""
    return await reader.row(f"{_CIRCLES} where c.id = $1", circle_id)


async def lock_circle(tx: Transaction, *, circle_id: UUID) -> bool:
    """Let nobody else join the circle until the end; False where there is none."""
    return bool(await tx.value("select true from circle where id = $1 for update", circle_id))


async def insert_circle(
    tx: Transaction, *, circle_id: UUID, name: str, opened_by: UUID, now: datetime
) -> bool:
    """Open a circle; False where its name is taken."""
    opened = await tx.value(
        "insert into circle (id, name, opened_by, opened_at) values ($1, $2, $3, $4)"
        " on conflict do nothing returning true",
        circle_id,
        name,
        opened_by,
        now,
    )
    return bool(opened)


async def begin_circle(tx: Transaction, *, circle_id: UUID, now: datetime) -> None:
    """Let a circle begin that has not begun."""
    await tx.execute(
        "update circle set begun_at = $2 where id = $1 and begun_at is null", circle_id, now
    )


async def insert_membership(
    tx: Transaction,
    *,
    membership_id: UUID,
    circle_id: UUID,
    member_id: UUID,
    tier_minor: int,
    now: datetime,
) -> bool:
    """Let a member into a circle; False where the member is in one."""
    joined = await tx.value(
        "insert into circle_membership (id, circle_id, member_id, tier_minor, joined_at)"
        " values ($1, $2, $3, $4, $5) on conflict do nothing returning true",
        membership_id,
        circle_id,
        member_id,
        tier_minor,
        now,
    )
    return bool(joined)


async def find_membership(
    reader: Transaction, *, member_id: UUID, for_update: bool = False
) -> Any | None:
    """Return a member's place in a circle now, with the circle's own columns, or None."""
    return await reader.row(
        "select m.id, m.circle_id, m.member_id, m.tier_minor, m.joined_at, c.name as circle_name,"
        " c.begun_at, (m.joined_at at time zone o.time_zone)::date as joined_on"
        " from circle_membership m join circle c on c.id = m.circle_id cross join cooperative o"
        " where m.member_id = $1 and m.left_at is null" + (" for update of m" * for_update),
        member_id,
    )


async def leave(tx: Transaction, *, membership_id: UUID, now: datetime) -> None:
    """End a place in a circle."""
    await tx.execute(
        "update circle_membership set left_at = greatest($2, joined_at) where id = $1",
        membership_id,
        now,
    )
