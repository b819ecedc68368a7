"""What a ride costs by a tariff, in whole minor units, and for when it may be booked: pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.tariff import Tariff
from matching.pooling.words import Rules

# Sooner, it is a ride for now: the search for its driver would have begun already. Much later,
# nobody knows the tariff of that day.
LEAST_AHEAD = timedelta(minutes=30)
MOST_AHEAD = timedelta(days=30)

# What sharing may cost a rider in time. As in Alonso-Mora et al. (PNAS 2017) one limit for the wait
# and one for arriving late, which counts the wait; theirs are 5 and 10 minutes for Manhattan. Here
# cars stand farther apart, so a car may take as long to come as a ride looks for one, and a long
# way may become longer than a short one.
SHARING = Rules(wait_s=600.0, detour_s=600.0, detour_share=0.2)


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


def shared_discount(tariff: Tariff, *, solo_fare_minor: int) -> FareItem:
    """Return the line by which a shared ride is cheaper than alone, rounded in the rider's favour.

    Something is always left to pay, so that the line may be smaller than the share says.
    """
    fare_minor = solo_fare_minor * (10_000 - tariff.shared_discount_bp) // 10_000
    return FareItem("shared", max(fare_minor, 1) - solo_fare_minor)


def max_delay_s(duration_s: int) -> int:
    """Return how much later than driven at once and alone who shares may arrive."""
    return round(SHARING.detour_s + SHARING.detour_share * duration_s)
