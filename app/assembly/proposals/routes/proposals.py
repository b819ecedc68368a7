"""HTTP of proposals themselves: read, draft, submit, support, withdraw."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.assembly.proposals import service
from app.assembly.proposals.errors import (
    AlreadySupported,
    NotSupported,
    NotTheAuthor,
    ProposalIncomplete,
    TooManyProposals,
)
from app.assembly.proposals.routes.shared import (
    EDIT_PROBLEMS,
    READ_PROBLEMS,
    WRITE_PROBLEMS,
    Cursor,
    EditedVersion,
    Limit,
    etag,
)
from app.assembly.proposals.schemas.proposals import (
    ProposalDraft,
    ProposalPage,
    ProposalView,
    SupportView,
    draft_values,
)
from app.foundation.web import json_response, problem_responses
from app.members.access import ActingEvenSuspended, DatabaseDep, SignedInEvenSuspended
from governance.proposal import Stage

router = APIRouter(prefix="/proposals")


@router.get(
    "",
    operation_id="list_proposals",
    summary="What members propose",
    responses=problem_responses(*READ_PROBLEMS),
)
async def list_proposals(
    actor: SignedInEvenSuspended,
    database: DatabaseDep,
    stage: Annotated[list[Stage] | None, Query(description="may be repeated; none: all")] = None,
    mine: Annotated[bool | None, Query(description="only your own, drafts among them")] = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> ProposalPage:
    """Return proposals, newest first. Drafts are their authors' alone."""
    async with database.reading() as reader:
        page = await service.list_proposals(
            reader,
            member_id=actor.member_id,
            stages=tuple(stage or ()),
            mine=bool(mine),
            cursor=cursor,
            limit=limit,
        )
    return ProposalPage(items=list(page.items), next_cursor=page.next_cursor)


@router.post(
    "",
    operation_id="draft_proposal",
    summary="Write a draft",
    status_code=201,
    response_model=ProposalView,
    responses=problem_responses(TooManyProposals, *WRITE_PROBLEMS),
)
async def draft_proposal(body: ProposalDraft, command: ActingEvenSuspended) -> Response:
    """Keep a draft, which you alone see until you submit it."""
    return await command.answer(
        lambda tx: service.write_draft(
            tx,
            author_id=command.actor.member_id,
            draft=draft_values(body),
            now=command.now,
        ),
        status=201,
    )


@router.get(
    "/{proposal_id}",
    operation_id="get_proposal",
    summary="Read a proposal",
    response_model=ProposalView,
    responses=problem_responses(*READ_PROBLEMS),
)
async def get_proposal(
    proposal_id: UUID, actor: SignedInEvenSuspended, database: DatabaseDep
) -> Response:
    """Return a proposal; its ETag is what editing it asks for."""
    async with database.reading() as reader:
        body = await service.show_proposal(
            reader, proposal_id=proposal_id, member_id=actor.member_id
        )
    return json_response(body, headers={"ETag": etag(body["version"])})


@router.put(
    "/{proposal_id}",
    operation_id="edit_draft",
    summary="Write a draft anew",
    response_model=ProposalView,
    responses=problem_responses(NotTheAuthor, *EDIT_PROBLEMS, *WRITE_PROBLEMS),
)
async def edit_draft(
    proposal_id: UUID, body: ProposalDraft, version: EditedVersion, command: ActingEvenSuspended
) -> Response:
    """Replace your draft, if it is still the version that you name in `If-Match`."""
    return await command.answer(
        lambda tx: service.edit_draft(
            tx,
            proposal_id=proposal_id,
            author_id=command.actor.member_id,
            version=version,
            draft=draft_values(body),
            now=command.now,
        )
    )


@router.post(
    "/{proposal_id}/submit",
    operation_id="submit_proposal",
    summary="Let a draft seek support",
    response_model=ProposalView,
    responses=problem_responses(
        NotTheAuthor, ProposalIncomplete, TooManyProposals, *WRITE_PROBLEMS
    ),
)
async def submit_proposal(proposal_id: UUID, command: ActingEvenSuspended) -> Response:
    """Show your draft to all members. How many must support it is fixed now."""
    return await command.answer(
        lambda tx: service.submit_proposal(
            tx, proposal_id=proposal_id, author_id=command.actor.member_id, now=command.now
        )
    )


@router.post(
    "/{proposal_id}/withdraw",
    operation_id="withdraw_proposal",
    summary="Take your proposal back",
    response_model=ProposalView,
    responses=problem_responses(NotTheAuthor, *WRITE_PROBLEMS),
)
async def withdraw_proposal(proposal_id: UUID, command: ActingEvenSuspended) -> Response:
    """End your proposal, as long as it has not found the support it needs."""
    return await command.answer(
        lambda tx: service.withdraw_proposal(
            tx, proposal_id=proposal_id, author_id=command.actor.member_id, now=command.now
        )
    )


@router.post(
    "/{proposal_id}/support",
    operation_id="support_proposal",
    summary="Support a proposal",
    response_model=SupportView,
    responses=problem_responses(AlreadySupported, *WRITE_PROBLEMS),
)
async def support_proposal(proposal_id: UUID, command: ActingEvenSuspended) -> Response:
    """Count among those who want it deliberated. Nobody is shown who they are."""
    return await command.answer(
        lambda tx: service.support_proposal(
            tx, proposal_id=proposal_id, member_id=command.actor.member_id, now=command.now
        )
    )


@router.post(
    "/{proposal_id}/support/withdraw",
    operation_id="withdraw_support",
    summary="Take your support back",
    response_model=SupportView,
    responses=problem_responses(NotSupported, *WRITE_PROBLEMS),
)
async def withdraw_support(proposal_id: UUID, command: ActingEvenSuspended) -> Response:
    """Count no longer among those who want it deliberated."""
    return await command.answer(
        lambda tx: service.withdraw_support(
            tx, proposal_id=proposal_id, member_id=command.actor.member_id, now=command.now
        )
    )
