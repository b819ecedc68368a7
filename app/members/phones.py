"""Telephone numbers in one form, so that one person is one member (pure)."""

import phonenumbers

from app.members.errors import PhoneNumberInvalid

ENDING_DIGITS = 4


def normalise_phone(written: str) -> str:
    """Return the number in E.164, as +4232345678.

    A number that its country could give out is taken: numbering plans change sooner than any
    list of them, and a number that does not exist never receives a code.

    Raises:
        PhoneNumberInvalid: it has no country code, or no country has such numbers.
    """
    try:
        number = phonenumbers.parse(written, None)
    except phonenumbers.NumberParseException:
        raise PhoneNumberInvalid from None
    phone = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # Some plans allow more digits than E.164 does.
    if not phonenumbers.is_possible_number(number) or not 7 <= len(phone) - 1 <= 15:
        raise PhoneNumberInvalid
    return phone


def split_phone(phone: str) -> tuple[str, str]:
    """Return the prefix, shared by ten thousand numbers, and the four digits of this one."""
    return phone[:-ENDING_DIGITS], phone[-ENDING_DIGITS:]
