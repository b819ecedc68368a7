"""Bank account numbers as people type them, checked by schwifty, and names as banks take them."""

import re
from dataclasses import dataclass

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from text_unidecode import unidecode

# What SEPA (EPC 217-08) lets stand in a name or a text.
_NOT_SEPA = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")


@dataclass(frozen=True, slots=True)
class BankNumber:
    """An IBAN whose length, form and check digits are right."""

    iban: str
    is_sepa: bool
    bic: str | None


def check_iban(typed: str) -> BankNumber:
    """Return the account number, without the spaces it was typed with.

    Refused (ValueError, which never repeats the number): an unknown country, a wrong length or
    form, check digits that do not fit.
    """
    try:
        number = IBAN(typed.replace(" ", "").upper())
    except SchwiftyException:
        # Its own words, and the chain behind them, would repeat the number.
        raise ValueError("is no account number that exists: compare it with your card") from None
    bic = number.bic
    return BankNumber(number.compact, number.in_sepa_zone, bic.compact if bic else None)


def sepa_text(text: str, *, most: int) -> str:
    """Return a text in the letters that every bank takes, at most so many of them."""
    return " ".join(_NOT_SEPA.sub(" ", unidecode(text)).split())[:most].rstrip()
