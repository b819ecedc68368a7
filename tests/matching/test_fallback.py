import pytest

from matching.assignment import (
    FLOW_SOLVER,
    GREEDY_SOLVER,
    SPARSE_SOLVER,
    Limits,
    Method,
    solve,
    solve_greedy,
)
from matching.problem import Fallback, Unserved, Weights, WhyUnserved
from tests.matching.instances import candidates, pairs_by_id, pairs_of, problem

ROOMY = Limits()


def test_greedy_strands_a_rider_whom_the_optimum_serves() -> None:
    table = candidates([[60, 120], [90, None]])
    greedy = solve_greedy(problem(2, 2), table, seed=1)
    assert pairs_of(greedy) == [(0, 0)]
    assert greedy.unserved == (Unserved(1, 30_000, 1, WhyUnserved.DRIVERS_WENT_TO_OTHERS),)
    assert (greedy.solver, greedy.fallback) == (GREEDY_SOLVER, None)
    assert len(solve(problem(2, 2), table, limits=ROOMY, seed=1).pairings) == 2


def test_many_equal_edges_are_taken_in_the_same_order_however_they_are_listed() -> None:
    names = [f"{number:02}" for number in range(30)]
    # The same table read from either end; half of the edges are equal, then the other half.
    table = candidates([[60 + (rider + driver) % 2 for driver in range(30)] for rider in range(30)])
    listed = problem(names, names)
    reversed_list = problem(names[::-1], names[::-1])
    assert pairs_by_id(solve_greedy(listed, table, seed=5), listed) == pairs_by_id(
        solve_greedy(reversed_list, table, seed=5), reversed_list
    )


@pytest.mark.parametrize(("scans_per_s", "fallback"), [(99, None), (1, Fallback.TOO_MANY_EDGES)])
def test_more_looks_at_edges_than_the_budget_lead_to_greedy_which_says_so(
    scans_per_s: int, fallback: Fallback | None
) -> None:
    table = candidates([[60, 120], [90, 500]])
    limits = Limits(deadline_s=1, scans_per_s=scans_per_s)
    result = solve(problem(2, 2), table, limits=limits, seed=1)
    assert result.fallback == fallback
    assert result.solver == (GREEDY_SOLVER if fallback else SPARSE_SOLVER)


@pytest.mark.parametrize(("edges_per_s", "fallback"), [(4, None), (3, Fallback.TOO_MANY_EDGES)])
def test_more_candidates_than_the_budget_go_to_greedy_which_says_so(
    edges_per_s: int, fallback: Fallback | None
) -> None:
    table = candidates([[60, 120], [90, 500]])
    limits = Limits(deadline_s=1, edges_per_s=edges_per_s)
    result = solve(problem(2, 2), table, limits=limits, seed=1, method=Method.FLOW)
    assert result.fallback == fallback
    assert result.solver == (GREEDY_SOLVER if fallback else FLOW_SOLVER)
    assert result.edge_count == 4


def test_costs_beyond_the_flow_solver_go_to_greedy_which_says_so() -> None:
    # A credit of 10^12 deciseconds times the scale of ties overflows what the solver can add up.
    riders = 4000
    weights = Weights(age_credit=100, unserved_s=1e9)
    asked = problem(riders, 1, waited_s=[1e9] * riders, weights=weights)
    table = candidates([[1.0]] * riders)
    result = solve(asked, table, limits=ROOMY, seed=1, method=Method.FLOW)
    assert (result.solver, result.fallback) == (GREEDY_SOLVER, Fallback.SOLVER_FAILED)
    assert len(result.pairings) == 1
    assert solve(asked, table, limits=ROOMY, seed=1).fallback is None


def test_the_caller_can_say_that_the_flow_solver_overran() -> None:
    result = solve_greedy(problem(1, 1), candidates([[60]]), seed=1, because=Fallback.OVERRAN)
    assert result.fallback is Fallback.OVERRAN


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_limits_without_time_are_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="deadline_s must be positive"):
        Limits(deadline_s=seconds)
    with pytest.raises(ValueError, match="edges_per_s must be positive"):
        Limits(edges_per_s=seconds)
    with pytest.raises(ValueError, match="scans_per_s must be positive"):
        Limits(scans_per_s=seconds)
