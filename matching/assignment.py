"""Who goes to whom in one tick: the cheapest pairing of all, or a quick one when time is short.

Two methods find the optimum: shortest augmenting paths in compiled code, which also hand out the
dual prices, and OR-Tools' flow of least cost, which referees them. Flow cannot be interrupted and
holds Python's global lock while it works, so it belongs in a process of its own: everything here
can be pickled, and nothing looks at a clock. The caller keeps the deadline; if it passes, the
caller leaves the process behind and calls `solve_greedy`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
import ortools

from matching.arrays import IntArray
from matching.costs import CostTerms, cost_terms, not_serving
from matching.flow import cheapest_edges
from matching.pairings import pairings_of
from matching.problem import (
    Assignment,
    Candidates,
    Fallback,
    Id,
    Problem,
    Unserved,
    WhyUnserved,
)
from matching.sparse import cheapest_pairing

SPARSE_SOLVER = "shortest augmenting paths"
SPARSE_VERSION = "1"
FLOW_SOLVER = "or-tools min-cost flow"
GREEDY_SOLVER = "greedy by cost"
GREEDY_VERSION = "1"


class Method(StrEnum):
    """How the optimum is found; both find the same objective."""

    PATHS = "paths"
    """Shortest augmenting paths in compiled code: the quicker one, and it has prices."""

    FLOW = "flow"
    """OR-Tools' flow of least cost: an independent referee, without prices."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much time a solve may take.

    `deadline_s` is kept by the caller, from outside. Within, it becomes budgets of work, so that
    the answer is the same on every machine; a problem beyond its budget goes to the greedy method.
    The other three say what a modest machine manages, with room to spare: `edges_per_s` are those
    given to the flow solver (the slowest that we measured was 390,000); `scans_per_s` are looks of
    the augmenting paths at an edge, the same edge many times (50 million); `pairs_per_s` are looks
    of `solve_certified` at a pair or a bucket of pairs (100 million). Refused: zero or less.
    """

    deadline_s: float = 1.0
    edges_per_s: float = 300_000.0
    scans_per_s: float = 20_000_000.0
    pairs_per_s: float = 50_000_000.0

    def __post_init__(self) -> None:
        for name in ("deadline_s", "edges_per_s", "scans_per_s", "pairs_per_s"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")

    @property
    def edge_budget(self) -> int:
        """The most candidate edges that are given to the flow solver."""
        return int(self.deadline_s * self.edges_per_s)

    @property
    def scan_budget(self) -> int:
        """The most looks at an edge that the augmenting paths may take."""
        return int(self.deadline_s * self.scans_per_s)


@dataclass(frozen=True, slots=True, eq=False)
class _Instance:
    """A problem with its costs worked out and an order in which ties are broken.

    `rider_place` and `driver_place` say where each stands in that order.
    """

    candidates: Candidates
    rider_place: IntArray
    driver_place: IntArray
    terms: CostTerms
    total_ds: IntArray
    price_ds: IntArray
    seed: int

    def useful(self) -> IntArray:
        """The edges, in tie order, that are no dearer than leaving their rider to the next tick.

        Any other is part of no optimum.
        """
        rider, driver = self.candidates.rider, self.candidates.driver
        place = self.rider_place[rider] * self.candidates.driver_count + self.driver_place[driver]
        order = np.argsort(place)
        return order[(self.total_ds <= self.price_ds[rider])[order]]


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """The dual prices of a pairing, one entry per rider and per driver of the problem."""

    rider_ds: IntArray
    driver_ds: IntArray


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a pairing comes from: who found it, what was proven, and why it is not the optimum."""

    solver: str
    version: str
    gap: float | None = None
    fallback: Fallback | None = None
    prices: Prices | None = None


def solve(
    problem: Problem,
    candidates: Candidates,
    *,
    limits: Limits,
    seed: int,
    method: Method = Method.PATHS,
) -> Assignment:
    """The pairing of least total cost over the candidates, unserved riders at their price.

    Among equally cheap pairings one that serves most riders. What is still equal is decided by
    `seed` alone: the same riders, drivers, candidates and seed give the same pairing, in whatever
    order they are listed. Both methods find the same objective, the paths with its dual prices.
    Greedy, and named so with the reason, if `limits` do not suffice or the flow solver fails.
    Refused: candidates that do not belong to the problem, a pair among them that is excluded or
    beyond `weights.max_pickup_s`, a negative seed.
    """
    instance = _prepared(problem, candidates, places=tie_order(problem, seed=seed), seed=seed)
    if method is Method.PATHS:
        return _by_paths(instance, limits=limits)
    return _by_flow(instance, limits=limits)


