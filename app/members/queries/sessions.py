"""Statements about sessions and the tickets for their sockets."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction


async def find_session(reader: Transaction, *, access_hash: bytes, now: datetime) -> Any | None:
    """Return member_id, session_id, roles and suspended of a live session, or None."""
    return await reader.row(
        "select s.id as session_id, s.member_id,"
        " array(select role from member_role r where r.member_id = s.member_id) as roles,"
        " exists(select from suspension u where u.member_id = s.member_id"
        "   and u.lifted_at is null) as suspended"
        " from session s where s.access_hash = $1 and s.access_expires_at > $2"
        " and s.ended_at is null",
        access_hash,
        now,
    )


async def insert_session(
    tx: Transaction,
    *,
    session_id: UUID,
    member_id: UUID,
    access_hash: bytes,
    access_expires_at: datetime,
    refresh_hash: bytes,
    refresh_expires_at: datetime,
    now: datetime,
) -> None:
    """Begin a session."""
    await tx.execute(
        "insert into session (id, member_id, access_hash, access_expires_at, refresh_hash,"
        " refresh_expires_at, started_at) values ($1, $2, $3, $4, $5, $6, $7)",
        session_id,
        member_id,
        access_hash,
        access_expires_at,
        refresh_hash,
        refresh_expires_at,
        now,
    )


async def rotate_session(
    tx: Transaction,
    *,
    session_id: UUID,
    used_hash: bytes,
    access_hash: bytes,
    access_expires_at: datetime,
    refresh_hash: bytes,
    refresh_expires_at: datetime,
    now: datetime,
) -> UUID | None:
    """Replace both tokens, if this refresh token is the newest; return the member, or None."""
    member_id: UUID | None = await tx.value(
        "update session set access_hash = $3, access_expires_at = $4, refresh_hash = $5,"
        " refresh_expires_at = $6"
        " where id = $1 and refresh_hash = $2 and refresh_expires_at > $7 and ended_at is null"
        " returning member_id",
        session_id,
        used_hash,
        access_hash,
        access_expires_at,
        refresh_hash,
        refresh_expires_at,
        now,
    )
    return member_id


async def end_session(tx: Transaction, *, session_id: UUID, now: datetime) -> UUID | None:
    """End a session; return its member, or None where it had ended before."""
    member_id: UUID | None = await tx.value(
        "update session set ended_at = $2 where id = $1 and ended_at is null returning member_id",
        session_id,
        now,
    )
    return member_id


async def end_sessions_of(tx: Transaction, *, member_id: UUID, now: datetime) -> list[UUID]:
    """End every session of a member that still runs; return which."""
    rows = await tx.rows(
        "update session set ended_at = $2 where member_id = $1 and ended_at is null"
        " and refresh_expires_at > $2 returning id",
        member_id,
        now,
    )
    return [row["id"] for row in rows]


async def list_live_sessions(
    reader: Transaction, *, session_ids: Sequence[UUID], now: datetime
) -> set[UUID]:
    """Return which of these sessions run, of members who are not suspended."""
    rows = await reader.rows(
        "select s.id from session s where s.id = any($1) and s.ended_at is null"
        " and s.refresh_expires_at > $2 and not exists(select from suspension u"
        "   where u.member_id = s.member_id and u.lifted_at is null)",
        session_ids,
        now,
    )
    return {row["id"] for row in rows}


async def insert_ticket(
    tx: Transaction, *, ticket_hash: bytes, session_id: UUID, expires_at: datetime
) -> None:
    """Keep a pass for one socket."""
    await tx.execute(
        "insert into socket_ticket (ticket_hash, session_id, expires_at) values ($1, $2, $3)",
        ticket_hash,
        session_id,
        expires_at,
    )


async def take_ticket(tx: Transaction, *, ticket_hash: bytes, now: datetime) -> Any | None:
    """Remove a ticket; return session_id, member_id and roles if it and its session still hold."""
    return await tx.row(
        "with used as (delete from socket_ticket where ticket_hash = $1"
        " returning session_id, expires_at)"
        " select s.id as session_id, s.member_id,"
        "  array(select role from member_role r where r.member_id = s.member_id) as roles"
        " from used join session s on s.id = used.session_id where used.expires_at > $2"
        " and s.ended_at is null and s.refresh_expires_at > $2 and not exists(select"
        "   from suspension u where u.member_id = s.member_id and u.lifted_at is null)",
        ticket_hash,
        now,
    )
