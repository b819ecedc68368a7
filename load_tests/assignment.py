"""Measures certified matching beside scipy, lapx, OR-Tools and greedy, in one table.

`python -m load_tests.assignment [--largest 5000] [--seeds 7 8 9] [--json FILE]`. All methods take
turns in one process on the same made-up, clustered cities, with twice as many drivers as riders; a
ratio is dense scipy's time over the method's own in the same turn, the median of all turns. Scipy
gets the whole matrix, building it is part of its time; our certified answer names each pairing and
proves the gap, and puts what explains a pairing into words when it is asked for: a row of its own
has all of them put into words, which nobody else does. Each of
them works in one thread, and the time is that thread's on the processor: on an idle machine it is
the clock's, on a busy one it leaves out whoever else had a turn. What works on given edges gets
those with which our exact answer ended, for nothing.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from load_tests.goals import Goal, goals_table
from load_tests.stalls import Stall, measure_stalls, named_by_uuid
from matching.arrays import FloatArray, IntArray
from matching.assignment import Limits, solve_greedy
from matching.certified import solve_certified
from matching.costs import cost_terms, not_serving
from matching.flow import cheapest_edges
from matching.nearest import on_unit_sphere
from matching.problem import Assignment, Candidates, Demand, Problem, Supply
from matching.sparse import cheapest_pairing
from matching.travel import EARTH_RADIUS_M, StraightLine

LINE = StraightLine()
# Nobody is cut short here: the time that each takes is what is measured.
UNHURRIED = Limits(deadline_s=3600.0)
SIZES = ((50, 100), (500, 1000), (2000, 4000), (5000, 10000))
# Turns of each method in each city, and how many cities.
TURNS = {50: 15, 500: 9, 2000: 3, 5000: 1}
MOST_CITIES = {50: 5, 500: 5, 2000: 5, 5000: 1}
LEAST_RATIOS = {500: 1.5, 2000: 5.0, 5000: 10.0}
LONGEST_STALL_MS = 10.0

DENSE = "scipy, whole matrix"
CERTIFIED = "ours, certified to 0.5 %"
IN_WORDS = "ours, certified, all in words"
EXACT = "ours, exact"
LAPJV = "lapx lapjv, whole matrix"
PATHS = "our paths, given edges"
LAPMOD = "lapx lapmod, given edges"
FLOW = "OR-Tools flow, given edges"
GREEDY = "greedy, given edges"
LAPX_MISSING = "lapx is not installed: uv sync --group peers"
LAPJV_TOO_LARGE = "it would need a square matrix of 10,000 a side"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a method found: its objective, whom it served, and the gap it proves by itself."""

    objective_ds: int
    served: int
    stated_gap: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One method on batches of one size; `time_ratio` is dense scipy's time over this one's."""

    riders: int
    drivers: int
    method: str
    median_ms: float
    time_ratio: float
    worst_gap_to_optimum: float
    worst_stated_gap: float | None
    served_share: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One method's turn on one city."""

    method: str
    seconds: float
    time_ratio: float
    gap_to_optimum: float
    outcome: Outcome


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


def run(*, seeds: tuple[int, ...] = (7, 8, 9), largest: int = 5000) -> dict[str, Any]:
    """Measure and print; the rows, stalls and goals as plain data, and what was left out, why."""
    rows = []
    measured(clustered_city(50, 100, seed=0), turns=1)
    for riders, drivers in SIZES:
        if riders <= largest:
            cities = [
                clustered_city(riders, drivers, seed=seed) for seed in seeds[: MOST_CITIES[riders]]
            ]
            turns = [turn for city in cities for turn in measured(city, turns=TURNS[riders])]
            rows += _rows(riders, drivers, turns)
    live = named_by_uuid(clustered_city(2000, 4000, seed=seeds[0]), seed=seeds[0])
    stalls = asyncio.run(measure_stalls(live, line=LINE))
    goals = judged(rows, stalls=stalls)
    console = Console(width=110)
    console.print(_table(rows), _stall_table(stalls))
    console.print(goals_table(goals, title="assignment"))
    left_out = {f"{LAPJV}, 5000 x 10000": LAPJV_TOO_LARGE}
    return {
        "seeds": list(seeds),
        "rows": [asdict(row) for row in rows],
        "stalls": [asdict(stall) for stall in stalls],
        "goals": [goal.as_json() for goal in goals],
        "left_out": left_out if find_spec("lap") else {LAPJV: LAPX_MISSING, LAPMOD: LAPX_MISSING},
    }


