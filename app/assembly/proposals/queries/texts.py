"""Statements on the versions of a text and on its amendments."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction


async def insert_text(
    tx: Transaction,
    *,
    proposal_id: UUID,
    number: int,
    body: str,
    sha256: str,
    amendment_id: UUID | None,
    now: datetime,
) -> None:
    """Store a version of a text; its number makes it the newest."""
    await tx.execute(
        "insert into proposal_text (proposal_id, number, body, sha256, amendment_id, made_at)"
        " values ($1, $2, $3, $4, $5, $6)",
        proposal_id,
        number,
        body,
        sha256,
        amendment_id,
        now,
    )


async def touch_proposal(tx: Transaction, *, proposal_id: UUID) -> None:
    """Count a change of a text, so that nobody freezes what they read before it."""
    await tx.execute("update proposal set version = version + 1 where id = $1", proposal_id)


async def wanted_amendments(
    reader: Transaction, *, proposal_id: UUID, supporters: int, limit: int
) -> list[Any]:
    """Return amendments that were not accepted and that so many members want to vote on.

    Those that most want come first. Each has id, number, changes, base_sha256 and the body that
    it changes.
    """
    return await reader.rows(
        "select a.id, a.number, a.changes, a.base_sha256, t.body, s.supporters from amendment a"
        " join proposal_text t on t.proposal_id = a.proposal_id and t.number = a.base_number,"
        " lateral (select count(*) as supporters from amendment_support s"
        " where s.amendment_id = a.id) s"
        " where a.proposal_id = $1 and a.state in ('open', 'declined') and s.supporters >= $2"
        " order by s.supporters desc, a.number limit $3",
        proposal_id,
        supporters,
        limit,
    )


async def settle_amendments(
    tx: Transaction, *, proposal_id: UUID, rivals: list[UUID], now: datetime
) -> None:
    """Make some amendments rivals of the text; drop the others that are still open."""
    await tx.execute(
        "update amendment set state = case when id = any($2::uuid[]) then 'rival' else 'dropped'"
        " end, decided_at = coalesce(decided_at, $3) where proposal_id = $1"
        " and (state = 'open' or id = any($2::uuid[]))",
        proposal_id,
        rivals,
        now,
    )
