"""Why a bank sends a payment back: the reason codes of ISO 20022 in plain words.

Source: ISO 20022 External Code Sets, ExternalStatusReason1Code and ExternalReturnReason1Code.
"""

from types import MappingProxyType
from typing import Final

_TRY_AGAIN: Final = "Nothing is wrong with your account; the next batch pays it again."
_NEW_ACCOUNT: Final = "Register an account that can be paid, and the next batch pays it again."

WORDS: Final = MappingProxyType(
    {
        "AC01": f"The bank knows no account with this number. {_NEW_ACCOUNT}",
        "AC03": f"The bank knows no account with this number. {_NEW_ACCOUNT}",
        "AC04": f"The account is closed. {_NEW_ACCOUNT}",
        "AC06": f"The account is blocked. Ask your bank why. {_NEW_ACCOUNT}",
        "AC07": f"The account is closed. {_NEW_ACCOUNT}",
        "AC13": f"The account is of a kind that takes no such payments. {_NEW_ACCOUNT}",
        "AC14": f"The account is of a kind that takes no such payments. {_NEW_ACCOUNT}",
        "AG01": f"The account takes no such payments. {_NEW_ACCOUNT}",
        "AG02": f"The bank did not understand our file. {_TRY_AGAIN}",
        "AM04": f"There was too little on the cooperative's own account. {_TRY_AGAIN}",
        "AM05": f"The bank took it for a double of another payment. {_TRY_AGAIN}",
        "AM09": f"The amount was not the one agreed with the bank. {_TRY_AGAIN}",
        "BE01": f"The holder's name does not belong to this account. {_NEW_ACCOUNT}",
        "BE04": f"The bank wants the holder's address. Ask your bank. {_NEW_ACCOUNT}",
        "CUST": f"It was called back. {_TRY_AGAIN}",
        "DT01": f"The day of payment was not one the bank takes. {_TRY_AGAIN}",
        "DUPL": f"The bank took it for a double of another payment. {_TRY_AGAIN}",
        "FOCR": f"It was called back. {_TRY_AGAIN}",
        "MD07": f"The bank says that the account's holder has died. {_NEW_ACCOUNT}",
        "MS02": f"The account's holder or bank refused it and gave no reason. {_NEW_ACCOUNT}",
        "MS03": f"The bank gave no reason. {_TRY_AGAIN}",
        "NOAS": f"The account's holder did not answer the bank. {_NEW_ACCOUNT}",
        "RC01": f"The bank's own code is not known any more. {_NEW_ACCOUNT}",
        "RR04": f"The bank may not say why, by law. Ask your bank. {_NEW_ACCOUNT}",
        "TECH": f"Something technical failed at the bank. {_TRY_AGAIN}",
    }
)
UNKNOWN: Final = f"The bank gave no reason that we know. {_TRY_AGAIN}"

# After one of these the same account is not paid again: it would only come back again.
ACCOUNT_FAULTS: Final = tuple(
    sorted(code for code, words in WORDS.items() if words.endswith(_NEW_ACCOUNT))
)


def in_words(code: str | None) -> str:
    """Return what a driver reads about a payment that came back."""
    return WORDS.get(code or "", UNKNOWN)
