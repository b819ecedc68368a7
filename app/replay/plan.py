"""What is replayed: a city's demand, and drivers who would have been there."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np

from app.city import City, CityError, DemandKind, Trip, read_trips
from app.replay.pay import driver_net_minor
from app.roads.demand import generate_trips
from app.roads.network import load_network
from app.roads.places import build_places
from app.roads.snapping import SnapIndex
from matching.arrays import FloatArray, IntArray
from matching.replay.day import Day, Outlook, Places, Requests, Rules, Shifts
from matching.replay.times import DriveTimes, crow_m
from matching.travel import StraightLine

type ShiftKind = Literal["all-day", "staggered"]
type Foresight = Literal["exact", "estimated"]

# For a city without a record any week will do; this one is like others.
USUAL_WEEK = datetime(2026, 5, 18)  # noqa: DTZ001 - becomes the city's own time
FIRST_MOMENT = datetime(1970, 1, 2)  # noqa: DTZ001 - of any record; likewise
LAST_MOMENT = datetime(2200, 1, 1)  # noqa: DTZ001
WEEK, DAY = timedelta(days=7), timedelta(days=1)
DAY_S = 86_400.0

LINE = StraightLine()
# A driver is busy for this share of her time where --drivers leaves their number to us.
BUSY_SHARE, PICKUP_S = 0.6, 240.0
SHIFT_H = (6.0, 10.0)
# Of every seven days a driver on staggered shifts has so many off, always the same ones.
DAYS_OFF = 1
# Among so many beginnings a driver chooses.
SHIFT_CHOICES = 4
# A driver begins about the same time every day, give or take half an hour.
PUNCTUAL_S = 1800.0
CANCELS_AFTER_S = (20.0, 120.0)


class ReplayError(Exception):
    """The replay cannot be made as asked; one line says what to do."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time [start, end) of a city and who wanted to go where in it."""

    kind: DemandKind
    start: datetime
    end: datetime
    trips: tuple[Trip, ...]

    @property
    def length_s(self) -> float:
        """Seconds from start to end."""
        return (self.end - self.start).total_seconds()


def read_stretch(
    city: City, *, home: Path, start: datetime | None, end: datetime | None
) -> Stretch:
    """Return the demand of [start, end); blocks for some seconds where it is generated.

    Times without a zone are the city's own. Without a start it is all that was recorded, or a
    week; without an end it is a day. CityError where nobody wanted to go anywhere.
    """
    if start is None:
        begin, until = _all_of(city) if city.trips else _usual_week(city)
    else:
        begin = _local(start, city)
        until = begin + DAY
    until = until if end is None else _local(end, city)
    if until <= begin:
        raise ReplayError(f"--to must be later than --from: {until} is not after {begin}")
    trips = _trips(city, home=home, start=begin, end=until)
    if not trips:
        raise CityError(
            f"{city.folder}: no trips between {begin:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M}: "
            "choose another time with --from and --to"
        )
    return Stretch(city.demand_kind, begin, until, tuple(trips))


def places_of(stretch: Stretch) -> Places:
    """Return all ends of the trips: first the pickups, then the drop-offs, in their order."""
    ends = [trip.pickup for trip in stretch.trips] + [trip.dropoff for trip in stretch.trips]
    return Places(lat=np.array([p.lat for p in ends]), lng=np.array([p.lng for p in ends]))


