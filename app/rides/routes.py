"""HTTP of the rides' room: book, follow and finish a ride."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from app.fares.errors import RideTooShort
from app.foundation.pagination import decode_cursor, make_page
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.ledger.errors import CreditLimitReached
from app.members.access import (
    COMMAND_PROBLEMS,
    Acting,
    DatabaseDep,
    Driver,
    Now,
    Rider,
    SettingsDep,
    SignedIn,
)
from app.members.errors import NotSignedIn, RoleMissing
from app.members.roles import Role
from app.payments.errors import ClientLimitReached, FundOwed, NoCard, NoClient
from app.rides import changes, endings, queries, service
from app.rides.errors import (
    CancellationCosts,
    CarNotSeen,
    ChangeOver,
    OpenRideExists,
    QuoteAlreadyBooked,
    QuoteExpired,
    RideAlreadyBookedForThen,
    SharedRideStays,
    TooEarlyForNoShow,
    TooManyScheduledRides,
    VisitOver,
    WrongRideState,
)
from app.rides.lifecycle import Party, RideState
from app.rides.schemas import (
    Cancellation,
    CancellationView,
    ChangeRequest,
    ChangeView,
    RideCancellation,
    RideRequest,
    RideRequested,
    RidesView,
    RideView,
    ride_view,
)
from app.roads.routes import OutsideServiceAreaProblem, RoadsDep
from matching.travel import Point

router = APIRouter(prefix="/v1/rides", tags=["rides"])
_NEWEST = UUID(int=2**128 - 1)
_STEP_PROBLEMS = (NotFound, WrongRideState, RoleMissing, *COMMAND_PROBLEMS)


class StepTaken(BaseModel):
    """Where the ride stands now."""

    id: UUID
    state: RideState


class RideCompleted(StepTaken):
    """A finished ride and how its fare was split."""

    fare_minor: int
    cash_minor: Annotated[
        int, Field(description="of which the driver takes so much in cash from the rider now")
    ]
    commission_minor: int
    driver_net_minor: int
    pass_through_minor: int


class RideEnded(StepTaken):
    """A ride that did not take place, and what that cost."""

    fee_minor: int


@router.post(
    "",
    operation_id="request_ride",
    summary="Order and pay: book a quote",
    status_code=201,
    response_model=RideRequested,
    responses=problem_responses(
        NotFound,
        QuoteExpired,
        QuoteAlreadyBooked,
        OpenRideExists,
        RideAlreadyBookedForThen,
        TooManyScheduledRides,
        VisitOver,
        CreditLimitReached,
        NoCard,
        FundOwed,
        NoClient,
        ClientLimitReached,
        RoleMissing,
        *COMMAND_PROBLEMS,
    ),
)
async def request_ride(
    body: RideRequest, command: Acting, rider: Rider, settings: SettingsDep
) -> Response:
    """Book the price of a quote. The fare is set aside and the ride looks for a driver.

    A quote with `pickup_at` makes a ride that is `scheduled`: a driver is sought from 15 minutes
    before its pickup window opens, and you are reminded half an hour before. A card is asked for
    the fare then; if it gives nothing before a driver has come, the ride is cancelled.
    """
    return await command.answer(
        lambda tx: service.request_ride(
            tx,
            rider_id=rider.member_id,
            quote_id=body.quote_id,
            now=command.now,
            search_s=settings.search_s,
            payment_method=body.payment_method,
        ),
        status=201,
    )


@router.get(
    "",
    operation_id="list_rides",
    summary="Your rides, newest first",
    response_model=RidesView,
    responses=problem_responses(NotSignedIn),
)
async def list_rides(
    actor: SignedIn,
    database: DatabaseDep,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    *,
    open_only: Annotated[bool, Query(description="only rides that are not over")] = False,
) -> Response:
    """Return the rides in which you are the rider or the driver; a dispatcher sees all."""
    async with database.reading() as reader:
        rows = await queries.list_views(
            reader,
            member_id=None if Role.DISPATCHER in actor.roles else actor.member_id,
            open_only=open_only,
            before=decode_cursor(cursor) or _NEWEST,
            limit=limit + 1,
        )
    page = make_page(rows, limit=limit, key=lambda row: row["id"])
    items = [ride_view(row) for row in page.items]
    return json_response({"items": items, "next_cursor": page.next_cursor})


@router.get(
    "/{ride_id}",
    operation_id="get_ride",
    summary="Where a ride stands",
    response_model=RideView,
    responses=problem_responses(NotFound, NotSignedIn),
)
async def get_ride(ride_id: UUID, actor: SignedIn, database: DatabaseDep) -> Response:
    """Return a ride that concerns you; anybody else's does not exist."""
    member_id = None if Role.DISPATCHER in actor.roles else actor.member_id
    async with database.reading() as reader:
        return json_response(await service.get_view(reader, ride_id=ride_id, member_id=member_id))


@router.post(
    "/{ride_id}/arrive",
    operation_id="arrive",
    summary="Driver: I stand at the pickup",
    response_model=StepTaken,
    responses=problem_responses(*_STEP_PROBLEMS),
)
async def arrive(ride_id: UUID, command: Acting, driver: Driver) -> Response:
    """Tell the rider that you are there; the free waiting time begins."""
    return await command.answer(
        lambda tx: service.arrive(tx, ride_id=ride_id, driver_id=driver.member_id, now=command.now)
    )


