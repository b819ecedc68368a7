"""A replayed day keeps its promises to who booked ahead."""

from dataclasses import replace

import numpy as np
import pytest

from matching.replay.day import Day, Rules
from tests.matching.test_replay import day, replayed

RULES = Rules(window_s=5.0, patience_s=600.0, boarding_s=30.0)
HOUR_S = 3600.0


def booked(given: Day, *which: int) -> Day:
    """The same day, these of its requests booked ahead."""
    ahead = np.isin(np.arange(len(given.requests)), which)
    return replace(given, requests=replace(given.requests, booked_ahead=ahead))


def test_the_car_comes_two_minutes_early_and_leaves_when_the_rider_wished() -> None:
    ended = replayed(booked(day([(HOUR_S, 4, 9, 400.0)], drivers=[1]), 0))

    assert ended.ended_waiting_s.tolist() == [HOUR_S - 180 - 120]
    assert ended.picked_up_s.tolist() == [HOUR_S - 120]
    assert ended.dropped_off_s.tolist() == [HOUR_S + 30 + 400]


def test_the_only_driver_is_kept_for_who_booked_and_not_for_who_did_not() -> None:
    asked = day([(HOUR_S - 600, 2, 50, 3000.0), (HOUR_S, 4, 9, 400.0)], drivers=[2], rules=RULES)

    nobody_booked = replayed(asked)
    kept = replayed(booked(asked, 1))

    assert nobody_booked.served.tolist() == [True, False]
    assert kept.served.tolist() == [False, True]
    assert kept.picked_up_s[1] <= HOUR_S


def test_while_drivers_are_many_nobody_is_kept_and_everybody_is_fetched() -> None:
    asked = day(
        [(HOUR_S - 600, 2, 50, 3000.0), (HOUR_S, 4, 9, 400.0)], drivers=[2, 3, 4, 5], rules=RULES
    )

    ended = replayed(booked(asked, 1))

    assert ended.ended_waiting_s[0] == HOUR_S - 600
    assert ended.served.all()


def test_a_driver_soon_free_next_door_is_awaited_while_there_is_time() -> None:
    # The first is busy until 20 s before she must leave; the other stands half an hour away.
    asked = [(HOUR_S - 1500, 4, 4, 1000.0), (HOUR_S, 5, 9, 400.0)]

    ended = replayed(booked(day(asked, drivers=[4, 35]), 1))

    assert ended.shift.tolist() == [0, 0]
    assert ended.picked_up_s[1] <= HOUR_S


def test_who_booked_is_lost_when_the_window_closes_however_patient_others_are() -> None:
    rules = replace(RULES, patience_s=5000.0, pickup_window_s=600.0)
    asked = day([(HOUR_S - 1000, 1, 50, 5000.0), (HOUR_S, 4, 9, 400.0)], drivers=[1], rules=rules)

    ended = replayed(booked(asked, 1))

    assert ended.served.tolist() == [True, False]
    assert ended.ended_waiting_s[1] == HOUR_S + 600


@pytest.mark.parametrize("seed", range(3))
def test_a_day_with_drivers_enough_keeps_every_promise(seed: int) -> None:
    draw = np.random.default_rng(seed)
    many = 150
    asked = [
        (at_s, int(start), int(end), 60.0 * abs(int(start) - int(end)) + 60.0)
        for at_s, start, end in zip(
            np.sort(draw.uniform(900, 4 * HOUR_S, many)),
            draw.integers(0, 12, many),
            draw.integers(0, 12, many),
            strict=True,
        )
    ]
    given = booked(day(asked, drivers=list(range(12))), *range(0, many, 5))

    ended = replayed(given, seed=seed)

    wished_s = given.requests.requested_s
    ahead = given.requests.booked_ahead
    assert (ended.picked_up_s[ahead] <= wished_s[ahead] + given.rules.pickup_window_s).all()
    assert (ended.dropped_off_s[ahead] >= wished_s[ahead] + given.rules.boarding_s).all()


def test_a_booking_that_is_no_yes_or_no_is_refused() -> None:
    given = day([(HOUR_S, 4, 9, 400.0)], drivers=[1])

    with pytest.raises(ValueError, match="booked_ahead must have 1 entries"):
        replace(given.requests, booked_ahead=np.array([True, False]))
    with pytest.raises(ValueError, match="booked_ahead must have 1 entries"):
        replace(given.requests, booked_ahead=np.array([1.0]))