def make_day(
    city: City,
    stretch: Stretch,
    *,
    places: Places,
    times: DriveTimes,
    shifts: Shifts,
    rules: Rules,
    foresight: Foresight,
    cancel_share: float,
    scheduled_share: float,
    outlook: Outlook | None,
    seed: int,
) -> Day:
    """Return the day to replay. A ride takes what was recorded, or else what `times` say."""
    many = len(stretch.trips)
    pickup, dropoff = np.arange(many), np.arange(many, 2 * many)
    expected_s = times.drive_s(pickup, end=dropoff)
    # Where no way is known by road, the straight line has to do.
    guessed_s = LINE.drive_s(crow_m(places, pickup, end=dropoff))
    expected_s = np.where(np.isfinite(expected_s), expected_s, guessed_s)
    recorded_s = np.array([trip.duration_s or np.nan for trip in stretch.trips], dtype=np.float64)
    ride_s = np.where(np.isfinite(recorded_s), recorded_s, expected_s)
    random = np.random.default_rng([seed, 1])
    cancels = random.random(many) < cancel_share
    # A draw of its own, so that all else stays as it is with another share.
    booked_ahead = np.random.default_rng([seed, 3]).random(many) < scheduled_share
    return Day(
        places=places,
        requests=Requests(
            requested_s=requested_s(stretch),
            pickup=pickup,
            dropoff=dropoff,
            ride_s=ride_s,
            expected_ride_s=ride_s if foresight == "exact" else expected_s,
            cancels_after_s=np.where(cancels, random.uniform(*CANCELS_AFTER_S, many), np.inf),
            net_minor=driver_net_minor(
                city, distance_m=ride_m(stretch, places=places), ride_s=ride_s
            ),
            booked_ahead=booked_ahead,
        ),
        shifts=shifts,
        rules=rules,
        outlook=outlook,
    )


def make_shifts(
    stretch: Stretch, *, kind: ShiftKind, drivers: int, patience_s: float, seed: int
) -> Shifts:
    """Return who drives when, drawn from the seed; drivers begin where riders asked.

    `drivers` are on the road at the busiest hour of the usual day. "all-day": they all are, all the
    time. "staggered": they take turns, so there are more of them; each drives 6 to 10 hours a day
    on six days of seven, at hours of her own, half an hour earlier or later; most where riders ask
    most, see `_usual_hours`. Drivers stay until the last rider was fetched or has given up.
    """
    random = np.random.default_rng([seed, 2])
    closes_s = stretch.length_s + patience_s
    if kind == "all-day":
        return Shifts(
            driver=np.arange(drivers),
            start_s=np.zeros(drivers),
            end_s=np.full(drivers, closes_s),
            stands_at=random.integers(0, len(stretch.trips), drivers),
        )
    usual_s, length_s = _usual_hours(stretch, at_once=drivers, random=random)
    days = np.arange(-1, math.ceil(closes_s / DAY_S) + 1)
    begin_s = usual_s[:, None] + days * DAY_S
    begin_s += random.uniform(-PUNCTUAL_S, PUNCTUAL_S, begin_s.shape)
    end_s = begin_s + length_s[:, None]
    begin_s, end_s = np.clip(begin_s, 0, closes_s), np.clip(end_s, 0, closes_s)
    free_day = random.integers(0, 7, len(usual_s))
    works = (days - free_day[:, None]) % 7 >= DAYS_OFF
    driver, day = np.nonzero((end_s > begin_s) & works)
    return Shifts(
        driver=driver,
        start_s=begin_s[driver, day],
        end_s=end_s[driver, day],
        stands_at=random.integers(0, len(stretch.trips), len(usual_s))[driver],
    )


