from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from matching.assignment import Limits
from matching.candidates import find_candidates
from matching.certified import proven_gap, solve_certified
from matching.costs import cost_terms, not_serving
from matching.full_matrix import FullMatrix
from matching.problem import Assignment, Candidates, Demand, Fallback, Problem, Supply, Weights
from matching.travel import StraightLine
from tests.matching.instances import pairs_by_id, problem

LINE = StraightLine()
ROOMY = Limits(deadline_s=1000.0)


def city(riders: int, drivers: int, *, seed: int, weights: Weights | None = None) -> Problem:
    """Riders crowd round three places; drivers are spread more evenly."""
    random = np.random.default_rng(seed)
    centres = random.uniform(-0.04, 0.04, (3, 2))
    asked = centres[random.integers(0, 3, riders)] + random.normal(0, 0.005, (riders, 2))
    stand = random.uniform(-0.06, 0.06, (drivers, 2))
    return Problem(
        demand=Demand(
            ids=tuple(f"rider {n}" for n in range(riders)),
            lat=47 + asked[:, 0],
            lng=9 + asked[:, 1],
            waited_s=random.uniform(0, 300, riders),
        ),
        supply=Supply(
            ids=tuple(f"driver {n}" for n in range(drivers)),
            lat=47 + stand[:, 0],
            lng=9 + stand[:, 1],
        ),
        weights=weights or Weights(),
    )


def referee_ds(asked: Problem) -> int:
    """The optimum over all pairs, by scipy on the dense matrix with a private way out each."""
    riders, drivers = len(asked.demand), len(asked.supply)
    price_ds = not_serving(asked)
    if not (riders and drivers):
        return int(price_ds.sum())
    edges = find_candidates(asked, line=LINE, per_rider=drivers, per_driver=0)
    dense = np.full((riders, drivers + riders), 10**12, dtype=np.int64)
    dense[edges.rider, edges.driver] = cost_terms(asked, edges).total_ds
    dense[np.arange(riders), drivers + np.arange(riders)] = price_ds
    row, column = linear_sum_assignment(dense)
    return int(dense[row, column].sum())


def assert_kept_promises(asked: Problem, result: Assignment, edges: Candidates) -> None:
    """Feasible, within the cap, never excluded, and not farther from the optimum than stated."""
    served = [pairing.rider for pairing in result.pairings]
    assert len({pairing.driver for pairing in result.pairings}) == len(served)
    assert sorted(served + [one.rider for one in result.unserved]) == list(range(len(asked.demand)))
    assert not pairs_by_id(result, asked) & asked.excluded
    assert (edges.pickup_s <= asked.weights.max_pickup_s).all()
    best_ds = referee_ds(asked)
    assert result.objective_ds >= best_ds
    if result.gap is not None:
        assert result.objective_ds - best_ds <= result.gap * abs(best_ds) * (1 + 1e-12)


@st.composite
def small_problems(draw: st.DrawFn) -> Problem:
    """Nobody, everybody in one spot, busy drivers, refusals, tight caps, prices below the cap."""
    spot = st.sampled_from([0.0, 0.001, 0.0011, 0.004, 0.01, 0.05])
    places = st.lists(st.tuples(spot, spot), max_size=9)
    riders, drivers = draw(places), draw(places)
    waited = draw(
        st.lists(st.sampled_from([0.0, 7.0, 600.0]), min_size=len(riders), max_size=len(riders))
    )
    weights = Weights(
        age_credit=draw(st.sampled_from([0.0, 0.3, 2.0])),
        unserved_s=draw(st.sampled_from([0.0, 60.0, 300.0, 3000.0])),
        max_pickup_s=draw(st.sampled_from([20.0, 200.0, 900.0])),
    )
    pairs = st.tuples(
        st.sampled_from([f"r{n}" for n in range(9)]), st.sampled_from([f"d{n}" for n in range(9)])
    )
    excluded = draw(st.frozensets(pairs, max_size=12))
    return Problem(
        demand=Demand(
            ids=tuple(f"r{n}" for n in range(len(riders))),
            lat=np.array([place[0] for place in riders]),
            lng=np.array([place[1] for place in riders]),
            waited_s=np.array(waited),
        ),
        supply=Supply(
            ids=tuple(f"d{n}" for n in range(len(drivers))),
            lat=np.array([place[0] for place in drivers]),
            lng=np.array([place[1] for place in drivers]),
        ),
        weights=weights,
        excluded=excluded,
    )


