"""Amounts as people read and spreadsheets add them: decimal, with the digits of the currency."""

from typing import Final

# ISO 4217: how many digits follow the point, where they are not two.
_NONE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"
_DIGITS: Final = dict.fromkeys(_NONE.split(), 0) | dict.fromkeys(_THREE.split(), 3)


def decimal(amount_minor: int, *, currency: str) -> str:
    """Return an amount as a decimal number, such as -12.05; nothing is rounded."""
    digits = _DIGITS.get(currency, 2)
    if not digits:
        return str(amount_minor)
    whole, part = divmod(abs(amount_minor), 10**digits)
    return f"{'-' if amount_minor < 0 else ''}{whole}.{part:0{digits}}"


def readable(amount_minor: int, *, currency: str, apart: str = "\N{NO-BREAK SPACE}") -> str:
    """Return the same for the eye: thousands apart, such as 1 234.50."""
    text = decimal(abs(amount_minor), currency=currency)
    whole, point, part = text.partition(".")
    grouped = f"{int(whole):,}".replace(",", apart)
    return f"{'-' if amount_minor < 0 else ''}{grouped}{point}{part}"


def percent(basis_points: int) -> str:
    """Return a share in basis points as a percentage, such as 15 % or 12.5 %."""
    whole, part = divmod(abs(basis_points), 100)
    text = f"{whole}.{part:02}".rstrip("0").rstrip(".") if part else str(whole)
    return f"{'-' if basis_points < 0 else ''}{text} %"
