"""Who goes to whom, with proof: the pairing and how far it can be from the best over all pairs.

Column generation (Gilmore and Gomory, 1961). Solve over few edges; take the dual prices; price all
pairs with them, which gives a lower bound of the optimum and the edges that may still improve; add
those and begin again until the bound is near enough. Where a batch is large, prices of a sample
choose the first edges (the multiscale idea: Schmitzer, "A sparse multiscale algorithm for dense
optimal transport", 2016).
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from matching.arrays import IntArray
from matching.assignment import FLOW_SOLVER, Limits, explained, solve_greedy, tie_order
from matching.candidates import find_candidates
from matching.duals import optimal_prices
from matching.flow import cheapest_edges
from matching.full_matrix import Edges, FullMatrix
from matching.nearest import on_unit_sphere
from matching.problem import Assignment, Candidates, Demand, Fallback, Problem, Supply
from matching.travel import StraightLine

CERTIFIED_SOLVER = f"{FLOW_SOLVER}, column generation"

# Up to so many pairs are simply all candidates; all sizes below were tried on clustered cities.
_ALL_PAIRS = 20_000
# Fewer on the smaller side than this, and lists of the nearest begin well enough.
_SAMPLE_FROM = 300
_SAMPLE_SHARE = 8
_SAMPLE_GAP = 0.02
_NEAREST = 20
_NEAREST_BESIDE_SPREAD = 6
_SPREAD = 24
_NEW_PER_RIDER = 10


@dataclass(frozen=True, slots=True, eq=False)
class _Round:
    """What a round ended with: its edges, the chosen ones, what it costs and what is proven."""

    edges: Edges
    chosen: IntArray
    driver_ds: IntArray
    objective_ds: int
    bound_ds: int

    @property
    def gap(self) -> float | None:
        return proven_gap(objective_ds=self.objective_ds, bound_ds=self.bound_ds)


class _Budget:
    """The work that a deadline allows: pairs and edges are counted, no clock is read."""

    def __init__(self, limits: Limits, *, is_over: Callable[[], bool]) -> None:
        self._limits = limits
        self._is_over = is_over
        self._spent_s = 0.0

    @property
    def is_begun(self) -> bool:
        """Whether any round was allowed."""
        return self._spent_s > 0

    def allows(self, *, edges: int, pairs: int) -> bool:
        """Whether a round of this size may begin; if so it counts as done."""
        cost_s = edges / self._limits.edges_per_s + pairs / self._limits.pairs_per_s
        if self._spent_s + cost_s > self._limits.deadline_s or self._is_over():
            return False
        self._spent_s += cost_s
        return True


def solve_certified(
    problem: Problem,
    *,
    line: StraightLine,
    limits: Limits,
    seed: int,
    gap: float = 0.005,
    is_over: Callable[[], bool] = lambda: False,
) -> tuple[Assignment, Candidates]:
    """A pairing proven to cost at most `1 + gap` times the least over *all* pairs, and its edges.

    All pairs means: times by the straight `line`, none beyond `weights.max_pickup_s`, none
    excluded, costs as `matching.costs` says. `Assignment.gap` is what was proven, 0.0 for an exact
    optimum, which `gap=0` asks for. Where riders or drivers are missing there is nothing to prove.
    The same question gets the same answer, in whatever order it is listed.

    Between rounds the work done so far is held against `limits.deadline_s`, and `is_over` is asked,
    for a caller who has a clock. If either says stop, the last pairing comes back with the gap
    proven for it, larger than asked; None where its bound says nothing. If not even one round may
    begin, or the flow solver fails in it, the greedy pairing over the first edges, and `fallback`
    says so. Refused: a negative or missing gap, a negative seed.
    """
    if not 0 <= gap < np.inf:
        raise ValueError(f"gap must be 0 or more, got {gap}")
    places = tie_order(problem, seed=seed)
    riders, drivers = np.argsort(places[0]), np.argsort(places[1])
    if not (len(riders) and len(drivers)):
        nobody = np.empty(0, dtype=np.int64)
        none = _as_listed(problem, Edges(nobody, nobody, np.empty(0), nobody), riders, drivers)
        return explained(
            problem, none, chosen=nobody, seed=seed, solver=CERTIFIED_SOLVER, gap=0.0
        ), none
    ordered = replace(
        problem,
        demand=_listed(problem.demand, riders),
        supply=_listed(problem.supply, drivers),
    )
    matrix = FullMatrix(ordered, line=line)
    edges = matrix.edges(*_first_pairs(ordered, matrix, line=line, seed=seed))
    budget = _Budget(limits, is_over=is_over)
    last = _rounds(matrix, edges, ordered, budget=budget, gap=gap)
    if last is None:
        candidates = _as_listed(problem, edges, riders, drivers)
        why = Fallback.SOLVER_FAILED if budget.is_begun else Fallback.TOO_MANY_EDGES
        return solve_greedy(problem, candidates, seed=seed, because=why), candidates
    candidates = _as_listed(problem, last.edges, riders, drivers)
    width = len(drivers)
    chosen = np.searchsorted(
        candidates.rider * width + candidates.driver,
        riders[last.edges.rider[last.chosen]] * width + drivers[last.edges.driver[last.chosen]],
    )
    result = explained(
        problem, candidates, chosen=chosen, seed=seed, solver=CERTIFIED_SOLVER, gap=last.gap
    )
    return result, candidates


def proven_gap(*, objective_ds: int, bound_ds: int) -> float | None:
    """How much dearer than the optimum, at most, as a share of it; None if nothing can be said.

    The optimum lies between the two. Credits can make it negative, and then its size is at least
    that of the objective; where it may be zero, only equality says something.
    """
    assert bound_ds <= objective_ds, f"bound {bound_ds} above the objective {objective_ds}"
    if bound_ds == objective_ds:
        return 0.0
    if bound_ds > 0:
        return (objective_ds - bound_ds) / bound_ds
    if objective_ds < 0:
        return (objective_ds - bound_ds) / -objective_ds
    return None


def _rounds(
    matrix: FullMatrix, edges: Edges, problem: Problem, *, budget: _Budget, gap: float
) -> _Round | None:
    """Solve, price, add, until the gap is proven or the budget spent; None if no round ended.

    What an earlier round has proven stays proven, so the best bound of all is kept.
    """
    pairs = len(problem.demand) * len(problem.supply)
    last: _Round | None = None
    bound_ds: int | None = None
    while budget.allows(edges=len(edges), pairs=pairs):
        chosen = cheapest_edges(
            rider=edges.rider,
            driver=edges.driver,
            cost_ds=edges.cost_ds,
            price_ds=matrix.unserved_ds,
        )
        if chosen is None:
            return last
        served = edges.rider[chosen]
        objective_ds = int(
            edges.cost_ds[chosen].sum()
            + matrix.unserved_ds.sum()
            - matrix.unserved_ds[served].sum()
        )
        prices = optimal_prices(
            rider=edges.rider,
            driver=edges.driver,
            cost_ds=edges.cost_ds,
            unserved_ds=matrix.unserved_ds,
            driver_count=len(problem.supply),
            chosen=chosen,
        )
        priced = matrix.price_out(prices, most_new=_NEW_PER_RIDER, thorough=False)
        if len(priced.rider) == 0 and priced.bound_ds < objective_ds:
            priced = matrix.price_out(prices, most_new=_NEW_PER_RIDER, thorough=True)
        bound_ds = priced.bound_ds if bound_ds is None else max(bound_ds, priced.bound_ds)
        last = _Round(edges, chosen, prices.driver_ds, objective_ds, bound_ds)
        if last.gap is not None and last.gap <= gap:
            return last
        assert len(priced.rider), "no pair can improve, yet the pairing is not proven optimal"
        edges = matrix.edges(
            np.concatenate((edges.rider, priced.rider)),
            np.concatenate((edges.driver, priced.driver)),
        )
    return last


def _first_pairs(
    problem: Problem, matrix: FullMatrix, *, line: StraightLine, seed: int
) -> tuple[IntArray, IntArray]:
    """What to begin with: all pairs, or the nearest, or fewer and what a sample suggests."""
    riders, drivers = len(problem.demand), len(problem.supply)
    if riders * drivers <= _ALL_PAIRS:
        every = np.arange(riders * drivers)
        return every // drivers, every % drivers
    large = min(riders, drivers) >= _SAMPLE_FROM
    nearest = _NEAREST_BESIDE_SPREAD if large else _NEAREST
    near = find_candidates(problem, line=line, per_rider=nearest, per_driver=nearest)
    if not large:
        return near.rider, near.driver
    spread = matrix.spread(
        _sampled_prices(problem, line=line, seed=seed),
        per_rider=_SPREAD,
        share=_SAMPLE_SHARE,
        seed=seed,
    )
    return np.concatenate((near.rider, spread[0])), np.concatenate((near.driver, spread[1]))


def _sampled_prices(problem: Problem, *, line: StraightLine, seed: int) -> IntArray:
    """Per driver: the mean price of the three nearest in a sample, in which all is alike but rarer.

    Riders and drivers come in an order drawn from the seed, so the first of them are a sample.
    """
    riders = np.arange(len(problem.demand) // _SAMPLE_SHARE)
    drivers = np.arange(len(problem.supply) // _SAMPLE_SHARE)
    sample = replace(
        problem,
        demand=_listed(problem.demand, riders),
        supply=_listed(problem.supply, drivers),
    )
    matrix = FullMatrix(sample, line=line)
    edges = matrix.edges(*_first_pairs(sample, matrix, line=line, seed=seed))
    budget = _Budget(Limits(), is_over=lambda: False)
    last = _rounds(matrix, edges, sample, budget=budget, gap=_SAMPLE_GAP)
    if last is None:
        return np.zeros(len(problem.supply), dtype=np.int64)
    tree = cKDTree(on_unit_sphere(sample.supply.lat, sample.supply.lng))
    everybody = on_unit_sphere(problem.supply.lat, problem.supply.lng)
    nearest = tree.query(everybody, k=np.arange(1, min(3, len(drivers)) + 1))[1]
    sampled_ds: IntArray = np.rint(last.driver_ds[nearest].mean(axis=1)).astype(np.int64)
    return sampled_ds


def _as_listed(problem: Problem, edges: Edges, riders: IntArray, drivers: IntArray) -> Candidates:
    """Edges between the n-th of `riders` and of `drivers`, as candidates of the problem itself."""
    rider, driver = riders[edges.rider], drivers[edges.driver]
    order = np.argsort(rider * len(problem.supply) + driver)
    return Candidates(
        rider=rider[order],
        driver=driver[order],
        pickup_s=edges.pickup_s[order],
        rider_count=len(problem.demand),
        driver_count=len(problem.supply),
    )


def _listed[Side: (Demand, Supply)](side: Side, order: IntArray) -> Side:
    """The riders or drivers at the given places, in that order."""
    taken: dict[str, Any] = {
        column.name: getattr(side, column.name)[order]
        for column in fields(side)
        if column.name != "ids"
    }
    return replace(side, ids=tuple(side.ids[place] for place in order.tolist()), **taken)
