"""Use cases of changing a ride: the rider asks for another drop-off, and accepts its price."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from app.fares import service as fares
from app.fares.errors import RideTooShort
from app.fares.schemas import QuoteView
from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.ledger import service as ledger
from app.rides import change_queries as queries
from app.rides.errors import CarNotSeen, ChangeOver, SharedRideStays, WrongRideState
from app.rides.lifecycle import DRIVING_STATES, RideState
from app.rides.schemas import ChangeView
from app.rides.steps import emit
from app.roads.service import CalibratedRoute, Roads
from matching.travel import Point

SEEN_WITHIN = timedelta(seconds=120)  # an older position says nothing of the way so far


async def plan_change(
    database: Database,
    roads: Roads,
    *,
    ride_id: UUID,
    rider_id: UUID,
    dropoff: Point,
    now: datetime,
) -> CalibratedRoute:
    """Return the whole way of a changed ride: under way, through where the car is now.

    What was driven counts, however near the new drop-off is to the pickup. Before the rider is in
    the car it is simply the way from the pickup.

    Raises:
        NotFound: the ride is not this rider's.
        WrongRideState, SharedRideStays: as they say.
        CarNotSeen: the ride is under way and nobody knows where.
        OutsideServiceAreaProblem, RideTooShort: as for any ride.
    """
    async with database.reading() as reader:
        ride = _changeable(
            await queries.find_for_change(reader, ride_id=ride_id, rider_id=rider_id)
        )
    pickup = Point(lat=ride["pickup_lat"], lng=ride["pickup_lng"])
    whole = partial(fares.plan_route, roads, dropoff=dropoff, at=now)
    if ride["state"] != RideState.UNDER_WAY:
        return await whole(pickup=pickup)
    if ride["seen_at"] is None or ride["seen_at"] < now - SEEN_WITHIN:
        raise CarNotSeen
    here = Point(lat=ride["lat"], lng=ride["lng"])
    try:
        so_far = await fares.plan_route(roads, pickup=pickup, dropoff=here, at=now)
    except RideTooShort:
        return await whole(pickup=pickup)  # The car has not moved yet.
    return _joined(so_far, await whole(pickup=here))


def _joined(so_far: CalibratedRoute, ahead: CalibratedRoute) -> CalibratedRoute:
    known = so_far.engine_s is not None and ahead.engine_s is not None
    return replace(
        ahead,
        pickup=so_far.pickup,
        distance_m=so_far.distance_m + ahead.distance_m,
        duration_s=so_far.duration_s + ahead.duration_s,
        engine_s=(so_far.engine_s or 0) + (ahead.engine_s or 0) if known else None,
        is_estimate=so_far.is_estimate or ahead.is_estimate,
    )


async def ask_change(
    tx: Transaction,
    *,
    ride_id: UUID,
    rider_id: UUID,
    route: CalibratedRoute,
    now: datetime,
    lasts_s: int,
) -> dict[str, Any]:
    """Price another drop-off by all that the ride was booked under; it changes nothing yet.

    An earlier question that is still open is replaced by this one.

    Raises:
        NotFound: the ride is not this rider's.
        WrongRideState, SharedRideStays: as they say.
    """
    ride = await _lock(tx, ride_id=ride_id, rider_id=rider_id)
    booked = await fares.get_quote(tx, quote_id=ride["quote_id"], rider_id=rider_id)
    quote = await fares.give_change_quote(tx, booked=booked, route=route, now=now, lasts_s=lasts_s)
    change_id = new_id()
    await queries.replace_open_change(tx, ride_id=ride_id, now=now)
    await queries.insert_change(
        tx,
        change_id=change_id,
        ride_id=ride_id,
        from_quote_id=booked["id"],
        quote_id=UUID(quote["id"]),
        now=now,
        expires_at=now + timedelta(seconds=lasts_s),
    )
    emit(tx, ride, "ride.change_asked", now=now, fare_minor=quote["fare_minor"])
    return _view(change_id, ride_id=ride_id, was=booked, quote=quote, accepted=False)


async def accept_change(
    tx: Transaction, *, ride_id: UUID, change_id: UUID, rider_id: UUID, now: datetime
) -> dict[str, Any]:
    """Drive to the new drop-off at its price: it is set aside in place of the old one.

    The ride's row is locked as by completing, so that of the two the first one counts.

    Raises:
        NotFound: there is no such change of a ride of this rider.
        WrongRideState: the ride is over.
        ChangeOver: it was accepted or replaced, or its time is over.
        CreditLimitReached: the new price is more than the rider's account allows.
    """
    ride = await _lock(tx, ride_id=ride_id, rider_id=rider_id)
    change = await queries.find_change(tx, change_id=change_id, ride_id=ride_id)
    if change is None:
        raise NotFound
    is_open = change["accepted_at"] is None and change["replaced_at"] is None
    if not is_open or change["expires_at"] <= now:
        raise ChangeOver
    booked = await fares.get_quote(tx, quote_id=change["from_quote_id"], rider_id=rider_id)
    quote = await fares.get_quote(tx, quote_id=change["quote_id"], rider_id=rider_id)
    hold_id = new_id()
    await ledger.release_fare(tx, hold_id=ride["hold_id"], now=now)
    await ledger.hold_fare(
        tx, hold_id=hold_id, rider_id=rider_id, fare_minor=quote["fare_minor"], now=now
    )
    await queries.accept_change(
        tx, change_id=change_id, ride_id=ride_id, quote_id=quote["id"], hold_id=hold_id, now=now
    )
    emit(
        tx,
        ride,
        "ride.changed",
        now=now,
        dropoff={name: quote[f"dropoff_{name}"] for name in ("lat", "lng", "name")},
        fare_minor=quote["fare_minor"],
        driver_net_minor=quote["driver_net_minor"],
    )
    shown = fares.quote_view(quote)
    return _view(change_id, ride_id=ride_id, was=booked, quote=shown, accepted=True)


def _view(
    change_id: UUID, *, ride_id: UUID, was: Any, quote: dict[str, Any], accepted: bool
) -> dict[str, Any]:
    view = ChangeView(
        id=change_id,
        ride_id=ride_id,
        fare_before_minor=was["fare_minor"],
        quote=QuoteView.model_validate(quote),
        accepted=accepted,
    )
    return view.model_dump(mode="json")


async def _lock(tx: Transaction, *, ride_id: UUID, rider_id: UUID) -> Any:
    return _changeable(await queries.lock_own(tx, ride_id=ride_id, rider_id=rider_id))


def _changeable(ride: Any | None) -> Any:
    if ride is None:
        raise NotFound
    if RideState(ride["state"]) not in DRIVING_STATES:
        raise WrongRideState(state=ride["state"])
    if ride["is_shared"]:
        raise SharedRideStays
    return ride
