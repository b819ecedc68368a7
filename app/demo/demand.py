"""Who wants to go where in the demo's hour: recorded where there is a record, else generated."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from random import Random

from app.city import City, CityError, DemandKind, Trip, read_trips
from app.demo.plan import PlannedDriver, PlannedRider
from app.roads.demand import generate_trips
from app.roads.network import load_network
from app.roads.places import build_places
from app.roads.snapping import SnapIndex
from matching.travel import distance_m

FRIDAY, OPENS_AT = 4, time(17)
# For a city without a record any week will do; this Friday is one like others.
USUAL_FRIDAY = datetime(2026, 5, 22, 17)  # noqa: DTZ001 - becomes the city's own time
FIRST_MOMENT = datetime(1970, 1, 2)  # noqa: DTZ001 - of any record; likewise
LAST_MOMENT = datetime(2200, 1, 1)  # noqa: DTZ001

CANCELS = 0.01  # share of riders whose plans change
CANCELS_AFTER_S = (20.0, 120.0)
# Of the riders who want to go late enough in the hour, so many have booked, and that long before.
BOOKS_AHEAD = 0.1
BOOKS_AHEAD_S = (32 * 60.0, 45 * 60.0)
SHARES = 0.15  # of the riders who go at once
# To guess how long a generated trip keeps a driver busy, before any street was asked.
DETOUR, USUAL_SPEED_MPS = 1.4, 10.0
PICKUP_S, BOARDING_S = 240.0, 50.0
BUSY_SHARE = 0.6  # of a driver's time; with more, riders wait
FEWEST_DRIVERS = 5

# Numbers with 555 are kept for stories: nobody's telephone rings.
STAFF_PHONE, SECOND_STAFF_PHONE = "+12005550000", "+12005550001"
MOST_DRIVERS = 9_999
_NAMES = ("Ada", "Bo", "Chen", "Dalia", "Emre", "Fatou", "Goran", "Hana", "Iker", "Jun", "Kofi")


@dataclass(frozen=True, slots=True)
class DemoHour:
    """The stretch [start, end) of a city's time, what happens in it and who drives."""

    kind: DemandKind
    start: datetime
    end: datetime
    riders: tuple[PlannedRider, ...]
    drivers: tuple[PlannedDriver, ...]


def plan_hour(
    city: City,
    *,
    home: Path,
    start: datetime | None,
    minutes: float,
    drivers: int | None,
    seed: int,
) -> DemoHour:
    """Return who rides and who drives; blocks for some seconds when the roads are new.

    `start` without a zone is the city's own time; None is a Friday at 17:00. `drivers` None takes
    as many as the demand needs. CityError where nobody wants to go anywhere.
    """
    begin = _local(start or _usual_start(city), city)
    end = begin + timedelta(minutes=minutes)
    trips = _trips(city, home=home, start=begin, end=end)
    if not trips:
        raise CityError(
            f"{city.folder}: no trips between {begin:%Y-%m-%d %H:%M} and {end:%H:%M}: "
            "choose another time with --from, or more --minutes"
        )
    random = Random(seed)  # noqa: S311 - a simulation
    count = min(drivers or needed_drivers(trips, minutes=minutes), MOST_DRIVERS)
    return DemoHour(
        kind=city.demand_kind,
        start=begin,
        end=end,
        riders=_share(
            _book_ahead(
                [_rider(number, trip, random) for number, trip in enumerate(trips)],
                opens_at=begin,
                seed=seed,
            ),
            seed=seed,
        ),
        drivers=tuple(
            # A fleet stands where the demand is.
            PlannedDriver(
                phone=f"+1201555{number:04}",
                name=_NAMES[number % len(_NAMES)],
                plate=f"MEENT {number:03}",
                stands_at=random.choice(trips).pickup,
            )
            for number in range(count)
        ),
    )


def needed_drivers(trips: list[Trip], *, minutes: float) -> int:
    """Return how many drivers these trips keep busy for the usual share of their time."""
    # At any moment as many are busy as requests came in the length of one ride (Little's law).
    window_s = minutes * 60
    ride_s = sum(_drive_s(trip) + PICKUP_S + BOARDING_S for trip in trips) / len(trips)
    busy = len(trips) / window_s * min(ride_s, window_s)
    return max(FEWEST_DRIVERS, math.ceil(busy / BUSY_SHARE))


def _drive_s(trip: Trip) -> float:
    if trip.duration_s is not None:
        return trip.duration_s
    return distance_m(trip.pickup, to=trip.dropoff) * DETOUR / USUAL_SPEED_MPS


def _rider(number: int, trip: Trip, random: Random) -> PlannedRider:
    cancels = random.random() < CANCELS
    return PlannedRider(
        phone=f"+1{202 + number // 10_000}555{number % 10_000:04}",
        name=_NAMES[number * 7 % len(_NAMES)],
        requests_at=trip.requested_at,
        pickup=trip.pickup,
        dropoff=trip.dropoff,
        drive_s=trip.duration_s,
        cancels_after_s=random.uniform(*CANCELS_AFTER_S) if cancels else None,
    )


def _book_ahead(
    riders: list[PlannedRider], *, opens_at: datetime, seed: int
) -> tuple[PlannedRider, ...]:
    """Return the riders, some of whom book their ride after the opening and long before it."""
    random = Random(seed + 1)  # noqa: S311 - its own, so that nobody else's day changes
    planned = []
    for rider in riders:
        books_at = rider.requests_at - timedelta(seconds=random.uniform(*BOOKS_AHEAD_S))
        books = random.random() < BOOKS_AHEAD and books_at >= opens_at
        planned.append(replace(rider, books_at=books_at) if books else rider)
    return tuple(planned)


def _share(riders: tuple[PlannedRider, ...], *, seed: int) -> tuple[PlannedRider, ...]:
    """Return the riders, some of whom let others ride along."""
    random = Random(seed + 2)  # noqa: S311 - its own, likewise
    shares = [random.random() < SHARES for _ in riders]
    return tuple(
        replace(rider, shares=True) if shares_ride and rider.books_at is None else rider
        for rider, shares_ride in zip(riders, shares, strict=True)
    )


def _trips(city: City, *, home: Path, start: datetime, end: datetime) -> list[Trip]:
    if city.trips is not None:
        return read_trips(city, start=start, end=end)
    return generate_trips(
        city,
        places=build_places(city.roads, home=home),
        snap_index=SnapIndex(load_network(city.roads, home=home)),
        start=start,
        end=end,
    )


def _usual_start(city: City) -> datetime:
    """Return the first Friday at 17:00 on record, or the record's first hour; local, no zone."""
    if city.trips is None:
        return USUAL_FRIDAY
    everything = read_trips(city, start=_local(FIRST_MOMENT, city), end=_local(LAST_MOMENT, city))
    if not everything:
        raise CityError(f"{city.trips}: no trips in it; add some, or name none in city.toml")
    first, last = (
        everything[place].requested_at.astimezone(city.time_zone).replace(tzinfo=None)
        for place in (0, -1)
    )
    day = first.date() + timedelta(days=(FRIDAY - first.weekday()) % 7)
    friday = datetime.combine(day, OPENS_AT)
    if first <= friday < last:
        return friday
    return first.replace(minute=0, second=0, microsecond=0)


def _local(moment: datetime, city: City) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=city.time_zone)
