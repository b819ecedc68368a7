"""A booked ride keeps a driver from others until it is time to send her."""

from itertools import pairwise

import numpy as np
import pytest

from matching.arrays import LONGEST_S
from matching.assignment import Limits, solve
from matching.booked import in_play, is_due
from matching.certified import solve_certified
from matching.costs import not_serving
from matching.problem import Candidates, Demand, Pairing, Problem, Supply, Weights
from matching.travel import StraightLine

LINE = StraightLine(detour=1.3, speed_mps=8.0)


def town(
    *, late_in_s: list[float], pickup_s: list[list[float]], free_in_s: list[float] | None = None
) -> tuple[Problem, Candidates]:
    """Riders who were promised a car within so many seconds, and each one's drive to everybody."""
    riders, drivers = np.array(pickup_s).shape
    problem = Problem(
        demand=Demand(
            ids=tuple(range(riders)),
            lat=np.zeros(riders),
            lng=np.zeros(riders),
            waited_s=np.zeros(riders),
            due_in_s=np.array([max(one - 600, 0) if one < LONGEST_S else 0 for one in late_in_s]),
            late_in_s=np.array(late_in_s),
        ),
        supply=Supply(
            ids=tuple(f"d{place}" for place in range(drivers)),
            lat=np.zeros(drivers),
            lng=np.zeros(drivers),
            free_in_s=np.array(free_in_s or [0.0] * drivers),
        ),
    )
    rider, driver = np.divmod(np.arange(riders * drivers), drivers)
    edges = Candidates(
        rider=rider,
        driver=driver,
        pickup_s=np.array(pickup_s).ravel(),
        rider_count=riders,
        driver_count=drivers,
    )
    return problem, edges


def pairs(problem: Problem, edges: Candidates) -> list[tuple[int, int]]:
    result = solve(problem, edges, limits=Limits(), seed=1)
    return [(one.rider, one.driver) for one in result.pairings]


def pairing(pickup_s: float) -> Pairing:
    return Pairing(
        rider=0,
        driver=0,
        pickup_s=pickup_s,
        cost_ds=0,
        terms=(),
        candidate_count=1,
        rank=1,
        runner_up=None,
    )


def test_the_only_driver_is_kept_for_the_booked_ride_though_another_rider_stands_beside_her() -> (
    None
):
    problem, edges = town(late_in_s=[LONGEST_S, 1200.0], pickup_s=[[10.0], [800.0]])

    assert pairs(problem, edges) == [(1, 0)]


def test_of_two_drivers_each_goes_where_all_wait_least() -> None:
    problem, edges = town(late_in_s=[LONGEST_S, 1200.0], pickup_s=[[10.0, 300.0], [20.0, 60.0]])

    assert pairs(problem, edges) == [(0, 0), (1, 1)]


def test_who_was_promised_nothing_costs_what_it_always_did() -> None:
    problem, _ = town(late_in_s=[LONGEST_S, 0.0], pickup_s=[[10.0], [10.0]])
    weights = problem.weights

    prices = not_serving(problem).tolist()

    assert prices == [weights.unserved_s * 10, (weights.unserved_s + weights.promise_s) * 10]


def test_a_driver_who_would_be_late_is_left_out_where_another_is_in_time() -> None:
    problem, edges = town(
        late_in_s=[300.0, LONGEST_S],
        pickup_s=[[301.0, 300.0, 10.0], [301.0, 300.0, 10.0]],
        free_in_s=[0.0, 0.0, 240.0],
    )

    kept = in_play(problem, edges)

    # The third is free in 240 s and 10 s away, but nobody is sure of that to 50 s.
    assert list(zip(kept.rider.tolist(), kept.driver.tolist(), strict=True)) == [
        (0, 1),
        (1, 0),
        (1, 1),
        (1, 2),
    ]


def test_late_is_better_than_never() -> None:
    problem, edges = town(late_in_s=[100.0], pickup_s=[[500.0, 400.0]])

    assert len(in_play(problem, edges)) == 2


@pytest.mark.parametrize(
    ("pickup_s", "joins"),
    [
        ([240.0, 240.0, 240.0], False),  # 600 s ahead, each of them has three minutes to spare
        ([240.0, 240.0, 301.0], True),
        ([240.0, 240.0], True),
        ([60.0, 60.0, 60.0, 900.0], False),
    ],
)
def test_nobody_is_kept_while_three_drivers_could_set_out_later(
    pickup_s: list[float], *, joins: bool
) -> None:
    problem, edges = town(late_in_s=[1200.0, LONGEST_S], pickup_s=[pickup_s, pickup_s])

    kept = in_play(problem, edges)

    assert (0 in kept.rider) is joins
    assert np.count_nonzero(kept.rider == 1) == len(pickup_s)


@pytest.mark.parametrize(
    ("due_in_s", "pickup_s", "due"),
    [(0.0, 300.0, True), (420.0, 300.0, True), (421.0, 300.0, False), (900.0, 60.0, False)],
)
def test_a_driver_is_sent_when_she_would_be_there_two_minutes_early(
    due_in_s: float, pickup_s: float, *, due: bool
) -> None:
    problem, _ = town(late_in_s=[due_in_s + 600.0], pickup_s=[[pickup_s]])

    assert is_due(problem, pairing(pickup_s)) is due


def test_as_time_passes_a_ride_is_held_back_first_and_then_sent_once_and_for_all() -> None:
    decisions = []
    for due_in_s in range(900, -1, -2):
        problem, _ = town(late_in_s=[due_in_s + 600.0], pickup_s=[[240.0]])
        decisions.append(is_due(problem, pairing(240.0)))

    assert not decisions[0]
    assert decisions[-1]
    assert sum(one != two for one, two in pairwise(decisions)) == 1


def test_a_certified_pairing_keeps_the_promise_too_and_proves_it() -> None:
    draw = np.random.default_rng(5)
    problem = Problem(
        demand=Demand(
            ids=tuple(range(40)),
            lat=draw.uniform(47.0, 47.2, 40),
            lng=draw.uniform(9.4, 9.6, 40),
            waited_s=np.zeros(40),
            due_in_s=np.where(np.arange(40) < 8, 600.0, 0.0),
            late_in_s=np.where(np.arange(40) < 8, 1200.0, LONGEST_S),
        ),
        supply=Supply(
            ids=tuple(f"d{place}" for place in range(10)),
            lat=draw.uniform(47.0, 47.2, 10),
            lng=draw.uniform(9.4, 9.6, 10),
        ),
        weights=Weights(max_pickup_s=6000.0, unserved_s=6000.0, promise_s=7000.0),
    )

    result, _ = solve_certified(problem, line=LINE, limits=Limits(), seed=1, gap=0)

    assert result.gap == 0
    assert {one.rider for one in result.pairings} >= set(range(8))


@pytest.mark.parametrize("name", ["due_in_s", "late_in_s"])
@pytest.mark.parametrize("wrong", [[-1.0], [np.nan], [0.0, 0.0]])
def test_a_time_that_cannot_be_is_refused(name: str, wrong: list[float]) -> None:
    with pytest.raises(ValueError, match=f"demand.{name}"):
        Demand(
            ids=("a",),
            lat=np.zeros(1),
            lng=np.zeros(1),
            waited_s=np.zeros(1),
            **{name: np.array(wrong)},
        )
