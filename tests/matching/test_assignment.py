import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from random import Random
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from matching.assignment import (
    FLOW_SOLVER,
    SPARSE_SOLVER,
    Limits,
    Method,
    solve,
    solve_greedy,
    tie_order,
)
from matching.costs import cost_terms, not_serving
from matching.problem import (
    Assignment,
    Candidates,
    Demand,
    Problem,
    RunnerUp,
    Supply,
    Term,
    Unserved,
    Weights,
    WhyUnserved,
)
from tests.matching.instances import Table, candidates, instances, pairs_by_id, pairs_of, problem

ROOMY = Limits()


def referee_objective_ds(asked: Problem, edges: Candidates) -> int:
    """The optimum by another algorithm: dense, with a private outside option for each rider."""
    riders, drivers = edges.rider_count, edges.driver_count
    never = 10**9
    dense = np.full((riders, drivers + riders), never, dtype=np.int64)
    dense[edges.rider, edges.driver] = cost_terms(asked, edges).total_ds
    dense[np.arange(riders), drivers + np.arange(riders)] = not_serving(asked)
    row, column = linear_sum_assignment(dense)
    return int(dense[row, column].sum())


def assert_feasible(result: Assignment, asked: Problem, edges: Candidates) -> None:
    offered = set(zip(edges.rider.tolist(), edges.driver.tolist(), strict=True))
    served = [pairing.rider for pairing in result.pairings]
    given_away = [pairing.driver for pairing in result.pairings]
    left = [one.rider for one in result.unserved]
    assert set(pairs_of(result)) <= offered
    assert len(set(given_away)) == len(given_away)
    assert sorted(served + left) == list(range(len(asked.demand)))
    assert result.objective_ds == (
        sum(pairing.cost_ds for pairing in result.pairings)
        + sum(one.price_ds for one in result.unserved)
    )


def test_a_rider_gives_up_the_nearest_driver_when_that_saves_another_rider_more() -> None:
    # First come first served would be 60 + 500 s; crossed it is 120 + 90 s.
    result = solve(problem(2, 2), candidates([[60, 120], [90, 500]]), limits=ROOMY, seed=1)
    assert pairs_of(result) == [(0, 1), (1, 0)]
    assert result.objective_ds == 1200 + 900
    assert result.unserved == ()
    assert result.solver == SPARSE_SOLVER
    assert result.fallback is None
    assert result.gap is None


def test_a_pairing_says_its_rank_its_terms_and_who_got_the_better_driver() -> None:
    asked = problem(2, 3, waited_s=[10, 0], weights=Weights(age_credit=0.3))
    result = solve(asked, candidates([[60, 120, 300], [90, 500, None]]), limits=ROOMY, seed=1)
    first, second = result.pairings
    assert (first.rider, first.driver, first.pickup_s) == (0, 1, 120.0)
    assert first.terms == (Term("pickup", 1200), Term("age_credit", -30))
    assert first.cost_ds == 1170
    assert (first.candidate_count, first.rank) == (3, 2)
    assert first.runner_up == RunnerUp(driver=0, cost_ds=570, serves=1)
    assert (second.candidate_count, second.rank) == (2, 1)
    assert second.runner_up == RunnerUp(driver=1, cost_ds=5000, serves=0)


def test_a_runner_up_who_stayed_free_serves_nobody() -> None:
    (only,) = solve(problem(1, 2), candidates([[60, 120]]), limits=ROOMY, seed=1).pairings
    assert only.runner_up == RunnerUp(driver=1, cost_ds=1200, serves=None)


def test_a_pairing_without_an_alternative_has_no_runner_up() -> None:
    (only,) = solve(problem(1, 1), candidates([[60]]), limits=ROOMY, seed=1).pairings
    assert only.runner_up is None
    assert only.rank == 1


def test_equally_near_drivers_share_a_rank() -> None:
    (only,) = solve(problem(1, 2), candidates([[60, 60]]), limits=ROOMY, seed=1).pairings
    assert only.rank == 1


def test_each_unserved_rider_is_told_why() -> None:
    asked = problem(4, 3, weights=Weights(age_credit=0, unserved_s=300))
    table: Table = [[60, None, None], [90, None, None], [None, None, None], [None, 301, None]]
    result = solve(asked, candidates(table), limits=ROOMY, seed=1)
    assert pairs_of(result) == [(0, 0)]
    assert result.unserved == (
        Unserved(1, 3000, 1, WhyUnserved.DRIVERS_WENT_TO_OTHERS),
        Unserved(2, 3000, 0, WhyUnserved.NO_DRIVER_NEAR),
        Unserved(3, 3000, 1, WhyUnserved.WAITING_IS_CHEAPER),
    )