def _usual_hours(
    stretch: Stretch, *, at_once: int, random: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return when each driver usually begins and how long she stays, until some hour has `at_once`.

    In seconds; a beginning is counted from the time of day at which the stretch begins. One after
    the other draws some beginnings about a time when a rider asked, and takes the one from which
    she shares the riders of her hours with the fewest others: as people do who know when there is
    work.
    """
    asked_s = requested_s(stretch) % DAY_S
    per_hour = _per_hour_of_day(stretch)
    there = np.zeros(24)
    begins_s, lengths_s = [], []
    while there.max() * (7 - DAYS_OFF) / 7 < at_once:
        length_s = float(random.uniform(*SHIFT_H)) * 3600
        drawn_s = asked_s[random.integers(0, len(asked_s), SHIFT_CHOICES)]
        drawn_s -= random.random(SHIFT_CHOICES) * length_s
        middles_s = drawn_s[:, None] + 3600 * (np.arange(round(length_s / 3600)) + 0.5)
        hours = (middles_s // 3600).astype(np.int64) % 24
        best = int(np.argmax((per_hour[hours] / (there[hours] + 1)).mean(axis=1)))
        there[hours[best]] += 1
        begins_s.append(float(drawn_s[best]))
        lengths_s.append(length_s)
    return np.array(begins_s), np.array(lengths_s)


def needed_drivers(stretch: Stretch, *, kind: ShiftKind) -> int:
    """Return how many drivers on the road these trips keep busy for the usual share of their time.

    On shifts, that is at the busiest hour of the usual day; else all day.
    """
    # At any moment as many are busy as requests came in the length of one ride (Little's law).
    ride_s = ride_guess_s(stretch) + PICKUP_S
    per_hour = len(stretch.trips) / stretch.length_s * 3600
    if kind == "staggered":
        per_hour = float(_per_hour_of_day(stretch).max())
    return max(1, math.ceil(per_hour / 3600 * ride_s / BUSY_SHARE))


def _per_hour_of_day(stretch: Stretch) -> FloatArray:
    """Return the usual day's requests, hour by hour from the time when the stretch begins."""
    hours = (requested_s(stretch) % DAY_S // 3600).astype(np.int64)
    return np.bincount(hours, minlength=24) / max(1.0, stretch.length_s / DAY_S)


def read_history(city: City, *, stretch: Stretch, home: Path) -> list[Trip]:
    """Return all that was recorded, or what is generated for the week before the stretch."""
    if city.trips is not None:
        return read_trips(city, start=_local(FIRST_MOMENT, city), end=_local(LAST_MOMENT, city))
    return _trips(city, home=home, start=stretch.start - WEEK, end=stretch.start)


def ride_guess_s(stretch: Stretch) -> float:
    """Return the mean length of a ride, as recorded or by the crow's flight."""
    many = len(stretch.trips)
    recorded = [trip.duration_s for trip in stretch.trips if trip.duration_s]
    if recorded:
        return float(np.mean(recorded))
    crow = crow_m(places_of(stretch), np.arange(many), end=np.arange(many, 2 * many))
    return float(LINE.drive_s(crow).mean())


def requested_s(stretch: Stretch) -> FloatArray:
    """Return when each trip was asked for, in seconds from the beginning."""
    return np.array([(trip.requested_at - stretch.start).total_seconds() for trip in stretch.trips])


def ride_m(stretch: Stretch, *, places: Places) -> IntArray:
    """Return the metres of each trip: its recorded trace, or the crow's flight by a detour."""
    many = len(stretch.trips)
    guessed = LINE.drive_m(crow_m(places, np.arange(many), end=np.arange(many, 2 * many)))
    traced = np.array([trip.trace_m or np.nan for trip in stretch.trips], dtype=np.float64)
    return np.rint(np.where(np.isfinite(traced), traced, guessed)).astype(np.int64)


def _all_of(city: City) -> tuple[datetime, datetime]:
    """Return the hours in which the record begins and ends."""
    trips = read_trips(city, start=_local(FIRST_MOMENT, city), end=_local(LAST_MOMENT, city))
    if not trips:
        raise CityError(f"{city.trips}: no trips in it; add some, or name none in city.toml")
    first, last = (trips[at].requested_at.astimezone(city.time_zone) for at in (0, -1))
    begin = first.replace(minute=0, second=0, microsecond=0)
    return begin, last.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _usual_week(city: City) -> tuple[datetime, datetime]:
    begin = _local(USUAL_WEEK, city)
    return begin, begin + WEEK


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


def _local(moment: datetime, city: City) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=city.time_zone)
