"""HTTP of guests, for dispatchers."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.fares import service as fares
from app.fares.errors import NoCarTakesWheelchair, PickupTimeNotBookable, RideTooShort
from app.fares.routes import EstimateSharedDep
from app.fares.schemas import QuoteRequest, QuoteView
from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.guests import queries, service
from app.guests.errors import GuestNotServed
from app.guests.schemas import (
    GuestClientsView,
    GuestClientView,
    GuestRequest,
    GuestRideRequest,
    GuestRidesView,
    GuestRideView,
    GuestView,
)
from app.ledger.errors import CreditLimitReached
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Dispatcher, SettingsDep
from app.members.errors import NotSignedIn, PhoneNumberInvalid, RoleMissing
from app.payments.errors import ClientLimitReached, NoClient
from app.rides.errors import (
    OpenRideExists,
    QuoteAlreadyBooked,
    QuoteExpired,
    RideAlreadyBookedForThen,
    TooManyScheduledRides,
)
from app.rides.schemas import RideRequested
from app.roads.routes import OutsideServiceAreaProblem, RoadsDep

router = APIRouter(prefix="/v1", tags=["guests"])
_PROBLEMS = (*COMMAND_PROBLEMS, RoleMissing)

Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


@router.post(
    "/guests",
    operation_id="register_guest",
    summary="Dispatcher: note who telephones",
    status_code=201,
    response_model=GuestView,
    responses=problem_responses(*_PROBLEMS, PhoneNumberInvalid),
)
async def register_guest(
    body: GuestRequest, acting: Acting, dispatcher: Dispatcher, settings: SettingsDep
) -> Response:
    """Return a guest to book for. The same number is the same guest, whoever takes the call.

    Whether the number is a member's is not told; if it is, the rides are that member's.
    """

    async def act(tx: Transaction) -> dict[str, Any]:
        row = await service.register(
            tx,
            name=body.name,
            phone=body.phone,
            credit_minor=settings.rider_credit_minor,
            by=dispatcher.member_id,
            now=acting.now,
        )
        return {
            "id": str(row["id"]),
            "name": row["name"],
            "gets_texts": body.phone is not None,
        }

    return await acting.answer(act, status=201)


@router.post(
    "/guests/{guest_id}/quotes",
    operation_id="request_guest_quote",
    summary="Dispatcher: ask what a guest's ride costs",
    status_code=201,
    response_model=QuoteView,
    responses=problem_responses(
        *_PROBLEMS,
        NotFound,
        GuestNotServed,
        OutsideServiceAreaProblem,
        RideTooShort,
        PickupTimeNotBookable,
        NoCarTakesWheelchair,
    ),
)
async def request_quote(
    guest_id: UUID,
    body: QuoteRequest,
    acting: Acting,
    _: Dispatcher,
    database: DatabaseDep,
    roads: RoadsDep,
    settings: SettingsDep,
    estimate_shared: EstimateSharedDep,
) -> Response:
    """Return the same price that the guest would be given themselves; read it out to them."""
    wish = await fares.plan_wish(database, roads, estimate_shared, request=body, now=acting.now)

    async def act(tx: Transaction) -> dict[str, Any]:
        rider_id = await service.rider_of(tx, guest_id=guest_id)
        return await fares.give_quote(
            tx, rider_id=rider_id, wish=wish, now=acting.now, lasts_s=settings.quote_s
        )

    return await acting.answer(act, status=201)


@router.post(
    "/guests/{guest_id}/rides",
    operation_id="request_guest_ride",
    summary="Dispatcher: book a quote for a guest",
    status_code=201,
    response_model=RideRequested,
    responses=problem_responses(
        *_PROBLEMS,
        NotFound,
        GuestNotServed,
        QuoteExpired,
        QuoteAlreadyBooked,
        OpenRideExists,
        RideAlreadyBookedForThen,
        TooManyScheduledRides,
        CreditLimitReached,
        NoClient,
        ClientLimitReached,
    ),
)
async def request_ride(
    guest_id: UUID,
    body: GuestRideRequest,
    acting: Acting,
    dispatcher: Dispatcher,
    settings: SettingsDep,
) -> Response:
    """Let the ride look for a driver. It is paid in cash, or by a client whom staff has set up.

    A guest with a number is told by text message who comes, in which car and when, and once more
    when the driver is there. Call the ride off with `cancel_ride`.
    """
    return await acting.answer(
        lambda tx: service.book(
            tx,
            guest_id=guest_id,
            quote_id=body.quote_id,
            method=body.payment_method,
            client_id=body.client_id,
            reference=body.reference,
            by=dispatcher.member_id,
            now=acting.now,
            search_s=settings.search_s,
        ),
        status=201,
    )


@router.get(
    "/guest-rides",
    operation_id="list_guest_rides",
    summary="Dispatcher: what is booked for guests",
    response_model=GuestRidesView,
    responses=problem_responses(NotSignedIn, RoleMissing),
)
async def list_rides(
    _: Dispatcher,
    database: DatabaseDep,
    cursor: Cursor = None,
    limit: Limit = 20,
    *,
    open_only: Annotated[bool, Query(description="only rides that are not over")] = True,
) -> Response:
    """Return rides that any dispatcher booked, the newest first."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        rows = await queries.list_rides(reader, open_only=open_only, before=before, limit=limit + 1)
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))
    items = [GuestRideView.model_validate(dict(row)) for row in page.items]
    view = GuestRidesView(items=items, next_cursor=page.next_cursor)
    return json_response(view.model_dump(mode="json"))


@router.get(
    "/guest-clients",
    operation_id="list_guest_clients",
    summary="Dispatcher: who can be invoiced for a guest",
    response_model=GuestClientsView,
    responses=problem_responses(NotSignedIn, RoleMissing),
)
async def list_clients(
    _: Dispatcher, database: DatabaseDep, cursor: Cursor = None, limit: Limit = MAX_LIMIT
) -> Response:
    """Return the clients whom staff has set up, by name alone: what they owe is not shown."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        rows = await queries.list_clients(reader, before=before, limit=limit + 1)
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))
    items = [GuestClientView.model_validate(dict(row)) for row in page.items]
    view = GuestClientsView(items=items, next_cursor=page.next_cursor)
    return json_response(view.model_dump(mode="json"))
