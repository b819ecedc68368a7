"""Statements on the statutory audit: which votes auditors want stopped, and who agreed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction


async def insert_stop(
    tx: Transaction, *, stop_id: UUID, election_id: UUID, reason: str, by: UUID, now: datetime
) -> bool:
    """Keep that an auditor wants a vote stopped; False where they asked before."""
    stored: bool | None = await tx.value(
        "insert into audit_stop (id, election_id, reason, asked_by, asked_at)"
        " values ($1, $2, $3, $4, $5)"
        " on conflict on constraint an_auditor_asks_once_in_a_vote do nothing returning true",
        stop_id,
        election_id,
        reason,
        by,
        now,
    )
    return bool(stored)


async def find_stop(reader: Transaction, *, stop_id: UUID, election_id: UUID) -> Any | None:
    """Return id, reason and auditor of a request to stop a vote, or None."""
    return await reader.row(
        "select id, reason, asked_by from audit_stop where id = $1 and election_id = $2",
        stop_id,
        election_id,
    )


async def insert_confirmation(
    tx: Transaction, *, stop_id: UUID, asked_by: UUID, by: UUID, now: datetime
) -> None:
    """Keep that a second auditor agrees."""
    await tx.execute(
        "insert into audit_confirmation (stop_id, asked_by, confirmed_by, confirmed_at)"
        " values ($1, $2, $3, $4)",
        stop_id,
        asked_by,
        by,
        now,
    )


async def list_stops(reader: Transaction, *, election_id: UUID) -> list[Any]:
    """Return id and reason of each request to stop a vote, and how many auditors want it.

    Who they are is not told.
    """
    return await reader.rows(
        "select s.id, s.reason, case when c.stop_id is null then 1 else 2 end as auditors"
        " from audit_stop s left join audit_confirmation c on c.stop_id = s.id"
        " where s.election_id = $1 order by s.id",
        election_id,
    )
