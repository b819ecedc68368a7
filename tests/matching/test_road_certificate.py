"""What is stated about a pairing by road is true, though most pairs were never timed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from matching.arrays import FloatArray
from matching.assignment import Limits, solve, solve_greedy
from matching.costs import cost_terms, not_serving
from matching.problem import Assignment, Demand, Problem, Supply, Weights
from matching.road_certificate import LeastDrive, RoadCertificate, certify
from matching.road_times import Block, Timed, first_blocks
from matching.travel import StraightLine, great_circle_m

LEAST = LeastDrive(constant_s=30.0, s_per_m=1.0 / 25)
LINE = StraightLine(detour=1.0, speed_mps=25.0)


def town(riders: int, drivers: int, *, seed: int) -> tuple[Problem, FloatArray]:
    """A problem, and road times (drivers, riders) that no formula gives, nowhere below the least.

    Some drivers are soon free, some underpaid, some pairs excluded or without a way.
    """
    random = np.random.default_rng(seed)
    weights = Weights(
        max_pickup_s=float(random.choice([200, 900])),
        unserved_s=float(random.choice([60, 400, 3000])),
        fairness_s=float(random.choice([0, 120])),
        late_weight=float(random.choice([0, 0.5])),
        late_s=200.0,
    )
    demand = Demand(
        ids=tuple(f"rider {n}" for n in range(riders)),
        lat=47 + random.normal(0, 0.02, riders),
        lng=9 + random.normal(0, 0.02, riders),
        waited_s=random.uniform(0, 300, riders),
    )
    supply = Supply(
        ids=tuple(f"driver {n}" for n in range(drivers)),
        lat=47 + random.normal(0, 0.03, drivers),
        lng=9 + random.normal(0, 0.03, drivers),
        free_in_s=np.where(random.random(drivers) < 0.3, random.uniform(1, 600, drivers), 0.0),
        underpaid=random.uniform(-1, 1, drivers),
    )
    barred = [(r, d) for r in range(riders) for d in range(drivers) if random.random() < 0.03]
    excluded = frozenset((f"rider {r}", f"driver {d}") for r, d in barred)
    crow_m = great_circle_m(
        from_lat=supply.lat[:, np.newaxis],
        from_lng=supply.lng[:, np.newaxis],
        to_lat=demand.lat,
        to_lng=demand.lng,
    )
    least_s = LEAST.constant_s + LEAST.s_per_m * crow_m
    road_s = least_s * (1 + random.exponential(1.0, least_s.shape))
    road_s[random.random(road_s.shape) < 0.03] = np.nan
    return Problem(demand, supply, weights, excluded), road_s


def times(blocks: tuple[Block, ...], road_s: FloatArray) -> Timed:
    return Timed.of(
        blocks, seconds=tuple(road_s[np.ix_(one.drivers, one.riders)] for one in blocks)
    )


def proven(asked: Problem, timed: Timed) -> tuple[Assignment, RoadCertificate]:
    candidates = timed.candidates(asked)
    result = solve(asked, candidates, limits=Limits(deadline_s=100.0), seed=1)
    return result, certify(asked, candidates, result, timed=timed, least=LEAST)


def optimum_ds(asked: Problem, road_s: FloatArray) -> int:
    """The least cost over all pairs, by scipy on the whole matrix."""
    riders, drivers = len(asked.demand), len(asked.supply)
    every = times((Block(np.arange(riders), np.arange(drivers)),), road_s).candidates(asked)
    dense = np.full((riders, drivers + riders), 10**12, dtype=np.int64)
    dense[every.rider, every.driver] = cost_terms(asked, every).total_ds
    dense[np.arange(riders), drivers + np.arange(riders)] = not_serving(asked)
    row, column = linear_sum_assignment(dense)
    return int(dense[row, column].sum())


def assert_true(result: Assignment, stated: RoadCertificate, optimum: int) -> None:
    if stated.gap == 0:
        assert result.objective_ds == optimum
    elif stated.gap is not None and optimum > 0:
        assert result.objective_ds <= optimum * (1 + stated.gap) + 1e-6
    elif stated.gap is not None:
        assert result.objective_ds - optimum <= -result.objective_ds * stated.gap + 1e-6


@settings(max_examples=150, deadline=None)
@given(
    riders=st.integers(1, 12),
    drivers=st.integers(1, 20),
    timed_share=st.floats(0, 1),
    seed=st.integers(0, 10**6),
)
def test_the_stated_gap_is_never_less_than_the_true_one(
    riders: int, drivers: int, timed_share: float, seed: int
) -> None:
    asked, road_s = town(riders, drivers, seed=seed)
    optimum = optimum_ds(asked, road_s)
    some = np.argwhere(np.random.default_rng(seed).random((riders, drivers)) < timed_share)
    timed = times(tuple(Block(pair[:1], pair[1:]) for pair in some), road_s)

    for _ in range(1 + riders * drivers):
        result, stated = proven(asked, timed)
        assert_true(result, stated, optimum)
        if not stated.ask:
            break
        timed = timed.joined(times(stated.ask, road_s))

    assert result.objective_ds == optimum
    assert stated.gap == 0


@pytest.mark.parametrize("seed", range(3))
def test_few_pairs_are_all_timed_and_the_optimum_is_proven_at_once(seed: int) -> None:
    asked, road_s = town(30, 60, seed=seed)

    result, stated = proven(asked, times(first_blocks(asked, line=LINE), road_s))

    assert (stated.gap, stated.ask) == (0.0, ())
    assert result.objective_ds == optimum_ds(asked, road_s)


def test_many_pairs_are_timed_in_part_and_each_round_proves_no_less() -> None:
    asked, road_s = town(150, 300, seed=1)
    asked = replace(asked, weights=Weights())
    timed = times(first_blocks(asked, line=LINE), road_s)
    assert len(timed.rider) < 150 * 300

    gaps = []
    for _ in range(4):
        result, stated = proven(asked, timed)
        assert_true(result, stated, optimum_ds(asked, road_s))
        assert stated.gap is not None
        gaps.append(stated.gap)
        timed = timed.joined(times(stated.ask, road_s))

    assert gaps[-1] < gaps[0]


def test_a_pairing_that_is_no_optimum_is_bounded_too() -> None:
    asked, road_s = town(20, 30, seed=4)
    timed = times(first_blocks(asked, line=LINE), road_s)
    candidates = timed.candidates(asked)
    greedy = solve_greedy(asked, candidates, seed=1)

    stated = certify(asked, candidates, greedy, timed=timed, least=LEAST)

    assert stated.gap is not None
    assert stated.gap > 0
    assert_true(greedy, stated, optimum_ds(asked, road_s))


def test_nothing_is_claimed_where_a_drive_was_quicker_than_any_can_be() -> None:
    asked, road_s = town(5, 8, seed=2)
    one_pair = (Block(np.array([0]), np.array([0])),)

    _, honest = proven(asked, times(one_pair, np.full_like(road_s, 500.0)))
    _, doubtful = proven(asked, times(one_pair, np.full_like(road_s, 1.0)))

    assert honest.gap is not None
    assert doubtful.gap is None


def test_of_two_times_of_one_pair_the_shorter_counts() -> None:
    pair = (Block(np.array([0]), np.array([0])),)
    timed = Timed.of(pair * 3, seconds=tuple(np.array([[s]]) for s in (90.0, np.nan, 60.0)))

    assert (timed.rider.tolist(), timed.pickup_s.tolist()) == ([0], [60.0])


@pytest.mark.parametrize("least", [(-1.0, 0.04), (30.0, float("inf"))])
def test_a_least_drive_is_a_number_of_zero_or_more(least: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="must be 0 or more"):
        LeastDrive(*least)
