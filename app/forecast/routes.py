"""HTTP of the forecast's room: what the platform costs, and a member's own year at each share."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.forecast import cost_routes
from app.forecast.schemas import OwnYearView
from app.forecast.service import Years, own_year
from app.foundation.problems import TooManyRequests
from app.foundation.web import json_response, problem_responses
from app.members.access import DatabaseDep, Now, SignedIn
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
    actor: SignedIn,
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