@pytest.mark.parametrize(("pickup_s", "served"), [(299.9, 1), (300.0, 1), (300.1, 0)])
def test_a_rider_is_served_up_to_the_price_of_not_serving_and_at_it(
    pickup_s: float, served: int
) -> None:
    asked = problem(1, 1, weights=Weights(age_credit=0, unserved_s=300))
    for result in (
        solve(asked, candidates([[pickup_s]]), limits=ROOMY, seed=1),
        solve_greedy(asked, candidates([[pickup_s]]), seed=1),
    ):
        assert len(result.pairings) == served


def test_of_equally_cheap_pairings_the_one_that_serves_more_is_taken() -> None:
    # Both (0→0, 1 unserved) and (0→1, 1→0) cost 300 s; the second serves both.
    asked = problem(2, 2, weights=Weights(age_credit=0, unserved_s=200))
    result = solve(asked, candidates([[100, 150], [150, None]]), limits=ROOMY, seed=1)
    assert pairs_of(result) == [(0, 1), (1, 0)]


@pytest.mark.parametrize(("waited_s", "winner"), [(0.0, 0), (66.0, 0), (67.0, 1)])
def test_a_rider_who_waited_long_enough_gets_the_only_driver(waited_s: float, winner: int) -> None:
    # Rider 1 is 20 s farther away; 0.3 s of credit per second make up for it after 66.7 s.
    asked = problem(2, 1, waited_s=[0, waited_s], weights=Weights(age_credit=0.3))
    result = solve(asked, candidates([[100], [120]]), limits=ROOMY, seed=1)
    assert pairs_of(result) == [(winner, 0)]


def test_waiting_never_changes_which_driver_comes() -> None:
    table = candidates([[100, 110], [105, 160]])
    for waited_s in ([0.0, 0.0], [900.0, 0.0], [0.0, 900.0]):
        asked = problem(2, 2, waited_s=waited_s, weights=Weights(age_credit=0.3))
        assert pairs_of(solve(asked, table, limits=ROOMY, seed=1)) == [(0, 1), (1, 0)]


@pytest.mark.parametrize(("riders", "drivers"), [(0, 0), (0, 2), (2, 0)])
def test_with_nobody_on_one_side_nobody_is_paired(riders: int, drivers: int) -> None:
    table = candidates([[None] * drivers] * riders, drivers=drivers)
    for result in (
        solve(problem(riders, drivers), table, limits=ROOMY, seed=1),
        solve_greedy(problem(riders, drivers), table, seed=1),
    ):
        assert result.pairings == ()
        assert [one.why for one in result.unserved] == [WhyUnserved.NO_DRIVER_NEAR] * riders


@given(instances())
@settings(max_examples=300, deadline=None)
def test_our_solver_or_tools_and_scipy_find_the_same_objective_and_serve_as_many(
    instance: tuple[Problem, Candidates],
) -> None:
    asked, edges = instance
    ours = solve(asked, edges, limits=ROOMY, seed=3)
    flow = solve(asked, edges, limits=ROOMY, seed=3, method=Method.FLOW)
    assert_feasible(ours, asked, edges)
    assert_feasible(flow, asked, edges)
    assert (ours.solver, flow.solver) == (SPARSE_SOLVER, FLOW_SOLVER)
    assert ours.objective_ds == flow.objective_ds == referee_objective_ds(asked, edges)
    assert len(ours.pairings) == len(flow.pairings)


@given(instances())
@settings(max_examples=200, deadline=None)
def test_the_prices_prove_the_pairing(instance: tuple[Problem, Candidates]) -> None:
    asked, edges = instance
    result = solve(asked, edges, limits=ROOMY, seed=3)
    assert result.rider_price_ds is not None
    assert result.driver_price_ds is not None
    rider_ds = np.array(result.rider_price_ds, dtype=np.int64)
    driver_ds = np.array(result.driver_price_ds, dtype=np.int64)
    assert (rider_ds <= not_serving(asked)).all()
    assert (driver_ds <= 0).all()
    sums_ds = rider_ds[edges.rider] + driver_ds[edges.driver]
    assert (sums_ds <= cost_terms(asked, edges).total_ds).all()
    for pairing in result.pairings:
        assert rider_ds[pairing.rider] + driver_ds[pairing.driver] == pairing.cost_ds
    assert int(rider_ds.sum() + driver_ds.sum()) == result.objective_ds


