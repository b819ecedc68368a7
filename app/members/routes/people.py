"""HTTP of members as people: yourself, and who is suspended."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.problems import MalformedBody, NotFound
from app.foundation.web import problem_responses
from app.members import service
from app.members.access import (
    COMMAND_PROBLEMS,
    Acting,
    DatabaseDep,
    SignedIn,
    SignedInEvenSuspended,
    Staff,
)
from app.members.errors import (
    MemberSuspended,
    NotSignedIn,
    NotSuspended,
    OwnCase,
    RoleMissing,
    SuspensionExists,
)
from app.members.schemas import (
    MeChange,
    MemberStanding,
    MeView,
    Reinstatement,
    SuspensionRequest,
    SuspensionView,
)

router = APIRouter(prefix="/v1", tags=["members"])


@router.get(
    "/me",
    operation_id="get_me",
    summary="You, as the cooperative knows you",
    responses=problem_responses(NotSignedIn, MemberSuspended),
)
async def get_me(actor: SignedIn, database: DatabaseDep) -> MeView:
    """Return who is signed in."""
    async with database.reading() as reader:
        me = await service.get_me(reader, member_id=actor.member_id)
    return MeView.model_validate(me)


@router.patch(
    "/me",
    operation_id="change_me",
    summary="Change your name or language",
    responses=problem_responses(MalformedBody, NotSignedIn, MemberSuspended),
)
async def change_me(body: MeChange, actor: SignedIn, database: DatabaseDep) -> MeView:
    """Change what is given. A repeat changes nothing more, so this takes no Idempotency-Key."""
    async with database.transaction() as tx:
        me = await service.change_me(
            tx, member_id=actor.member_id, name=body.name, language=body.language
        )
    return MeView.model_validate(me)


@router.get(
    "/me/suspension",
    operation_id="get_my_suspension",
    summary="Whether you are suspended, and why",
    responses=problem_responses(NotSignedIn),
)
async def get_my_suspension(actor: SignedInEvenSuspended, database: DatabaseDep) -> SuspensionView:
    """Return the reason that a person gave; it can be read while everything else is closed."""
    async with database.reading() as reader:
        found = await service.find_suspension(reader, member_id=actor.member_id)
    if found is None:
        return SuspensionView(suspended=False, reason=None, since=None)
    return SuspensionView(suspended=True, reason=found.reason, since=found.since)


@router.post(
    "/members/{member_id}/suspend",
    operation_id="suspend_member",
    summary="Staff: suspend a member",
    response_model=MemberStanding,
    responses=problem_responses(
        NotFound, OwnCase, SuspensionExists, RoleMissing, *COMMAND_PROBLEMS
    ),
)
async def suspend_member(
    member_id: UUID, body: SuspensionRequest, staff: Staff, command: Acting
) -> Response:
    """Close everything to a member at once. A person decides it, about another, with a reason."""

    async def act(tx: Transaction) -> Any:
        await service.suspend_member(
            tx, member_id=member_id, by=staff.member_id, reason=body.reason, now=command.now
        )
        return {"member_id": str(member_id), "suspended": True}

    return await command.answer(act)


@router.post(
    "/members/{member_id}/reinstate",
    operation_id="reinstate_member",
    summary="Staff: end a suspension",
    response_model=MemberStanding,
    responses=problem_responses(NotFound, OwnCase, NotSuspended, RoleMissing, *COMMAND_PROBLEMS),
)
async def reinstate_member(
    member_id: UUID, staff: Staff, command: Acting, body: Reinstatement | None = None
) -> Response:
    """Open everything to a member again."""

    async def act(tx: Transaction) -> Any:
        await service.reinstate_member(
            tx,
            member_id=member_id,
            by=staff.member_id,
            reason=body.reason if body else None,
            now=command.now,
        )
        return {"member_id": str(member_id), "suspended": False}

    return await command.answer(act)
