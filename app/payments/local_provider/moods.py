"""How the double behaves: by a rider's token, and by chance where a test asks for it."""

import random
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Behaviour(StrEnum):
    """What becomes of a payment by some token; by any other it succeeds."""

    DECLINED = "card_declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRES = "authorisation_expired"  # it authorises, and the capture comes too late
    REFUND_FAILS = "refund_failed"
    DISPUTED = "disputed"  # the rider's bank takes the capture back
    DISPUTE_WON = "dispute_won"  # and gives it up again


BEHAVIOURS: Final = MappingProxyType(
    {
        "tok_chargeDeclined": Behaviour.DECLINED,
        "tok_chargeDeclinedInsufficientFunds": Behaviour.INSUFFICIENT_FUNDS,
        "tok_authorisationExpires": Behaviour.EXPIRES,
        "tok_refundFail": Behaviour.REFUND_FAILS,
        "tok_createDispute": Behaviour.DISPUTED,
        "tok_createDisputeWon": Behaviour.DISPUTE_WON,
    }
)


def behaviour(token: str) -> Behaviour | None:
    """Return what a token asks for. Several riders' tokens may ask for one: `tok_refundFail_7`."""
    return BEHAVIOURS.get("_".join(token.split("_")[:2]))


@dataclass(frozen=True, slots=True)
class Moods:
    """How often, from 0 to 1, something goes wrong on the way; without a test nothing does.

    Attributes:
        fails_before: It answers 500 and has done nothing.
        fails_after: It answers 500 and has acted.
        hangs_after: It has acted and does not answer.
        tells_twice: An event is told again.
        tells_late: An event is told after others that happened later.
    """

    fails_before: float = 0.0
    fails_after: float = 0.0
    hangs_after: float = 0.0
    tells_twice: float = 0.0
    tells_late: float = 0.0
    seed: int = 0
    chance: random.Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "chance", random.Random(self.seed))  # noqa: S311 - faults by seed

    def strikes(self, rate: float) -> bool:
        """Return whether something of this rate happens now."""
        return rate > 0 and self.chance.random() < rate
