"""What becomes of a payment and of the commands that its provider is sent: without any I/O."""

from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Method(StrEnum):
    """How a rider pays."""

    BALANCE = "balance"  # it stands on the rider's own account, down to its limit
    CARD = "card"
    CASH = "cash"  # the driver keeps it
    INVOICE = "invoice"  # a client takes it over


class Kind(StrEnum):
    """What a payment is for: a ride has one payment of its own, and any number of others."""

    RIDE = "ride"
    EXTRA = "extra"  # owed after the ride was settled, such as a tip


class PaymentState(StrEnum):
    """Where a payment stands."""

    WANTED = "wanted"  # nothing is set aside yet
    AUTHORISED = "authorised"  # the provider has set it aside
    ON_ACCOUNT = "on_account"  # owed, and it stands on the rider's own account
    CAPTURED = "captured"  # paid: by card, in cash, or taken over by a client
    REFUNDED = "refunded"  # all of it went back
    CHARGED_BACK = "charged_back"  # the rider's bank took it back
    VOIDED = "voided"  # nothing was owed
    FAILED = "failed"  # it could not be had; what is owed stands on the rider's account


_S = PaymentState
# From which states a payment may come into this one. News of a provider come late and in any
# order: what we gave up may turn out to be paid all the same.
STEPS: Final = MappingProxyType(
    {
        _S.AUTHORISED: (_S.WANTED,),
        _S.ON_ACCOUNT: (_S.WANTED, _S.AUTHORISED),
        _S.CAPTURED: (_S.WANTED, _S.AUTHORISED, _S.FAILED, _S.VOIDED, _S.CHARGED_BACK),
        _S.REFUNDED: (
            _S.WANTED,
            _S.AUTHORISED,
            _S.CAPTURED,
            _S.FAILED,
            _S.VOIDED,
            _S.CHARGED_BACK,
        ),
        _S.CHARGED_BACK: (
            _S.WANTED,
            _S.AUTHORISED,
            _S.CAPTURED,
            _S.REFUNDED,
            _S.FAILED,
            _S.VOIDED,
        ),
        _S.VOIDED: (_S.WANTED, _S.AUTHORISED, _S.FAILED),
        _S.FAILED: (_S.WANTED, _S.AUTHORISED),
    }
)


class Act(StrEnum):
    """What a provider is asked to do."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class CommandState(StrEnum):
    """Where a command to a provider stands."""

    DUE = "due"
    DONE = "done"
    REFUSED = "refused"
    DROPPED = "dropped"  # what went before it made it pointless


# A scheduled ride's card is asked about when the search for a driver begins: earlier, what is set
# aside would run out before the ride; later, a driver would set out for nothing.
AUTHORISE_AHEAD: Final = timedelta(minutes=15)
MOST_ATTEMPTS: Final = 12
_FIRST_PAUSE_S: Final = 30
_LONGEST_PAUSE_S: Final = 3600


def pause(attempts: int) -> timedelta:
    """Return how long after this attempt a command is tried again, if nothing is heard of it.

    Longer than any request to a provider may take, and twice as long each time up to an hour.
    """
    return timedelta(seconds=min(_FIRST_PAUSE_S * 2 ** (attempts - 1), _LONGEST_PAUSE_S))
