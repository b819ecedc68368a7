"""Use cases of the fares' room: give a price and lock what it rests on."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from app.assembly.policies import policy_in_force
from app.fares import queries
from app.fares.division import Vat, divide
from app.fares.errors import PickupTimeNotBookable, RideTooShort
from app.fares.rules import (
    SHARING,
    FareItem,
    Tariff,
    bookable_times,
    itemise,
    max_delay_s,
    shared_discount,
)
from app.fares.schemas import QuoteView, with_stops
from app.fares.wishes import EstimateShared, Wish
from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.roads.port import OutsideServiceArea
from app.roads.routes import outside
from app.roads.service import CalibratedRoute, Roads
from matching.travel import Point

NEAR_DRIVERS = 5  # asked of the road engine for an estimate of the pickup time
POSITION_AGE_S = 30


def quote_view(row: Any) -> dict[str, Any]:
    """Return the API's form of a stored quote."""
    values = with_stops(row)
    view = QuoteView.model_validate({**values, "shared": values["is_shared"]})
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
    database: Database, roads: Roads, *, pickup: Point, now: datetime
) -> int | None:
    """Return seconds until the nearest free driver could be there; None where nobody is near.

    Rounded up to minutes, so that asking from many places does not tell where a driver is.
    """
    async with database.reading() as reader:
        rows = await queries.free_drivers_near(
            reader,
            lat=pickup.lat,
            lng=pickup.lng,
            since=now - timedelta(seconds=POSITION_AGE_S),
            limit=NEAR_DRIVERS,
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
        pickup_s = await estimate_pickup_s(database, roads, pickup=wish.route.pickup.point, now=now)
        return replace(wish, pickup_eta_s=pickup_s)
    times = await estimate(wish.route, seats=wish.seats, now=now)
    if times is None:
        return wish
    return replace(
        wish,
        pickup_eta_s=_whole_minutes_s(times.pickup_s),
        arrival_eta_s=_whole_minutes_s(times.arrival_s),
    )


async def give_quote(
    tx: Transaction, *, rider_id: UUID, wish: Wish, now: datetime, lasts_s: int
) -> dict[str, Any]:
    """Price a wish by the tariff and the share in force now; the price holds for ``lasts_s``.

    A ride booked ahead costs what it was quoted, whatever is decided until then; a shared one
    costs what it was quoted, whether or not anybody rides along.

    Raises:
        PickupTimeNotBookable: the wished time is too near or too far.
    """
    if wish.pickup_at is not None:
        _check_pickup_at(wish.pickup_at, now=now)
    tariff = await queries.tariff_in_force(tx, at=now)
    policy = await policy_in_force(tx, key="commission_bp", at=now)
    price = _price(wish, tariff)
    items = [FareItem(**item) for item in price["items"]]
    parts = divide(items, commission_bp=policy.value, vat=Vat())
    quote = {
        "id": new_id(),
        "rider_id": rider_id,
        **_ends(wish.route),
        **price,
        "engine_s": wish.route.engine_s,
        "is_estimate": wish.route.is_estimate,
        "pickup_eta_s": wish.pickup_eta_s,
        "arrival_eta_s": wish.arrival_eta_s,
        "currency": tariff["currency"],
        "commission_bp": policy.value,
        "pass_through_minor": parts.pass_through_minor,
        "remitted_minor": parts.remitted_minor,
        "commission_minor": parts.commission_minor,
        "driver_net_minor": parts.driver_net_minor,
        "policy_version_id": policy.version_id,
        "tariff_version_id": tariff["id"],
        "pickup_at": wish.pickup_at,
        "quoted_at": now,
        "expires_at": now + timedelta(seconds=lasts_s),
    }
    await queries.insert_quote(tx, quote)
    return quote_view(quote)


def _price(wish: Wish, row: Any) -> dict[str, Any]:
    """Return the columns that say what is priced, what it costs, and what sharing may cost."""
    tariff = Tariff(
        base_minor=row["base_minor"],
        per_km_minor=row["per_km_minor"],
        per_minute_minor=row["per_minute_minor"],
        minimum_minor=row["minimum_minor"],
        shared_discount_bp=row["shared_discount_bp"],
    )
    distance_m, duration_s = round(wish.route.distance_m), round(wish.route.duration_s)
    items = itemise(tariff, distance_m=distance_m, duration_s=duration_s)
    solo_fare_minor = sum(item.amount_minor for item in items)
    if wish.is_shared:
        items = (*items, shared_discount(tariff, solo_fare_minor=solo_fare_minor))
    return {
        "distance_m": distance_m,
        "duration_s": duration_s,
        "items": [asdict(item) for item in items],
        "fare_minor": sum(item.amount_minor for item in items),
        "seats": wish.seats,
        "is_shared": wish.is_shared,
        "solo_fare_minor": solo_fare_minor if wish.is_shared else None,
        "max_wait_s": round(SHARING.wait_s) if wish.is_shared else None,
        "max_delay_s": max_delay_s(duration_s) if wish.is_shared else None,
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
