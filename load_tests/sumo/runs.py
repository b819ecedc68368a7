"""Simulations side by side: every dispatcher on the same requests, each in a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from load_tests.sumo.networks import program
from load_tests.sumo.options import END_S, sumo_options
from load_tests.sumo.results import Result, read_result

OURS = "meent"
OURS_POOLED = "meent, pooled"
GREEDY, CLOSEST, SHARED = "greedy", "greedyClosest", "greedyShared"
LONGEST_RUN_S = 900.0
# Nobody gives up in these simulations, and kilometres count beside waiting.
OUR_POLICY = "meent-sparing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Requests on a network that every dispatcher serves: its route file is made once."""

    network: str
    load: str
    per_hour: int
    seed: int
    net: Path
    routes: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One dispatcher on one case, what came out, and how long the simulation took.

    `decide_ms` is the median time of one decision, `pace` how much slower than on empty streets
    taxis drove; both only of ours.
    """

    case: Case
    dispatcher: str
    result: Result
    wall_s: float
    decide_ms: float | None = None
    pace: float | None = None


def simulate(case: Case, *, dispatcher: str, folder: Path) -> Run:
    """Run one simulation to its end and read what it wrote."""
    tripinfo = folder / f"{case.routes.stem}.{dispatcher.replace(', ', '-')}.xml"
    before = time.monotonic()
    if dispatcher in (OURS, OURS_POOLED):
        command = [
            *(sys.executable, "-m", "load_tests.sumo.drive"),
            *(str(case.net), str(case.routes), str(tripinfo)),
            *(("--pooled",) if dispatcher == OURS_POOLED else ("--policy", OUR_POLICY)),
        ]
    else:
        options = sumo_options(
            net=case.net, routes=case.routes, tripinfo=tripinfo, algorithm=dispatcher
        )
        command = [program("sumo"), *options]
    done = subprocess.run(
        command,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=LONGEST_RUN_S,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{dispatcher} on {case.routes.name} failed: {done.stderr[-1500:]}")
    said: dict[str, Any] = {}
    if dispatcher in (OURS, OURS_POOLED):
        said = json.loads(done.stdout.splitlines()[-1])
    result = read_result(tripinfo, end_s=END_S)
    tripinfo.unlink()
    return Run(
        case=case,
        dispatcher=dispatcher,
        result=result,
        wall_s=time.monotonic() - before,
        decide_ms=said.get("decide_ms"),
        pace=said.get("pace"),
    )


def simulate_all(
    work: list[tuple[Case, str]],
    *,
    folder: Path,
    processes: int,
) -> Iterator[Run]:
    """All of the work, so many at a time, each as it ends. After a failure no other begins."""
    with ThreadPoolExecutor(processes) as pool:
        waiting = [
            pool.submit(simulate, case, dispatcher=dispatcher, folder=folder)
            for case, dispatcher in work
        ]
        try:
            for one in as_completed(waiting):
                yield one.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
