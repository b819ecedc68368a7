"""Statements on what members say about proposals."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

_SELECT = (
    "select c.id, c.proposal_id, c.author_id, m.name as author_name, c.answers, c.body,"
    " c.written_at, c.withdrawn_at from proposal_comment c join member m on m.id = c.author_id"
)


async def find_comment(reader: Transaction, *, proposal_id: UUID, comment_id: UUID) -> Any | None:
    """Return a comment on a proposal, or None."""
    return await reader.row(
        f"{_SELECT} where c.proposal_id = $1 and c.id = $2", proposal_id, comment_id
    )


async def page_of_comments(
    reader: Transaction, *, proposal_id: UUID, after: UUID | None, limit: int
) -> list[Any]:
    """Return comments on a proposal, oldest first."""
    return await reader.rows(
        f"{_SELECT} where c.proposal_id = $1 and ($2::uuid is null or c.id > $2)"
        " order by c.id limit $3",
        proposal_id,
        after,
        limit,
    )


async def insert_comment(
    tx: Transaction,
    *,
    comment_id: UUID,
    proposal_id: UUID,
    author_id: UUID,
    answers: UUID | None,
    body: str,
    now: datetime,
) -> None:
    """Store a comment."""
    await tx.execute(
        "insert into proposal_comment (id, proposal_id, author_id, answers, body, written_at)"
        " values ($1, $2, $3, $4, $5, $6)",
        comment_id,
        proposal_id,
        author_id,
        answers,
        body,
        now,
    )


async def empty_comment(
    tx: Transaction, *, proposal_id: UUID, comment_id: UUID, author_id: UUID, now: datetime
) -> bool:
    """Take a member's own words away, and leave their place; False where there were none."""
    emptied = await tx.value(
        "update proposal_comment set body = '', withdrawn_at = $4"
        " where proposal_id = $1 and id = $2 and author_id = $3 and withdrawn_at is null"
        " returning true",
        proposal_id,
        comment_id,
        author_id,
        now,
    )
    return bool(emptied)


async def empty_answers(tx: Transaction, *, comment_id: UUID, author_id: UUID) -> None:
    """Take a comment's words out of the kept answer to the command that wrote it."""
    await tx.execute(
        "update idempotency_key set body = jsonb_set(body, '{body}', '\"\"')"
        " where actor_id = $1 and body->>'id' = $2::uuid::text and body ? 'answers'",
        author_id,
        comment_id,
    )


async def count_comments_since(reader: Transaction, *, author_id: UUID, since: datetime) -> int:
    """Return how many comments a member has written since a moment, those taken back too."""
    return int(
        await reader.value(
            "select count(*) from proposal_comment where author_id = $1 and written_at > $2",
            author_id,
            since,
        )
    )
