"""Statements on proposals themselves, and on who supports them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.proposals.proposal import Proposal, proposal_from
from app.assembly.proposals.queries import STILL_A_MEMBER
from app.foundation.database import Transaction
from governance.proposal import Stage

_COLUMNS = (
    "p.id, p.author_id, p.kind, p.is_secret, p.key, p.title, p.question, p.explanation,"
    " p.options, p.parameters, p.supporters_needed, p.rule, p.stage, p.since, p.due_at, p.sign_by,"
    " p.opens_at, p.closes_at, p.count_by, p.void_ground, p.version, p.created_at,"
    " coalesce(t.body, p.draft_text) as text, coalesce(t.number, 0) as text_number"
)
_NEWEST_TEXT = (
    "left join lateral (select number, body from proposal_text t where t.proposal_id = p.id"
    " order by number desc limit 1) t on true"
)
_SELECT = f"select {_COLUMNS} from proposal p {_NEWEST_TEXT}"
# $1 is who looks.
_VIEW = (
    f"select {_COLUMNS}, m.name as author_name, p.parameters->'pots' as pots,"
    " (select count(*) from proposal_support s where s.proposal_id = p.id"
    f" and {STILL_A_MEMBER}) as supporters,"
    " exists(select from proposal_support s where s.proposal_id = p.id and s.member_id = $1)"
    f" as i_support from proposal p join member m on m.id = p.author_id {_NEWEST_TEXT}"
)
# A draft is its author's alone, also one that was given up: it never needed supporters.
_VISIBLE = "(p.author_id = $1 or p.supporters_needed is not null)"


async def find_proposal(reader: Transaction, *, proposal_id: UUID) -> Proposal | None:
    """Return a proposal, or None."""
    row = await reader.row(f"{_SELECT} where p.id = $1", proposal_id)
    return None if row is None else proposal_from(row)


async def lock_proposal(tx: Transaction, *, proposal_id: UUID) -> None:
    """Let nobody else change a proposal before this transaction ends.

    Read it in a statement after this one, which sees what whoever held it before has committed.
    """
    await tx.execute("select from proposal where id = $1 for no key update", proposal_id)


async def due_proposals(reader: Transaction, *, at: datetime, limit: int) -> list[Proposal]:
    """Return proposals whose stage is due, those first that have waited longest."""
    rows = await reader.rows(
        f"{_SELECT} where p.due_at <= $1 order by p.due_at, p.id limit $2", at, limit
    )
    return [proposal_from(row) for row in rows]


async def view_proposal(reader: Transaction, *, proposal_id: UUID, member_id: UUID) -> Any | None:
    """Return a proposal as a member sees it, or None: it is none, or another's draft."""
    return await reader.row(f"{_VIEW} where p.id = $2 and {_VISIBLE}", member_id, proposal_id)


async def page_of_proposals(
    reader: Transaction,
    *,
    member_id: UUID,
    stages: list[str],
    mine: bool,
    before: UUID | None,
    limit: int,
) -> list[Any]:
    """Return proposals as a member sees them, newest first; of drafts only one's own."""
    return await reader.rows(
        f"{_VIEW} where {_VISIBLE} and p.stage = any($2::text[])"
        " and (p.author_id = $1 or not $3) and ($4::uuid is null or p.id < $4)"
        " order by p.id desc limit $5",
        member_id,
        stages,
        mine,
        before,
        limit,
    )


async def insert_draft(
    tx: Transaction, *, proposal_id: UUID, author_id: UUID, draft: Mapping[str, Any], now: datetime
) -> None:
    """Store a new draft."""
    await tx.execute(
        "insert into proposal (id, author_id, kind, key, is_secret, title, question, explanation,"
        " draft_text, options, parameters, stage, since, version, created_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'draft', $12, 1, $12)",
        proposal_id,
        author_id,
        *_content(draft),
        now,
    )


async def update_draft(tx: Transaction, *, proposal_id: UUID, draft: Mapping[str, Any]) -> None:
    """Write the content of a draft whose row this transaction has locked."""
    await tx.execute(
        "update proposal set kind = $2, key = $3, is_secret = $4, title = $5, question = $6,"
        " explanation = $7, draft_text = $8, options = $9, parameters = $10, version = version + 1"
        " where id = $1",
        proposal_id,
        *_content(draft),
    )


_CONTENT = ("kind", "key", "is_secret", "title", "question", "explanation", "text", "options")


def _content(draft: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*(draft[name] for name in _CONTENT), draft["parameters"])


async def move(tx: Transaction, *, before: Proposal, after: Proposal) -> bool:
    """Write where a proposal stands after a step; False where it has changed since it was read."""
    times = after.progress.times
    moved = await tx.value(
        "update proposal set stage = $4, since = $5, due_at = $6, sign_by = $7, opens_at = $8,"
        " closes_at = $9, count_by = $10, void_ground = $11, supporters_needed = $12, rule = $13,"
        " options = $14, parameters = $15, version = version + 1"
        " where id = $1 and stage = $2 and version = $3 returning true",
        before.id,
        str(before.stage),
        before.version,
        str(after.stage),
        after.progress.since,
        after.progress.due_at,
        *(
            (times.sign_by, times.opens_at, times.closes_at, times.count_by)
            if times
            else (None,) * 4
        ),
        after.void_ground,
        after.supporters_needed,
        after.rule,
        list(after.options),
        dict(after.parameters),
    )
    return bool(moved)


async def count_of_author(reader: Transaction, *, author_id: UUID, stage: Stage) -> int:
    """Return how many proposals of a member stand in a stage."""
    return int(
        await reader.value(
            "select count(*) from proposal where author_id = $1 and stage = $2",
            author_id,
            str(stage),
        )
    )


async def add_support(
    tx: Transaction, *, proposal_id: UUID, member_id: UUID, now: datetime
) -> bool:
    """Note that a member supports a proposal; False if so already."""
    added = await tx.value(
        "insert into proposal_support (proposal_id, member_id, supported_at) values ($1, $2, $3)"
        " on conflict do nothing returning true",
        proposal_id,
        member_id,
        now,
    )
    return bool(added)


async def remove_support(tx: Transaction, *, proposal_id: UUID, member_id: UUID) -> bool:
    """Forget that a member supports a proposal; False if nothing was noted."""
    removed = await tx.value(
        "delete from proposal_support where proposal_id = $1 and member_id = $2 returning true",
        proposal_id,
        member_id,
    )
    return bool(removed)


async def count_support(reader: Transaction, *, proposal_id: UUID) -> int:
    """Return how many members support a proposal; who has left counts no longer."""
    return int(
        await reader.value(
            "select count(*) from proposal_support s where s.proposal_id = $1"
            f" and {STILL_A_MEMBER}",
            proposal_id,
        )
    )


async def currency(reader: Transaction) -> str:
    """Return the cooperative's currency by its ISO 4217 code."""
    return str(await reader.value("select currency from cooperative"))