@router.post(
    "/{ride_id}/start",
    operation_id="start_ride",
    summary="Driver: the rider is in the car",
    response_model=StepTaken,
    responses=problem_responses(*_STEP_PROBLEMS),
)
async def start_ride(ride_id: UUID, command: Acting, driver: Driver) -> Response:
    """Begin the ride."""
    return await command.answer(
        lambda tx: service.start(tx, ride_id=ride_id, driver_id=driver.member_id, now=command.now)
    )


@router.post(
    "/{ride_id}/complete",
    operation_id="complete_ride",
    summary="Driver: we are there",
    response_model=RideCompleted,
    responses=problem_responses(*_STEP_PROBLEMS),
)
async def complete_ride(ride_id: UUID, command: Acting, driver: Driver) -> Response:
    """Finish the ride; it costs its quote and the waiting, split by the share of the quote."""
    return await command.answer(
        lambda tx: endings.complete(
            tx, ride_id=ride_id, driver_id=driver.member_id, now=command.now
        )
    )


@router.post(
    "/{ride_id}/cancel",
    operation_id="cancel_ride",
    summary="Rider: call the ride off",
    response_model=RideEnded,
    responses=problem_responses(CancellationCosts, *_STEP_PROBLEMS),
)
async def cancel_ride(
    ride_id: UUID, body: RideCancellation, command: Acting, actor: SignedIn
) -> Response:
    """Cancel a ride that has not begun. What it costs, `get_cancellation` says before.

    A dispatcher may do it too, and then it costs nothing.
    """
    party = Party.DISPATCHER if Role.DISPATCHER in actor.roles else Party.RIDER
    return await command.answer(
        lambda tx: endings.cancel(
            tx,
            ride_id=ride_id,
            party=party,
            member_id=actor.member_id,
            now=command.now,
            reason=body.reason,
            most_fee_minor=body.most_fee_minor,
        )
    )


@router.get(
    "/{ride_id}/cancellation",
    operation_id="get_cancellation",
    summary="Rider: what would cancelling cost now?",
    response_model=CancellationView,
    responses=problem_responses(NotFound, WrongRideState, RoleMissing, NotSignedIn),
)
async def get_cancellation(
    ride_id: UUID, rider: Rider, database: DatabaseDep, now: Now
) -> Response:
    """Return the fee at this moment, why it is what it is, and who would get it."""
    async with database.reading() as reader:
        return json_response(
            await endings.cancelling_now(reader, ride_id=ride_id, rider_id=rider.member_id, now=now)
        )


@router.post(
    "/{ride_id}/changes",
    operation_id="ask_ride_change",
    summary="Rider: what would another drop-off cost?",
    status_code=201,
    response_model=ChangeView,
    responses=problem_responses(
        SharedRideStays, CarNotSeen, OutsideServiceAreaProblem, RideTooShort, *_STEP_PROBLEMS
    ),
)
async def ask_change(
    ride_id: UUID,
    body: ChangeRequest,
    command: Acting,
    rider: Rider,
    database: DatabaseDep,
    roads: RoadsDep,
    settings: SettingsDep,
) -> Response:
    """Price another drop-off by the tariff and the share that the ride was booked under.

    Nothing changes unless you accept it in time.
    """
    # The road engine is asked before the transaction opens: no lock waits for it.
    route = await changes.plan_change(
        database,
        roads,
        ride_id=ride_id,
        rider_id=rider.member_id,
        dropoff=Point(lat=body.dropoff.lat, lng=body.dropoff.lng),
        now=command.now,
    )
    return await command.answer(
        lambda tx: changes.ask_change(
            tx,
            ride_id=ride_id,
            rider_id=rider.member_id,
            route=route,
            now=command.now,
            lasts_s=settings.quote_s,
        ),
        status=201,
    )


@router.post(
    "/{ride_id}/changes/{change_id}/accept",
    operation_id="accept_ride_change",
    summary="Rider: go there instead, at that price",
    response_model=ChangeView,
    responses=problem_responses(ChangeOver, CreditLimitReached, *_STEP_PROBLEMS),
)
async def accept_change(ride_id: UUID, change_id: UUID, command: Acting, rider: Rider) -> Response:
    """Let the driver know the new drop-off; its price is set aside in place of the old one."""
    return await command.answer(
        lambda tx: changes.accept_change(
            tx,
            ride_id=ride_id,
            change_id=change_id,
            rider_id=rider.member_id,
            now=command.now,
        )
    )


@router.post(
    "/{ride_id}/withdraw",
    operation_id="withdraw_from_ride",
    summary="Driver: I cannot come after all",
    response_model=StepTaken,
    responses=problem_responses(*_STEP_PROBLEMS),
)
async def withdraw_from_ride(
    ride_id: UUID, body: Cancellation, command: Acting, driver: Driver, settings: SettingsDep
) -> Response:
    """Give a ride back before it begins; it looks for another driver at once."""
    return await command.answer(
        lambda tx: service.withdraw(
            tx,
            ride_id=ride_id,
            driver_id=driver.member_id,
            now=command.now,
            reason=body.reason,
            search_s=settings.search_s,
        )
    )


@router.post(
    "/{ride_id}/no-show",
    operation_id="report_no_show",
    summary="Driver: the rider did not come",
    response_model=RideEnded,
    responses=problem_responses(TooEarlyForNoShow, *_STEP_PROBLEMS),
)
async def report_no_show(ride_id: UUID, command: Acting, driver: Driver) -> Response:
    """End a ride whose rider did not come within the free waiting time.

    The rider pays the fee that the quote said, unless you came later than promised.
    """
    return await command.answer(
        lambda tx: endings.report_no_show(
            tx, ride_id=ride_id, driver_id=driver.member_id, now=command.now
        )
    )
