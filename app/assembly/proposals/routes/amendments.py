"""HTTP of texts and amendments: versions, changes asked for, and what becomes of them."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.responses import Response

from app.assembly.proposals import service
from app.assembly.proposals.errors import (
    AlreadySupported,
    AmendmentDecided,
    AmendmentEmpty,
    AmendmentStale,
    AmendmentUnknown,
    NotAText,
    NotSupported,
    NotTheAuthor,
    TextUnknown,
    TooManyAmendments,
)
from app.assembly.proposals.routes.shared import READ_PROBLEMS, WRITE_PROBLEMS, Cursor, Limit
from app.assembly.proposals.schemas.texts import (
    AmendmentPage,
    AmendmentRequest,
    AmendmentText,
    AmendmentView,
    TextVersions,
    TextView,
)
from app.foundation.web import json_response, problem_responses
from app.members.access import ActingEvenSuspended, DatabaseDep, SignedInEvenSuspended

router = APIRouter(prefix="/proposals/{proposal_id}")


@router.get(
    "/texts",
    operation_id="list_proposal_texts",
    summary="Every version of a proposed text",
    response_model=TextVersions,
    responses=problem_responses(*READ_PROBLEMS),
)
async def list_proposal_texts(
    proposal_id: UUID, actor: SignedInEvenSuspended, database: DatabaseDep
) -> Response:
    """Return the versions with their hashes, oldest first; the last one stands."""
    async with database.reading() as reader:
        return json_response(
            await service.list_texts(reader, proposal_id=proposal_id, member_id=actor.member_id)
        )


@router.get(
    "/texts/{number}",
    operation_id="get_proposal_text",
    summary="One version of a proposed text",
    response_model=TextView,
    responses=problem_responses(TextUnknown, *READ_PROBLEMS),
)
async def get_proposal_text(
    proposal_id: UUID,
    number: Annotated[int, Path(ge=1, le=1_000_000)],
    actor: SignedInEvenSuspended,
    database: DatabaseDep,
) -> Response:
    """Return the words of a version."""
    async with database.reading() as reader:
        return json_response(
            await service.get_text(
                reader, proposal_id=proposal_id, number=number, member_id=actor.member_id
            )
        )


@router.get(
    "/amendments",
    operation_id="list_amendments",
    summary="What members want changed in a text",
    responses=problem_responses(*READ_PROBLEMS),
)
async def list_amendments(
    proposal_id: UUID,
    actor: SignedInEvenSuspended,
    database: DatabaseDep,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> AmendmentPage:
    """Return amendments, oldest first."""
    async with database.reading() as reader:
        page = await service.list_amendments(
            reader,
            proposal_id=proposal_id,
            member_id=actor.member_id,
            cursor=cursor,
            limit=limit,
        )
    return AmendmentPage(items=list(page.items), next_cursor=page.next_cursor)


@router.get(
    "/amendments/{amendment_id}",
    operation_id="get_amendment",
    summary="Read an amendment and the text it makes",
    response_model=AmendmentText,
    responses=problem_responses(AmendmentUnknown, *READ_PROBLEMS),
)
async def get_amendment(
    proposal_id: UUID, amendment_id: UUID, actor: SignedInEvenSuspended, database: DatabaseDep
) -> Response:
    """Return the changes, and the whole text with them."""
    async with database.reading() as reader:
        return json_response(
            await service.get_amendment(
                reader,
                proposal_id=proposal_id,
                amendment_id=amendment_id,
                member_id=actor.member_id,
            )
        )


@router.post(
    "/amendments",
    operation_id="propose_amendment",
    summary="Ask for a change of a text",
    status_code=201,
    response_model=AmendmentView,
    responses=problem_responses(
        NotAText, AmendmentStale, AmendmentEmpty, TooManyAmendments, *WRITE_PROBLEMS
    ),
)
async def propose_amendment(
    proposal_id: UUID, body: AmendmentRequest, command: ActingEvenSuspended
) -> Response:
    """Send the text as you would have it; what differs from the version is your amendment."""
    return await command.answer(
        lambda tx: service.propose_amendment(
            tx,
            proposal_id=proposal_id,
            member_id=command.actor.member_id,
            base_number=body.base_number,
            text=body.text,
            reason=body.reason,
            now=command.now,
        ),
        status=201,
    )


async def _act(
    use_case: Callable[..., Awaitable[Any]],
    proposal_id: UUID,
    amendment_id: UUID,
    command: ActingEvenSuspended,
    who: str,
) -> Response:
    return await command.answer(
        lambda tx: use_case(
            tx,
            proposal_id=proposal_id,
            amendment_id=amendment_id,
            now=command.now,
            **{who: command.actor.member_id},
        )
    )


@router.post(
    "/amendments/{amendment_id}/accept",
    operation_id="accept_amendment",
    summary="Author: take an amendment into the text",
    response_model=AmendmentView,
    responses=problem_responses(
        NotAText,
        NotTheAuthor,
        AmendmentUnknown,
        AmendmentDecided,
        AmendmentStale,
        *WRITE_PROBLEMS,
    ),
)
async def accept_amendment(
    proposal_id: UUID, amendment_id: UUID, command: ActingEvenSuspended
) -> Response:
    """Make a new version of your text. Amendments written for the old one are then stale."""
    return await _act(service.accept_amendment, proposal_id, amendment_id, command, "author_id")


@router.post(
    "/amendments/{amendment_id}/decline",
    operation_id="decline_amendment",
    summary="Author: leave the text as it is",
    response_model=AmendmentView,
    responses=problem_responses(
        NotAText, NotTheAuthor, AmendmentUnknown, AmendmentDecided, *WRITE_PROBLEMS
    ),
)
async def decline_amendment(
    proposal_id: UUID, amendment_id: UUID, command: ActingEvenSuspended
) -> Response:
    """Say that you will not take it in. With enough supporters it is voted on beside your text."""
    return await _act(service.decline_amendment, proposal_id, amendment_id, command, "author_id")


@router.post(
    "/amendments/{amendment_id}/support",
    operation_id="support_amendment",
    summary="Ask for a vote on an amendment",
    response_model=AmendmentView,
    responses=problem_responses(
        NotAText, AmendmentUnknown, AmendmentDecided, AlreadySupported, *WRITE_PROBLEMS
    ),
)
async def support_amendment(
    proposal_id: UUID, amendment_id: UUID, command: ActingEvenSuspended
) -> Response:
    """Count among those who want it voted on, if the author does not accept it."""
    return await _act(service.support_amendment, proposal_id, amendment_id, command, "member_id")


@router.post(
    "/amendments/{amendment_id}/support/withdraw",
    operation_id="withdraw_amendment_support",
    summary="Ask for a vote on an amendment no longer",
    response_model=AmendmentView,
    responses=problem_responses(NotAText, AmendmentUnknown, NotSupported, *WRITE_PROBLEMS),
)
async def withdraw_amendment_support(
    proposal_id: UUID, amendment_id: UUID, command: ActingEvenSuspended
) -> Response:
    """Count no longer among those who want it voted on."""
    return await _act(
        service.withdraw_amendment_support, proposal_id, amendment_id, command, "member_id"
    )
