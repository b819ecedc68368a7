"""Policies compared over several seeds, each pair on the same day with the same drivers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from matching.arrays import FloatArray

# What is compared, where it stands in a policy's figures, and its key in the report.
_COMPARED = (
    ("Gini of income an hour", ("gini_income_per_hour",), "gini_ratio"),
    ("pickup mean", ("pickup_s", "mean"), "pickup_ratio"),
    ("wait mean", ("wait_s", "mean"), "wait_ratio"),
    ("wait 95 % below", ("wait_s", "p95"), "wait_p95_ratio"),
    ("served", ("served",), "served_ratio"),
    ("empty km", ("empty_km",), "empty_km_ratio"),
    ("income an hour, mean", ("income_per_online_hour_minor", "mean"), "income_ratio"),
    ("income an hour, 10 % below", ("income_per_online_hour_minor", "p10"), "income_p10_ratio"),
)


def paired_figures(runs: Mapping[int, Mapping[str, dict[str, Any]]]) -> dict[str, Any]:
    """Return every policy's figures as ratios to the first's, seed by seed, with mean and error.

    `runs` holds per seed the figures of the same policies in the same order. `se` is the standard
    error of the mean over the seeds, 0 with a single one; a ratio is None where there is nothing
    to divide, and is then left out of the mean.
    """
    base, *others = next(iter(runs.values()))
    return {
        "seeds": list(runs),
        "base": base,
        "policies": {
            name: {
                key: _summary([_ratio(one[name], one[base], path) for one in runs.values()])
                for _, path, key in _COMPARED
            }
            for name in others
        },
    }


def paired_table(
    paired: Mapping[str, Any],
) -> tuple[tuple[str, ...], Sequence[tuple[str, ...]]]:
    """Return headings and rows for people: each policy over the first, mean and error."""
    policies: dict[str, dict[str, Any]] = paired["policies"]
    rows = [
        (title, *(_shown(one[key]) for one in policies.values())) for title, _, key in _COMPARED
    ]
    return (f"over {paired['base']}", *policies), rows


def _ratio(
    figures: Mapping[str, Any], base: Mapping[str, Any], path: tuple[str, ...]
) -> float | None:
    over, under = _at(figures, path), _at(base, path)
    return None if over is None or not under else over / under


def _at(figures: Mapping[str, Any], path: tuple[str, ...]) -> float | None:
    value: Any = figures
    for key in path:
        value = value[key]
    return None if value is None else float(value)


def _summary(each: list[float | None]) -> dict[str, Any]:
    known: FloatArray = np.array([ratio for ratio in each if ratio is not None])
    if not len(known):
        return {"mean": None, "se": None, "each": each}
    deviation = float(np.std(known, ddof=1)) if len(known) > 1 else 0.0
    return {
        "mean": round(float(known.mean()), 4),
        "se": round(deviation / len(known) ** 0.5, 4),
        "each": [None if ratio is None else round(ratio, 4) for ratio in each],
    }


def _shown(summary: Mapping[str, Any]) -> str:
    if summary["mean"] is None:
        return "-"
    return f"x{summary['mean']:.3f} ± {summary['se']:.3f}"
