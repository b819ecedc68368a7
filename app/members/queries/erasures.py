"""Statements about erasures: who asked for one, and who confirmed or withdrew it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.members.queries.register import IN_STATE

_ERASURE = (
    "select e.id, e.member_id, m.name as member_name, e.asked_by, e.asked_at, e.confirmed_by,"
    " e.confirmed_at, e.withdrawn_by, e.withdrawn_at"
    " from erasure e join member m on m.id = e.member_id"
)


async def insert_erasure(
    tx: Transaction, *, erasure_id: UUID, member_id: UUID, asked_by: UUID, now: datetime
) -> UUID | None:
    """Enter that an erasure is asked for; None where one of this person is open."""
    made: UUID | None = await tx.value(
        "insert into erasure (id, member_id, asked_by, asked_at) values ($1, $2, $3, $4)"
        " on conflict (member_id) where confirmed_at is null and withdrawn_at is null"
        " do nothing returning id",
        erasure_id,
        member_id,
        asked_by,
        now,
    )
    return made


async def lock_erasure(tx: Transaction, *, erasure_id: UUID) -> Any | None:
    """Let nobody else decide an erasure until the commit; return its row, or None."""
    return await tx.row("select * from erasure where id = $1 for update", erasure_id)


async def confirm(tx: Transaction, *, erasure_id: UUID, by: UUID, now: datetime) -> None:
    """Enter who confirmed, never before it was asked."""
    await tx.execute(
        "update erasure set confirmed_by = $2, confirmed_at = greatest($3, asked_at) where id = $1",
        erasure_id,
        by,
        now,
    )


async def withdraw(tx: Transaction, *, erasure_id: UUID, by: UUID, now: datetime) -> None:
    """Enter who withdrew it, never before it was asked."""
    await tx.execute(
        "update erasure set withdrawn_by = $2, withdrawn_at = greatest($3, asked_at) where id = $1",
        erasure_id,
        by,
        now,
    )


async def find_erasure(reader: Transaction, *, erasure_id: UUID) -> Any | None:
    """Return an erasure with the person's name, or None."""
    return await reader.row(f"{_ERASURE} where e.id = $1", erasure_id)


async def list_erasures(reader: Transaction, *, before: UUID | None, limit: int) -> list[Any]:
    """Return erasures, the newest first."""
    return await reader.rows(
        f"{_ERASURE} where $1::uuid is null or e.id < $1 order by e.id desc limit $2",
        before,
        limit,
    )


async def is_or_applies(reader: Transaction, *, member_id: UUID) -> bool:
    """Return whether the person is on the register or has an application under way."""
    return bool(
        await reader.value(
            "select exists (select from membership m where m.member_id = $1 and"
            f" (({IN_STATE['applied']}) or ({IN_STATE['admitted']})))",
            member_id,
        )
    )
