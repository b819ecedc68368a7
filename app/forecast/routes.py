"""HTTP of the forecast's room: what the platform costs, and a member's own year at each share."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.forecast import cost_routes
from app.forecast.schemas import OwnYearView, PolicyForecastView
from app.forecast.service import Years, find_replay, own_year
from app.foundation.problems import NotFound, TooManyRequests
from app.foundation.web import json_response, problem_responses
from app.members.access import DatabaseDep, Now, SignedInEvenSuspended
from app.members.errors import NotSignedIn

router = APIRouter()
router.include_router(cost_routes.router)


async def get_years(request: Request) -> Years:
    """Return what this process keeps of the year that is over."""
    years: Years = request.app.state.years
    return years


@router.get(
    "/v1/me/forecast",
    operation_id="get_my_forecast",
    tags=["forecast"],
    summary="Before you vote: your own last year at every share",
    response_model=OwnYearView,
    responses=problem_responses(NotSignedIn, TooManyRequests),
)
async def get_my_forecast(
    actor: SignedInEvenSuspended,
    database: DatabaseDep,
    now: Now,
    years: Annotated[Years, Depends(get_years)],
) -> Response:
    """Return your own rides at every share that a ballot can name, always all of them.

    So nobody can know at which you looked. What others drove is only in the sums.
    """
    year = await own_year(database, years, member_id=actor.member_id, now=now)
    view = OwnYearView.model_validate(year)
    headers = {"Cache-Control": "no-store", "Vary": "Authorization"}
    return json_response(view.model_dump(mode="json"), headers=headers)


@router.get(
    "/v1/policies/{key}/forecast",
    operation_id="get_policy_forecast",
    tags=["forecast"],
    summary="Before you vote: the last month replayed at other values of a dispatch policy",
    response_model=PolicyForecastView,
    responses=problem_responses(NotSignedIn, NotFound),
)
async def get_policy_forecast(
    key: str, _: SignedInEvenSuspended, database: DatabaseDep
) -> Response:
    """Return what the newest simulation of a month came to at each value that was tried.

    It is run by `meent forecast-dispatch`, for it takes minutes; until then there is none. For the
    commission there is your own year instead.
    """
    async with database.reading() as reader:
        forecast = await find_replay(reader, key=key)
    if forecast is None:
        raise NotFound
    view = PolicyForecastView.model_validate(forecast)
    return json_response(view.model_dump(mode="json"))
