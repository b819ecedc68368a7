"""In the replay, idle drivers drive to where they are told to wait, and can be sent from there."""

from dataclasses import replace

import numpy as np
import pytest

from matching.replay.day import Day, Outlook, Rules
from matching.replay.drift import HINTS_EVERY_S, THERE_M
from matching.replay.income import empty_m
from matching.replay.policies import named_policy
from matching.replay.simulation import Simulation
from tests.matching.test_income import HOUR_S, MINUTES, PLACES, day, replayed

# Riders are expected at place 10 only; it lies ten minutes from where the drivers begin.
OUTLOOK = Outlook(place=np.array([10]), per_hour=np.array([[30.0]]))
RULES = Rules(boarding_s=30.0, follow_share=1.0, empty_km_cost_minor=100.0)
HINTS = "optimal-idle:hints=1"


def expecting(asked: Day, *, rules: Rules = RULES) -> Day:
    return replace(asked, outlook=OUTLOOK, rules=rules)


def test_an_idle_driver_waits_where_she_was_told_when_the_rider_asks() -> None:
    asked = expecting(day([(1500.0, 11, 20)], shifts=[(0, 0, HOUR_S, 0)]))
    ended = replayed(asked, policy=HINTS)
    assert ended.hints == 1
    assert ended.came_from.tolist() == [10]
    assert ended.pickup_s.tolist() == [60.0]
    drift_m = empty_m(PLACES, np.array([0]), end=np.array([10]))
    assert ended.drift_m.tolist() == pytest.approx(drift_m.tolist())
    pickup_m = empty_m(PLACES, np.array([10]), end=np.array([11]))
    assert ended.kept_minor[0] == pytest.approx(1000 - (drift_m + pickup_m)[0] / 10)
    stayed = replayed(asked, policy="optimal-idle")
    assert (stayed.hints, stayed.came_from.tolist()) == (0, [0])
    assert stayed.drift_m.tolist() == [0.0]


def test_under_way_she_can_be_sent_from_where_she_is() -> None:
    # Told at 300 s, she passes a place each minute and is at the fifth when the rider is paired.
    asked = expecting(day([(HINTS_EVERY_S + 300.0, 3, 20)], shifts=[(0, 0, HOUR_S, 0)]))
    ended = replayed(asked, policy=HINTS)
    assert ended.came_from.tolist() == [5]
    assert ended.pickup_s.tolist() == [120.0]
    half_m = empty_m(PLACES, np.array([0]), end=np.array([5]))
    assert ended.drift_m.tolist() == pytest.approx(half_m.tolist())


def test_who_goes_home_under_way_drives_no_farther() -> None:
    asked = day([(3000.0, 11, 20)], shifts=[(0, 0, HINTS_EVERY_S + 180.0, 0), (1, 0, HOUR_S, 50)])
    ended = replayed(expecting(asked), policy=HINTS)
    third_m = empty_m(PLACES, np.array([0]), end=np.array([3]))
    assert ended.drift_m[0] == pytest.approx(third_m[0])


def test_nobody_moves_who_does_not_follow() -> None:
    asked = day([(1500.0, 11, 20)], shifts=[(0, 0, HOUR_S, 0)])
    ended = replayed(expecting(asked, rules=replace(RULES, follow_share=0.0)), policy=HINTS)
    assert ended.hints > 0
    assert ended.came_from.tolist() == [0]
    assert ended.drift_m.tolist() == [0.0]


def test_who_stands_near_enough_is_already_there() -> None:
    near = int(THERE_M / 111.195)
    asked = day([(1500.0, 11, 20)], shifts=[(0, 0, HOUR_S, 10 - near)])
    assert replayed(expecting(asked), policy=HINTS).hints == 0


def test_hints_are_followed_while_nobody_asks() -> None:
    # The first tick is the one at which the only rider asks; hints come in the quiet before.
    asked = expecting(day([(3000.0, 11, 20)], shifts=[(0, 0, HOUR_S, 0)]))
    assert replayed(asked, policy=HINTS).came_from.tolist() == [10]


def test_hints_without_an_outlook_are_refused() -> None:
    with pytest.raises(ValueError, match="outlook"):
        Simulation(
            day([], shifts=[(0, 0, 1, 0)]), policy=named_policy(HINTS), times=MINUTES, seed=1
        )


def test_what_is_expected_is_summed_over_the_hours_ahead() -> None:
    outlook = Outlook(place=np.array([3, 4]), per_hour=np.array([[6.0, 0.0], [12.0, 3.0]]))
    assert outlook.expected(0.0, within_s=1800.0).tolist() == [3.0, 0.0]
    assert outlook.expected(3000.0, within_s=1200.0).tolist() == [3.0, 0.5]
    # After the last row it stays as it was.
    assert outlook.expected(9 * HOUR_S, within_s=HOUR_S).tolist() == [12.0, 3.0]


@pytest.mark.parametrize(
    "per_hour", [np.ones((1, 2)), np.ones(1), np.empty((0, 1)), np.array([[-1.0]])]
)
def test_an_outlook_that_says_nothing_of_its_places_is_refused(per_hour: np.ndarray) -> None:
    with pytest.raises(ValueError, match="outlook"):
        Outlook(place=np.array([0]), per_hour=per_hour)
