"""HTTP of comments: what members say about a proposal."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from app.assembly.proposals import service
from app.assembly.proposals.errors import CommentUnknown, ProposalUnknown
from app.assembly.proposals.routes.shared import READ_PROBLEMS, WRITE_PROBLEMS, Cursor, Limit
from app.assembly.proposals.schemas.comments import CommentPage, CommentRequest, CommentView
from app.foundation.problems import TooManyRequests
from app.foundation.web import problem_responses
from app.members.access import (
    COMMAND_PROBLEMS_EVEN_SUSPENDED,
    ActingEvenSuspended,
    DatabaseDep,
    SignedInEvenSuspended,
)

router = APIRouter(prefix="/proposals/{proposal_id}/comments")


@router.get(
    "",
    operation_id="list_comments",
    summary="What members say about a proposal",
    responses=problem_responses(*READ_PROBLEMS),
)
async def list_comments(
    proposal_id: UUID,
    actor: SignedInEvenSuspended,
    database: DatabaseDep,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CommentPage:
    """Return comments, oldest first; each names the one that it answers."""
    async with database.reading() as reader:
        page = await service.list_comments(
            reader,
            proposal_id=proposal_id,
            member_id=actor.member_id,
            cursor=cursor,
            limit=limit,
        )
    return CommentPage(items=list(page.items), next_cursor=page.next_cursor)


@router.post(
    "",
    operation_id="write_comment",
    summary="Say something about a proposal",
    status_code=201,
    response_model=CommentView,
    responses=problem_responses(CommentUnknown, TooManyRequests, *WRITE_PROBLEMS),
)
async def write_comment(
    proposal_id: UUID, body: CommentRequest, command: ActingEvenSuspended
) -> Response:
    """Add a comment under your name."""
    return await command.answer(
        lambda tx: service.write_comment(
            tx,
            proposal_id=proposal_id,
            member_id=command.actor.member_id,
            body=body.body,
            answers=body.answers,
            now=command.now,
        ),
        status=201,
    )


@router.post(
    "/{comment_id}/withdraw",
    operation_id="withdraw_comment",
    summary="Take your own words back",
    response_model=CommentView,
    responses=problem_responses(ProposalUnknown, CommentUnknown, *COMMAND_PROBLEMS_EVEN_SUSPENDED),
)
async def withdraw_comment(
    proposal_id: UUID, comment_id: UUID, command: ActingEvenSuspended
) -> Response:
    """Empty your comment; its place remains, so that answers still stand under something."""
    return await command.answer(
        lambda tx: service.withdraw_comment(
            tx,
            proposal_id=proposal_id,
            comment_id=comment_id,
            member_id=command.actor.member_id,
            now=command.now,
        )
    )
