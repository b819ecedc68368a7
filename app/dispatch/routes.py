"""HTTP of the dispatch room: a driver's offers."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from app.dispatch import service
from app.dispatch.errors import NotOnShift, OfferNoLongerOpen
from app.dispatch.schemas import (
    ExplanationView,
    OfferAccepted,
    OfferDeclined,
    OffersView,
    OfferView,
)
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Driver
from app.members.errors import NotSignedIn, RoleMissing
from app.rides.errors import DriverBusy

router = APIRouter(prefix="/v1/offers", tags=["offers"])


@router.get(
    "",
    operation_id="list_offers",
    summary="Driver: your open offers",
    response_model=OffersView,
    responses=problem_responses(NotSignedIn, RoleMissing),
)
async def list_offers(driver: Driver, database: DatabaseDep) -> Response:
    """Return what is on offer to you now: at most one ride, for a few seconds, to nobody else."""
    async with database.reading() as reader:
        items = await service.list_open_offers(reader, driver_id=driver.member_id)
    return json_response({"items": items})


@router.get(
    "/{offer_id}",
    operation_id="get_offer",
    summary="Driver: an offer that was made to you",
    response_model=OfferView,
    responses=problem_responses(NotFound, NotSignedIn, RoleMissing),
)
async def get_offer(offer_id: UUID, driver: Driver, database: DatabaseDep) -> Response:
    """Return an offer, open or over, with destination, pickup, fare, commission and net pay."""
    async with database.reading() as reader:
        return json_response(
            await service.get_offer(reader, offer_id=offer_id, driver_id=driver.member_id)
        )


@router.get(
    "/{offer_id}/explanation",
    operation_id="explain_offer",
    summary="Driver: why was this offered to me?",
    response_model=ExplanationView,
    responses=problem_responses(NotFound, NotSignedIn, RoleMissing),
)
async def explain_offer(offer_id: UUID, driver: Driver, database: DatabaseDep) -> Response:
    """Return how many drivers were considered, your rank, every cost term and the runner-up."""
    async with database.reading() as reader:
        return json_response(
            await service.explain_offer(reader, offer_id=offer_id, driver_id=driver.member_id)
        )


@router.post(
    "/{offer_id}/accept",
    operation_id="accept_offer",
    summary="Driver: I take this ride",
    response_model=OfferAccepted,
    responses=problem_responses(
        OfferNoLongerOpen, NotOnShift, DriverBusy, RoleMissing, *COMMAND_PROBLEMS
    ),
)
async def accept_offer(offer_id: UUID, command: Acting, driver: Driver) -> Response:
    """Take the ride. An offer that is over, or not yours, gets one and the same answer: 409."""
    return await command.answer(
        lambda tx: service.accept_offer(
            tx, offer_id=offer_id, driver_id=driver.member_id, now=command.now
        )
    )


@router.post(
    "/{offer_id}/decline",
    operation_id="decline_offer",
    summary="Driver: not this one",
    response_model=OfferDeclined,
    responses=problem_responses(OfferNoLongerOpen, RoleMissing, *COMMAND_PROBLEMS),
)
async def decline_offer(offer_id: UUID, command: Acting, driver: Driver) -> Response:
    """Turn an offer down. Declining costs nothing, ever: no score, no pause, no lower rank."""
    return await command.answer(
        lambda tx: service.decline_offer(
            tx, offer_id=offer_id, driver_id=driver.member_id, now=command.now
        )
    )
