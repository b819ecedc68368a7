"""The replay knows what each driver kept over the last week, and for how long she was online."""

import numpy as np
import pytest

from matching.replay.day import Day, Places, Requests, Rules, Shifts
from matching.replay.figures import at_once, hourly, lowest
from matching.replay.income import DAY_S, Takings, Week, empty_m, online_s
from matching.replay.policies import named_policy
from matching.replay.simulation import Outcome, Simulation
from matching.replay.times import ZoneTimes

HOUR_S = 3600.0
PLACES = Places(lat=np.zeros(60), lng=np.arange(60) / 1000)
MINUTES = ZoneTimes(
    zone_of=np.arange(60), between_s=60.0 * np.abs(np.arange(60)[:, None] - np.arange(60)[None, :])
)


def day(
    requests: list[tuple[float, int, int]],
    *,
    shifts: list[tuple[int, float, float, int]],
    net_minor: float = 1000.0,
    cost_minor: float = 100.0,
) -> Day:
    """Requests as (time, pickup, drop-off) of ten minutes; shifts as (driver, from, to, place)."""
    asked = np.array(requests, dtype=np.float64).reshape(len(requests), 3)
    plan = np.array(shifts, dtype=np.float64).reshape(len(shifts), 4)
    return Day(
        places=PLACES,
        requests=Requests(
            requested_s=asked[:, 0],
            pickup=asked[:, 1].astype(np.int64),
            dropoff=asked[:, 2].astype(np.int64),
            ride_s=np.full(len(asked), 600.0),
            expected_ride_s=np.full(len(asked), 600.0),
            cancels_after_s=np.full(len(asked), np.inf),
            net_minor=np.full(len(asked), net_minor),
        ),
        shifts=Shifts(
            driver=plan[:, 0].astype(np.int64),
            start_s=plan[:, 1],
            end_s=plan[:, 2],
            stands_at=plan[:, 3].astype(np.int64),
        ),
        rules=Rules(boarding_s=30.0, empty_km_cost_minor=cost_minor),
    )


def replayed(asked: Day, *, policy: str = "meent") -> Outcome:
    simulation = Simulation(asked, policy=named_policy(policy), times=MINUTES, seed=1)
    for _ in simulation.ticks():
        pass
    return simulation.outcome()


def test_a_driver_keeps_the_fare_less_the_cost_of_driving_to_the_pickup() -> None:
    ended = replayed(day([(5.0, 10, 20)], shifts=[(0, 0, HOUR_S, 0)]))
    # Ten thousandths of a degree on the equator, by a detour of 1.3, at 100 minor units a km.
    assert ended.kept_minor.tolist() == pytest.approx([1000 - 100 * 1.11195 * 1.3], abs=0.01)
    free = replayed(day([(5.0, 10, 20)], shifts=[(0, 0, HOUR_S, 0)], cost_minor=0))
    assert free.kept_minor.tolist() == [1000.0]


def test_a_ride_that_outlasts_the_shift_is_time_online_and_counted_once() -> None:
    asked = day([(5.0, 0, 20)], shifts=[(0, 0, 60.0, 0), (0, 300.0, HOUR_S, 0), (1, 0, 9.0, 50)])
    ended = replayed(asked)
    # The ride lasts until 5 + 30 + 600; from 300 on the next shift counts.
    assert ended.ended_s.tolist() == [300.0, HOUR_S, 9.0]
    online = online_s(asked.shifts, end_s=ended.ended_s, until_s=np.inf)
    assert online.tolist() == [HOUR_S, 9.0]
    alone = replayed(day([(5.0, 0, 20)], shifts=[(0, 0, 60.0, 0)]))
    assert alone.ended_s.tolist() == [635.0]


def test_time_online_grows_only_on_shift() -> None:
    shifts = day([], shifts=[(0, 100.0, 200.0, 0), (1, 150.0, 400.0, 0)]).shifts
    seen = [
        online_s(shifts, end_s=shifts.end_s, until_s=until_s).tolist()
        for until_s in (50.0, 180.0, 300.0, 500.0)
    ]
    assert seen == [[0, 0], [80, 30], [100, 150], [100, 250]]


