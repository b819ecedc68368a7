"""Use cases of the fares' room: give a price and lock what it rests on."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from app.assembly.policies import Policy, policy_in_force
from app.fares import queries
from app.fares.division import divide
from app.fares.errors import NoCarTakesWheelchair, PickupTimeNotBookable, RideTooShort
from app.fares.pricing import Trip, count_near, price, surge_bp
from app.fares.rules import SHARING, FareItem, bookable_times, max_delay_s
from app.fares.schemas import QuoteRequest, QuoteView, with_stops
from app.fares.terms import Terms, terms_of
from app.fares.wishes import EstimateShared, Wish
from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.roads.port import OutsideServiceArea
from app.roads.routes import outside
from app.roads.service import CalibratedRoute, Roads
from app.tariff import Tariff, read_tariff
from governance.commission import BASIS_POINTS
from matching.travel import Point

NEAR_DRIVERS = 5  # asked of the road engine for an estimate of the pickup time
POSITION_AGE_S = 30
MOST_COUNTED = 500  # rides and drivers around a pickup that surge is reckoned from


def quote_view(row: Any) -> dict[str, Any]:
    """Return the API's form of a stored quote."""
    values = with_stops(row)
    values["terms"] = Terms(**values["terms"]).as_document()
    values["surge"] = {
        "multiplier_bp": values["surge_bp"],
        "cap_bp": values["surge_cap_bp"],
        "policy_version_id": values["surge_policy_version_id"],
    }
    view = QuoteView.model_validate(
        {**values, "shared": values["is_shared"], "wheelchair": values["with_wheelchair"]}
    )
    return view.model_dump(mode="json")


def _check_pickup_at(pickup_at: datetime, *, now: datetime) -> None:
    times = bookable_times(now)
    if pickup_at not in times:
        raise PickupTimeNotBookable(
            earliest=times.earliest.isoformat(), latest=times.latest.isoformat()
        )


async def plan_route(
    roads: Roads, *, pickup: Point, dropoff: Point, at: datetime
) -> CalibratedRoute:
    """Return the way to be priced, with the time it takes when begun at ``at``.

    Raises:
        OutsideServiceAreaProblem: an end is not near a road, or no way joins the two.
        RideTooShort: both ends are one place.
    """
    try:
        route = await roads.quote_route(pickup, dropoff=dropoff, at=at)
    except OutsideServiceArea as error:
        raise outside(error) from error
    if route.distance_m < 1:
        raise RideTooShort
    return route


async def estimate_pickup_s(
    database: Database, roads: Roads, *, pickup: Point, now: datetime, with_wheelchair: bool = False
) -> int | None:
    """Return seconds until the nearest free driver could be there; None where nobody is near.

    With a wheelchair it speaks of cars that take one.

    Rounded up to minutes, so that asking from many places does not tell where a driver is.
    """
    async with database.reading() as reader:
        rows = await queries.free_drivers_near(
            reader,
            lat=pickup.lat,
            lng=pickup.lng,
            since=now - timedelta(seconds=POSITION_AGE_S),
            limit=NEAR_DRIVERS,
            with_wheelchair=with_wheelchair,
        )
    if not rows:
        return None
    drivers = [Point(lat=row["lat"], lng=row["lng"]) for row in rows]
    seconds = await roads.pickup_matrix(drivers, destinations=[pickup], at=now)
    if np.isnan(seconds).all():
        return None
    return _whole_minutes_s(float(np.nanmin(seconds)))


