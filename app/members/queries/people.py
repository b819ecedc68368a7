"""Statements about members, their roles and suspensions."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.members.roles import Role


async def make_member(tx: Transaction, *, member_id: UUID, phone: str, now: datetime) -> Any:
    """Return id and is_new of the member with this number, made if missing, locked in any case."""
    # DO UPDATE, though it changes nothing, waits for a rival's insert and locks the row we get.
    return await tx.row(
        "insert into member (id, phone, joined_at) values ($1, $2, $3)"
        " on conflict (phone) do update set name = member.name"
        " returning new.id, old.id is null as is_new",
        member_id,
        phone,
        now,
    )


async def grant_role(
    tx: Transaction, *, member_id: UUID, role: Role, by: UUID | None, now: datetime
) -> None:
    """Give a member a role; nothing happens where they hold it."""
    await tx.execute(
        "insert into member_role (member_id, role, granted_at, granted_by)"
        " values ($1, $2, $3, $4) on conflict do nothing",
        member_id,
        role,
        now,
        by,
    )


async def list_roles(reader: Transaction, *, member_id: UUID) -> list[Role]:
    """Return the roles of a member, in order of name."""
    rows = await reader.rows(
        "select role from member_role where member_id = $1 order by role", member_id
    )
    return [Role(row["role"]) for row in rows]


async def find_member(reader: Transaction, *, member_id: UUID) -> Any | None:
    """Return id, phone, name, language, joined_at and roles of a member, or None."""
    return await reader.row(
        "select m.id, m.phone, m.name, m.language, m.joined_at,"
        " array(select role from member_role r where r.member_id = m.id order by role) as roles"
        " from member m where m.id = $1",
        member_id,
    )


async def update_member(
    tx: Transaction, *, member_id: UUID, name: str | None, language: str | None
) -> None:
    """Change what is given."""
    await tx.execute(
        "update member set name = coalesce($2, name), language = coalesce($3, language)"
        " where id = $1",
        member_id,
        name,
        language,
    )


async def city_today(reader: Transaction, *, now: datetime) -> date:
    """Return the day it is in the city, by the time zone the cooperative was founded with."""
    day: date = await reader.value(
        "select ($1::timestamptz at time zone time_zone)::date from cooperative", now
    )
    return day


async def insert_suspension(
    tx: Transaction, *, suspension_id: UUID, member_id: UUID, by: UUID, reason: str, now: datetime
) -> UUID | None:
    """Suspend a member; None where they are suspended already."""
    made: UUID | None = await tx.value(
        "insert into suspension (id, member_id, by_member_id, reason, since)"
        " values ($1, $2, $3, $4, $5)"
        " on conflict (member_id) where lifted_at is null do nothing returning id",
        suspension_id,
        member_id,
        by,
        reason,
        now,
    )
    return made


async def lift_suspension(
    tx: Transaction, *, member_id: UUID, by: UUID, now: datetime
) -> UUID | None:
    """End a member's suspension; None where there is none, or it is one's own."""
    lifted: UUID | None = await tx.value(
        "update suspension set lifted_at = $3, lifted_by = $2 where member_id = $1"
        " and lifted_at is null and member_id <> $2 returning id",
        member_id,
        by,
        now,
    )
    return lifted


async def find_suspension(reader: Transaction, *, member_id: UUID) -> Any | None:
    """Return reason and since of the suspension in force, or None."""
    return await reader.row(
        "select reason, since from suspension where member_id = $1 and lifted_at is null",
        member_id,
    )
