"""Measures certified matching beside dense scipy and plain lists of the nearest, in one table.

`python -m load_tests.assignment [--largest 5000] [--seed 7] [--json FILE]`. Every row is one
made-up, clustered city in one run, with twice as many drivers as riders; a ratio is dense scipy's
time over the method's own.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from matching.assignment import Limits, solve
from matching.candidates import find_candidates
from matching.certified import solve_certified
from matching.nearest import on_unit_sphere
from matching.problem import Assignment, Demand, Problem, Supply
from matching.travel import EARTH_RADIUS_M, StraightLine

LINE = StraightLine()
# Nobody is cut short here: the time that each takes is what is measured.
UNHURRIED = Limits(deadline_s=3600.0)
SIZES = ((500, 1000), (2000, 4000), (5000, 10000))
REPEATS = {500: 9, 2000: 3, 5000: 1}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a method found: its objective, whom it served, and the gap it proves by itself."""

    objective_ds: int
    served: int
    stated_gap: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one batch; `time_ratio` is dense scipy's median time over this one's."""

    riders: int
    drivers: int
    method: str
    median_ms: float
    time_ratio: float
    gap_to_optimum: float
    stated_gap: float | None
    served: int


def clustered_city(riders: int, drivers: int, *, seed: int) -> Problem:
    """Forty centres of unequal weight within some 12 km; supply is flatter than demand."""
    random = np.random.default_rng(seed)
    count = 40
    angle, reach_m = random.uniform(0, 2 * np.pi, count), np.abs(random.normal(0, 6500, count))
    centre = np.column_stack((reach_m * np.cos(angle), reach_m * np.sin(angle)))
    spread_m = random.uniform(250, 1400, count)
    popular = random.pareto(1.3, count) + 0.2

    def places(people: int, *, weight: np.ndarray, wider: float, scattered: float) -> np.ndarray:
        home = random.choice(count, people, p=weight / weight.sum())
        around = random.normal(0, 1, (people, 2)) * (spread_m[home] * wider)[:, np.newaxis]
        bearing = random.uniform(0, 2 * np.pi, people)
        anywhere_m = 12_000 * np.sqrt(random.random(people))
        anywhere = np.column_stack((anywhere_m * np.cos(bearing), anywhere_m * np.sin(bearing)))
        is_scattered = (random.random(people) < scattered)[:, np.newaxis]
        north_east = np.where(is_scattered, anywhere, centre[home] + around) / 111_195
        return np.column_stack((52.5 + north_east[:, 0], 13.4 + north_east[:, 1] / 0.6088))

    asked = places(riders, weight=popular, wider=1.0, scattered=0.15)
    stand = places(drivers, weight=np.sqrt(popular), wider=1.6, scattered=0.25)
    return Problem(
        demand=Demand(tuple(range(riders)), asked[:, 0], asked[:, 1], np.zeros(riders)),
        supply=Supply(tuple(range(drivers)), stand[:, 0], stand[:, 1]),
    )


def dense(problem: Problem) -> Outcome:
    """Scipy on the whole matrix, built the quickest way that we know; nobody has waited here.

    A pair beyond the cap costs what not serving costs, which is exact while drivers abound.
    """
    demand, supply, weights = problem.demand, problem.supply, problem.weights
    cost = cdist(on_unit_sphere(demand.lat, demand.lng), on_unit_sphere(supply.lat, supply.lng))
    cost /= 2
    np.arcsin(cost, out=cost)
    cost *= 20 * EARTH_RADIUS_M * float(LINE.drive_s(1.0))
    np.rint(cost, out=cost)
    never = cost > weights.max_pickup_s * 10
    cost[never] = weights.unserved_s * 10
    rider, driver = linear_sum_assignment(cost)
    return Outcome(int(cost[rider, driver].sum()), int((~never[rider, driver]).sum()))


def certified(problem: Problem, *, gap: float) -> Outcome:
    """Ours, with the candidates found and every pairing explained."""
    result, _ = solve_certified(problem, line=LINE, limits=UNHURRIED, seed=1, gap=gap)
    return _outcome(result)


def truncated(problem: Problem, *, nearest: int) -> Outcome:
    """OR-Tools over each rider's nearest drivers and nothing else."""
    edges = find_candidates(problem, line=LINE, per_rider=nearest, per_driver=0)
    return _outcome(solve(problem, edges, limits=UNHURRIED, seed=1))


METHODS: dict[str, Callable[[Problem], Outcome]] = {
    "scipy, whole matrix": dense,
    "certified to 0.5 %": partial(certified, gap=0.005),
    "certified, exact": partial(certified, gap=0.0),
    "OR-Tools, 20 nearest": partial(truncated, nearest=20),
    "OR-Tools, 50 nearest": partial(truncated, nearest=50),
}


def measured(riders: int, drivers: int, *, seed: int) -> list[Row]:
    """All methods on one city, taking turns; refuses a result that contradicts its own gap."""
    problem = clustered_city(riders, drivers, seed=seed)
    seconds: dict[str, list[float]] = {name: [] for name in METHODS}
    found: dict[str, Outcome] = {}
    for _ in range(REPEATS[riders]):
        for name, method in METHODS.items():
            before = time.perf_counter()
            found[name] = method(problem)
            seconds[name].append(time.perf_counter() - before)
    median_s = {name: float(np.median(taken)) for name, taken in seconds.items()}
    first = next(iter(METHODS))
    best_ds = found[first].objective_ds
    rows = []
    for name, outcome in found.items():
        gap = outcome.objective_ds / best_ds - 1
        if outcome.stated_gap is not None and not -1e-12 <= gap <= outcome.stated_gap + 1e-12:
            message = f"{name} states a gap of {outcome.stated_gap}, but it is {gap}"
            raise SystemExit(message)
        rows.append(
            Row(
                riders=riders,
                drivers=drivers,
                method=name,
                median_ms=median_s[name] * 1000,
                time_ratio=median_s[first] / median_s[name],
                gap_to_optimum=gap,
                stated_gap=outcome.stated_gap,
                served=outcome.served,
            )
        )
    return rows


def _outcome(result: Assignment) -> Outcome:
    return Outcome(result.objective_ds, len(result.pairings), result.gap)


def _table(rows: list[Row]) -> Table:
    table = Table("riders x drivers", "method", "ms", "ratio", "gap", "stated", "served")
    for row in rows:
        stated = "" if row.stated_gap is None else f"{row.stated_gap:.3%}"
        table.add_row(
            f"{row.riders} x {row.drivers}",
            row.method,
            f"{row.median_ms:,.0f}",
            f"{row.time_ratio:.1f}",
            f"{row.gap_to_optimum:.3%}",
            stated,
            str(row.served),
        )
    return table


def main() -> None:
    """Measure every size up to the largest asked for, print the table, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=5000, help="riders in the largest batch")
    parser.add_argument("--seed", type=int, default=7, help="which made-up city")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    asked = parser.parse_args()
    sizes = [size for size in SIZES if size[0] <= asked.largest]
    rows = [row for size in sizes for row in measured(*size, seed=asked.seed)]
    Console(width=100).print(_table(rows))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
