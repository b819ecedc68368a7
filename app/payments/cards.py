"""Tells what looks like the number of a card, so that none is ever taken in."""

import re
from typing import Any, Final

# Numbers of cards have 12 to 19 digits (ISO/IEC 7812-1), often written in groups.
_RUN: Final = re.compile(r"\d(?:[ .-]?\d){11,}")
_LONGEST: Final = 19


def fits_luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = (int(digit) * 2 if n % 2 else int(digit) for n, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def holds_card_number(value: Any) -> bool:
    """Return whether a text, or any text inside a JSON value, holds what may be a card's number."""
    match value:
        case dict():
            return any(holds_card_number(part) for pair in value.items() for part in pair)
        case list() | tuple():
            return any(holds_card_number(part) for part in value)
        case bool() | None:
            return False
    for run in _RUN.finditer(str(value)):
        digits = re.sub(r"\D", "", run[0])
        # A run that is longer than any number of a card may still have one inside it.
        starts = range(max(1, len(digits) - _LONGEST + 1))
        if any(fits_luhn(digits[start : start + _LONGEST]) for start in starts):
            return True
    return False
