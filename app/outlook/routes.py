"""HTTP of the outlook's room: a driver asks where to wait."""

from fastapi import APIRouter
from fastapi.responses import Response

from app.dispatch.routes import AcceptedLanguages
from app.drivers.routes import PositionsDep
from app.foundation.web import json_response, problem_responses
from app.members.access import DatabaseDep, Driver, Now
from app.members.errors import NotSignedIn, RoleMissing
from app.outlook import service
from app.outlook.schemas import HintView

router = APIRouter(tags=["hints"])


@router.get(
    "/v1/me/hint",
    operation_id="get_hint",
    summary="Driver: where had I best wait?",
    response_model=HintView,
    responses=problem_responses(NotSignedIn, RoleMissing),
)
async def get_hint(
    driver: Driver,
    database: DatabaseDep,
    positions: PositionsDep,
    now: Now,
    accepted_languages: AcceptedLanguages = None,
) -> Response:
    """Return a better place to wait and why, or that you stand well where you are.

    It is advice, shared out so that not all go to one place. Following it or not has no effect on
    anything. The event `hint.given` says when there is another one.
    """
    async with database.reading() as reader:
        body = await service.get_hint(
            reader,
            driver_id=driver.member_id,
            fix=positions.find(driver.member_id),
            now=now,
            accepted_languages=accepted_languages,
        )
    headers = {"Content-Language": body["language"], "Vary": "Accept-Language, Authorization"}
    return json_response(body, headers=headers)
