"""The rules of what happens after a ride, and who may bear what: pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from governance.apportionment import apportion

TIP_FOR = timedelta(days=30)  # so long after a ride it may be tipped
TIPS_PER_FARE = 3  # more than three times the fare is taken for a slip of the finger
DISPUTE_FOR = timedelta(days=90)  # so long after its settlement a ride may be disputed
APPEAL_FOR = timedelta(days=30)  # so long after its decision a dispute may be appealed
# Above this, in minor units, a second person releases a decision. It is no setting: whoever runs
# the program must not be able to raise it. The database holds the same figure.
RELEASED_ABOVE_MINOR = 5_000
MOST_INVITED = 3


class DisputeKind(StrEnum):
    """What a dispute is about."""

    WRONG_FARE = "wrong_fare"
    NO_SHOW_FEE = "no_show_fee"
    CANCELLATION_FEE = "cancellation_fee"
    LOST_TIME = "lost_time"
    OTHER = "other"


class DisputeState(StrEnum):
    """Where a dispute stands; those that wait for a decision are open or appealed."""

    OPEN = "open"
    DECIDED = "decided"
    APPEALED = "appealed"
    FINAL = "final"  # decided on appeal


class Outcome(StrEnum):
    """What staff decided."""

    REFUSE = "refuse"
    REFUND = "refund"
    PAY_DRIVER = "pay_driver"
    UPHOLD = "uphold"  # on appeal: the first decision stands


class PartState(StrEnum):
    """Where one invited rider's part of a fare stands."""

    INVITED = "invited"
    ACCEPTED = "accepted"  # and held on their account
    DECLINED = "declined"
    LAPSED = "lapsed"  # not answered before the ride ended
    PAID = "paid"
    FREED = "freed"  # the ride cost no fare: what was held is free again


@dataclass(frozen=True, slots=True, kw_only=True)
class Burden:
    """Who bears a decision, in minor units, each 0 or more.

    From the driver's part, from the commission, and from the cooperative as a cost. Refused
    (ValueError): a part below 0.
    """

    from_driver_minor: int = 0
    from_commission_minor: int = 0
    from_costs_minor: int = 0

    def __post_init__(self) -> None:
        if min(self.from_driver_minor, self.from_commission_minor, self.from_costs_minor) < 0:
            raise ValueError("nobody bears less than nothing")

    @property
    def amount_minor(self) -> int:
        """All that is moved."""
        return self.from_driver_minor + self.from_commission_minor + self.from_costs_minor

    @property
    def needs_release(self) -> bool:
        """Whether a second person has to agree."""
        return self.amount_minor > RELEASED_ABOVE_MINOR


def equal_parts(fare_minor: int, *, invited: int) -> tuple[int, ...]:
    """Divide a fare equally over who booked (first) and each who was invited, to the cent.

    The parts add up to the fare and differ by 1 at most; the first ones get what is left over.
    Refused (ValueError): a fare below 0, or not 1 to 3 invited.
    """
    if not 1 <= invited <= MOST_INVITED:
        raise ValueError(f"1 to {MOST_INVITED} riders are invited, not {invited}")
    parts = apportion(fare_minor, weights=dict.fromkeys(range(invited + 1), 1))
    return tuple(parts[position] for position in range(invited + 1))
