"""The arithmetic of a measurement: percentiles, arrivals, and a rate without what came on top."""

import random
from collections.abc import Iterator, Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share (0 to 1) of the values do not exceed."""
    if not values or not 0 <= share <= 1:
        raise ValueError("a percentile needs values and a share from 0 to 1")
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def arrivals(*, per_s: float, seconds: float, seed: int) -> Iterator[float]:
    """Yield the moments, in seconds from 0, of a Poisson stream: nobody's clock is in step."""
    draw = random.Random(seed)
    at_s = draw.expovariate(per_s)
    while at_s < seconds:
        yield at_s
        at_s += draw.expovariate(per_s)


def rate_without(per_s: float, *, part_per_s: float) -> float:
    """Return the rate at which a whole would run without one part of it.

    ``part_per_s`` is the rate at which that part runs alone; times per round are subtracted.
    """
    if not 0 < per_s < part_per_s:
        raise ValueError("a whole takes longer than its part")
    return 1 / (1 / per_s - 1 / part_per_s)
