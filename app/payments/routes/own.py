"""HTTP of a rider's own cards and payments."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Rider, SignedInEvenSuspended
from app.members.errors import NotSignedIn, RoleMissing
from app.payments import methods, service
from app.payments.errors import (
    CardNumberRefused,
    CardRegisteredBefore,
    NoCard,
    PaymentNotOpen,
)
from app.payments.queries import methods as queries
from app.payments.schemas import (
    CardRegistration,
    CardRemoved,
    CardsView,
    CardView,
    PaymentRetried,
    PaymentsView,
    PaymentView,
)

router = APIRouter(prefix="/v1/me", tags=["payments"])


@router.post(
    "/payment-methods",
    operation_id="register_payment_method",
    summary="Register a card to pay with",
    status_code=201,
    response_model=CardView,
    responses=problem_responses(
        *COMMAND_PROBLEMS, RoleMissing, CardNumberRefused, CardRegisteredBefore
    ),
)
async def register(body: CardRegistration, acting: Acting, _: Rider, request: Request) -> Response:
    """Register the token that the card provider's own form gave to your device.

    We never see your card's number, and refuse what looks like one. Your first card is the one you
    pay with, until you choose another.
    """

    async def act(tx: Transaction) -> dict[str, Any]:
        card = await methods.register(
            tx,
            member_id=acting.actor.member_id,
            provider=request.app.state.card_provider.port.name,
            token=body.token,
            label=body.label,
            is_default=body.is_default,
            now=acting.now,
        )
        return CardView.model_validate(dict(card)).model_dump(mode="json")

    return await acting.answer(act, status=201)


@router.get(
    "/payment-methods",
    operation_id="list_payment_methods",
    summary="The cards you can pay with",
    response_model=CardsView,
    responses=problem_responses(NotSignedIn),
)
async def list_methods(actor: SignedInEvenSuspended, database: DatabaseDep) -> Response:
    """Return your cards, the one you pay with first."""
    async with database.reading() as reader:
        rows = await queries.list_methods(reader, member_id=actor.member_id)
    view = CardsView(items=[CardView.model_validate(dict(row)) for row in rows])
    return json_response(view.model_dump(mode="json"))


@router.delete(
    "/payment-methods/{method_id}",
    operation_id="remove_payment_method",
    summary="Remove a card",
    response_model=CardRemoved,
    responses=problem_responses(*COMMAND_PROBLEMS, NotFound),
)
async def remove(method_id: UUID, acting: Acting) -> Response:
    """Begin nothing more with this card. What was begun with it is finished with it."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await methods.remove(
            tx, member_id=acting.actor.member_id, method_id=method_id, now=acting.now
        )
        return {"id": str(method_id)}

    return await acting.answer(act)


@router.get(
    "/payments",
    operation_id="list_own_payments",
    summary="What you paid, how, and what could not be had",
    response_model=PaymentsView,
    responses=problem_responses(NotSignedIn),
)
async def list_payments(
    actor: SignedInEvenSuspended,
    database: DatabaseDep,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
) -> Response:
    """Return your payments, the newest first. What failed stands on your account as a debt."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        rows = await queries.list_payments(
            reader, member_id=actor.member_id, before=before, limit=limit + 1
        )
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))
    items = [PaymentView.of(row) for row in page.items]
    view = PaymentsView(items=items, next_cursor=page.next_cursor)
    return json_response(view.model_dump(mode="json"))


@router.post(
    "/payments/{payment_id}/retry",
    operation_id="retry_payment",
    summary="Pay by card what could not be had, or stands on your account",
    status_code=201,
    response_model=PaymentRetried,
    responses=problem_responses(*COMMAND_PROBLEMS, NotFound, PaymentNotOpen, NoCard),
)
async def retry(payment_id: UUID, acting: Acting) -> Response:
    """Let your card be charged for a payment that failed, or for what you owe on your account.

    A new payment takes its place. It is of what you still owe for the ride, and no more.
    """

    async def act(tx: Transaction) -> dict[str, Any]:
        new_id = await service.retry(
            tx, payment_id=payment_id, rider_id=acting.actor.member_id, now=acting.now
        )
        return {"id": str(new_id)}

    return await acting.answer(act, status=201)
