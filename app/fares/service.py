"""Use cases of the fares' room: give a price and lock what it rests on."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from app.assembly.policies import policy_in_force
from app.fares import queries
from app.fares.errors import PickupTimeNotBookable, RideTooShort
from app.fares.rules import Tariff, bookable_times, itemise
from app.fares.schemas import QuoteView, with_stops
from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.roads.port import OutsideServiceArea
from app.roads.routes import outside
from app.roads.service import CalibratedRoute, Roads
from governance.commission import split_fare
from matching.travel import Point

NEAR_DRIVERS = 5  # asked of the road engine for an estimate of the pickup time
POSITION_AGE_S = 30


def quote_view(row: Any) -> dict[str, Any]:
    """Return the API's form of a stored quote."""
    return QuoteView.model_validate(with_stops(row)).model_dump(mode="json")


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
    return int(-(-float(np.nanmin(seconds)) // 60) * 60)


async def give_quote(
    tx: Transaction,
    *,
    rider_id: UUID,
    route: CalibratedRoute,
    pickup_eta_s: int | None,
    now: datetime,
    lasts_s: int,
    pickup_at: datetime | None = None,
) -> dict[str, Any]:
    """Price a way by the tariff and the share in force now; the price holds for ``lasts_s``.

    A ride booked ahead for ``pickup_at`` costs what it was quoted, whatever is decided until then.

    Raises:
        PickupTimeNotBookable: ``pickup_at`` is too near or too far.
    """
    if pickup_at is not None:
        _check_pickup_at(pickup_at, now=now)
    tariff = await queries.tariff_in_force(tx, at=now)
    policy = await policy_in_force(tx, key="commission_bp", at=now)
    distance_m, duration_s = round(route.distance_m), round(route.duration_s)
    items = itemise(
        Tariff(
            base_minor=tariff["base_minor"],
            per_km_minor=tariff["per_km_minor"],
            per_minute_minor=tariff["per_minute_minor"],
            minimum_minor=tariff["minimum_minor"],
        ),
        distance_m=distance_m,
        duration_s=duration_s,
    )
    fare_minor = sum(item.amount_minor for item in items)
    split = split_fare(fare_minor, commission_bp=policy.value)
    quote = {
        "id": new_id(),
        "rider_id": rider_id,
        "pickup_lat": route.pickup.lat,
        "pickup_lng": route.pickup.lng,
        "pickup_name": route.pickup.name,
        "dropoff_lat": route.dropoff.lat,
        "dropoff_lng": route.dropoff.lng,
        "dropoff_name": route.dropoff.name,
        "distance_m": distance_m,
        "duration_s": duration_s,
        "engine_s": route.engine_s,
        "is_estimate": route.is_estimate,
        "pickup_eta_s": pickup_eta_s,
        "items": [asdict(item) for item in items],
        "currency": tariff["currency"],
        "fare_minor": fare_minor,
        "commission_bp": policy.value,
        "commission_minor": split.commission_minor,
        "driver_net_minor": split.driver_net_minor,
        "policy_version_id": policy.version_id,
        "tariff_version_id": tariff["id"],
        "pickup_at": pickup_at,
        "quoted_at": now,
        "expires_at": now + timedelta(seconds=lasts_s),
    }
    await queries.insert_quote(tx, quote)
    return quote_view(quote)


async def get_quote(reader: Transaction, *, quote_id: UUID, rider_id: UUID) -> Any:
    """Return a rider's own quote; anybody else's does not exist."""
    row = await queries.find_quote(reader, quote_id=quote_id, rider_id=rider_id)
    if row is None:
        raise NotFound
    return row
