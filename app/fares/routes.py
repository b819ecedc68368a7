"""HTTP of the fares' room: a price before anything is booked."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.fares import service, tariff_routes
from app.fares.errors import NoCarTakesWheelchair, PickupTimeNotBookable, RideTooShort
from app.fares.schemas import QuoteRequest, QuoteView
from app.fares.wishes import EstimateShared
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Rider, SettingsDep
from app.members.errors import NotSignedIn, RoleMissing
from app.roads.routes import OutsideServiceAreaProblem, RoadsDep

quotes = APIRouter(prefix="/v1", tags=["quotes"])


async def get_estimate_shared(request: Request) -> EstimateShared:
    """Return who says where a party would join the shared runs under way."""
    estimate: EstimateShared = request.app.state.estimate_shared
    return estimate


EstimateSharedDep = Annotated[EstimateShared, Depends(get_estimate_shared)]


@quotes.post(
    "/quotes",
    operation_id="request_quote",
    summary="Ask what a ride costs",
    status_code=201,
    response_model=QuoteView,
    responses=problem_responses(
        OutsideServiceAreaProblem,
        RideTooShort,
        PickupTimeNotBookable,
        NoCarTakesWheelchair,
        RoleMissing,
        *COMMAND_PROBLEMS,
    ),
)
async def request_quote(
    body: QuoteRequest,
    command: Acting,
    rider: Rider,
    database: DatabaseDep,
    roads: RoadsDep,
    settings: SettingsDep,
    estimate_shared: EstimateSharedDep,
) -> Response:
    """Return an itemised price, who gets which part, and an id that locks it until it expires.

    With `pickup_at` it is the price of a ride booked ahead, with that hour's travel times. With
    `shared` others may ride along part of the way: it costs less than alone, whoever joins, and
    says how much later than alone you arrive at most.
    """
    wish = await service.plan_wish(database, roads, estimate_shared, request=body, now=command.now)
    return await command.answer(
        lambda tx: service.give_quote(
            tx,
            rider_id=rider.member_id,
            wish=wish,
            now=command.now,
            lasts_s=settings.quote_s,
        ),
        status=201,
    )


@quotes.get(
    "/quotes/{quote_id}",
    operation_id="get_quote",
    summary="Read a price again",
    response_model=QuoteView,
    responses=problem_responses(NotFound, NotSignedIn, RoleMissing),
)
async def get_quote(quote_id: UUID, rider: Rider, database: DatabaseDep) -> Response:
    """Return one of your own quotes."""
    async with database.reading() as reader:
        row = await service.get_quote(reader, quote_id=quote_id, rider_id=rider.member_id)
    return json_response(service.quote_view(row))


router = APIRouter()
router.include_router(quotes)
router.include_router(tariff_routes.router)
