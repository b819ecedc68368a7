"""How a day went, in numbers: means, spreads and how equally something is shared."""

import numpy as np

from matching.arrays import FloatArray


def spread(values: FloatArray) -> dict[str, float | None]:
    """Mean, median and 95th percentile in tenths; None where there are no values."""
    if not len(values):
        return {"mean": None, "p50": None, "p95": None}
    p50, p95 = np.percentile(values, [50, 95])
    parts = {"mean": np.mean(values), "p50": p50, "p95": p95}
    return {name: round(float(value), 1) for name, value in parts.items()}


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
