"""What a ride costs by a tariff, in whole minor units, and for when it may be booked: pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Sooner, it is a ride for now: the search for its driver would have begun already. Much later,
# nobody knows the tariff of that day.
LEAST_AHEAD = timedelta(minutes=30)
MOST_AHEAD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class BookableTimes:
    """The first and the last moment for which a ride can be booked ahead."""

    earliest: datetime
    latest: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.earliest <= at <= self.latest


def bookable_times(now: datetime) -> BookableTimes:
    """Return for when a ride can be booked ahead now."""
    return BookableTimes(earliest=now + LEAST_AHEAD, latest=now + MOST_AHEAD)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices in minor units of the cooperative's currency."""

    base_minor: int
    per_km_minor: int
    per_minute_minor: int
    minimum_minor: int


@dataclass(frozen=True, slots=True)
class FareItem:
    """One line of a price, in minor units."""

    code: str
    amount_minor: int


def itemise(tariff: Tariff, *, distance_m: int, duration_s: int) -> tuple[FareItem, ...]:
    """Return the lines of a price; parts of a cent are rounded half up, line by line.

    Where the lines stay below the minimum, a last line fills up to it. Refused (ValueError): a
    negative distance or duration.
    """
    if distance_m < 0 or duration_s < 0:
        raise ValueError(f"no ride of {distance_m} m and {duration_s} s")
    items = [
        FareItem("base", tariff.base_minor),
        FareItem("distance", (distance_m * tariff.per_km_minor + 500) // 1000),
        FareItem("time", (duration_s * tariff.per_minute_minor + 30) // 60),
    ]
    missing_minor = tariff.minimum_minor - sum(item.amount_minor for item in items)
    if missing_minor > 0:
        items.append(FareItem("minimum", missing_minor))
    return tuple(item for item in items if item.amount_minor)
