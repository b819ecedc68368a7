"""An order that tells nothing, for what is published in the order in which it was done."""

from collections.abc import Sequence
from secrets import SystemRandom


def in_no_order[Item](items: Sequence[Item]) -> list[Item]:
    """Return the items in an order drawn by lot, that nobody can draw again."""
    return SystemRandom().sample(items, k=len(items))
