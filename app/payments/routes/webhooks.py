"""HTTP of what a card provider tells: signed by it, taken once, in any order."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.members.access import DatabaseDep, Now
from app.payments.errors import SignatureInvalid
from app.payments.port import EventInvalid
from app.payments.schemas import EventTaken
from app.payments.sending import take_event

router = APIRouter(prefix="/v1/payment-webhooks", tags=["payments"])
# Where each provider puts its signature.
_SIGNATURES = {"local": "Meent-Signature", "stripe": "Stripe-Signature"}


@router.post(
    "/{provider}",
    operation_id="take_payment_event",
    summary="Card provider: tell what became of a payment",
    response_model=EventTaken,
    responses=problem_responses(NotFound, SignatureInvalid),
)
async def take(
    provider: Annotated[str, Path(pattern="^[a-z]{2,20}$")],
    request: Request,
    database: DatabaseDep,
    now: Now,
) -> Response:
    """Take an event once, if the provider signed it. Its own id is what makes it once.

    Only the provider that is in use is listened to.
    """
    port = request.app.state.card_provider.port
    if provider != port.name:
        raise NotFound
    body = await request.body()
    try:
        told = port.read_event(body, signature=request.headers.get(_SIGNATURES[provider]))
    except EventInvalid as invalid:
        raise SignatureInvalid from invalid
    is_news = await take_event(database, told, provider=provider, now=now)
    return json_response({"is_news": is_news})
