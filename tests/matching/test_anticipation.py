"""Riders are held for drivers soon free, and for nobody where that would lose them."""

import numpy as np
import pytest

from matching.anticipation import in_time, sent, soon_free_s
from matching.assignment import Limits, solve
from matching.problem import Problem, Supply
from tests.matching.instances import candidates, problem


def with_busy(riders: int, free_in_s: list[float]) -> Problem:
    asked = problem(riders, len(free_in_s))
    supply = Supply(
        ids=asked.supply.ids,
        lat=asked.supply.lat,
        lng=asked.supply.lng,
        free_in_s=np.array(free_in_s),
    )
    return Problem(asked.demand, supply, asked.weights)


def test_a_late_driver_is_expected_at_the_next_tick_and_a_far_end_never() -> None:
    expected_s = np.array([-90.0, 1.0, 600.0, 601.0, np.nan])

    free_in_s = soon_free_s(expected_s, window_s=2.0, horizon_s=600.0)

    np.testing.assert_array_equal(free_in_s, [2.0, 2.0, 600.0, np.nan, np.nan])


def test_a_rider_paired_with_a_driver_not_yet_free_is_held() -> None:
    asked = with_busy(2, [0.0, 60.0])
    result = solve(asked, candidates([[60, 900], [900, 60]]), limits=Limits(), seed=1)

    assert len(result.pairings) == 2
    assert [(one.rider, one.driver) for one in sent(asked, result)] == [(0, 0)]


@pytest.mark.parametrize(("gives_up_in_s", "kept"), [(300.0, [0, 1]), (299.0, [0])])
def test_nobody_is_held_for_a_driver_who_is_free_after_the_rider_has_given_up(
    gives_up_in_s: float, kept: list[int]
) -> None:
    asked = with_busy(1, [0.0, 300.0])

    left = in_time(
        asked,
        candidates([[480, 10]]),
        gives_up_in_s=np.array([gives_up_in_s]),
        rescue_s=480.0,
        rescue_load=0.1,
    )

    assert left.driver.tolist() == kept


@pytest.mark.parametrize(("pickup_s", "riders"), [(481.0, 1), (480.0, 2)])
def test_nobody_is_rescued_from_too_far_or_while_the_queue_is_long(
    pickup_s: float, riders: int
) -> None:
    asked = with_busy(riders, [0.0, 300.0])
    every = candidates([[pickup_s, 10]] * riders)

    left = in_time(asked, every, gives_up_in_s=np.zeros(riders), rescue_s=480.0, rescue_load=0.1)

    assert len(left) == len(every)
