"""How a day went, in numbers: means, spreads and how equally something is shared."""

import numpy as np

from matching.arrays import FloatArray
from matching.replay.day import Shifts

# Whoever was there for less has no hourly income worth comparing.
LEAST_ONLINE_S = 3600.0


def spread(values: FloatArray) -> dict[str, float | None]:
    """Mean, median and 95th percentile in tenths; None where there are no values."""
    if not len(values):
        return {"mean": None, "p50": None, "p95": None}
    p50, p95 = np.percentile(values, [50, 95])
    parts = {"mean": np.mean(values), "p50": p50, "p95": p95}
    return {name: round(float(value), 1) for name, value in parts.items()}


def lowest(values: FloatArray) -> dict[str, float | None]:
    """The 10th percentile in tenths: how the worst off fare; None where there are no values."""
    return {"p10": round(float(np.percentile(values, 10)), 1) if len(values) else None}


def hourly(kept_minor: FloatArray, *, online_s: FloatArray) -> FloatArray:
    """Income per hour online of every driver who was online for an hour or more."""
    told = online_s >= LEAST_ONLINE_S
    return np.asarray(kept_minor[told] / online_s[told] * 3600)


def gini(values: FloatArray) -> float:
    """0 where all have the same, towards 1 where one has everything; 0 where nobody has any.

    The mean difference between any two, over twice the mean (Gini 1912), by the sorted form.
    """
    ascending = np.sort(values)
    many, total = len(ascending), float(ascending.sum())
    if total <= 0:
        return 0.0
    rank = 2 * np.arange(1, many + 1) - many - 1
    return float(rank @ ascending) / (many * total)


def at_once(shifts: Shifts) -> int:
    """The most drivers who are on shift at one moment."""
    moments_s = np.concatenate((shifts.start_s, shifts.end_s))
    change = np.repeat((1, -1), len(shifts))
    # Who leaves at a moment is gone before the next one comes.
    order = np.lexsort((change, moments_s))
    return int(np.cumsum(change[order]).max(initial=0))
