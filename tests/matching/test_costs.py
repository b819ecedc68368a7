from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.costs import EDGE_TERMS, age_credit, cost_terms, deciseconds, not_serving, pickup
from matching.problem import Candidates, Problem, Term, Weights
from tests.matching.instances import candidates, instances, problem


@pytest.mark.parametrize(
    ("seconds", "expected_ds"),
    [(0.0, 0), (0.04, 0), (0.06, 1), (12.34, 123), (12.36, 124), (1e9, 10_000_000_000)],
)
def test_seconds_become_the_nearest_decisecond(seconds: float, expected_ds: int) -> None:
    assert deciseconds(np.array([seconds])).tolist() == [expected_ds]


def test_half_a_decisecond_goes_to_the_even_neighbour() -> None:
    assert deciseconds(np.array([0.25, 0.75])).tolist() == [2, 8]


def test_each_term_is_what_its_name_says() -> None:
    asked = problem(2, 2, waited_s=[0, 100], weights=Weights(age_credit=0.3, unserved_s=500))
    table = candidates([[60, None], [90, 45.5]])
    assert pickup(asked, table).tolist() == [600, 900, 455]
    assert age_credit(asked, table).tolist() == [0, -300, -300]
    assert not_serving(asked).tolist() == [5000, 5000]
    assert cost_terms(asked, table).of(2) == (Term("pickup", 455), Term("age_credit", -300))
    assert cost_terms(asked, table).total_ds.tolist() == [600, 600, 155]


@given(instances(), st.data())
@settings(deadline=None)
def test_the_terms_of_an_edge_add_up_to_its_cost_exactly(
    instance: tuple[Problem, Candidates], data: st.DataObject
) -> None:
    asked, table = instance
    terms = cost_terms(asked, table)
    assert terms.total_ds.shape == (len(table),)
    if len(table):
        edge = data.draw(st.integers(0, len(table) - 1))
        assert sum(term.cost_ds for term in terms.of(edge)) == terms.total_ds[edge]
        assert tuple(term.name for term in terms.of(edge)) == tuple(EDGE_TERMS)


def test_waiting_until_a_driver_is_free_counts_with_a_margin_for_the_risk() -> None:
    asked = problem(2, 2, weights=Weights(soon_free_margin_s=60))
    table = candidates([[60, 90], [90, None]])
    assert tuple(term.name for term in cost_terms(asked, table).of(0)) == tuple(EDGE_TERMS)
    soon = replace(asked, supply=replace(asked.supply, free_in_s=np.array([0.0, 12.3])))
    terms = cost_terms(soon, table)
    assert terms.of(0)[-1] == Term("wait_until_free", 0)
    assert terms.of(1)[-1] == Term("wait_until_free", 723)
    assert terms.total_ds.tolist() == [600, 900 + 723, 900]


def test_a_second_until_a_driver_is_free_may_count_more_than_one_of_driving() -> None:
    asked = problem(1, 1, weights=Weights(soon_free_margin_s=60, hold_weight=1.5))
    soon = replace(asked, supply=replace(asked.supply, free_in_s=np.array([100.0])))
    assert cost_terms(soon, candidates([[90]])).of(0)[-1] == Term("wait_until_free", 2100)


def test_a_driver_near_whom_riders_are_expected_costs_up_to_the_weight_of_staying() -> None:
    asked = problem(1, 2, weights=Weights(stay_s=200))
    table = candidates([[60, 90]])
    assert tuple(term.name for term in cost_terms(asked, table).of(0)) == tuple(EDGE_TERMS)
    wanted = replace(asked, supply=replace(asked.supply, sought_after=np.array([0.75, 0.0])))
    terms = cost_terms(wanted, table)
    assert terms.of(0)[-1] == Term("staying", 1500)
    assert terms.of(1)[-1] == Term("staying", 0)
    without = replace(wanted, weights=Weights())
    assert tuple(term.name for term in cost_terms(without, table).of(0)) == tuple(EDGE_TERMS)


def test_seconds_in_which_a_rider_is_late_count_more_whoever_they_are_due_to() -> None:
    late = Weights(age_credit=0, soon_free_margin_s=0, late_weight=0.5, late_s=300)
    asked = problem(2, 2, waited_s=[250, 400], weights=late)
    soon = replace(asked, supply=replace(asked.supply, free_in_s=np.array([0.0, 100.0])))
    terms = cost_terms(soon, candidates([[40, 40], [40, 40]]))
    # Who has waited 250 s is early for 50 s more; 40 s of driving fit into that, 140 s do not.
    assert [terms.of(edge)[-1] for edge in range(4)] == [
        Term("late", 0), Term("late", 450), Term("late", 200), Term("late", 700)
    ]  # fmt: skip


def test_who_is_late_is_not_left_because_of_what_makes_her_dear() -> None:
    late = Weights(age_credit=0, unserved_s=600, late_weight=0.5, late_s=300)
    asked = problem(2, 1, waited_s=[0, 1000], weights=late)
    table = candidates([[599], [599]])
    assert not_serving(asked).tolist() == [7500, 9000]
    assert (cost_terms(asked, table).total_ds < not_serving(asked)).all()


def test_without_its_weight_lateness_is_left_unsaid() -> None:
    asked = problem(1, 1, waited_s=[5000], weights=Weights(late_weight=0))
    assert tuple(term.name for term in cost_terms(asked, candidates([[90]])).of(0)) == tuple(
        EDGE_TERMS
    )
    assert not_serving(asked).tolist() == [30000]
