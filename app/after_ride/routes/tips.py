"""HTTP of tips."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from app.after_ride.errors import RideNotTaken, TipTooLarge, TooLateToTip
from app.after_ride.schemas import TipRequest, TipsView, TipView
from app.after_ride.service import tips
from app.foundation.database import Transaction
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.ledger.errors import BalanceTooLow
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, SignedIn
from app.members.errors import NotSignedIn

router = APIRouter(prefix="/v1/rides/{ride_id}/tips", tags=["after a ride"])


@router.post(
    "",
    operation_id="tip_driver",
    summary="Tip the driver of your ride",
    status_code=201,
    response_model=TipView,
    responses=problem_responses(
        *COMMAND_PROBLEMS, NotFound, RideNotTaken, TooLateToTip, TipTooLarge, BalanceTooLow
    ),
)
async def tip_driver(ride_id: UUID, body: TipRequest, acting: Acting) -> Response:
    """Give the driver so much; all of it is theirs. You may do so again, for 30 days."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await tips.give_tip(
            tx,
            ride_id=ride_id,
            rider_id=acting.actor.member_id,
            amount_minor=body.amount_minor,
            now=acting.now,
        )
        rows = await tips.list_tips(tx, ride_id=ride_id, member_id=acting.actor.member_id)
        return TipView.model_validate(dict(rows[-1])).model_dump(mode="json")

    return await acting.answer(act, status=201)


@router.get(
    "",
    operation_id="list_tips",
    summary="The tips of a ride that you took or drove",
    response_model=TipsView,
    responses=problem_responses(NotSignedIn, NotFound),
)
async def list_tips(ride_id: UUID, actor: SignedIn, database: DatabaseDep) -> Response:
    """Return a ride's tips, the oldest first."""
    async with database.reading() as reader:
        rows = await tips.list_tips(reader, ride_id=ride_id, member_id=actor.member_id)
    view = TipsView.model_validate({"items": [dict(row) for row in rows]})
    return json_response(view.model_dump(mode="json"))