@contextmanager
def lists_cut_short() -> Iterator[None]:
    """Even small problems then need several rounds, shares and pauses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matching.certified._NEAREST", 1)
        patch.setattr("matching.certified._NEW_PER_RIDER", 1)
        patch.setattr("matching.certified._DRIVERS_IN_SHARE", 2)
        patch.setattr("matching.certified._SCANS_AT_ONCE", 1)
        yield


@pytest.fixture
def short_lists() -> Iterator[None]:
    with lists_cut_short():
        yield


@given(
    asked=small_problems(),
    seed=st.integers(0, 3),
    lists=st.sampled_from([nullcontext, lists_cut_short]),
)
@settings(deadline=None, max_examples=150)
def test_an_exact_answer_costs_what_the_dense_referee_finds(
    asked: Problem, seed: int, lists: Callable[[], AbstractContextManager[None]]
) -> None:
    with lists():
        result, edges = solve_certified(asked, line=LINE, limits=ROOMY, seed=seed, gap=0)
    assert result.objective_ds == referee_ds(asked)
    assert result.gap == 0.0
    assert_kept_promises(asked, result, edges)


@given(
    riders=st.integers(1, 60),
    drivers=st.integers(1, 90),
    seed=st.integers(0, 10**6),
    rounds=st.integers(1, 4),
    unserved_s=st.sampled_from([100.0, 600.0, 3000.0]),
)
@settings(deadline=None, max_examples=60)
def test_the_stated_gap_never_lies_however_early_the_rounds_end(
    riders: int, drivers: int, seed: int, rounds: int, unserved_s: float
) -> None:
    asked = city(riders, drivers, seed=seed, weights=Weights(unserved_s=unserved_s))
    asked_so_often = count(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matching.certified._NEAREST", 2)
        patch.setattr("matching.certified._SCANS_AT_ONCE", 100)
        result, edges = solve_certified(
            asked,
            line=LINE,
            limits=ROOMY,
            seed=1,
            gap=0.001,
            is_over=lambda: next(asked_so_often) > rounds,
        )
    assert_kept_promises(asked, result, edges)


@given(
    riders=st.integers(1, 8),
    drivers=st.integers(1, 8),
    seed=st.integers(0, 10**6),
    data=st.data(),
)
@settings(deadline=None, max_examples=80)
def test_any_prices_give_a_bound_that_no_pairing_undercuts(
    riders: int, drivers: int, seed: int, data: st.DataObject
) -> None:
    asked = city(riders, drivers, seed=seed)
    price_ds = st.integers(-30_000, 0)
    driver_ds = data.draw(st.lists(price_ds, min_size=drivers, max_size=drivers))
    below_ds = data.draw(st.lists(price_ds, min_size=riders, max_size=riders))
    matrix = FullMatrix(asked, line=LINE)
    for share in (1, 2, 4):
        priced = matrix.price_out(
            matrix.unserved_ds + np.array(below_ds, dtype=np.int64),
            np.array(driver_ds, dtype=np.int64),
            most_new=3,
            share=share,
        )
        assert priced.bound_ds <= referee_ds(asked)


@pytest.mark.parametrize(("riders", "drivers"), [(120, 240), (240, 120), (1, 400), (400, 1)])
def test_a_crowded_city_is_certified_within_half_a_percent(riders: int, drivers: int) -> None:
    asked = city(riders, drivers, seed=5)
    result, edges = solve_certified(asked, line=LINE, limits=ROOMY, seed=1)
    assert result.gap is not None
    assert result.gap <= 0.005
    assert_kept_promises(asked, result, edges)


def test_a_large_batch_is_certified_with_few_of_its_pairs() -> None:
    asked = city(400, 600, seed=2)
    result, edges = solve_certified(asked, line=LINE, limits=ROOMY, seed=1)
    assert result.gap is not None
    assert result.gap <= 0.005
    assert len(edges) < 400 * 600 / 5
    assert_kept_promises(asked, result, edges)


@pytest.mark.usefixtures("short_lists")
def test_a_taxi_rank_where_all_times_are_equal_is_still_proven_exactly() -> None:
    asked = city(30, 40, seed=1)
    rank = replace(
        asked,
        supply=replace(asked.supply, lat=np.full(40, 47.0), lng=np.full(40, 9.0)),
    )
    result, edges = solve_certified(rank, line=LINE, limits=ROOMY, seed=1, gap=0)
    assert result.gap == 0.0
    assert_kept_promises(rank, result, edges)


@pytest.mark.usefixtures("short_lists")
@pytest.mark.parametrize("seed", range(4))
def test_a_crowd_at_one_door_is_offered_every_driver_who_is_worth_it(seed: int) -> None:
    asked = city(40, 60, seed=seed)
    door = replace(
        asked,
        demand=replace(asked.demand, lat=np.full(40, 47.0), lng=np.full(40, 9.0)),
    )
    result, edges = solve_certified(door, line=LINE, limits=ROOMY, seed=1, gap=0)
    assert result.objective_ds == referee_ds(door)
    assert_kept_promises(door, result, edges)


@pytest.mark.usefixtures("short_lists")
def test_drivers_who_are_still_busy_count_with_the_time_until_they_are_free() -> None:
    asked = city(40, 60, seed=4)
    busy_s = np.random.default_rng(1).choice(np.array([0.0, 120.0, 400.0]), 60)
    later = replace(asked, supply=replace(asked.supply, free_in_s=busy_s))
    result, edges = solve_certified(later, line=LINE, limits=ROOMY, seed=1, gap=0)
    assert result.objective_ds == referee_ds(later) > referee_ds(asked)
    assert_kept_promises(later, result, edges)


@pytest.mark.usefixtures("short_lists")
def test_the_same_question_gets_the_same_pairs_in_whatever_order_it_is_listed() -> None:
    asked = city(60, 80, seed=3)
    turned = replace(
        asked,
        demand=Demand(
            ids=asked.demand.ids[::-1],
            lat=asked.demand.lat[::-1],
            lng=asked.demand.lng[::-1],
            waited_s=asked.demand.waited_s[::-1],
        ),
    )
    one, _ = solve_certified(asked, line=LINE, limits=ROOMY, seed=7)
    other, _ = solve_certified(turned, line=LINE, limits=ROOMY, seed=7)
    assert pairs_by_id(one, asked) == pairs_by_id(other, turned)
    assert (one.objective_ds, one.gap) == (other.objective_ds, other.gap)


@pytest.mark.usefixtures("short_lists")
def test_a_deadline_that_allows_one_round_returns_its_pairing_with_what_is_proven() -> None:
    asked = city(100, 120, seed=6)
    one_round = Limits(deadline_s=1.0, scans_per_s=1e9, pairs_per_s=100)
    early, edges = solve_certified(asked, line=LINE, limits=one_round, seed=1, gap=0)
    exact, _ = solve_certified(asked, line=LINE, limits=ROOMY, seed=1, gap=0)
    assert early.gap is None or early.gap > 0
    assert early.objective_ds > exact.objective_ds
    assert early.fallback is Fallback.STOPPED
    assert exact.fallback is None
    assert_kept_promises(asked, early, edges)


def test_without_time_for_one_round_the_answer_is_greedy_and_says_so() -> None:
    asked = city(30, 40, seed=1)
    result, edges = solve_certified(asked, line=LINE, limits=ROOMY, seed=1, is_over=lambda: True)
    assert result.fallback == Fallback.TOO_MANY_EDGES
    assert result.gap is None
    assert len(result.pairings) > 0
    assert_kept_promises(asked, result, edges)


@pytest.mark.parametrize(
    ("objective_ds", "bound_ds", "expected"),
    [(100, 100, 0.0), (0, 0, 0.0), (105, 100, 0.05), (-100, -105, 0.05), (5, -5, None)],
)
def test_a_gap_is_a_share_of_the_optimum_whatever_its_sign(
    objective_ds: int, bound_ds: int, expected: float | None
) -> None:
    assert proven_gap(objective_ds=objective_ds, bound_ds=bound_ds) == expected


def test_what_lateness_costs_is_not_certified_over_all_pairs() -> None:
    asked = problem(1, 1, weights=Weights(late_weight=0.2))
    with pytest.raises(ValueError, match="late_weight"):
        solve_certified(asked, line=LINE, limits=Limits(), seed=1)


@pytest.mark.parametrize("gap", [-0.1, float("nan"), float("inf")])
def test_a_gap_that_cannot_be_promised_is_refused(gap: float) -> None:
    with pytest.raises(ValueError, match="gap must be"):
        solve_certified(city(1, 1, seed=1), line=LINE, limits=ROOMY, seed=1, gap=gap)
