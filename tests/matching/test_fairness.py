"""Rides are drawn to drivers who have earned too little for their hours."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.assignment import Limits, solve
from matching.candidates import find_candidates
from matching.fairness import underpaid
from matching.problem import Assignment, Demand, Problem, Supply, Weights

HOUR_S = 3600.0


def test_a_driver_on_the_common_rate_is_neither_underpaid_nor_overpaid() -> None:
    lacking = underpaid(
        np.array([2000.0, 4000.0]), online_s=np.array([1, 2]) * HOUR_S, scale_minor=3000
    )
    assert lacking.tolist() == [0.0, 0.0]


def test_what_is_lacking_is_measured_against_the_scale_and_ends_at_one() -> None:
    earned = np.array([0.0, 1500.0, 3000.0, 15_500.0])
    lacking = underpaid(earned, online_s=np.full(4, HOUR_S), scale_minor=5000)
    assert lacking.tolist() == [1.0, 0.7, 0.4, -1.0]


def test_nobody_is_underpaid_before_anybody_was_online() -> None:
    assert underpaid(np.zeros(2), online_s=np.zeros(2), scale_minor=1).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("scale_minor", [0.0, -1.0, np.nan, np.inf])
def test_a_scale_that_measures_nothing_is_refused(scale_minor: float) -> None:
    with pytest.raises(ValueError, match="scale_minor must be positive"):
        underpaid(np.zeros(1), online_s=np.ones(1), scale_minor=scale_minor)


@given(st.lists(st.integers(0, 50_000), min_size=2, max_size=20))
def test_who_earned_more_in_the_same_time_is_never_more_underpaid(earned: list[int]) -> None:
    ordered = np.sort(np.array(earned, dtype=float))
    lacking = underpaid(ordered, online_s=np.full(len(ordered), HOUR_S), scale_minor=3000)
    assert all(poorer >= richer for poorer, richer in pairwise(lacking.tolist()))


def _one_rider_two_drivers(*, fairness_s: float) -> Assignment:
    """Driver 0 is nearer and overpaid, driver 1 farther and underpaid."""
    problem = Problem(
        demand=Demand(ids=("r",), lat=np.array([47.0]), lng=np.array([9.5]), waited_s=np.zeros(1)),
        supply=Supply(
            ids=("near", "far"),
            lat=np.array([47.0, 47.0]),
            lng=np.array([9.501, 9.505]),
            underpaid=np.array([-1.0, 1.0]),
        ),
        weights=Weights(fairness_s=fairness_s),
    )
    return solve(problem, find_candidates(problem), limits=Limits(), seed=1)


def test_the_nearer_driver_is_sent_while_fairness_has_no_weight() -> None:
    [pairing] = _one_rider_two_drivers(fairness_s=0).pairings
    assert pairing.driver == 0
    assert [term.name for term in pairing.terms] == ["pickup", "age_credit"]


def test_the_underpaid_driver_is_sent_where_the_weight_outweighs_the_longer_drive() -> None:
    [pairing] = _one_rider_two_drivers(fairness_s=240).pairings
    assert pairing.driver == 1
    terms = {term.name: term.cost_ds for term in pairing.terms}
    assert terms["fairness"] == 0
    assert sum(terms.values()) == pairing.cost_ds


def test_the_longer_drive_outweighs_a_small_weight() -> None:
    [pairing] = _one_rider_two_drivers(fairness_s=20).pairings
    assert pairing.driver == 0
    assert {term.name: term.cost_ds for term in pairing.terms}["fairness"] == 200
