"""A day to be replayed: who asks when, who drives when, and by which rules."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matching.arrays import LONGEST_S, BoolArray, FloatArray, IntArray, floats, positions_in
from matching.replay.answers import Answers

# Requests that say nothing of pay earn nothing, and none is booked ahead where that is not said;
# known by identity, never kept.
_NOTHING_SAID = np.empty(0)
_NONE_SAID = np.empty(0, dtype=np.bool_)
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Every place of the day, in degrees: a trip's ends and where shifts begin, by number."""

    lat: FloatArray
    lng: FloatArray

    def __post_init__(self) -> None:
        lat = floats(self.lat, name="places.lat", low=-90, high=90)
        lng = floats(self.lng, name="places.lng", low=-180, high=180, length=len(lat))
        object.__setattr__(self, "lat", lat)
        object.__setattr__(self, "lng", lng)

    def __len__(self) -> int:
        return len(self.lat)


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """One entry per request, in order of time; `pickup` and `dropoff` are numbers of places.

    `requested_s` counts from the day's beginning. `ride_s` is how long the drive takes,
    `expected_ride_s` how long dispatch believes it will. `cancels_after_s` is after how long the
    rider withdraws if nobody was sent by then; infinite for who does not. `net_minor` is what the
    driver keeps of the fare; left out, nothing. Who is `booked_ahead` said long before that she
    wants the car at `requested_s`; left out, nobody is.
    Refused: arrays of other lengths, another order, negative or missing times.
    """

    requested_s: FloatArray
    pickup: IntArray
    dropoff: IntArray
    ride_s: FloatArray
    expected_ride_s: FloatArray
    cancels_after_s: FloatArray
    net_minor: FloatArray = field(default_factory=lambda: _NOTHING_SAID)
    booked_ahead: BoolArray = field(default_factory=lambda: _NONE_SAID)

    def __post_init__(self) -> None:
        requested_s = floats(self.requested_s, name="requests.requested_s", low=0, high=LONGEST_S)
        if (np.diff(requested_s) < 0).any():
            raise ValueError("requests must be in order of time")
        object.__setattr__(self, "requested_s", requested_s)
        if self.net_minor is _NOTHING_SAID:
            object.__setattr__(self, "net_minor", np.zeros(len(self)))
        if self.booked_ahead is _NONE_SAID:
            object.__setattr__(self, "booked_ahead", np.zeros(len(self), dtype=np.bool_))
        if self.booked_ahead.shape != requested_s.shape or self.booked_ahead.dtype != np.bool_:
            raise ValueError(f"requests.booked_ahead must have {len(self)} entries, true or false")
        for name, high in (
            ("ride_s", LONGEST_S),
            ("expected_ride_s", LONGEST_S),
            ("cancels_after_s", np.inf),
            ("net_minor", np.inf),
        ):
            values = floats(
                getattr(self, name), name=f"requests.{name}", low=0, high=high, length=len(self)
            )
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.requested_s)


