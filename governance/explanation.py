"""Whether a proposal's plain explanation is short and shows an example in money."""

import re
from collections.abc import Collection
from enum import StrEnum

MOST_WORDS = 60


class Fault(StrEnum):
    """What an explanation lacks before it may be part of a manifest."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    NO_EXAMPLE_IN_MONEY = "no_example_in_money"


def words(text: str) -> int:
    """Return how many words a text has; an amount beside its currency counts as words too."""
    return len(text.split())


def faults(text: str, *, money: Collection[str]) -> tuple[Fault, ...]:
    """Return what an explanation lacks; nothing if it may be voted on.

    `money` are the names and signs of the city's currency, such as "€", "EUR" and "cents"; an
    example is an amount in digits with one of them directly before or after it.
    """
    if not text.strip():
        return (Fault.EMPTY,)
    found = []
    if words(text) > MOST_WORDS:
        found.append(Fault.TOO_LONG)
    names = "|".join(re.escape(name) for name in money)
    # A name of letters must end where it ends: "EUR 12" is an amount, "EUROPE 12" is none.
    before = rf"(?<![^\W\d_])(?:{names})\s*\d"
    after = rf"\d\s*(?:{names})(?![^\W\d_])"
    if not money or not re.search(f"{before}|{after}", text, flags=re.IGNORECASE):
        found.append(Fault.NO_EXAMPLE_IN_MONEY)
    return tuple(found)
