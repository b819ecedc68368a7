"""Members say what they think of a proposal, answer each other, and may take it back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.proposals.errors import CommentUnknown, StepRefused
from app.assembly.proposals.queries import comments
from app.assembly.proposals.rules import COMMENT_STAGES, HOUR, MAX_COMMENTS_PER_HOUR
from app.assembly.proposals.schemas.comments import CommentView
from app.assembly.proposals.service.standing import check_member, see_proposal
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.pagination import Page, decode_cursor, make_page
from app.foundation.problems import TooManyRequests


async def write_comment(
    tx: Transaction,
    *,
    proposal_id: UUID,
    member_id: UUID,
    body: str,
    answers: UUID | None,
    now: datetime,
) -> dict[str, Any]:
    """Add a comment; the author of the proposal hears of it, and who is answered.

    Raises:
        ProposalUnknown, NotInTheRegister, TooManyRequests: as they say.
        StepRefused: the proposal is a draft, or its life is over.
        CommentUnknown: what it answers stands not on this proposal.
    """
    proposal = await see_proposal(tx, proposal_id=proposal_id, member_id=member_id)
    if proposal.stage not in COMMENT_STAGES:
        raise StepRefused("nobody discusses it at this stage", stage=str(proposal.stage))
    await check_member(tx, member_id=member_id, at=now)
    written = await comments.count_comments_since(tx, author_id=member_id, since=now - HOUR)
    if written >= MAX_COMMENTS_PER_HOUR:
        raise TooManyRequests(retry_after_s=int(HOUR.total_seconds()))
    concerned = {proposal.author_id}
    if answers is not None:
        concerned.add((await _get(tx, proposal_id=proposal_id, comment_id=answers))["author_id"])
    comment_id = new_id()
    await comments.insert_comment(
        tx,
        comment_id=comment_id,
        proposal_id=proposal_id,
        author_id=member_id,
        answers=answers,
        body=body,
        now=now,
    )
    # Not to the assembly's stream: everybody's telephone would ring at every word.
    data = {"proposal_id": str(proposal_id), "comment_id": str(comment_id)}
    streams = (proposal_id, *sorted(concerned - {member_id}))
    tx.emit(Event("proposal.commented", streams, data), at=now)
    return _view(await _get(tx, proposal_id=proposal_id, comment_id=comment_id))


async def withdraw_comment(
    tx: Transaction, *, proposal_id: UUID, comment_id: UUID, member_id: UUID, now: datetime
) -> dict[str, Any]:
    """Take one's own words back: they are gone, and that something was said remains.

    Raises:
        CommentUnknown: there is none, it is another's, or it was taken back before.
    """
    if not await comments.empty_comment(
        tx, proposal_id=proposal_id, comment_id=comment_id, author_id=member_id, now=now
    ):
        raise CommentUnknown
    await comments.empty_answers(tx, comment_id=comment_id, author_id=member_id)
    data = {"proposal_id": str(proposal_id), "comment_id": str(comment_id)}
    tx.emit(Event("proposal.comment_withdrawn", (proposal_id,), data), at=now)
    return _view(await _get(tx, proposal_id=proposal_id, comment_id=comment_id))


async def list_comments(
    reader: Transaction, *, proposal_id: UUID, member_id: UUID, cursor: str | None, limit: int
) -> Page[CommentView]:
    """Return what was said about a proposal, oldest first.

    Raises:
        ProposalUnknown: there is none, or it is another member's draft.
    """
    await see_proposal(reader, proposal_id=proposal_id, member_id=member_id)
    rows = await comments.page_of_comments(
        reader, proposal_id=proposal_id, after=decode_cursor(cursor), limit=limit + 1
    )
    views = [CommentView(**row) for row in rows]
    return make_page(views, limit=limit, key=lambda each: each.id)


async def _get(reader: Transaction, *, proposal_id: UUID, comment_id: UUID) -> Any:
    row = await comments.find_comment(reader, proposal_id=proposal_id, comment_id=comment_id)
    if row is None:
        raise CommentUnknown
    return row


def _view(row: Any) -> dict[str, Any]:
    return CommentView(**row).model_dump(mode="json")
