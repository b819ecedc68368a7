"""Who goes to whom, with proof: the pairing and how far it can be from the best over all pairs.

Column generation (Gilmore and Gomory, 1961). Solve over few edges; take the dual prices; price all
pairs with them, which gives a lower bound of the optimum and the edges that may still improve; add
those, repair the solution and begin again until the bound is near enough.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from matching.arrays import IntArray
from matching.assignment import (
    SPARSE_SOLVER,
    SPARSE_VERSION,
    Limits,
    Origin,
    Prices,
    explained,
    solve_greedy,
    tie_order,
)
from matching.full_matrix import Edges, FullMatrix, joined
from matching.problem import Assignment, Candidates, Demand, Fallback, Problem, Supply
from matching.sparse import Solution, cheapest_pairing
from matching.travel import StraightLine

CERTIFIED_SOLVER = f"{SPARSE_SOLVER}, column generation"

# All sizes below were tried on clustered cities.
_NEAREST = 6
_NEW_PER_RIDER = 10
# In the first rounds each rider is offered drivers of one share of this size, at most so many.
_DRIVERS_IN_SHARE = 500
_MOST_SHARES = 8
# The clock is looked at after so many looks at edges: some 20 ms.
_SCANS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class _Round:
    """What a round ended with: its edges, the optimum over them, and what is proven of it."""

    edges: Edges
    solution: Solution
    objective_ds: int
    bound_ds: int

    @property
    def gap(self) -> float | None:
        return proven_gap(objective_ds=self.objective_ds, bound_ds=self.bound_ds)


class _Budget:
    """The work that a deadline allows: looks are counted, no clock is read but the caller's."""

    def __init__(self, limits: Limits, *, is_over: Callable[[], bool]) -> None:
        self._limits = limits
        self._is_over = is_over
        self._spent_s = 0.0

    def is_spent(self) -> bool:
        return self._spent_s >= self._limits.deadline_s or self._is_over()

    def spend(self, *, scans: int = 0, pairs: int = 0) -> None:
        """Count work as done."""
        self._spent_s += scans / self._limits.scans_per_s + pairs / self._limits.pairs_per_s


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

    Every few milliseconds the work done so far is held against `limits.deadline_s`, and `is_over`
    is asked, for a caller who has a clock. If either says stop, the last pairing comes back with
    the gap proven for it, larger than asked, None where its bound says nothing, and `fallback` says
    `stopped`. If not even one round ended it is the greedy pairing over the first edges, and
    `fallback` says so. Refused: a negative or missing gap, a negative seed, a `late_weight`: what
    being late costs depends on rider and driver together, and no search of places bounds it.
    """
    if not 0 <= gap < np.inf:
        raise ValueError(f"gap must be 0 or more, got {gap}")
    if problem.weights.late_weight:
        raise ValueError("no pairing over all pairs is certified with a late_weight")
    places = tie_order(problem, seed=seed)
    riders, drivers = np.argsort(places[0]), np.argsort(places[1])
    if not (len(riders) and len(drivers)):
        return _with_nobody(problem, places=places, seed=seed)
    ordered = replace(
        problem,
        demand=_listed(problem.demand, riders),
        supply=_listed(problem.supply, drivers),
    )
    matrix = FullMatrix(ordered, line=line)
    first = matrix.nearest(_NEAREST)
    last = _rounds(matrix, first, budget=_Budget(limits, is_over=is_over), gap=gap)
    if last is None:
        candidates, _ = _as_listed(problem, first, riders, drivers)
        greedy = solve_greedy(problem, candidates, seed=seed, because=Fallback.TOO_MANY_EDGES)
        return greedy, candidates
    candidates, order = _as_listed(problem, last.edges, riders, drivers)
    solution, edges = last.solution, last.edges
    is_chosen = solution.driver_of[edges.rider] == edges.driver
    is_proven = last.gap is not None and last.gap <= gap
    origin = Origin(
        CERTIFIED_SOLVER,
        SPARSE_VERSION,
        gap=last.gap,
        fallback=None if is_proven else Fallback.STOPPED,
        prices=Prices(solution.rider_price_ds[places[0]], solution.driver_price_ds[places[1]]),
    )
    chosen = np.flatnonzero(is_chosen[order])
    result = explained(problem, candidates, chosen=chosen, places=places, seed=seed, origin=origin)
    assert result.objective_ds == last.objective_ds, "the explained costs are not those minimised"
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


def _rounds(matrix: FullMatrix, edges: Edges, *, budget: _Budget, gap: float) -> _Round | None:
    """Solve, price, add, until the gap is proven or the budget spent; None if no round ended.

    What an earlier round has proven stays proven, so the best bound of all is kept.
    """
    last: _Round | None = None
    share = min(max(matrix.driver_count // _DRIVERS_IN_SHARE, 1), _MOST_SHARES)
    while True:
        solution = _solved(matrix, edges, last=last, budget=budget)
        if solution is None:
            return last
        prices_ds = solution.rider_price_ds, solution.driver_price_ds
        priced = matrix.price_out(*prices_ds, most_new=_NEW_PER_RIDER, share=share)
        budget.spend(pairs=priced.looked_at)
        last = _Round(
            edges=edges,
            solution=solution,
            objective_ds=int(prices_ds[0].sum() + prices_ds[1].sum()),
            bound_ds=priced.bound_ds if last is None else max(last.bound_ds, priced.bound_ds),
        )
        if last.gap is not None and last.gap <= gap:
            return last
        assert share > 1 or len(priced.new), "no pair can improve, yet nothing proves the pairing"
        edges = joined(edges, priced.new)
        share = max(share // 2, 1)


def _solved(
    matrix: FullMatrix, edges: Edges, *, last: _Round | None, budget: _Budget
) -> Solution | None:
    """The optimum over the edges, begun from the last; None if the budget ended before it did."""
    solution = None if last is None else last.solution
    while not budget.is_spent():
        solution = cheapest_pairing(
            starts=edges.starts,
            driver=edges.driver,
            cost_ds=edges.cost_ds,
            unserved_ds=matrix.unserved_ds,
            driver_count=matrix.driver_count,
            begin=solution,
            most_scans=_SCANS_AT_ONCE,
        )
        budget.spend(scans=solution.scans)
        if solution.is_optimal:
            return solution
    return None


def _with_nobody(
    problem: Problem, *, places: tuple[IntArray, IntArray], seed: int
) -> tuple[Assignment, Candidates]:
    """The answer where riders or drivers are missing: exact."""
    nobody = np.empty(0, dtype=np.int64)
    none = Candidates(nobody, nobody, np.empty(0), len(problem.demand), len(problem.supply))
    origin = Origin(CERTIFIED_SOLVER, SPARSE_VERSION, gap=0.0)
    result = explained(problem, none, chosen=nobody, places=places, seed=seed, origin=origin)
    return result, none


def _as_listed(
    problem: Problem, edges: Edges, riders: IntArray, drivers: IntArray
) -> tuple[Candidates, IntArray]:
    """Edges between the n-th of `riders` and of `drivers`, as candidates of the problem itself.

    And which edge each candidate was.
    """
    rider, driver = riders[edges.rider], drivers[edges.driver]
    order = np.argsort(rider * len(problem.supply) + driver)
    candidates = Candidates(
        rider=rider[order],
        driver=driver[order],
        pickup_s=edges.pickup_s[order],
        rider_count=len(problem.demand),
        driver_count=len(problem.supply),
    )
    return candidates, order


def _listed[Side: (Demand, Supply)](side: Side, order: IntArray) -> Side:
    """The riders or drivers at the given places, in that order."""
    taken: dict[str, Any] = {
        column.name: getattr(side, column.name)[order]
        for column in fields(side)
        if column.name != "ids"
    }
    return replace(side, ids=tuple(map(side.ids.__getitem__, order.tolist())), **taken)