def test_a_driver_is_worth_what_she_saves_the_others() -> None:
    # Without driver 0 the riders would pay 120 + 500 s instead of 120 + 90 s, or one is not served.
    result = solve(problem(2, 2), candidates([[60, 120], [90, 500]]), limits=ROOMY, seed=1)
    assert result.driver_price_ds is not None
    assert result.driver_price_ds[0] < result.driver_price_ds[1] == 0


def test_neither_greedy_nor_flow_claims_prices() -> None:
    asked, table = problem(1, 1), candidates([[60]])
    flow = solve(asked, table, limits=ROOMY, seed=1, method=Method.FLOW)
    assert (flow.rider_price_ds, flow.driver_price_ds) == (None, None)
    assert solve_greedy(asked, table, seed=1).rider_price_ds is None


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_a_crowded_instance_reaches_the_objective_of_an_independent_referee(seed: int) -> None:
    random = np.random.default_rng(seed)
    riders, drivers = 60, 50
    table = random.uniform(0, 900, (riders, drivers)).round(1)
    table[random.random((riders, drivers)) < 0.8] = np.nan
    edges = candidates([[None if np.isnan(s) else s for s in row] for row in table.tolist()])
    asked = problem(
        riders, drivers, waited_s=random.uniform(0, 600, riders).tolist(), weights=Weights()
    )
    for method in Method:
        result = solve(asked, edges, limits=ROOMY, seed=3, method=method)
        assert_feasible(result, asked, edges)
        assert result.objective_ds == referee_objective_ds(asked, edges)


@given(instances())
@settings(max_examples=200, deadline=None)
def test_greedy_is_feasible_and_never_cheaper_than_the_optimum(
    instance: tuple[Problem, Candidates],
) -> None:
    asked, edges = instance
    greedy = solve_greedy(asked, edges, seed=3)
    assert_feasible(greedy, asked, edges)
    assert greedy.objective_ds >= solve(asked, edges, limits=ROOMY, seed=3).objective_ds


@given(instances())
@settings(max_examples=100, deadline=None)
def test_every_reason_given_to_an_unserved_rider_is_true(
    instance: tuple[Problem, Candidates],
) -> None:
    asked, edges = instance
    for result in (
        solve(asked, edges, limits=ROOMY, seed=3),
        solve_greedy(asked, edges, seed=3),
    ):
        given_away = {pairing.driver for pairing in result.pairings}
        for one in result.unserved:
            own = set(edges.driver[edges.edges_of(one.rider)].tolist())
            assert (one.why is WhyUnserved.NO_DRIVER_NEAR) == (not own)
            taken = bool(own) and own <= given_away
            assert (one.why is WhyUnserved.DRIVERS_WENT_TO_OTHERS) == taken


@given(instances())
@settings(max_examples=100, deadline=None)
def test_every_explanation_can_be_recomputed_from_the_table(
    instance: tuple[Problem, Candidates],
) -> None:
    asked, edges = instance
    total_ds = cost_terms(asked, edges).total_ds
    result = solve(asked, edges, limits=ROOMY, seed=3)
    rider_of = {pairing.driver: pairing.rider for pairing in result.pairings}
    for pairing in result.pairings:
        own = edges.edges_of(pairing.rider)
        drivers = edges.driver[own].tolist()
        cost_ds = dict(zip(drivers, total_ds[own].tolist(), strict=True))
        assert pairing.cost_ds == cost_ds.pop(pairing.driver)
        assert pairing.cost_ds == sum(term.cost_ds for term in pairing.terms)
        assert pairing.candidate_count == len(drivers)
        assert pairing.rank == 1 + int((edges.pickup_s[own] < pairing.pickup_s).sum())
        if pairing.runner_up is None:
            assert not cost_ds
        else:
            assert pairing.runner_up.cost_ds == min(cost_ds.values())
            assert cost_ds[pairing.runner_up.driver] == pairing.runner_up.cost_ds
            assert pairing.runner_up.serves == rider_of.get(pairing.runner_up.driver)


