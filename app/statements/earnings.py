"""A driver's earnings of a period, ride by ride, made of the lines of the driver's account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.statements.clocks import HOUR_S, Clocks
from app.statements.lines import Line, Sums, add_up
from app.statements.periods import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The share that the cooperative takes of fares, and who set it: a vote, or the founding.

    `title` and `tallied_at` are those of the vote; None where the founding statutes set it.
    """

    policy_version_id: UUID
    commission_bp: int
    effective_from: datetime
    source: str
    proposal_id: UUID | None
    election_id: UUID | None
    title: str | None
    tallied_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RideFacts:
    """What is known of a ride beside the books.

    `waiting_minor` is a part of the fare; `vat_minor` is in the fare, too, and is owed by whom
    `vat_remitted_by` names.
    """

    ride_id: UUID
    state: str
    ended_at: datetime | None
    distance_m: int | None
    commission_bp: int | None
    policy_version_id: UUID | None
    waiting_minor: int
    vat_minor: int
    vat_remitted_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RideEarnings:
    """What one ride moved on the driver's account in the period, by column."""

    facts: RideFacts
    at: datetime
    sums: Sums
    reasons: tuple[str, ...]  # of what was taken back or put right


@dataclass(frozen=True, slots=True, kw_only=True)
class Earnings:
    """A driver's account over a period: opening + everything by column is closing, to the cent."""

    driver_name: str
    cooperative: str
    time_zone: str
    currency: str
    period: Period
    known_at: datetime
    opening_minor: int
    lines: tuple[Line, ...]
    sums: Sums
    rides: tuple[RideEarnings, ...]
    other_lines: tuple[Line, ...]
    clocks: Clocks
    shares: tuple[Share, ...]

    @property
    def closing_minor(self) -> int:
        """What the account held at the end of the period."""
        return self.opening_minor + self.sums.moved_minor

    @property
    def commission_minor(self) -> int:
        """The commission that was paid, less what of it came back; above zero."""
        return -sum(line.amount_minor for line in self.lines if line.is_commission)

    @property
    def per_hour_online_minor(self) -> int | None:
        """What driving brought for an hour online, rounded down; None without any hour."""
        return _per_hour(self.sums.earned_minor, self.clocks.online_s)

    @property
    def per_hour_with_rider_minor(self) -> int | None:
        """The same for an hour with a rider in the car."""
        return _per_hour(self.sums.earned_minor, self.clocks.on_trip_s)

    @property
    def waiting_minor(self) -> int:
        """What of the fares was for waiting at the door."""
        return sum(ride.facts.waiting_minor for ride in self.rides)


def _per_hour(amount_minor: int, seconds: int) -> int | None:
    return amount_minor * HOUR_S // seconds if seconds else None


def by_ride(
    lines: Sequence[Line], *, facts: Mapping[UUID, RideFacts]
) -> tuple[tuple[RideEarnings, ...], tuple[Line, ...]]:
    """Return what each ride moved, in the order of time, and the lines that are of no ride."""
    of_rides: dict[UUID, list[Line]] = {}
    others = []
    for line in lines:
        if line.ride_id is None:
            others.append(line)
        else:
            of_rides.setdefault(line.ride_id, []).append(line)
    rides = [
        RideEarnings(
            facts=facts[ride_id],
            at=own[0].effective_at,
            sums=add_up(own),
            reasons=tuple(dict.fromkeys(line.reason for line in own if line.reason)),
        )
        for ride_id, own in of_rides.items()
    ]
    return tuple(rides), tuple(others)
