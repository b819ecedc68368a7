"""Says how unequal a division is, of income as of voice."""

from collections.abc import Iterable
from fractions import Fraction


def gini(amounts: Iterable[int | Fraction]) -> Fraction:
    """Return the Gini coefficient: 0 when all have the same, (n - 1)/n when one has everything.

    Source: C. Gini (1912), in the form 2·Σ i·x_i / (n·Σ x) - (n + 1)/n with x ascending. Nobody,
    or nobody who has anything, is equal: 0. Refused (ValueError): a negative amount.
    """
    ascending = sorted(Fraction(amount) for amount in amounts)
    if ascending and ascending[0] < 0:
        raise ValueError("a Gini coefficient needs amounts of 0 or more")
    whole = sum(ascending, Fraction())
    if whole == 0:
        return Fraction(0)
    n = len(ascending)
    weighed = sum((i * amount for i, amount in enumerate(ascending, start=1)), Fraction())
    return 2 * weighed / (n * whole) - Fraction(n + 1, n)