@given(instances(), st.integers(0, 1000), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_in_which_riders_and_drivers_are_listed_changes_nothing(
    instance: tuple[Problem, Candidates], seed: int, random: Random
) -> None:
    asked, edges = instance
    rider_from = list(range(len(asked.demand)))
    driver_from = list(range(len(asked.supply)))
    random.shuffle(rider_from)
    random.shuffle(driver_from)
    shuffled = Problem(
        demand=Demand(
            ids=tuple(asked.demand.ids[old] for old in rider_from),
            lat=asked.demand.lat[rider_from],
            lng=asked.demand.lng[rider_from],
            waited_s=asked.demand.waited_s[rider_from],
        ),
        supply=Supply(
            ids=tuple(asked.supply.ids[old] for old in driver_from),
            lat=asked.supply.lat[driver_from],
            lng=asked.supply.lng[driver_from],
        ),
        weights=asked.weights,
    )
    rider = np.argsort(rider_from)[edges.rider]
    driver = np.argsort(driver_from)[edges.driver]
    order = np.lexsort((driver, rider))
    same_edges = Candidates(
        rider=rider[order],
        driver=driver[order],
        pickup_s=edges.pickup_s[order],
        rider_count=edges.rider_count,
        driver_count=edges.driver_count,
    )
    for method in Method:
        assert pairs_by_id(
            solve(asked, edges, limits=ROOMY, seed=seed, method=method), asked
        ) == pairs_by_id(
            solve(shuffled, same_edges, limits=ROOMY, seed=seed, method=method), shuffled
        )
    assert pairs_by_id(solve_greedy(asked, edges, seed=seed), asked) == pairs_by_id(
        solve_greedy(shuffled, same_edges, seed=seed), shuffled
    )


@given(instances(), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_the_same_question_gets_the_same_answer(
    instance: tuple[Problem, Candidates], seed: int
) -> None:
    asked, edges = instance
    once = solve(asked, edges, limits=ROOMY, seed=seed)
    assert once == solve(asked, edges, limits=ROOMY, seed=seed)
    assert once.seed == seed


def test_a_tie_does_not_always_go_to_the_same_driver() -> None:
    asked, table = problem(1, 4), candidates([[60, 60, 60, 60]])
    for answers in (
        [solve(asked, table, limits=ROOMY, seed=seed) for seed in range(40)],
        [solve(asked, table, limits=ROOMY, seed=seed, method=Method.FLOW) for seed in range(40)],
        [solve_greedy(asked, table, seed=seed) for seed in range(40)],
    ):
        assert {answer.pairings[0].driver for answer in answers} == {0, 1, 2, 3}


def test_an_excluded_pair_among_the_candidates_is_refused() -> None:
    asked = problem(2, 2, excluded=[("rider 1", "driver 0")])
    allowed = candidates([[None, 60], [None, None]])
    barred = candidates([[None, 60], [60, None]])
    refusal = "driver 'driver 0' is excluded for rider 'rider 1' but is a candidate"
    assert pairs_of(solve(asked, allowed, limits=ROOMY, seed=1)) == [(0, 1)]
    with pytest.raises(ValueError, match=refusal):
        solve(asked, barred, limits=ROOMY, seed=1)
    assert pairs_of(solve_greedy(asked, allowed, seed=1)) == [(0, 1)]
    with pytest.raises(ValueError, match=refusal):
        solve_greedy(asked, barred, seed=1)


def test_a_candidate_beyond_the_longest_pickup_is_refused() -> None:
    asked = problem(1, 2, weights=Weights(max_pickup_s=300))
    assert len(solve(asked, candidates([[None, 300]]), limits=ROOMY, seed=1).pairings) == 1
    with pytest.raises(ValueError, match=r"pickup_s\[1\] exceeds .*: 300.1 > 300"):
        solve(asked, candidates([[60, 300.1]]), limits=ROOMY, seed=1)


def test_candidates_of_another_problem_are_refused() -> None:
    with pytest.raises(ValueError, match="for 1 riders and 2 drivers, the problem has 2 and 2"):
        solve(problem(2, 2), candidates([[60, 60]]), limits=ROOMY, seed=1)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="seed must not be negative, got -1"):
        solve(problem(1, 1), candidates([[60]]), limits=ROOMY, seed=-1)


def test_a_solve_crosses_into_another_process_and_back() -> None:
    asked = problem(2, 3, waited_s=[10, 0], weights=Weights(), excluded=[("rider 1", "driver 2")])
    table = candidates([[60, 120, 300], [90, 500, None]])
    here = solve(asked, table, limits=ROOMY, seed=7)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = pool.submit(solve, asked, table, limits=ROOMY, seed=7).result(timeout=60)
    assert there == here
    assert pickle.loads(pickle.dumps(here)) == here  # noqa: S301 - our own bytes


def test_ties_go_by_a_uuid_as_by_its_text() -> None:
    ids = [uuid4() for _ in range(40)]
    as_text = [str(one) for one in ids]
    by_number, by_text = (tie_order(problem(40, named), seed=3)[1] for named in (ids, as_text))
    assert by_number.tolist() == by_text.tolist()


def test_a_price_of_nothing_still_serves_whoever_costs_nothing() -> None:
    asked = problem(1, 1, weights=Weights(age_credit=0, unserved_s=0))
    assert len(solve(asked, candidates([[0.0]]), limits=ROOMY, seed=1).pairings) == 1
