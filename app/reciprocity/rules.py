"""How long letters hold, what a clearing may be, and why one is rejected."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

LETTER_LASTS = timedelta(hours=24)
# What was ridden while the letter held may be claimed for so long afterwards: a network is down
# for a night, a rider tips in the morning.
CLAIMS_LAST = timedelta(days=7)
# How far two cooperatives' clocks may be apart.
CLOCKS_DIFFER = timedelta(minutes=5)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)


class Direction(StrEnum):
    """Who carried the rider: ourselves (we claim), or the sister (we receive its claim)."""

    CLAIMED = "claimed"
    RECEIVED = "received"


class ClearingState(StrEnum):
    """What became of a claim."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Rejection(StrEnum):
    """Why the rider's cooperative does not pay a claim; final."""

    UNKNOWN_LETTER = "unknown_letter"
    WRONG_CURRENCY = "wrong_currency"
    LETTER_SPENT = "letter_spent"
    TOO_LATE = "too_late"
    BALANCE_TOO_LOW = "balance_too_low"


class StatementState(StrEnum):
    """What became of a month's statement between two cooperatives."""

    OFFERED = "offered"
    AGREED = "agreed"
    DISAGREED = "disagreed"


@dataclass(frozen=True, slots=True)
class LetterStanding:
    """What a guest letter is still good for."""

    limit_minor: int
    spent_minor: int
    claims_until: datetime
    is_closed: bool


def why_rejected(
    letter: LetterStanding | None,
    *,
    amount_minor: int,
    currency: str,
    own_currency: str,
    now: datetime,
) -> Rejection | None:
    """Return why a claim on a letter is not paid; None where it is. Money back is always taken."""
    if letter is None:
        return Rejection.UNKNOWN_LETTER
    if currency != own_currency:
        return Rejection.WRONG_CURRENCY
    if amount_minor > 0 and (letter.is_closed or now >= letter.claims_until):
        return Rejection.TOO_LATE
    if letter.spent_minor + amount_minor > letter.limit_minor:
        return Rejection.LETTER_SPENT
    return None


def pause_after(tries: int) -> timedelta:
    """How long to wait after so many tries (1 or more): doubling, up to a quarter of an hour."""
    doublings: int = 2 ** min(tries - 1, 12)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)


def month_after(month: date) -> date:
    """The first day of the month that follows the month of this first day."""
    return (month + timedelta(days=31)).replace(day=1)
