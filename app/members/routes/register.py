"""HTTP of the register: to join, to be admitted, to ask "am I on it?", and to leave."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT
from app.foundation.problems import NotFound
from app.foundation.web import problem_responses
from app.members.access import (
    COMMAND_PROBLEMS,
    COMMAND_PROBLEMS_EVEN_SUSPENDED,
    Acting,
    ActingEvenSuspended,
    DatabaseDep,
    Now,
    SignedInEvenSuspended,
    Staff,
)
from app.members.errors import (
    HouseNotInStatutes,
    MemberKeyTaken,
    MembershipDecided,
    MembershipExists,
    MemberSuspended,
    NotAMember,
    NotSignedIn,
    OwnCase,
    RoleMissing,
    SharePaidBefore,
    ShareUnpaid,
)
from app.members.membership_schemas import (
    MemberKeyRequest,
    MemberKeyView,
    MembershipRefusal,
    MembershipRequest,
    MembershipState,
    MembershipsView,
    MembershipView,
    OwnStandingView,
)
from app.members.service import member_keys, membership

router = APIRouter(prefix="/v1", tags=["register"])
_DECIDING = (NotFound, OwnCase, MembershipDecided, RoleMissing, *COMMAND_PROBLEMS)


def _state(row: Any) -> MembershipState:
    if row["left_at"] is not None:
        return MembershipState.LEFT
    if row["refused_at"] is not None:
        return MembershipState.REFUSED
    return MembershipState.APPLIED if row["admitted_at"] is None else MembershipState.ADMITTED


def _view(row: Any) -> MembershipView:
    return MembershipView.model_validate({**dict(row), "state": _state(row)})


def _answering(done: Callable[[Transaction], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
    """Return an act that answers with the membership to which ``done`` did something."""

    async def act(tx: Transaction) -> Any:
        return _view(await done(tx)).model_dump(mode="json")

    return act


@router.post(
    "/memberships",
    operation_id="apply_for_membership",
    summary="Apply to become a member of the cooperative",
    status_code=201,
    response_model=MembershipView,
    responses=problem_responses(
        MembershipExists, HouseNotInStatutes, RoleMissing, *COMMAND_PROBLEMS
    ),
)
async def apply_for_membership(body: MembershipRequest, command: Acting) -> Response:
    """Apply for the register of a house: who rides for the riders', who drives for either.

    The answer says what the share is. Once it is paid, a person admits you.
    """
    return await command.answer(
        _answering(
            lambda tx: membership.apply_for_membership(
                tx, actor=command.actor, house=body.house, now=command.now
            )
        ),
        status=201,
    )


@router.get(
    "/memberships",
    operation_id="list_memberships",
    summary="Staff: memberships, first come first",
    responses=problem_responses(RoleMissing, NotSignedIn, MemberSuspended),
)
async def list_memberships(
    _staff: Staff,
    database: DatabaseDep,
    state: MembershipState | None = None,
    cursor: Annotated[
        str | None, Query(max_length=64, description="`next_cursor` of the page before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
) -> MembershipsView:
    """Return a page of memberships."""
    async with database.reading() as reader:
        page = await membership.list_memberships(reader, state=state, cursor=cursor, limit=limit)
    return MembershipsView(items=[_view(row) for row in page.items], next_cursor=page.next_cursor)


@router.post(
    "/memberships/{membership_id}/shares",
    operation_id="book_share",
    summary="Staff: book that a member's share was paid",
    response_model=MembershipView,
    responses=problem_responses(SharePaidBefore, *_DECIDING),
)
async def book_share(membership_id: UUID, staff: Staff, command: Acting) -> Response:
    """Book what is due of the share: from the bank to the member's own share account."""
    return await command.answer(
        _answering(
            lambda tx: membership.book_share(
                tx, membership_id=membership_id, by=staff.member_id, now=command.now
            )
        )
    )


@router.post(
    "/memberships/{membership_id}/admit",
    operation_id="admit_member",
    summary="Staff: admit a member",
    response_model=MembershipView,
    responses=problem_responses(ShareUnpaid, *_DECIDING),
)
async def admit_member(membership_id: UUID, staff: Staff, command: Acting) -> Response:
    """Put an applicant whose share is paid on the register. Nobody admits themselves."""
    return await command.answer(
        _answering(
            lambda tx: membership.admit_member(
                tx, membership_id=membership_id, by=staff.member_id, now=command.now
            )
        )
    )


@router.post(
    "/memberships/{membership_id}/refuse",
    operation_id="refuse_member",
    summary="Staff: refuse a member",
    response_model=MembershipView,
    responses=problem_responses(*_DECIDING),
)
async def refuse_member(
    membership_id: UUID, body: MembershipRefusal, staff: Staff, command: Acting
) -> Response:
    """Refuse for a reason that the applicant can read. They may apply again."""
    return await command.answer(
        _answering(
            lambda tx: membership.refuse_member(
                tx,
                membership_id=membership_id,
                by=staff.member_id,
                reason=body.reason,
                now=command.now,
            )
        )
    )


@router.get(
    "/me/membership",
    operation_id="get_my_membership",
    summary="Am I on the register, and on the rolls of votes?",
    responses=problem_responses(NotSignedIn),
)
async def get_my_membership(
    actor: SignedInEvenSuspended, database: DatabaseDep, now: Now
) -> OwnStandingView:
    """Say in plain words how you stand, from which day on, and what is missing if something is."""
    async with database.reading() as reader:
        own = await membership.own_standing(reader, member_id=actor.member_id, now=now)
    return OwnStandingView(
        is_on_the_register=own.is_on_the_register,
        standing=own.standing,
        on_the_roll_from=own.on_the_roll_from,
        in_words=own.in_words,
        membership=None if own.membership is None else _view(own.membership),
        public_key=None if own.public_key is None else own.public_key.hex(),
    )


@router.post(
    "/me/membership/leave",
    operation_id="leave_cooperative",
    summary="Leave the cooperative, or take your application back",
    response_model=MembershipView,
    responses=problem_responses(NotAMember, *COMMAND_PROBLEMS_EVEN_SUSPENDED),
)
async def leave_cooperative(command: ActingEvenSuspended) -> Response:
    """Leave at once. Your share stays on your account; you may ride on, and apply again."""
    return await command.answer(
        _answering(
            lambda tx: membership.leave(tx, member_id=command.actor.member_id, now=command.now)
        )
    )


@router.put(
    "/me/member-key",
    operation_id="set_member_key",
    summary="Set the key of your device, with which you ask for the right to vote",
    response_model=MemberKeyView,
    responses=problem_responses(MemberKeyTaken, *COMMAND_PROBLEMS_EVEN_SUSPENDED),
)
async def set_member_key(body: MemberKeyRequest, command: ActingEvenSuspended) -> Response:
    """Put this public key in the place of the one before, for every roll frozen from now on.

    The device keeps the other half; twelve words can keep it too. The cooperative never sees it.
    """

    async def act(tx: Transaction) -> Any:
        key = await member_keys.set_member_key(
            tx,
            member_id=command.actor.member_id,
            public_key=bytes.fromhex(body.public_key),
            now=command.now,
        )
        view = MemberKeyView(public_key=key.public_key.hex(), set_at=key.set_at)
        return view.model_dump(mode="json")

    return await command.answer(act)