def solve_greedy(
    problem: Problem, candidates: Candidates, *, seed: int, because: Fallback | None = None
) -> Assignment:
    """A feasible pairing at once: the cheapest edge of all, then the next that is still possible.

    Never cheaper than `solve` and often dearer, since it strands riders. Ties and refusals are as
    in `solve`; `because` is kept in the result.
    """
    places = tie_order(problem, seed=seed)
    return _greedily(_prepared(problem, candidates, places=places, seed=seed), because=because)


def explained(
    problem: Problem,
    candidates: Candidates,
    *,
    chosen: IntArray,
    places: tuple[IntArray, IntArray],
    seed: int,
    origin: Origin,
) -> Assignment:
    """The pairing of the `chosen` edges, found elsewhere, as a result; refusals as in `solve`.

    `places` is the `tie_order` of the same seed.
    """
    instance = _prepared(problem, candidates, places=places, seed=seed)
    return _assignment(instance, chosen, origin=origin)


def tie_order(problem: Problem, *, seed: int) -> tuple[IntArray, IntArray]:
    """Each rider's and each driver's place in the order, drawn from the seed, that breaks ties.

    Refused: a negative seed.
    """
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    shuffle = np.random.default_rng(seed)
    riders = _tie_order(problem.demand.ids, shuffle=shuffle)
    return riders, _tie_order(problem.supply.ids, shuffle=shuffle)


def _prepared(
    problem: Problem, candidates: Candidates, *, places: tuple[IntArray, IntArray], seed: int
) -> _Instance:
    _check_belongs(problem, candidates)
    terms = cost_terms(problem, candidates)
    return _Instance(candidates, *places, terms, terms.total_ds, not_serving(problem), seed)


def _check_belongs(problem: Problem, candidates: Candidates) -> None:
    given = (candidates.rider_count, candidates.driver_count)
    expected = (len(problem.demand), len(problem.supply))
    if given != expected:
        raise ValueError(
            f"candidates are for {given[0]} riders and {given[1]} drivers, "
            f"the problem has {expected[0]} and {expected[1]}"
        )
    too_long = candidates.pickup_s > problem.weights.max_pickup_s
    if too_long.any():
        raise ValueError(
            f"candidates.pickup_s[{int(np.argmax(too_long))}] exceeds weights.max_pickup_s: "
            f"{candidates.pickup_s[too_long][0]} > {problem.weights.max_pickup_s}"
        )
    riders, drivers = problem.excluded_pairs()
    width = max(candidates.driver_count, 1)
    banned = np.isin(candidates.rider * width + candidates.driver, riders * width + drivers)
    if banned.any():
        edge = int(np.argmax(banned))
        rider = problem.demand.ids[candidates.rider[edge]]
        driver = problem.supply.ids[candidates.driver[edge]]
        raise ValueError(f"driver {driver!r} is excluded for rider {rider!r} but is a candidate")


def _tie_order(ids: tuple[Id, ...], *, shuffle: np.random.Generator) -> IntArray:
    """Each one's place in an order drawn from the seed.

    The ids are sorted before they are shuffled, so the place does not depend on how they were
    listed; they are shuffled so that the lowest id is not favoured in every tie for ever.
    """
    # A UUID's number orders as its text does, and writing thousands of texts takes milliseconds.
    numbers = [one.int for one in ids if isinstance(one, UUID)]
    name: list[Any] = numbers if len(numbers) == len(ids) else [*map(str, ids)]
    by_id = np.array(sorted(range(len(ids)), key=name.__getitem__), dtype=np.int64)
    place = np.empty(len(ids), dtype=np.int64)
    place[by_id] = shuffle.permutation(len(ids))
    return place


def _by_paths(instance: _Instance, *, limits: Limits) -> Assignment:
    """The optimum with its prices, or the greedy pairing if it takes too many looks at edges.

    Riders and drivers go by their places in the tie order, which the solver keeps among equals.
    """
    edges, candidates = instance.useful(), instance.candidates
    rider = instance.rider_place[candidates.rider[edges]]
    driver = instance.driver_place[candidates.driver[edges]]
    unserved_ds = np.empty_like(instance.price_ds)
    unserved_ds[instance.rider_place] = instance.price_ds
    solution = cheapest_pairing(
        starts=np.searchsorted(rider, np.arange(candidates.rider_count + 1)).astype(np.int64),
        driver=driver,
        cost_ds=instance.total_ds[edges],
        unserved_ds=unserved_ds,
        driver_count=candidates.driver_count,
        most_scans=limits.scan_budget,
    )
    if not solution.is_optimal:
        return _greedily(instance, because=Fallback.TOO_MANY_EDGES)
    prices = Prices(
        solution.rider_price_ds[instance.rider_place],
        solution.driver_price_ds[instance.driver_place],
    )
    return _assignment(
        instance,
        edges[solution.driver_of[rider] == driver],
        origin=Origin(SPARSE_SOLVER, SPARSE_VERSION, prices=prices),
    )


