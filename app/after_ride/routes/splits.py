"""HTTP of shared fares."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from app.after_ride.errors import FareSplitBefore, InvitedYourself, SplitOver
from app.after_ride.queries import splits as queries
from app.after_ride.schemas import OwnPartsView, OwnPartView, SplitRequest, SplitView
from app.after_ride.service import splits
from app.foundation.database import Transaction
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.ledger.errors import CreditLimitReached
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Rider, SignedIn
from app.members.errors import NotSignedIn, PhoneNumberInvalid, RoleMissing
from app.members.phones import normalise_phone

router = APIRouter(prefix="/v1", tags=["after a ride"])
MOST_SHOWN = 50


async def _split(reader: Transaction, ride_id: UUID, rider_id: UUID) -> dict[str, Any]:
    rows = await splits.view_split(reader, ride_id=ride_id, rider_id=rider_id)
    parts = [dict(row) for row in rows]
    view = SplitView.model_validate({"ride_id": ride_id, "parts": parts})
    return view.model_dump(mode="json")


@router.post(
    "/rides/{ride_id}/split",
    operation_id="split_fare",
    summary="Share the fare of your ride with up to three others",
    status_code=201,
    response_model=SplitView,
    responses=problem_responses(
        *COMMAND_PROBLEMS,
        RoleMissing,
        NotFound,
        SplitOver,
        FareSplitBefore,
        InvitedYourself,
        PhoneNumberInvalid,
    ),
)
async def split_fare(ride_id: UUID, body: SplitRequest, acting: Acting, rider: Rider) -> Response:
    """Invite others before the ride ends; what nobody accepts stays with you.

    The answer is the same whether a number is a member's or nobody's.
    """
    phones = [each.phone and normalise_phone(each.phone) for each in body.invited]

    async def act(tx: Transaction) -> dict[str, Any]:
        await splits.propose_split(
            tx,
            ride_id=ride_id,
            rider_id=rider.member_id,
            member_ids=[each.member_id for each in body.invited],
            phones=phones,
            now=acting.now,
        )
        return await _split(tx, ride_id, rider.member_id)

    return await acting.answer(act, status=201)


@router.get(
    "/rides/{ride_id}/split",
    operation_id="get_split",
    summary="How the fare of your ride is shared",
    response_model=SplitView,
    responses=problem_responses(NotSignedIn, NotFound),
)
async def get_split(ride_id: UUID, actor: SignedIn, database: DatabaseDep) -> Response:
    """Return the parts to who booked the ride; nobody else sees them."""
    async with database.reading() as reader:
        return json_response(await _split(reader, ride_id, actor.member_id))


async def _answer(ride_id: UUID, acting: Acting, *, accepts: bool) -> Response:
    async def act(tx: Transaction) -> dict[str, Any]:
        member_id = acting.actor.member_id
        await splits.answer_split(
            tx, ride_id=ride_id, member_id=member_id, accepts=accepts, now=acting.now
        )
        rows = await queries.list_own_parts(tx, member_id=member_id, ride_id=ride_id, limit=1)
        return OwnPartView.of(rows[0]).model_dump(mode="json")

    return await acting.answer(act)


@router.post(
    "/rides/{ride_id}/split/accept",
    operation_id="accept_split",
    summary="Take over your part of somebody else's fare",
    response_model=OwnPartView,
    responses=problem_responses(
        *COMMAND_PROBLEMS, RoleMissing, NotFound, SplitOver, CreditLimitReached
    ),
)
async def accept_split(ride_id: UUID, acting: Acting, _: Rider) -> Response:
    """Accept it: so much is held on your account, and you never pay more than that."""
    return await _answer(ride_id, acting, accepts=True)


@router.post(
    "/rides/{ride_id}/split/decline",
    operation_id="decline_split",
    summary="Decline a part of somebody else's fare",
    response_model=OwnPartView,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing, NotFound, SplitOver),
)
async def decline_split(ride_id: UUID, acting: Acting, _: Rider) -> Response:
    """Decline it; your part stays with who booked the ride."""
    return await _answer(ride_id, acting, accepts=False)


@router.get(
    "/me/fare-splits",
    operation_id="list_own_splits",
    summary="Your parts of others' fares",
    response_model=OwnPartsView,
    responses=problem_responses(NotSignedIn),
)
async def list_own(actor: SignedIn, database: DatabaseDep) -> Response:
    """Return your own parts of the last 50 fares that others shared with you."""
    async with database.reading() as reader:
        rows = await queries.list_own_parts(
            reader, member_id=actor.member_id, ride_id=None, limit=MOST_SHOWN
        )
    view = OwnPartsView(items=[OwnPartView.of(row) for row in rows])
    return json_response(view.model_dump(mode="json"))
