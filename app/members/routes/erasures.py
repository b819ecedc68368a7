"""HTTP of erasures: staff asks that a person be erased, somebody else of staff confirms."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT
from app.foundation.problems import InvalidRequest, NotFound
from app.foundation.web import problem_responses
from app.ledger.errors import MoneyStands, SealAwaited
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Staff
from app.members.erasure_schemas import ErasuresView, ErasureView
from app.members.errors import (
    ErasureDecided,
    ErasureExists,
    MemberSuspended,
    NotSignedIn,
    OwnCase,
    OwnErasure,
    RoleMissing,
    StillAMember,
)
from app.members.service import erasures

router = APIRouter(prefix="/v1", tags=["members"])


def _view(row: Any) -> ErasureView:
    return ErasureView.model_validate(dict(row))


@router.post(
    "/members/{member_id}/erasures",
    operation_id="ask_erasure",
    summary="Staff: ask that a person be erased from the proofs of the books",
    status_code=201,
    response_model=ErasureView,
    responses=problem_responses(
        NotFound, OwnCase, StillAMember, ErasureExists, RoleMissing, *COMMAND_PROBLEMS
    ),
)
async def ask_erasure(member_id: UUID, staff: Staff, command: Acting) -> Response:
    """Ask for it, once the person has left. They are told, and nothing is erased yet.

    `goes` and `stays` say in plain words what a confirmation deletes and what it does not.
    """

    async def act(tx: Transaction) -> Any:
        row = await erasures.ask_erasure(
            tx, member_id=member_id, by=staff.member_id, now=command.now
        )
        return _view(row).model_dump(mode="json")

    return await command.answer(act, status=201)


@router.post(
    "/erasures/{erasure_id}/confirm",
    operation_id="confirm_erasure",
    summary="Staff: erase a person, which somebody else asked for",
    response_model=ErasureView,
    responses=problem_responses(
        NotFound,
        OwnErasure,
        OwnCase,
        ErasureDecided,
        StillAMember,
        MoneyStands,
        SealAwaited,
        RoleMissing,
        *COMMAND_PROBLEMS,
    ),
)
async def confirm_erasure(erasure_id: UUID, staff: Staff, command: Acting) -> Response:
    """Erase the person from the proofs of the books. Nothing brings back what went."""

    async def act(tx: Transaction) -> Any:
        row = await erasures.confirm_erasure(
            tx, erasure_id=erasure_id, by=staff.member_id, now=command.now
        )
        return _view(row).model_dump(mode="json")

    return await command.answer(act)


@router.post(
    "/erasures/{erasure_id}/withdraw",
    operation_id="withdraw_erasure",
    summary="Staff: give up an erasure that nobody confirmed",
    response_model=ErasureView,
    responses=problem_responses(NotFound, ErasureDecided, RoleMissing, *COMMAND_PROBLEMS),
)
async def withdraw_erasure(erasure_id: UUID, staff: Staff, command: Acting) -> Response:
    """Give it up, whoever asked for it. It may be asked for again."""

    async def act(tx: Transaction) -> Any:
        row = await erasures.withdraw_erasure(
            tx, erasure_id=erasure_id, by=staff.member_id, now=command.now
        )
        return _view(row).model_dump(mode="json")

    return await command.answer(act)


@router.get(
    "/erasures",
    operation_id="list_erasures",
    summary="Staff: who is to be erased, and who was",
    responses=problem_responses(NotSignedIn, RoleMissing, MemberSuspended, InvalidRequest),
)
async def list_erasures(
    _staff: Staff,
    database: DatabaseDep,
    cursor: Annotated[
        str | None, Query(max_length=64, description="`next_cursor` of the page before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
) -> ErasuresView:
    """Return a page of erasures, the newest first."""
    async with database.reading() as reader:
        page = await erasures.list_erasures(reader, cursor=cursor, limit=limit)
    return ErasuresView(items=[_view(row) for row in page.items], next_cursor=page.next_cursor)
