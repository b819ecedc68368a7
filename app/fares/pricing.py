"""What a trip costs by a tariff's rules, line by line, in whole minor units: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import h3

from app.fares.division import is_passed_through
from app.fares.rules import FareItem, itemise, shared_discount
from app.tariff import Bounds, Charge, FixedFare, Night, Tariff, Zone
from governance.commission import BASIS_POINTS
from matching.travel import Point

# A ride that begins within a ring of such cells, some 1.2 km from edge to centre each, is near.
NEAR_RESOLUTION, NEAR_RINGS = 7, 1


@dataclass(frozen=True, slots=True)
class Trip:
    """What is priced: how far and long, from where to where, and when it begins."""

    distance_m: int
    duration_s: int
    pickup: Point
    dropoff: Point
    at: datetime
    is_shared: bool = False
    with_wheelchair: bool = False


def surge_bp(*, waiting: int, free_drivers: int, step_bp: int, cap_bp: int) -> int:
    """Return the multiplier of a moment and place, 10,000 being once and the voted cap the most.

    Each ride that waits near the pickup and for which no free driver is near adds one step.
    """
    missing = max(0, waiting - free_drivers)
    return max(BASIS_POINTS, min(cap_bp, BASIS_POINTS + step_bp * missing))


def near_cells(place: Point) -> frozenset[str]:
    """Return the cells in which a ride or a driver is near a place."""
    cell = h3.latlng_to_cell(place.lat, place.lng, NEAR_RESOLUTION)
    return frozenset(h3.grid_disk(cell, NEAR_RINGS))


def count_near(place: Point, *, others: Sequence[Point]) -> int:
    """Return how many of the others are near a place."""
    cells = near_cells(place)
    return sum(h3.latlng_to_cell(o.lat, o.lng, NEAR_RESOLUTION) in cells for o in others)


def price(
    tariff: Tariff, *, trip: Trip, time_zone: ZoneInfo, multiplier_bp: int = BASIS_POINTS
) -> tuple[FareItem, ...]:
    """Return the lines of a fare: the ride's own, then what the law clamps, then what passes.

    Surcharges and the multiplier are rounded down, the shared fare too: each part of a cent is the
    rider's. A fixed fare knows neither distance nor time, night nor surge. With a wheelchair there
    is no surge, and no rule can ask for more: such a ride never costs more than one without.
    Refused (ValueError): a negative distance or duration, or a moment without a time zone.
    """
    fixed = _fixed_fare(tariff, trip)
    if fixed is not None:
        items = [FareItem("fixed", fixed.amount_minor)]
    else:
        items = list(itemise(tariff, distance_m=trip.distance_m, duration_s=trip.duration_s))
        items += _night_lines(tariff, items, at=trip.at, time_zone=time_zone)
    items += [line for line in _charges(tariff, trip) if not is_passed_through(line)]
    if fixed is None and not trip.with_wheelchair:
        extra_bp = max(0, multiplier_bp - BASIS_POINTS)
        items.append(FareItem("surge", _total(items) * extra_bp // BASIS_POINTS))
    if trip.is_shared and _total(items):
        items.append(shared_discount(tariff, solo_fare_minor=_total(items)))
    if tariff.bounds is not None:
        items.append(_clamp(tariff.bounds, trip, own_minor=_total(items)))
    items += [line for line in _charges(tariff, trip) if is_passed_through(line)]
    return tuple(item for item in items if item.amount_minor)


def _total(items: Sequence[FareItem]) -> int:
    return sum(item.amount_minor for item in items)


def is_night(night: Night, *, at: datetime, time_zone: ZoneInfo) -> bool:
    """Return whether a moment is in a window of the clock on the wall, which may change its pace.

    The hour that comes twice in autumn is in the window both times; the one that spring leaves out
    never comes.
    """
    if at.utcoffset() is None:
        raise ValueError(f"{at} has no time zone")
    wall = at.astimezone(time_zone)
    begins, ends = night.hours()
    now, today = wall.time(), wall.isoweekday()
    if begins < ends:
        return begins <= now < ends and today in night.weekdays
    yesterday = (wall.date() - timedelta(days=1)).isoweekday()
    return (now >= begins and today in night.weekdays) or (
        now < ends and yesterday in night.weekdays
    )


def _night_lines(
    tariff: Tariff, items: Sequence[FareItem], *, at: datetime, time_zone: ZoneInfo
) -> list[FareItem]:
    return [
        FareItem("night", night.amount_minor or _total(items) * night.share_bp // BASIS_POINTS)
        for night in tariff.nights
        if is_night(night, at=at, time_zone=time_zone)
    ]


def contains(zone: Zone, place: Point) -> bool:
    """Return whether a place is in a zone; on a polygon's edge it may be on either side.

    A polygon by the even-odd rule of a ray to the east, on degrees, which a city is small enough
    for.
    """
    if zone.cells:
        sizes = {h3.get_resolution(cell) for cell in zone.cells}
        return any(h3.latlng_to_cell(place.lat, place.lng, size) in zone.cells for size in sizes)
    inside = False
    for (lat, lng), (next_lat, next_lng) in zip(
        zone.corners, (*zone.corners[1:], zone.corners[0]), strict=True
    ):
        if (lat > place.lat) != (next_lat > place.lat):
            crossing = lng + (place.lat - lat) / (next_lat - lat) * (next_lng - lng)
            inside ^= place.lng < crossing
    return inside


def _zones_at(tariff: Tariff, place: Point) -> frozenset[str]:
    return frozenset(zone.name for zone in tariff.zones if contains(zone, place))


def _fixed_fare(tariff: Tariff, trip: Trip) -> FixedFare | None:
    """Return the first fixed fare between the zones of both ends, if there is one."""
    if not tariff.fixed_fares:
        return None
    here, there = _zones_at(tariff, trip.pickup), _zones_at(tariff, trip.dropoff)
    for fare in tariff.fixed_fares:
        one, other = fare.between
        if (one in here and other in there) or (other in here and one in there):
            return fare
    return None


def _charges(tariff: Tariff, trip: Trip) -> list[FareItem]:
    return [
        FareItem(charge.code, charge.amount_minor)
        for charge in tariff.charges
        if _applies(charge, tariff, trip)
    ]


def _applies(charge: Charge, tariff: Tariff, trip: Trip) -> bool:
    if charge.zone is None:
        return True
    ends = {
        "pickup": (trip.pickup,),
        "dropoff": (trip.dropoff,),
        "either": (trip.pickup, trip.dropoff),
    }
    return any(charge.zone in _zones_at(tariff, place) for place in ends[charge.at])


def _clamp(bounds: Bounds, trip: Trip, *, own_minor: int) -> FareItem:
    """Return the line that brings a ride's own price to what the law allows; 0 where it is.

    The least is rounded up and the most down, so that the law is kept to the cent. Where they
    cross, as on the shortest rides, the most counts.
    """
    least = max(bounds.least_minor, -(-trip.distance_m * bounds.least_per_km_minor // 1000))
    highest = [bounds.most_minor] if bounds.most_minor else []
    if bounds.most_per_km_minor:
        highest.append(max(trip.distance_m * bounds.most_per_km_minor // 1000, 1))
    allowed = min(max(own_minor, least), *highest) if highest else max(own_minor, least)
    code = "legal_most" if allowed < own_minor else "legal_least"
    return FareItem(code, allowed - own_minor)
