"""HTTP of the dispatch room: a driver's offers, and the rounds that passed a driver over."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response

from app.dispatch import service
from app.dispatch.errors import NotOnShift, OfferNoLongerOpen
from app.dispatch.schemas import (
    ExplanationView,
    OfferAccepted,
    OfferDeclined,
    OffersView,
    OfferView,
    RoundExplanationView,
    RoundsView,
    RunView,
)
from app.dispatch.solver import Solver
from app.foundation.problems import NotFound, TooManyRequests
from app.foundation.web import json_response, problem_responses
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Driver
from app.members.errors import NotSignedIn, RoleMissing
from app.payments.errors import CashLimitReached
from app.rides.errors import CarFull, CarTakesNoWheelchair, DriverBusy

router = APIRouter(tags=["offers"])
offers = "/v1/offers"
rounds = "/v1/me/rounds"

AcceptedLanguages = Annotated[
    str | None,
    Header(
        alias="Accept-Language",
        description="The languages you read, BCP 47: there are en, nl and fr. Without it, the"
        " language of your own settings; where nothing fits, English.",
        examples=["nl-BE, fr;q=0.8"],
    ),
]


async def get_solver(request: Request) -> Solver:
    """Return the solver's process of this program."""
    solver: Solver = request.app.state.solver
    return solver


SolverDep = Annotated[Solver, Depends(get_solver)]


def _worded(body: dict[str, Any]) -> Response:
    """Render an answer in words, which depend on who asks and on the language asked for."""
    headers = {"Content-Language": body["language"], "Vary": "Accept-Language, Authorization"}
    return json_response(body, headers=headers)


@router.get(
    offers,
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
    offers + "/{offer_id}",
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
    offers + "/{offer_id}/explanation",
    operation_id="explain_offer",
    summary="Driver: why was this offered to me?",
    response_model=ExplanationView,
    responses=problem_responses(NotFound, NotSignedIn, RoleMissing),
)
async def explain_offer(
    offer_id: UUID,
    driver: Driver,
    database: DatabaseDep,
    accepted_languages: AcceptedLanguages = None,
) -> Response:
    """Return how many drivers were considered, your rank, every cost term and the runner-up."""
    async with database.reading() as reader:
        return _worded(
            await service.explain_offer(
                reader,
                offer_id=offer_id,
                driver_id=driver.member_id,
                accepted_languages=accepted_languages,
            )
        )


@router.get(
    rounds,
    operation_id="list_rounds",
    summary="Driver: rounds in which you got no offer",
    response_model=RoundsView,
    responses=problem_responses(NotSignedIn, RoleMissing),
)
async def list_rounds(
    driver: Driver,
    database: DatabaseDep,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Return the rounds in which you could have been asked and were not, the newest first.

    They are forgotten after some days: a week, unless the cooperative set another time.
    """
    async with database.reading() as reader:
        page = await service.list_rounds(
            reader, driver_id=driver.member_id, cursor=cursor, limit=limit
        )
    return json_response({"items": page.items, "next_cursor": page.next_cursor})


@router.get(
    rounds + "/{tick_id}",
    operation_id="explain_round",
    summary="Driver: why not me?",
    response_model=RoundExplanationView,
    responses=problem_responses(NotFound, NotSignedIn, RoleMissing, TooManyRequests),
)
async def explain_round(
    tick_id: UUID,
    driver: Driver,
    database: DatabaseDep,
    solver: SolverDep,
    accepted_languages: AcceptedLanguages = None,
) -> Response:
    """Return your rank and costs for the rider nearest to you, and what was better for all.

    It is worked out anew from what the round decided from. No other person and no place is named.
    """
    return _worded(
        await service.explain_round(
            database,
            solver,
            tick_id=tick_id,
            driver_id=driver.member_id,
            accepted_languages=accepted_languages,
        )
    )


@router.get(
    "/v1/me/run",
    operation_id="get_run",
    summary="Driver: where to next",
    response_model=RunView,
    responses=problem_responses(NotSignedIn, RoleMissing),
)
async def get_run(driver: Driver, database: DatabaseDep) -> Response:
    """Return the stops of all your open rides, in order. Each is told by its own ride's steps.

    While you share, read it again whenever you accepted an offer or somebody called a ride off.
    """
    async with database.reading() as reader:
        return json_response(await service.get_run(reader, driver_id=driver.member_id))


@router.post(
    offers + "/{offer_id}/accept",
    operation_id="accept_offer",
    summary="Driver: I take this ride",
    response_model=OfferAccepted,
    responses=problem_responses(
        OfferNoLongerOpen,
        NotOnShift,
        DriverBusy,
        CarFull,
        CarTakesNoWheelchair,
        CashLimitReached,
        RoleMissing,
        *COMMAND_PROBLEMS,
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
    offers + "/{offer_id}/decline",
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
