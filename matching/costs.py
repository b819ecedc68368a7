"""What a pairing costs, term by term, in whole deciseconds.

Whole numbers add up exactly, in any order, on any machine: that is what lets an offer be explained
to the last decisecond and an optimum be compared for equality.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from matching.arrays import LONGEST_S, FloatArray, IntArray
from matching.problem import Candidates, Problem, Term


def deciseconds(seconds: FloatArray) -> IntArray:
    """Seconds as whole tenths, halves to the even neighbour."""
    return np.rint(seconds * 10).astype(np.int64)


def pickup(_problem: Problem, candidates: Candidates) -> IntArray:
    """Per edge: the drive to the pickup."""
    return deciseconds(candidates.pickup_s)


def age_credit(problem: Problem, candidates: Candidates) -> IntArray:
    """Per edge: minus `weights.age_credit` for each second that the rider has waited.

    It is the same on all edges of a rider, so it decides who is served when not all can be, never
    by whom.
    """
    credit_s = problem.weights.age_credit * problem.demand.waited_s
    return -deciseconds(credit_s)[candidates.rider]


def wait_until_free(problem: Problem, candidates: Candidates) -> IntArray:
    """Per edge: what waiting until the driver is free counts, and the risk of it; 0 if she is.

    Each second counts `weights.hold_weight`, and the risk is `weights.soon_free_margin_s`: without
    it a rider is kept waiting for a driver whose expected end was too hopeful.
    """
    free_in_s, weights = problem.supply.free_in_s, problem.weights
    held_s = weights.hold_weight * free_in_s + weights.soon_free_margin_s
    return deciseconds(np.where(free_in_s > 0, held_s, 0.0))[candidates.driver]


def fairness(problem: Problem, candidates: Candidates) -> IntArray:
    """Per edge: from 0 for a wholly underpaid driver to `weights.fairness_s` for an overpaid one.

    It is linear in how underpaid she is, and the same for whomever she fetches.
    """
    share = (1 - problem.supply.underpaid) / 2
    return deciseconds(problem.weights.fairness_s * share)[candidates.driver]


def staying(problem: Problem, candidates: Candidates) -> IntArray:
    """Per edge: up to `weights.stay_s` for a driver near whom another rider will ask soon."""
    return deciseconds(problem.weights.stay_s * problem.supply.sought_after)[candidates.driver]


def late(problem: Problem, candidates: Candidates) -> IntArray:
    """Per edge: `weights.late_weight` for each second ahead of her in which she is late.

    She is once she has waited `weights.late_s`. Unlike all else it depends on rider and driver
    together: somebody else is held for long, or fetched from afar, than who has waited long.
    """
    ahead_s = problem.supply.free_in_s[candidates.driver] + candidates.pickup_s
    return deciseconds(_late_s(problem, candidates.rider, ahead_s=ahead_s))


def not_serving(problem: Problem) -> IntArray:
    """Per rider: the price of leaving her to the next tick, more where she was promised a car.

    Being late counts as if she were fetched after so many seconds: who has waited long is not left
    because of what makes her dear.
    """
    weights = problem.weights
    promise_s = np.where(problem.demand.late_in_s < LONGEST_S, weights.promise_s, 0.0)
    everybody = np.arange(len(problem.demand))
    late_s = _late_s(problem, everybody, ahead_s=np.full(len(everybody), weights.unserved_s))
    return deciseconds(weights.unserved_s + promise_s + late_s)


def _late_s(problem: Problem, rider: IntArray, *, ahead_s: FloatArray) -> FloatArray:
    """What counts of the seconds ahead of these riders because they are late by then."""
    early_s = np.maximum(problem.weights.late_s - problem.demand.waited_s, 0.0)[rider]
    late_s: FloatArray = problem.weights.late_weight * np.maximum(ahead_s - early_s, 0.0)
    return late_s


EDGE_TERMS: Mapping[str, Callable[[Problem, Candidates], IntArray]] = MappingProxyType(
    {
        "pickup": pickup,
        "age_credit": age_credit,
    }
)
"""Everything an edge's cost is made of. A new term is one function and one line here."""

SOON_FREE_TERMS: Mapping[str, Callable[[Problem, Candidates], IntArray]] = MappingProxyType(
    {"wait_until_free": wait_until_free}
)
"""What is added where some driver is not free yet, and left unsaid where all are."""

STAYING_TERMS: Mapping[str, Callable[[Problem, Candidates], IntArray]] = MappingProxyType(
    {"staying": staying}
)
"""What is added where it was said near whom riders are expected, and left unsaid elsewhere."""

LATE_TERMS: Mapping[str, Callable[[Problem, Candidates], IntArray]] = MappingProxyType(
    {"late": late}
)
"""What is added where late seconds count more than others, and left unsaid elsewhere."""

FAIRNESS_TERMS: Mapping[str, Callable[[Problem, Candidates], IntArray]] = MappingProxyType(
    {"fairness": fairness}
)
"""What is added where the assembly gave fairness a weight, and left unsaid where it did not."""


@dataclass(frozen=True, slots=True, eq=False)
class CostTerms:
    """The cost of every edge, taken apart: `values_ds` has shape (terms, edges)."""

    names: tuple[str, ...]
    values_ds: NDArray[np.int64]

    @property
    def total_ds(self) -> IntArray:
        """Per edge: the exact sum of its terms."""
        total: IntArray = self.values_ds.sum(axis=0)
        return total

    def of(self, edge: int) -> tuple[Term, ...]:
        """The terms of one edge, in the order of `names`."""
        return self.of_each(np.array([edge]))[0]

    def of_each(self, edges: IntArray) -> list[tuple[Term, ...]]:
        """For each of the edges its terms, in the order of `names`."""
        by_name = [
            [Term(name, cost_ds) for cost_ds in values_ds]
            for name, values_ds in zip(self.names, self.values_ds[:, edges].tolist(), strict=True)
        ]
        return list(zip(*by_name, strict=True))


def cost_terms(problem: Problem, candidates: Candidates) -> CostTerms:
    """Every term of every candidate edge."""
    named = dict(EDGE_TERMS)
    if problem.supply.free_in_s.any():
        named |= SOON_FREE_TERMS
    if problem.weights.stay_s and problem.supply.sought_after.any():
        named |= STAYING_TERMS
    if problem.weights.late_weight:
        named |= LATE_TERMS
    if problem.weights.fairness_s:
        named |= FAIRNESS_TERMS
    values = [term(problem, candidates) for term in named.values()]
    return CostTerms(names=tuple(named), values_ds=np.stack(values))
