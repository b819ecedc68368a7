"""Statements on the versions of a text and on its amendments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.proposals.queries import STILL_A_MEMBER
from app.assembly.proposals.rules import AmendmentState
from app.foundation.database import Transaction

# $1 is who looks.
_AMENDMENT = (
    "select a.id, a.proposal_id, a.number, a.author_id, m.name as author_name, a.base_number,"
    " a.base_sha256, a.changes, a.reason, a.state, a.proposed_at, a.decided_at, t.body,"
    " (select count(*) from amendment_support s where s.amendment_id = a.id"
    f" and {STILL_A_MEMBER}) as supporters,"
    " exists(select from amendment_support s where s.amendment_id = a.id and s.member_id = $1)"
    " as i_support from amendment a join member m on m.id = a.author_id"
    " join proposal_text t on t.proposal_id = a.proposal_id and t.number = a.base_number"
)


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


async def list_texts(reader: Transaction, *, proposal_id: UUID) -> list[Any]:
    """Return every version of a text without its words, oldest first."""
    return await reader.rows(
        "select number, sha256, amendment_id, made_at from proposal_text where proposal_id = $1"
        " order by number",
        proposal_id,
    )


async def find_text(reader: Transaction, *, proposal_id: UUID, number: int) -> Any | None:
    """Return one version of a text, or None."""
    return await reader.row(
        "select number, sha256, amendment_id, made_at, body from proposal_text"
        " where proposal_id = $1 and number = $2",
        proposal_id,
        number,
    )


async def touch_proposal(tx: Transaction, *, proposal_id: UUID) -> None:
    """Count a change of a text, so that nobody freezes what they read before it."""
    await tx.execute("update proposal set version = version + 1 where id = $1", proposal_id)


async def insert_amendment(
    tx: Transaction,
    *,
    amendment_id: UUID,
    proposal_id: UUID,
    author_id: UUID,
    base_number: int,
    base_sha256: str,
    changes: list[dict[str, Any]],
    reason: str,
    now: datetime,
) -> None:
    """Store an amendment under the proposal's next number; its proposal is locked."""
    await tx.execute(
        "insert into amendment (id, proposal_id, number, author_id, base_number, base_sha256,"
        " changes, reason, state, proposed_at) select $1, $2, 1 + count(*), $3, $4, $5, $6, $7,"
        " 'open', $8 from amendment where proposal_id = $2",
        amendment_id,
        proposal_id,
        author_id,
        base_number,
        base_sha256,
        changes,
        reason,
        now,
    )


async def find_amendment(
    reader: Transaction, *, proposal_id: UUID, amendment_id: UUID, member_id: UUID
) -> Any | None:
    """Return an amendment as a member sees it, with the body it changes, or None."""
    return await reader.row(
        f"{_AMENDMENT} where a.proposal_id = $2 and a.id = $3",
        member_id,
        proposal_id,
        amendment_id,
    )


async def page_of_amendments(
    reader: Transaction, *, proposal_id: UUID, member_id: UUID, after: UUID | None, limit: int
) -> list[Any]:
    """Return amendments as a member sees them, oldest first."""
    return await reader.rows(
        f"{_AMENDMENT} where a.proposal_id = $2 and ($3::uuid is null or a.id > $3)"
        " order by a.id limit $4",
        member_id,
        proposal_id,
        after,
        limit,
    )


async def count_open_amendments(reader: Transaction, *, proposal_id: UUID, author_id: UUID) -> int:
    """Return how many amendments of a member to a proposal nobody has decided yet."""
    return int(
        await reader.value(
            "select count(*) from amendment where proposal_id = $1 and author_id = $2"
            " and state = 'open'",
            proposal_id,
            author_id,
        )
    )


async def decide_amendment(
    tx: Transaction,
    *,
    amendment_id: UUID,
    sources: Sequence[AmendmentState],
    state: AmendmentState,
    now: datetime,
) -> bool:
    """Write what became of an amendment; False where it was in none of `sources`."""
    decided = await tx.value(
        "update amendment set state = $3, decided_at = $4 where id = $1"
        " and state = any($2::text[]) returning true",
        amendment_id,
        [str(source) for source in sources],
        str(state),
        now,
    )
    return bool(decided)


async def add_amendment_support(
    tx: Transaction, *, amendment_id: UUID, member_id: UUID, now: datetime
) -> bool:
    """Note that a member wants an amendment voted on; False if so already."""
    added = await tx.value(
        "insert into amendment_support (amendment_id, member_id, supported_at)"
        " values ($1, $2, $3) on conflict do nothing returning true",
        amendment_id,
        member_id,
        now,
    )
    return bool(added)


async def remove_amendment_support(tx: Transaction, *, amendment_id: UUID, member_id: UUID) -> bool:
    """Forget that a member wants an amendment voted on; False if nothing was noted."""
    removed = await tx.value(
        "delete from amendment_support where amendment_id = $1 and member_id = $2 returning true",
        amendment_id,
        member_id,
    )
    return bool(removed)


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
        f" where s.amendment_id = a.id and {STILL_A_MEMBER}) s"
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
