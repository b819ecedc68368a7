"""HTTP of what staff books of payments: a provider's payouts, and how far cash may go."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.web import problem_responses
from app.ledger.errors import DayIsInTheFuture, PeriodIsClosed
from app.members.access import COMMAND_PROBLEMS, Acting, Staff
from app.members.errors import RoleMissing
from app.payments import till
from app.payments.errors import SettlementBookedBefore
from app.payments.schemas import CashLimit, SettlementBooking, SettlementView

router = APIRouter(prefix="/v1", tags=["payments"])


@router.post(
    "/card-settlements",
    operation_id="book_card_settlement",
    summary="Staff: book what the card provider paid to the bank",
    status_code=201,
    response_model=SettlementView,
    responses=problem_responses(
        *COMMAND_PROBLEMS, RoleMissing, SettlementBookedBefore, DayIsInTheFuture, PeriodIsClosed
    ),
)
async def settle(body: SettlementBooking, acting: Acting, staff: Staff) -> Response:
    """Book the gross amount as received and the provider's fee as a cost, each payout once."""

    async def act(tx: Transaction) -> dict[str, Any]:
        row = await till.book_settlement(
            tx, **body.model_dump(), booked_by=staff.member_id, now=acting.now
        )
        return SettlementView.model_validate(dict(row)).model_dump(mode="json")

    return await acting.answer(act, status=201)


@router.put(
    "/cash-limit",
    operation_id="set_cash_limit",
    summary="Staff: say how much cash a driver may owe",
    response_model=CashLimit,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing),
)
async def set_limit(body: CashLimit, acting: Acting, staff: Staff) -> Response:
    """Set it for rides accepted from now on. Who owes more already is offered no cash rides."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await till.set_cash_limit(
            tx, limit_minor=body.limit_minor, set_by=staff.member_id, now=acting.now
        )
        return body.model_dump()

    return await acting.answer(act)