def _whole_minutes_s(seconds: float) -> int:
    return int(-(-seconds // 60) * 60)


async def wish_now(
    database: Database, roads: Roads, estimate: EstimateShared, *, wish: Wish, now: datetime
) -> Wish:
    """Return the wish for a ride now with what can be said of when, in whole minutes."""
    if not wish.is_shared:
        pickup_s = await estimate_pickup_s(
            database,
            roads,
            pickup=wish.route.pickup.point,
            now=now,
            with_wheelchair=wish.with_wheelchair,
        )
        return replace(wish, pickup_eta_s=pickup_s)
    if wish.with_wheelchair:
        return wish  # the estimate looks at all cars that share, so it would speak of wrong ones
    times = await estimate(wish.route, seats=wish.seats, now=now)
    if times is None:
        return wish
    return replace(
        wish,
        pickup_eta_s=_whole_minutes_s(times.pickup_s),
        arrival_eta_s=_whole_minutes_s(times.arrival_s),
    )


async def plan_wish(
    database: Database,
    roads: Roads,
    estimate: EstimateShared,
    *,
    request: QuoteRequest,
    now: datetime,
) -> Wish:
    """Return what a request asks to be priced, with its way and, for a ride now, when it would be.

    It opens no transaction: the road engine is asked while no lock waits for it.

    Raises:
        OutsideServiceAreaProblem: an end is not near a road, or no way joins the two.
        RideTooShort: both ends are one place.
    """
    route = await plan_route(
        roads,
        pickup=Point(lat=request.pickup.lat, lng=request.pickup.lng),
        dropoff=Point(lat=request.dropoff.lat, lng=request.dropoff.lng),
        at=request.pickup_at or now,
    )
    wish = Wish(
        route=route,
        seats=request.seats,
        is_shared=request.shared,
        with_wheelchair=request.wheelchair,
        pickup_at=request.pickup_at,
    )
    # Who is near now says nothing about later.
    if wish.pickup_at is not None:
        return wish
    return await wish_now(database, roads, estimate, wish=wish, now=now)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a price rests on: the tariff, the share, the cap, the surge, and when the ride begins.

    Of a change it is what the ride was booked under, whatever was decided since.
    """

    version: Any
    commission: Policy
    cap: Policy | None
    multiplier_bp: int
    begins_at: datetime
    changes_quote_id: UUID | None = None


async def give_quote(
    tx: Transaction, *, rider_id: UUID, wish: Wish, now: datetime, lasts_s: int
) -> dict[str, Any]:
    """Price a wish by the tariff and the share in force now; the price holds for ``lasts_s``.

    A ride booked ahead costs what it was quoted, whatever is decided until then; a shared one
    costs what it was quoted, whether or not anybody rides along.

    Raises:
        PickupTimeNotBookable: the wished time is too near or too far.
        NoCarTakesWheelchair: one comes along, and no driver has a car that takes one.
    """
    if wish.with_wheelchair and not await queries.has_wheelchair_car(tx):
        raise NoCarTakesWheelchair
    if wish.pickup_at is not None:
        _check_pickup_at(wish.pickup_at, now=now)
    version = await queries.tariff_in_force(tx, at=now)
    cap = await policy_in_force(tx, key="surge_cap_bp", at=now)
    basis = Basis(
        version=version,
        commission=await policy_in_force(tx, key="commission_bp", at=now),
        cap=cap,
        multiplier_bp=await _multiplier_bp(
            tx, wish, tariff=read_tariff(version), cap_bp=cap.value, now=now
        ),
        begins_at=wish.pickup_at or now,
    )
    return await _store(tx, wish, rider_id=rider_id, basis=basis, now=now, lasts_s=lasts_s)


async def give_change_quote(
    tx: Transaction, *, booked: Any, route: CalibratedRoute, now: datetime, lasts_s: int
) -> dict[str, Any]:
    """Price another way for a ride that is booked, by all that its quote rests on."""
    first_id = booked["changes_quote_id"] or booked["id"]
    first = await queries.find_quote(tx, quote_id=first_id, rider_id=booked["rider_id"])
    assert first is not None
    cap_id = first["surge_policy_version_id"]
    basis = Basis(
        version=await queries.find_tariff(tx, tariff_id=first["tariff_version_id"]),
        commission=Policy(version_id=first["policy_version_id"], value=first["commission_bp"]),
        cap=Policy(version_id=cap_id, value=first["surge_cap_bp"]) if cap_id else None,
        multiplier_bp=first["surge_bp"],
        begins_at=first["pickup_at"] or first["quoted_at"],
        changes_quote_id=first_id,
    )
    wish = Wish(route=route, seats=booked["seats"], with_wheelchair=booked["with_wheelchair"])
    return await _store(
        tx, wish, rider_id=booked["rider_id"], basis=basis, now=now, lasts_s=lasts_s
    )


async def _multiplier_bp(
    reader: Transaction, wish: Wish, *, tariff: Tariff, cap_bp: int, now: datetime
) -> int:
    """Return the surge at the pickup now; once for a ride booked ahead, and where none is voted."""
    if wish.pickup_at is not None or cap_bp <= BASIS_POINTS:
        return BASIS_POINTS
    pickup = wish.route.pickup.point
    rides = await queries.waiting_rides_near(
        reader, lat=pickup.lat, lng=pickup.lng, limit=MOST_COUNTED
    )
    drivers = await queries.free_drivers_near(
        reader,
        lat=pickup.lat,
        lng=pickup.lng,
        since=now - timedelta(seconds=POSITION_AGE_S),
        limit=MOST_COUNTED,
    )
    waiting, free = (
        count_near(pickup, others=[Point(lat=row["lat"], lng=row["lng"]) for row in rows])
        for rows in (rides, drivers)
    )
    return surge_bp(waiting=waiting, free_drivers=free, step_bp=tariff.surge_step_bp, cap_bp=cap_bp)


async def _store(
    tx: Transaction, wish: Wish, *, rider_id: UUID, basis: Basis, now: datetime, lasts_s: int
) -> dict[str, Any]:
    tariff = read_tariff(basis.version)
    priced = _price(wish, tariff, basis)
    items = [FareItem(**item) for item in priced["items"]]
    terms = terms_of(tariff, fare_minor=priced["fare_minor"])
    parts = divide(items, commission_bp=basis.commission.value, vat=terms.vat)
    quote = {
        "id": new_id(),
        "rider_id": rider_id,
        **_ends(wish.route),
        **priced,
        "engine_s": wish.route.engine_s,
        "is_estimate": wish.route.is_estimate,
        "pickup_eta_s": wish.pickup_eta_s,
        "arrival_eta_s": wish.arrival_eta_s,
        "currency": basis.version["currency"],
        "pass_through_minor": parts.pass_through_minor,
        "remitted_minor": parts.remitted_minor,
        "terms": terms.as_document(),
        "surge_bp": basis.multiplier_bp if any(x.code == "surge" for x in items) else BASIS_POINTS,
        "surge_cap_bp": basis.cap.value if basis.cap else BASIS_POINTS,
        "surge_policy_version_id": basis.cap.version_id if basis.cap else None,
        "changes_quote_id": basis.changes_quote_id,
        "commission_bp": basis.commission.value,
        "commission_minor": parts.commission_minor,
        "driver_net_minor": parts.driver_net_minor,
        "policy_version_id": basis.commission.version_id,
        "tariff_version_id": basis.version["id"],
        "pickup_at": wish.pickup_at,
        "quoted_at": now,
        "expires_at": now + timedelta(seconds=lasts_s),
    }
    await queries.insert_quote(tx, quote)
    return quote_view(quote)


def _price(wish: Wish, tariff: Tariff, basis: Basis) -> dict[str, Any]:
    """Return the columns that say what is priced, what it costs, and what sharing may cost."""
    trip = Trip(
        distance_m=round(wish.route.distance_m),
        duration_s=round(wish.route.duration_s),
        pickup=wish.route.pickup.point,
        dropoff=wish.route.dropoff.point,
        at=basis.begins_at,
        is_shared=wish.is_shared,
        with_wheelchair=wish.with_wheelchair,
    )
    zone = ZoneInfo(basis.version["time_zone"])

    def items_of(trip: Trip) -> tuple[FareItem, ...]:
        return price(tariff, trip=trip, time_zone=zone, multiplier_bp=basis.multiplier_bp)

    def fare_minor(trip: Trip) -> int:
        return sum(item.amount_minor for item in items_of(trip))

    return {
        "distance_m": trip.distance_m,
        "duration_s": trip.duration_s,
        "items": [asdict(item) for item in items_of(trip)],
        "fare_minor": fare_minor(trip),
        "with_wheelchair": trip.with_wheelchair,
        "plain_fare_minor": (
            fare_minor(replace(trip, with_wheelchair=False)) if trip.with_wheelchair else None
        ),
        "seats": wish.seats,
        "is_shared": trip.is_shared,
        "solo_fare_minor": fare_minor(replace(trip, is_shared=False)) if trip.is_shared else None,
        "max_wait_s": round(SHARING.wait_s) if trip.is_shared else None,
        "max_delay_s": max_delay_s(trip.duration_s) if trip.is_shared else None,
    }


def _ends(route: CalibratedRoute) -> dict[str, Any]:
    return {
        f"{end}_{part}": getattr(place, part)
        for end, place in (("pickup", route.pickup), ("dropoff", route.dropoff))
        for part in ("lat", "lng", "name")
    }


async def get_quote(reader: Transaction, *, quote_id: UUID, rider_id: UUID) -> Any:
    """Return a rider's own quote; anybody else's does not exist."""
    row = await queries.find_quote(reader, quote_id=quote_id, rider_id=rider_id)
    if row is None:
        raise NotFound
    return row
