"""Meent head to head with SUMO's own taxi dispatchers, on the same requests.

`python -m load_tests.sumo [--seeds 10] [--quick] [--city FOLDER] [--find-load] [--json FILE]`.
"""

import argparse
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from load_tests.goals import goals_table
from load_tests.sumo.cases import (
    AIMS,
    City,
    city_in,
    judged,
    make_cases,
    make_networks,
    ratios,
    saturated_per_hour,
    usual_cities,
    work_of,
)
from load_tests.sumo.runs import Run, simulate_all

# The ratio of slow waits scatters by some 0.15 from seed to seed: five seeds prove little.
SEEDS = 10
FIGURES = ("wait_mean_s", "wait_p95_s", "ride_mean_s", "taxi_km")


def main() -> None:
    """Simulate, print the tables, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, help="how many times each case is drawn"
    )
    parser.add_argument("--quick", action="store_true", help="one seed")
    parser.add_argument("--city", type=Path, action="append", help="a city folder; may be repeated")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument(
        "--find-load", action="store_true", help="only search the load that counts as saturated"
    )
    asked = parser.parse_args()
    cities = [city_in(folder) for folder in asked.city] if asked.city else None
    if asked.find_load:
        find_loads(usual_cities() if cities is None else cities)
        return
    figures = run(seeds=1 if asked.quick else asked.seeds, cities=cities)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


def run(*, seeds: int = SEEDS, cities: Sequence[City] | None = None) -> dict[str, Any]:
    """Simulate and print; runs and goals as plain data. One simulation per core, at most two."""
    chosen = usual_cities() if cities is None else list(cities)
    processes = min(2, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory(prefix="meent-sumo-") as name:
        folder = Path(name)
        cases = []
        for network in make_networks(chosen, folder=folder):
            _say(f"{network.name}: {len(network.streets):,} streets")
            full = saturated_per_hour(network, folder=folder, say=_say)
            cases += make_cases(network, seeds=seeds, saturated_per_hour=full)
        work = work_of(cases)
        runs: list[Run] = []
        for done in simulate_all(work, folder=folder, processes=processes):
            runs.append(done)
            _say(f"{len(runs)}/{len(work)} {_line(done)}")
    goals = judged(runs)
    console = Console(width=110)
    console.print(_means_table(runs))
    console.print(_ratios_table(runs))
    console.print(goals_table(goals, title="SUMO"))
    return {
        "runs": [
            {
                "network": one.case.network,
                "load": one.case.load,
                "per_hour": one.case.per_hour,
                "seed": one.case.seed,
                "dispatcher": one.dispatcher,
                "wall_s": one.wall_s,
                "decide_ms": one.decide_ms,
                "pace": one.pace,
                **asdict(one.result),
            }
            for one in runs
        ],
        "goals": [goal.as_json() for goal in goals],
    }


def find_loads(cities: Sequence[City]) -> None:
    """Print for every network the load that greedyClosest finds saturated."""
    with tempfile.TemporaryDirectory(prefix="meent-sumo-") as name:
        folder = Path(name)
        for network in make_networks(cities, folder=folder):
            found = saturated_per_hour(network, folder=folder, say=_say, anew=True)
            _say(f"{network.name}: saturated at {found} requests an hour")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _line(one: Run) -> str:
    return (
        f"{one.case.network}, {one.case.load}, seed {one.case.seed}, {one.dispatcher}: "
        f"wait {one.result.wait_mean_s:.0f} s, 95 % below {one.result.wait_p95_s:.0f} s, "
        f"{one.result.taxi_km:,.0f} km, in {one.wall_s:.0f} s"
    )


def _means_table(runs: list[Run]) -> Table:
    """Each dispatcher's figures, as means over the seeds."""
    table = Table(
        *("network", "load", "per hour", "dispatcher", "wait", "p95", "ride", "km", "unserved"),
        title="SUMO: seconds, means over the seeds",
        title_justify="left",
    )
    groups: dict[tuple[str, str, str, str], list[Run]] = defaultdict(list)
    for one in runs:
        case = one.case
        groups[case.network, case.load, str(case.per_hour), one.dispatcher].append(one)
    for words, group in groups.items():
        means = [np.mean([getattr(one.result, figure) for one in group]) for figure in FIGURES]
        unserved = sum(one.result.unserved for one in group)
        table.add_row(*words, *(f"{mean:,.0f}" for mean in means), str(unserved))
    return table


def _ratios_table(runs: list[Run]) -> Table:
    """Our figures over the peer's, seed by seed."""
    table = Table(
        *("network", "load", "figure", "of", "mean", "seed by seed"),
        title="ours over the peer's",
        title_justify="left",
    )
    for network in dict.fromkeys(one.case.network for one in runs):
        for aim in AIMS:
            found = ratios(runs, network=network, aim=aim)
            if found:
                each = " ".join(f"{ratio:.2f}" for ratio in found)
                mean = f"{np.mean(found):.3f}"
                table.add_row(network, aim.load, aim.figure, aim.peer, mean, each)
    return table


if __name__ == "__main__":
    main()