def test_the_rolling_week_is_today_and_the_six_days_before() -> None:
    week = Week((1,))
    seen = {}
    for number in range(10):
        # Each day brings one, in the morning; asked at noon.
        total = np.array([float(number + 1)])
        week.recent(total - 1, now_s=number * DAY_S)
        seen[number] = float(week.recent(total, now_s=(number + 0.5) * DAY_S)[0])
    assert [seen[number] for number in range(10)] == [1, 2, 3, 4, 5, 6, 7, 7, 7, 7]


def test_the_week_moves_on_over_days_in_which_nobody_asked() -> None:
    week = Week((1,))
    assert week.recent(np.array([5.0]), now_s=0.0).tolist() == [5.0]
    assert week.recent(np.array([5.0]), now_s=30 * DAY_S).tolist() == [0.0]


def test_who_earned_less_for_her_hours_is_underpaid_and_a_ride_counts_with_its_time() -> None:
    asked = day([(5.0, 0, 20)], shifts=[(0, 0, HOUR_S, 0), (1, 0, HOUR_S, 5)], cost_minor=0)
    takings = Takings(asked)
    end_s = asked.shifts.end_s
    nobody = takings.underpaid(60.0, busy_until_s=np.zeros(2), end_s=end_s)
    assert nobody.tolist() == [0.0, 0.0]
    takings.add(0, net_minor=1000.0)
    lacking = takings.underpaid(60.0, busy_until_s=np.zeros(2), end_s=end_s)
    assert lacking[0] < 0 < lacking[1]
    # Of 1000 in 60 + 180 seconds her share would be 750: 250 too much by a scale of two fares.
    busy = takings.underpaid(60.0, busy_until_s=np.array([180.0, 0.0]), end_s=end_s)
    assert busy.tolist() == pytest.approx([-0.125, 0.125])


def test_the_next_rider_goes_to_who_earned_less_though_she_is_farther() -> None:
    # Both riders ask next to driver 0; the second when driver 0 is back from the first.
    asked = day([(5.0, 0, 0), (700.0, 0, 0)], shifts=[(0, 0, HOUR_S, 0), (1, 0, HOUR_S, 1)])
    assert replayed(asked, policy="optimal-idle").shift.tolist() == [0, 0]
    assert replayed(asked, policy="optimal-idle:fairness_s=600").shift.tolist() == [0, 1]


def test_income_an_hour_leaves_out_who_was_there_for_less_than_an_hour() -> None:
    kept = np.array([2000.0, 900.0, 4000.0])
    rates = hourly(kept, online_s=np.array([HOUR_S, 3599.0, 4 * HOUR_S]))
    assert rates.tolist() == [2000.0, 1000.0]


def test_the_lowest_tenth_is_a_percentile() -> None:
    assert lowest(np.arange(101.0)) == {"p10": 10.0}
    assert lowest(np.array([])) == {"p10": None}


def test_metres_driven_empty_are_the_crow_s_flight_by_a_detour() -> None:
    metres = empty_m(PLACES, np.array([0, 3]), end=np.array([10, 3]))
    assert metres.tolist() == pytest.approx([1111.95 * 1.3, 0.0], abs=0.1)


def test_a_cost_or_a_share_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="empty_km_cost_minor"):
        Rules(empty_km_cost_minor=-1)
    with pytest.raises(ValueError, match="follow_share"):
        Rules(follow_share=1.1)


def test_who_leaves_at_a_moment_is_not_there_with_who_comes_then() -> None:
    shifts = day([], shifts=[(0, 0, 10, 0), (1, 10, 20, 0), (2, 5, 15, 0)]).shifts
    assert at_once(shifts) == 2
    assert at_once(day([], shifts=[]).shifts) == 0