def judged(rows: list[Row], *, stalls: list[Stall]) -> list[Goal]:
    """What the issue asks for, from the rows and stalls."""
    goals = [
        Goal(
            what=f"{row.riders} x {row.drivers}: {DENSE} over {CERTIFIED}",
            value=row.time_ratio,
            at_least=LEAST_RATIOS[row.riders],
        )
        for row in rows
        if row.method == CERTIFIED and row.riders in LEAST_RATIOS
    ]
    goals += [
        Goal(what=f"longest stall, ms, {one.where}", value=one.longest_ms, at_most=LONGEST_STALL_MS)
        for one in stalls
        if one.is_judged
    ]
    return goals


def measured(problem: Problem, *, turns: int) -> list[Turn]:
    """All methods on one city, taking turns.

    Refused: a result that contradicts its own gap, or an optimum that is none.
    """
    exact, edges = solve_certified(problem, line=LINE, limits=UNHURRIED, seed=1, gap=0.0)
    methods = _methods(problem, edges)
    taken = []
    for _ in range(turns):
        dense_s = np.nan
        for name, method in methods.items():
            before_s = time.thread_time()
            outcome = method()
            seconds = time.thread_time() - before_s
            dense_s = seconds if name == DENSE else dense_s
            gap = outcome.objective_ds / exact.objective_ds - 1
            allowed = np.inf if name == GREEDY else outcome.stated_gap or 0.0
            if not -1e-12 <= gap <= allowed + 1e-12:
                message = f"{name} found {outcome}, the optimum is {exact.objective_ds}"
                raise SystemExit(message)
            taken.append(Turn(name, seconds, dense_s / seconds, gap, outcome))
    return taken


def _methods(problem: Problem, edges: Candidates) -> dict[str, Callable[[], Outcome]]:
    """By name; dense scipy comes first. Whatever of lapx is not there or too large is left out."""
    cost_ds = cost_terms(problem, edges).total_ds
    unserved_ds = not_serving(problem)
    methods: dict[str, Callable[[], Outcome]] = {
        DENSE: lambda: dense(problem),
        CERTIFIED: lambda: _certified(problem, gap=0.005),
        IN_WORDS: lambda: _in_words(problem),
        EXACT: lambda: _certified(problem, gap=0.0),
        PATHS: lambda: _by_paths(edges, cost_ds, unserved_ds),
        FLOW: lambda: _by_flow(edges, cost_ds, unserved_ds),
        GREEDY: lambda: _outcome(solve_greedy(problem, edges, seed=1)),
    }
    if find_spec("lap"):
        methods[LAPMOD] = lambda: _lapmod(edges, cost_ds, unserved_ds)
        if len(problem.demand) < 5000:
            methods[LAPJV] = lambda: _lapjv(problem)
    return methods


def dense(problem: Problem) -> Outcome:
    """Scipy on the whole matrix."""
    cost_ds = whole_matrix(problem)
    rider, driver = linear_sum_assignment(cost_ds)
    return _dense_outcome(problem, cost_ds[rider, driver])


def whole_matrix(problem: Problem) -> FloatArray:
    """All pairs' costs, built the quickest way that we know; nobody has waited here.

    A pair beyond the cap costs what not serving costs, which is exact while drivers abound.
    """
    demand, supply, weights = problem.demand, problem.supply, problem.weights
    cost_ds: FloatArray = cdist(
        on_unit_sphere(demand.lat, demand.lng), on_unit_sphere(supply.lat, supply.lng)
    )
    cost_ds /= 2
    np.arcsin(cost_ds, out=cost_ds)
    cost_ds *= 20 * EARTH_RADIUS_M * float(LINE.drive_s(1.0))
    np.rint(cost_ds, out=cost_ds)
    cost_ds[cost_ds > weights.max_pickup_s * 10] = weights.unserved_s * 10
    return cost_ds


def _dense_outcome(problem: Problem, chosen_ds: FloatArray) -> Outcome:
    served = int((chosen_ds <= problem.weights.max_pickup_s * 10).sum())
    return Outcome(int(chosen_ds.sum()), served)


def _certified(problem: Problem, *, gap: float) -> Outcome:
    """Ours, with the candidates found and what explains every pairing."""
    return _outcome(solve_certified(problem, line=LINE, limits=UNHURRIED, seed=1, gap=gap)[0])


def _in_words(problem: Problem) -> Outcome:
    """Ours, with each pairing's terms, rank and runner-up as objects, made whether read or not."""
    result, _ = solve_certified(problem, line=LINE, limits=UNHURRIED, seed=1)
    assert len(tuple(result.pairings)) == len(result.pairings), "a pairing is missing"
    return _outcome(result)


def _outcome(result: Assignment) -> Outcome:
    return Outcome(result.objective_ds, len(result.pairings), result.gap)


def _by_paths(edges: Candidates, cost_ds: IntArray, unserved_ds: IntArray) -> Outcome:
    found = cheapest_pairing(
        starts=edges.starts,
        driver=edges.driver,
        cost_ds=cost_ds,
        unserved_ds=unserved_ds,
        driver_count=edges.driver_count,
    )
    chosen = found.driver_of[edges.rider] == edges.driver
    return _sparse_outcome(edges, chosen, cost_ds, unserved_ds)


