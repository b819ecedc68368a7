"""The pay floor: what a driver's week earns at least, by engaged time and by distance driven.

Source of the idea: New York's TLC sets a least pay for each trip by minutes and miles (2019), and
California's Proposition 22 compares earnings with a floor for engaged time, from acceptance to
drop-off, over a period. Here the members vote both rates, and the period is a calendar week.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

MICROSECOND = timedelta(microseconds=1)
US_PER_S = 1_000_000
US_PER_HOUR = 3600 * US_PER_S
M_PER_KM = 1000


@dataclass(frozen=True, slots=True)
class Week:
    """From one Monday's midnight, which is in it, to the next one's, which is not; both UTC."""

    start: datetime
    end: datetime


def week_of(moment: datetime, *, zone: ZoneInfo) -> Week:
    """Return the calendar week of a moment by a zone's clocks.

    A week lasts 168 hours, and one less or more where clocks change in it; no moment is in two
    weeks and none is in no week. Refused (ValueError): a moment without a time zone.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    day = moment.astimezone(zone).date()
    monday = day - timedelta(days=day.weekday())
    start, end = (
        datetime.combine(monday + timedelta(days=days), time.min, tzinfo=zone).astimezone(UTC)
        for days in (0, 7)
    )
    return Week(start, end)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagedRide:
    """A ride as the floor sees it, with the rates in force at the moment of its quote.

    `distance_m` is what was driven to the rider and with the rider, `earned_minor` what the
    driver got for it without tips. Refused (ValueError): an end before its beginning, or a
    distance, a rate or earnings below 0.
    """

    accepted_at: datetime
    ended_at: datetime
    distance_m: int
    earned_minor: int
    per_hour_minor: int
    per_km_minor: int

    def __post_init__(self) -> None:
        if self.ended_at < self.accepted_at:
            raise ValueError(f"a ride ends at {self.ended_at}, before {self.accepted_at}")
        if min(self.distance_m, self.earned_minor, self.per_hour_minor, self.per_km_minor) < 0:
            raise ValueError("distances, rates and earnings are 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekPay:
    """A driver's week against the floor, in whole seconds, metres and minor units."""

    engaged_s: int
    distance_m: int
    earned_minor: int
    floor_minor: int

    @property
    def top_up_minor(self) -> int:
        """What is missing to the floor; 0 where the driver earned as much or more."""
        return max(0, self.floor_minor - self.earned_minor)


def week_pay(rides: Sequence[EngagedRide]) -> WeekPay:
    """Return what the rides of one driver's week earned, and the least they should have.

    The floor is engaged time x the rate of an hour + distance x the rate of a km. Time of several
    rides at once, as with riders who share, counts once and at the highest of their rates. The
    floor is rounded up, once, in the driver's favour.
    """
    engaged_us, weighted_us = _engaged(rides)
    weighted_m = sum(ride.distance_m * ride.per_km_minor for ride in rides)
    # Both parts over one denominator, so that nothing is rounded twice.
    numerator = weighted_us + weighted_m * (US_PER_HOUR // M_PER_KM)
    return WeekPay(
        engaged_s=engaged_us // US_PER_S,
        distance_m=sum(ride.distance_m for ride in rides),
        earned_minor=sum(ride.earned_minor for ride in rides),
        floor_minor=-(-numerator // US_PER_HOUR),
    )


def _engaged(rides: Iterable[EngagedRide]) -> tuple[int, int]:
    """Return engaged microseconds, and their sum with each piece times its rate of an hour."""
    begins = [(ride.accepted_at, ride.per_hour_minor, 1) for ride in rides]
    ends = [(ride.ended_at, ride.per_hour_minor, -1) for ride in rides]
    under_way: Counter[int] = Counter()
    engaged_us = weighted_us = 0
    since: datetime | None = None
    # Begins come first among equal moments, so that nothing ends before it began.
    for at, rate, change in sorted(begins + ends, key=lambda edge: edge[0]):
        if under_way and since is not None:
            piece_us = (at - since) // MICROSECOND
            engaged_us += piece_us
            weighted_us += piece_us * max(under_way)
        under_way[rate] += change
        if under_way[rate] == 0:
            del under_way[rate]
        since = at
    return engaged_us, weighted_us