@dataclass(frozen=True, slots=True, eq=False)
class Shifts:
    """One entry per shift: whose, from when to when, and the number of the place it begins at.

    A ride begun before the end is finished after it. Refused: arrays of other lengths, a shift that
    ends before it begins, two shifts of one driver at a time.
    """

    driver: IntArray
    start_s: FloatArray
    end_s: FloatArray
    stands_at: IntArray
    following: IntArray = field(init=False)
    """Each shift's next one of the same driver, or -1."""

    def __post_init__(self) -> None:
        start_s = floats(self.start_s, name="shifts.start_s", low=0, high=LONGEST_S)
        end_s = floats(self.end_s, name="shifts.end_s", low=0, high=LONGEST_S, length=len(start_s))
        if (end_s < start_s).any():
            raise ValueError("a shift must not end before it begins")
        driver = np.asarray(self.driver, dtype=np.int64)
        if driver.shape != start_s.shape:
            raise ValueError(f"shifts.driver must have {len(start_s)} entries")
        order = np.lexsort((start_s, driver))
        same = driver[order[1:]] == driver[order[:-1]]
        if (same & (start_s[order[1:]] < end_s[order[:-1]])).any():
            raise ValueError("a driver must not have two shifts at a time")
        following = np.full(len(start_s), -1, dtype=np.int64)
        following[order[:-1][same]] = order[1:][same]
        for name, values in (
            ("driver", driver),
            ("start_s", start_s),
            ("end_s", end_s),
            ("following", following),
        ):
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.start_s)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds whoever dispatches.

    `window_s`: every so often riders and drivers are paired. `patience_s`: a rider whom nobody was
    sent by then is lost; dispatch knows it. `boarding_s`: from the car's arrival to its departure.
    `max_pickup_s`: nobody drives longer to a pickup. `accept_share`: how likely a driver accepts an
    offer; who declines is not asked for that ride again. `empty_km_cost_minor`: what a driver
    pays for a kilometre without a rider. `follow_share`: how likely an idle driver follows a hint.
    `offer_time_s`: so long a driver has to answer, on a day whose answers are known.
    Who booked ahead takes part in the pairing from `search_ahead_s` before her time; the car is on
    time until `pickup_window_s` after it.
    """

    window_s: float = 5.0
    patience_s: float = 600.0
    boarding_s: float = 60.0
    max_pickup_s: float = 1200.0
    accept_share: float = 1.0
    empty_km_cost_minor: float = 30.0
    follow_share: float = 0.8
    offer_time_s: float = 15.0
    search_ahead_s: float = 900.0
    pickup_window_s: float = 600.0

    def __post_init__(self) -> None:
        if not 0 < self.window_s <= LONGEST_S:
            raise ValueError(f"window_s must be above 0, got {self.window_s}")
        if not 0 < self.accept_share <= 1:
            raise ValueError(f"accept_share must be above 0, at most 1, got {self.accept_share}")
        if not 0 <= self.follow_share <= 1:
            raise ValueError(f"follow_share must be from 0 to 1, got {self.follow_share}")
        for name in (
            "offer_time_s",
            "patience_s",
            "boarding_s",
            "max_pickup_s",
            "empty_km_cost_minor",
            "search_ahead_s",
            "pickup_window_s",
        ):
            if not 0 <= getattr(self, name) <= LONGEST_S:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Where riders are expected: one column per waiting place, one row per hour of the day.

    `place` is the number of the place that stands for its H3 cell, `per_hour` the requests
    expected in that cell, as known beforehand; after the last row it stays as it was.
    Refused: another number of columns, no row, a negative or missing expectation.
    """

    place: IntArray
    per_hour: NDArray[np.float64]

    def __post_init__(self) -> None:
        per_hour = np.asarray(self.per_hour, dtype=np.float64)
        if per_hour.ndim != 2 or per_hour.shape[1] != len(self.place) or not len(per_hour):
            raise ValueError("outlook.per_hour must have a row per hour and a column per place")
        floats(per_hour.ravel(), name="outlook.per_hour", low=0, high=np.inf)
        object.__setattr__(self, "per_hour", per_hour)

    def expected(self, now_s: float, *, within_s: float) -> FloatArray:
        """Requests expected per waiting place from now on for so many seconds."""
        hours = np.arange(int(now_s // HOUR_S), int((now_s + within_s) // HOUR_S) + 1)
        begin_s = np.maximum(hours * HOUR_S, now_s)
        end_s = np.minimum((hours + 1) * HOUR_S, now_s + within_s)
        rows = self.per_hour[np.minimum(hours, len(self.per_hour) - 1)]
        return np.asarray((end_s - begin_s) / HOUR_S @ rows)


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """All that a replay needs to know; refused: places that are not there.

    Without an `outlook` nobody can be told where to wait. Without `answers` drivers answer at once,
    and accept as the rules' `accept_share` says.
    """

    places: Places
    requests: Requests
    shifts: Shifts
    rules: Rules
    outlook: Outlook | None = None
    answers: Answers | None = None

    def __post_init__(self) -> None:
        if self.outlook is not None:
            positions_in(self.outlook.place, name="outlook.place", size=len(self.places))
        for name, numbers, length in (
            ("requests.pickup", self.requests.pickup, len(self.requests)),
            ("requests.dropoff", self.requests.dropoff, len(self.requests)),
            ("shifts.stands_at", self.shifts.stands_at, len(self.shifts)),
        ):
            positions_in(numbers, name=name, size=len(self.places), length=length)