def _by_flow(edges: Candidates, cost_ds: IntArray, unserved_ds: IntArray) -> Outcome:
    found = cheapest_edges(
        rider=edges.rider, driver=edges.driver, cost_ds=cost_ds, price_ds=unserved_ds
    )
    assert found is not None, "OR-Tools found no flow"
    return _sparse_outcome(edges, found, cost_ds, unserved_ds)


def _lapmod(edges: Candidates, cost_ds: IntArray, unserved_ds: IntArray) -> Outcome:
    """Lapx needs a square: each driver brings a shadow who takes her, or a served rider's way out.

    The first rows are the riders, the first columns the drivers; a rider's way out is her own.
    """
    import lap  # noqa: PLC0415 - a peer; the rest of this module does without

    riders, drivers = edges.rider_count, edges.driver_count
    by_driver = np.argsort(edges.driver, kind="stable")
    rider, driver = np.arange(riders), np.arange(drivers)
    row = np.concatenate((edges.rider, rider, riders + driver, riders + edges.driver[by_driver]))
    column = np.concatenate(
        (edges.driver, drivers + rider, driver, drivers + edges.rider[by_driver])
    )
    nothing = np.zeros(drivers + len(edges))
    cost = np.concatenate((cost_ds, unserved_ds, nothing)).astype(np.float64)
    order = np.lexsort((column, row))
    size = riders + drivers
    starts = np.searchsorted(row[order], np.arange(size + 1))
    taken = lap.lapmod(
        size,
        cost[order],
        starts.astype(np.int32),
        column[order].astype(np.int32),
        return_cost=False,
    )[0]
    chosen = taken[edges.rider] == edges.driver
    return _sparse_outcome(edges, chosen, cost_ds, unserved_ds)


def _lapjv(problem: Problem) -> Outcome:
    import lap  # noqa: PLC0415 - a peer; the rest of this module does without

    cost_ds = whole_matrix(problem)
    taken, _ = lap.lapjv(cost_ds, extend_cost=True, return_cost=False)
    return _dense_outcome(problem, cost_ds[np.arange(len(cost_ds)), taken])


def _sparse_outcome(
    edges: Candidates, chosen: NDArray[Any], cost_ds: IntArray, unserved_ds: IntArray
) -> Outcome:
    served = edges.rider[chosen]
    objective_ds = cost_ds[chosen].sum() + unserved_ds.sum() - unserved_ds[served].sum()
    return Outcome(int(objective_ds), len(served))


def _rows(riders: int, drivers: int, turns: list[Turn]) -> list[Row]:
    rows = []
    for method in dict.fromkeys(turn.method for turn in turns):
        own = [turn for turn in turns if turn.method == method]
        stated = [turn.outcome.stated_gap for turn in own if turn.outcome.stated_gap is not None]
        rows.append(
            Row(
                riders=riders,
                drivers=drivers,
                method=method,
                median_ms=float(np.median([turn.seconds for turn in own])) * 1000,
                time_ratio=float(np.median([turn.time_ratio for turn in own])),
                worst_gap_to_optimum=max(turn.gap_to_optimum for turn in own),
                worst_stated_gap=max(stated, default=None),
                served_share=sum(turn.outcome.served for turn in own) / (riders * len(own)),
            )
        )
    return rows


def _table(rows: list[Row]) -> Table:
    table = Table("riders x drivers", "method", "ms", "ratio", "gap", "stated", "served")
    for row, following in pairwise([*rows, None]):
        assert row is not None
        stated = "" if row.worst_stated_gap is None else f"{row.worst_stated_gap:.3%}"
        table.add_row(
            f"{row.riders} x {row.drivers}",
            row.method,
            f"{row.median_ms:,.1f}",
            f"{row.time_ratio:.1f}",
            f"{row.worst_gap_to_optimum:.3%}",
            stated,
            f"{row.served_share:.1%}",
            end_section=following is None or following.riders != row.riders,
        )
    return table


def _stall_table(stalls: list[Stall]) -> Table:
    """What is not judged is what the machine's other programs do to any loop."""
    table = Table(
        "2000 x 4000 beside an event loop", "ms", "longest stall, ms", "99 % below", "judged"
    )
    for one in stalls:
        table.add_row(
            one.where,
            f"{one.took_ms:,.0f}",
            f"{one.longest_ms:.1f}",
            f"{one.p99_ms:.1f}",
            "yes" if one.is_judged else "the machine's own",
        )
    return table


def main() -> None:
    """Measure every size up to the largest asked for, print the tables, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=5000, help="riders in the largest batch")
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9], help="made-up cities")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    asked = parser.parse_args()
    figures = run(seeds=tuple(asked.seeds), largest=asked.largest)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
