"""Pays a member's capital back, the oldest lot first, and never out of the reserve."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lot:
    """A credit on a member's capital from one period, and what of it was paid back.

    Refused (ValueError): amounts that are negative, more paid back than there was.
    """

    key: str
    amount_minor: int
    redeemed_minor: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.redeemed_minor <= self.amount_minor:
            raise ValueError(f"lot {self.key} has {self.amount_minor}, not {self.redeemed_minor}")

    @property
    def left_minor(self) -> int:
        """What is still the member's."""
        return self.amount_minor - self.redeemed_minor


@dataclass(frozen=True, slots=True)
class Means:
    """What the cooperative has at the bank and what stands against it, in minor units."""

    bank_minor: int
    owed_minor: int
    funds_minor: int
    reserve_minor: int

    @property
    def free_minor(self) -> int:
        """What may be paid back: money that is nobody's pay, no fund's and not the reserve's."""
        return max(0, self.bank_minor - self.owed_minor - self.funds_minor - self.reserve_minor)


def redeem(lots: Iterable[Lot], *, means: Means) -> dict[str, int]:
    """Return what is paid back of each lot: first in first out, as far as the means reach.

    `lots` are in the order in which they came. What the means do not reach waits; nothing is lost.
    """
    free_minor = means.free_minor
    paid = {}
    for lot in lots:
        part_minor = min(lot.left_minor, free_minor)
        if part_minor:
            paid[lot.key] = part_minor
            free_minor -= part_minor
    return paid
