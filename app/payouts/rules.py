"""What becomes of a payout, whom a batch pays and how much: decided here, without any I/O."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

MOST_PER_BATCH: Final = 2000  # the rest is what a second batch takes
EURO: Final = "EUR"


class PayoutState(StrEnum):
    """Where a payout stands."""

    PREPARED = "prepared"  # amount and account are frozen, no money has moved
    LEFT_OUT = "left_out"  # at release something was no longer as prepared
    CANCELLED = "cancelled"  # its whole batch was
    RELEASED = "released"  # off the driver's account, on its way
    SETTLED = "settled"  # the bank has paid it
    RETURNED = "returned"  # it came back and is on the driver's account again


# From which states a payout may come into this one. A bank returns what it paid weeks ago, too.
STEPS: Final = MappingProxyType(
    {
        PayoutState.LEFT_OUT: (PayoutState.PREPARED,),
        PayoutState.CANCELLED: (PayoutState.PREPARED,),
        PayoutState.RELEASED: (PayoutState.PREPARED,),
        PayoutState.SETTLED: (PayoutState.RELEASED,),
        PayoutState.RETURNED: (PayoutState.RELEASED, PayoutState.SETTLED),
    }
)


class PassedOver(StrEnum):
    """Why a batch does not pay somebody whose account is above zero."""

    IN_ANOTHER_BATCH = "in_another_batch"
    NO_BANK_ACCOUNT = "no_bank_account"
    ACCOUNT_TOO_NEW = "account_too_new"
    ACCOUNT_REFUSED = "account_refused"  # the bank returned a payout to it as not payable
    BELOW_LEAST = "below_least"
    BATCH_FULL = "batch_full"


class LeftOut(StrEnum):
    """Why a prepared payout was not released with its batch."""

    ACCOUNT_CHANGED = "account_changed"
    BALANCE_FELL = "balance_fell"


class Outcome(StrEnum):
    """What the bank says of a payment."""

    SETTLED = "settled"
    RETURNED = "returned"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A driver whose account is above zero, as the books and the bank accounts say.

    Attributes:
        free_minor: What is there now and not held; debts from cash rides are off it already.
        later_minor: What came (or, below zero, went) since the cut-off.
        payable_from: When the bank account's holding period ends; None without a bank account.
    """

    member_id: UUID
    account_id: UUID
    free_minor: int
    later_minor: int
    bank_account_id: UUID | None
    payable_from: datetime | None
    is_refused: bool
    is_prepared: bool


def amount_of(candidate: Candidate) -> int:
    """Return what was there at the cut-off and still is, in minor units; never below zero."""
    return max(0, min(candidate.free_minor, candidate.free_minor - candidate.later_minor))


def why_passed_over(candidate: Candidate, *, least_minor: int, now: datetime) -> PassedOver | None:
    """Return why a batch does not pay this driver now; None if it does."""
    if candidate.is_prepared:
        return PassedOver.IN_ANOTHER_BATCH
    if candidate.payable_from is None:
        return PassedOver.NO_BANK_ACCOUNT
    if candidate.is_refused:
        return PassedOver.ACCOUNT_REFUSED
    if candidate.payable_from > now:
        return PassedOver.ACCOUNT_TOO_NEW
    if amount_of(candidate) < max(1, least_minor):
        return PassedOver.BELOW_LEAST
    return None


def why_left_out(*, is_current: bool, free_minor: int, amount_minor: int) -> LeftOut | None:
    """Return why a prepared payout cannot be released; None if all is as it was prepared."""
    if not is_current:
        return LeftOut.ACCOUNT_CHANGED
    if free_minor < amount_minor:
        return LeftOut.BALANCE_FELL
    return None


def mask_iban(iban: str) -> str:
    """Return what of an IBAN is shown: the country and the last four characters."""
    return f"{iban[:2]}** **** {iban[-4:]}"


def end_to_end_id(payout_id: UUID) -> str:
    """Return the name by which the bank speaks of a payout: its id without dashes.

    SEPA gives it 35 characters, one less than an id with its dashes has.
    """
    return payout_id.hex


def payout_of(end_to_end: str) -> UUID | None:
    """Return the payout of `end_to_end_id`; None where we did not make it."""
    try:
        return UUID(end_to_end.strip())
    except ValueError:
        return None