def _by_flow(instance: _Instance, *, limits: Limits) -> Assignment:
    """The optimum, or the greedy pairing if there are too many edges or the solver fails.

    The edges come in the tie order, which the solver keeps among equals.
    """
    if len(instance.candidates) > limits.edge_budget:
        return _greedily(instance, because=Fallback.TOO_MANY_EDGES)
    edges = instance.useful()
    chosen = cheapest_edges(
        rider=instance.candidates.rider[edges],
        driver=instance.candidates.driver[edges],
        cost_ds=instance.total_ds[edges],
        price_ds=instance.price_ds,
    )
    if chosen is None:
        return _greedily(instance, because=Fallback.SOLVER_FAILED)
    return _assignment(instance, edges[chosen], origin=Origin(FLOW_SOLVER, ortools.__version__))


def _greedily(instance: _Instance, *, because: Fallback | None) -> Assignment:
    """The greedy pairing. A stable sort by cost keeps the tie order among equals."""
    edges = instance.useful()
    edges = edges[np.argsort(instance.total_ds[edges], kind="stable")]
    riders = instance.candidates.rider[edges].tolist()
    drivers = instance.candidates.driver[edges].tolist()
    served: set[int] = set()
    given: set[int] = set()
    chosen = []
    for edge, rider, driver in zip(edges.tolist(), riders, drivers, strict=True):
        if rider not in served and driver not in given:
            served.add(rider)
            given.add(driver)
            chosen.append(edge)
    return _assignment(
        instance,
        np.array(chosen, dtype=np.int64),
        origin=Origin(GREEDY_SOLVER, GREEDY_VERSION, fallback=because),
    )


def _assignment(instance: _Instance, chosen: IntArray, *, origin: Origin) -> Assignment:
    """The chosen edges as a result, with what explains each; feasible, or an assertion fails."""
    candidates = instance.candidates
    driver_of = np.full(candidates.rider_count, -1, dtype=np.int64)
    rider_of = np.full(candidates.driver_count, -1, dtype=np.int64)
    driver_of[candidates.rider[chosen]] = candidates.driver[chosen]
    rider_of[candidates.driver[chosen]] = candidates.rider[chosen]
    assert np.count_nonzero(driver_of >= 0) == len(chosen), "a rider was given two drivers"
    assert np.count_nonzero(rider_of >= 0) == len(chosen), "a driver was given two riders"
    unserved = _unserved(instance, driver_of=driver_of, rider_of=rider_of)
    prices = origin.prices
    return Assignment(
        pairings=pairings_of(
            candidates,
            instance.terms,
            driver_of=driver_of,
            rider_of=rider_of,
            driver_place=instance.driver_place,
        ),
        unserved=unserved,
        objective_ds=int(instance.total_ds[chosen].sum()) + sum(one.price_ds for one in unserved),
        solver=origin.solver,
        solver_version=origin.version,
        seed=instance.seed,
        edge_count=len(candidates),
        fallback=origin.fallback,
        gap=origin.gap,
        rider_price_ds=None if prices is None else tuple(prices.rider_ds.tolist()),
        driver_price_ds=None if prices is None else tuple(prices.driver_ds.tolist()),
    )


def _unserved(
    instance: _Instance, *, driver_of: IntArray, rider_of: IntArray
) -> tuple[Unserved, ...]:
    candidates = instance.candidates
    free = rider_of[candidates.driver] < 0
    some_free = np.bincount(candidates.rider[free], minlength=candidates.rider_count) > 0
    count = np.diff(candidates.starts)
    unserved = []
    for rider in np.flatnonzero(driver_of < 0).tolist():
        if count[rider] == 0:
            why = WhyUnserved.NO_DRIVER_NEAR
        elif some_free[rider]:
            why = WhyUnserved.WAITING_IS_CHEAPER
        else:
            why = WhyUnserved.DRIVERS_WENT_TO_OTHERS
        unserved.append(Unserved(rider, int(instance.price_ds[rider]), int(count[rider]), why))
    return tuple(unserved)
