from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.problem import Demand, Problem, Supply
from matching.replay.day import Day, Places, Requests, Rules, Shifts
from matching.replay.figures import gini, spread
from matching.replay.policies import FEW, POLICIES, Policy
from matching.replay.simulation import NOBODY, Outcome, Simulation
from matching.replay.times import ZoneTimes

FOR_EVER_S = 1e6


def day(
    requests: list[tuple[float, int, int, float]],
    *,
    drivers: list[int],
    until_s: list[float] | None = None,
    rules: Rules | None = None,
) -> Day:
    """Requests as (time, pickup, drop-off, ride), drivers as the places where they stand.

    Place n lies n thousandths of a degree east; one such step is a minute's drive.
    """
    many = len(requests)
    table = np.array(requests, dtype=np.float64).reshape(many, 4)
    return Day(
        places=Places(lat=np.zeros(60), lng=np.arange(60) / 1000),
        requests=Requests(
            requested_s=table[:, 0],
            pickup=table[:, 1].astype(np.int64),
            dropoff=table[:, 2].astype(np.int64),
            ride_s=table[:, 3],
            expected_ride_s=table[:, 3],
            cancels_after_s=np.full(many, np.inf),
        ),
        shifts=Shifts(
            driver=np.arange(len(drivers)),
            start_s=np.zeros(len(drivers)),
            end_s=np.array(until_s or [FOR_EVER_S] * len(drivers)),
            stands_at=np.array(drivers, dtype=np.int64),
        ),
        rules=rules or Rules(window_s=5.0, patience_s=600.0, boarding_s=30.0),
    )


MINUTES = ZoneTimes(
    zone_of=np.arange(60), between_s=60.0 * np.abs(np.arange(60)[:, None] - np.arange(60)[None, :])
)


def replayed(given: Day, *, policy: str = "meent", seed: int = 1) -> Outcome:
    simulation = Simulation(given, policy=POLICIES[policy], times=MINUTES, seed=seed)
    for _ in simulation.ticks():
        pass
    return simulation.outcome()


@pytest.mark.parametrize("policy", POLICIES)
def test_one_rider_and_one_driver_meet_at_the_next_window(policy: str) -> None:
    ended = replayed(day([(12.0, 3, 10, 400.0)], drivers=[1]), policy=policy)
    assert ended.served.tolist() == [True]
    assert ended.ended_waiting_s.tolist() == [15.0]
    assert ended.pickup_s.tolist() == [120.0]
    assert ended.picked_up_s.tolist() == [135.0]
    assert ended.dropped_off_s.tolist() == [135.0 + 30.0 + 400.0]
    assert ended.came_from.tolist() == [1]


def test_a_request_at_a_window_s_very_moment_is_part_of_it() -> None:
    assert replayed(day([(10.0, 3, 10, 400.0)], drivers=[3])).picked_up_s.tolist() == [10.0]


@pytest.mark.parametrize(("patience_s", "served"), [(529.0, False), (530.0, True)])
def test_a_rider_is_lost_when_her_patience_ends_before_a_driver_is_sent(
    patience_s: float, *, served: bool
) -> None:
    rules = Rules(window_s=5.0, patience_s=patience_s, boarding_s=30.0)
    # The only driver is sent at 5 and free at 5 + 0 + 30 + 500 = 535; the second rider asked at 5.
    asked = [(5.0, 1, 1, 500.0), (5.0, 2, 2, 100.0)]
    ended = replayed(day(asked, drivers=[1], rules=rules), policy="optimal-idle")
    assert ended.served.tolist() == [True, served]
    assert ended.ended_waiting_s[1] == (535.0 if served else 5.0 + patience_s)


def test_a_rider_who_withdraws_is_lost_before_her_patience_ends() -> None:
    asked = day([(1.0, 1, 1, 500.0), (2.0, 2, 2, 100.0)], drivers=[1])
    plans = replace(asked.requests, cancels_after_s=np.array([np.inf, 40.0]))
    ended = replayed(replace(asked, requests=plans))
    assert ended.served.tolist() == [True, False]
    assert ended.ended_waiting_s[1] == 42.0


def test_a_rider_is_held_for_a_driver_who_is_soon_free_next_door() -> None:
    # At 60 the first driver has 15 s to go, to place 2; the other stands 18 minutes away.
    asked = [(5.0, 1, 2, 40.0), (60.0, 2, 5, 100.0)]
    held = replayed(day(asked, drivers=[1, 20]), policy="meent")
    assert held.shift.tolist() == [0, 0]
    assert held.ended_waiting_s[1] == 75.0
    assert held.picked_up_s[1] == 75.0
    greedy = replayed(day(asked, drivers=[1, 20]), policy="greedy-closest")
    assert greedy.shift.tolist() == [0, 1]
    assert greedy.picked_up_s[1] == 60.0 + 18 * 60.0


@pytest.mark.parametrize(("stands_at", "shift"), [(3, 1), (4, 0)])
def test_nobody_is_held_for_less_than_the_margin_of_the_risk(stands_at: int, shift: int) -> None:
    # The first is free in 15 s, which with the margin counts as 75; the other is 60 or 120 away.
    asked = [(5.0, 1, 2, 40.0), (60.0, 2, 5, 100.0)]
    assert replayed(day(asked, drivers=[1, stands_at])).shift[1] == shift


@pytest.mark.parametrize(("stands_at", "shift"), [(22, 1), (23, NOBODY)])
def test_nobody_is_held_for_a_driver_who_is_free_after_the_rider_has_given_up(
    stands_at: int, shift: int
) -> None:
    # The first driver is free too late; the other is 1200 or 1260 s away, and 1200 is allowed.
    rules = Rules(window_s=5.0, patience_s=10.0, boarding_s=30.0)
    asked = [(5.0, 1, 2, 40.0), (60.0, 2, 5, 100.0)]
    ended = replayed(day(asked, drivers=[1, stands_at], rules=rules))
    assert ended.shift.tolist() == [0, shift]


@pytest.mark.parametrize(("riders", "sent"), [(10, True), (30, False)])
def test_nobody_is_fetched_from_afar_while_the_queue_is_long(riders: int, *, sent: bool) -> None:
    # All are 10 minutes away, and nobody else drives.
    asked = [(5.0, 12, 13, 100.0)] * riders
    rules = Rules(window_s=5.0, patience_s=60.0, boarding_s=30.0)
    assert replayed(day(asked, drivers=[2], rules=rules)).served.any() == sent


def a_tick(policy: Policy, *, riders: int, idle: int, soon: int, not_yet: int = 0) -> Problem:
    """Riders and drivers in one place; `not_yet` riders booked for later, `soon` drivers busy."""
    zeros, due_in_s, free_in_s = np.zeros(riders), np.zeros(riders), np.zeros(idle + soon)
    due_in_s[:not_yet] = 900.0
    free_in_s[:soon] = 60.0
    return Problem(
        demand=Demand(tuple(range(riders)), zeros, zeros, waited_s=zeros, due_in_s=due_in_s),
        supply=Supply(
            tuple(range(idle + soon)),
            np.zeros(idle + soon),
            np.zeros(idle + soon),
            free_in_s=free_in_s,
        ),
        weights=policy.weights(Rules()),
    )


def test_the_price_of_leaving_a_rider_falls_with_the_queue_to_that_of_a_crowd() -> None:
    policy = replace(POLICIES["meent"], unserved_s=1400.0, crowded_s=400.0, crowded_load=0.5)

    def price_s(riders: int, drivers: int, *, not_yet: int = 0) -> float:
        given = a_tick(policy, riders=riders, idle=drivers, soon=0, not_yet=not_yet)
        return policy.priced(given).weights.unserved_s

    assert price_s(FEW, 1) == 1400
    assert price_s(FEW + 25, 100) == 900
    assert price_s(FEW + 50, 100) == price_s(FEW + 300, 100) == price_s(FEW + 1, 0) == 400
    assert price_s(FEW + 25, 100, not_yet=25) == 1400
    policy = replace(policy, fairness_s=120.0)
    assert price_s(FEW + 50, 100) == 520


def test_holding_gets_dearer_while_riders_queue_and_drivers_are_idle() -> None:
    policy = replace(POLICIES["meent"], hold_weight=0.5, idle_hold_weight=2.5, idle_load=0.25)

    def weight(riders: int, idle: int, soon: int, *, not_yet: int = 0) -> float:
        given = a_tick(policy, riders=riders, idle=idle, soon=soon, not_yet=not_yet)
        return policy.priced(given).weights.hold_weight

    assert weight(FEW, 40, 0) == weight(FEW + 40, 0, 40) == weight(FEW + 40, 0, 0) == 0.5
    assert weight(FEW + 5, 30, 10) == weight(FEW + 30, 5, 35) == 1.5
    assert weight(FEW + 10, 10, 30) == weight(FEW + 90, 40, 0) == weight(FEW + 1, 1, 0) == 2.5
    assert weight(FEW + 40, 40, 0, not_yet=40) == 0.5


@pytest.mark.parametrize("change", [{"idle_hold_weight": None}, {"crowded_s": None}])
def test_holding_keeps_its_weight_where_the_policy_knows_no_other(
    change: dict[str, float | None],
) -> None:
    known: dict[str, float | None] = {"idle_hold_weight": 2.5, **change}
    policy = replace(POLICIES["meent"], **known)  # type: ignore[arg-type] # by their names
    given = a_tick(policy, riders=FEW + 40, idle=40, soon=0)
    assert policy.priced(given).weights.hold_weight == policy.hold_weight


@pytest.mark.parametrize("late", [0, 1])
def test_who_has_waited_long_is_fetched_now_and_somebody_else_is_held(late: int) -> None:
    policy = replace(POLICIES["meent"], late_weight=0.3, late_s=300.0)
    given = a_tick(policy, riders=2, idle=1, soon=1)
    waited_s = np.zeros(2)
    waited_s[late] = 600.0
    given = replace(given, demand=replace(given.demand, waited_s=waited_s))

    # All drivers stand in one place: in driving alone it is the same who is held.
    pairs = policy.decide(
        given,
        pickup_s=lambda edges: np.where(edges.rider == late, 75.0, 60.0),
        patience_s=3600.0,
        seed=1,
    )

    assert [pair.rider for pair in pairs] == [late]


@pytest.mark.parametrize(("stay_s", "comes_from"), [(0.0, 12), (200.0, 25)])
def test_a_driver_stays_where_others_will_ask_soon_if_one_further_off_is_not_needed_there(
    stay_s: float, comes_from: int
) -> None:
    # Ten riders asked about place 10, and two drivers are left there; the third stands alone.
    asked = [(1.0, 10, 50, 4000.0)] * 10 + [(100.0, 18, 50, 60.0)]
    drivers = [10] * 10 + [12, 12, 25]
    policy = replace(POLICIES["meent"], stay_s=stay_s)
    simulation = Simulation(day(asked, drivers=drivers), policy=policy, times=MINUTES, seed=1)
    list(simulation.ticks())
    assert simulation.outcome().came_from[10] == comes_from


def test_dispatch_sees_how_far_a_driver_under_way_has_come() -> None:
    # 1,000 s were expected of a ride of 200; when the rider asks, a twentieth of it is left.
    asked = day([(5.0, 1, 2, 200.0), (224.0, 2, 5, 100.0)], drivers=[1, 9])
    feared = replace(asked.requests, expected_ride_s=np.array([1000.0, 100.0]))
    ended = replayed(replace(asked, requests=feared))
    assert ended.shift.tolist() == [0, 0]
    assert ended.ended_waiting_s[1] == 5.0 + 30.0 + 200.0


def test_a_driver_whose_ride_lasts_longer_than_expected_is_not_sent_before_its_end() -> None:
    late = day([(5.0, 1, 2, 400.0), (30.0, 2, 5, 100.0)], drivers=[1, 20])
    hoped = replace(late.requests, expected_ride_s=np.array([10.0, 100.0]))
    ended = replayed(replace(late, requests=hoped))
    assert ended.shift.tolist() == [0, 0]
    assert ended.ended_waiting_s[1] == 5.0 + 30.0 + 400.0


@pytest.mark.parametrize(("end_s", "served"), [(75.0, False), (76.0, True)])
@pytest.mark.parametrize("policy", POLICIES)
def test_no_ride_begins_after_the_shift_has_ended(
    policy: str, end_s: float, *, served: bool
) -> None:
    # Free at 5 + 30 + 40 = 75: that very moment is after a shift until 75, and within one until 76.
    asked = day([(5.0, 1, 2, 40.0), (60.0, 2, 5, 100.0)], drivers=[1], until_s=[end_s])
    assert replayed(asked, policy=policy).served.tolist() == [True, served]


def test_a_ride_that_lasts_into_the_next_shift_lets_it_begin_where_and_when_it_ends() -> None:
    asked = day([(5.0, 1, 9, 500.0), (200.0, 1, 2, 60.0)], drivers=[1])
    shifts = Shifts(
        driver=np.array([7, 7]),
        start_s=np.array([0.0, 150.0]),
        end_s=np.array([100.0, FOR_EVER_S]),
        stands_at=np.array([1, 1]),
    )
    ended = replayed(replace(asked, shifts=shifts))
    assert ended.shift.tolist() == [0, 1]
    assert ended.came_from.tolist() == [1, 9]
    assert ended.ended_waiting_s[1] == 535.0


def test_who_declined_is_not_asked_for_that_ride_again() -> None:
    rules = Rules(window_s=5.0, patience_s=50.0, boarding_s=30.0, accept_share=1e-9)
    ended = replayed(day([(5.0, 1, 2, 40.0)], drivers=[1, 2, 3], rules=rules))
    assert ended.served.tolist() == [False]
    assert ended.declined == 3


def test_in_turn_serves_who_asked_first_and_closest_who_is_nearest() -> None:
    asked = day([(1.0, 1, 9, 60.0), (2.0, 4, 9, 60.0)], drivers=[3], until_s=[6.0])
    assert replayed(asked, policy="greedy-fcfs").served.tolist() == [True, False]
    assert replayed(asked, policy="greedy-closest").served.tolist() == [False, True]


def test_the_optimum_crosses_where_greed_strands() -> None:
    asked = day([(1.0, 3, 9, 60.0), (2.0, 5, 9, 60.0)], drivers=[1, 4])
    assert sum(replayed(asked, policy="optimal-idle").pickup_s) == 180.0
    assert sum(replayed(asked, policy="greedy-fcfs").pickup_s) == 60.0 + 240.0


@st.composite
def days(draw: st.DrawFn) -> Day:
    place = st.integers(0, 30)
    asked = draw(
        st.lists(
            st.tuples(st.floats(0, 2000), place, place, st.floats(1, 900)), min_size=1, max_size=25
        )
    )
    drivers = draw(st.lists(place, max_size=6))
    ends = draw(st.lists(st.floats(0, 3000), min_size=len(drivers), max_size=len(drivers)))
    rules = Rules(
        window_s=draw(st.sampled_from([2.0, 5.0, 30.0])),
        patience_s=draw(st.sampled_from([0.0, 120.0, 600.0])),
        accept_share=draw(st.sampled_from([0.5, 1.0])),
    )
    return day(sorted(asked), drivers=drivers, until_s=ends or None, rules=rules)


@given(days(), st.sampled_from(sorted(POLICIES)))
@settings(deadline=None, max_examples=60)
def test_everybody_is_served_once_or_lost_and_nobody_drives_in_two_places(
    asked: Day, policy: str
) -> None:
    ended = replayed(asked, policy=policy)
    served = ended.served
    gone_s = asked.requests.requested_s + asked.rules.patience_s
    assert np.isfinite(ended.ended_waiting_s).all()
    assert (ended.ended_waiting_s >= asked.requests.requested_s).all()
    assert (ended.ended_waiting_s[served] <= gone_s[served]).all()
    assert ended.ended_waiting_s[~served].tolist() == gone_s[~served].tolist()
    assert np.isnan(ended.picked_up_s[~served]).all()
    rides = defaultdict(list)
    for request in np.flatnonzero(served).tolist():
        rides[int(ended.shift[request])].append(request)
    for shift, mine in rides.items():
        mine.sort(key=lambda rider: ended.ended_waiting_s[rider])
        free_s = float(asked.shifts.start_s[shift])
        stands = int(asked.shifts.stands_at[shift])
        for rider in mine:
            assert free_s <= ended.ended_waiting_s[rider] < asked.shifts.end_s[shift]
            assert ended.came_from[rider] == stands
            stands = int(asked.requests.dropoff[rider])
            free_s = float(ended.dropped_off_s[rider])


@given(days(), st.sampled_from(sorted(POLICIES)))
@settings(deadline=None, max_examples=15)
def test_the_same_day_and_seed_end_the_same(asked: Day, policy: str) -> None:
    first, second = (replayed(asked, policy=policy, seed=7) for _ in range(2))
    assert first.shift.tolist() == second.shift.tolist()
    np.testing.assert_array_equal(first.dropped_off_s, second.dropped_off_s)


def test_a_day_without_anybody_is_over_at_once() -> None:
    assert replayed(day([], drivers=[1])).served.tolist() == []
    assert replayed(day([(5.0, 1, 2, 9.0)], drivers=[])).served.tolist() == [False]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"requests": [(5.0, 1, 2, 9.0), (4.0, 1, 2, 9.0)]}, "in order of time"),
        ({"requests": [(5.0, 60, 2, 9.0)]}, r"requests.pickup\[0\] must be from 0 to 59"),
        ({"requests": [(5.0, 1, 2, -9.0)]}, r"requests.ride_s\[0\]"),
        ({"drivers": [60]}, r"shifts.stands_at\[0\] must be from 0 to 59"),
        ({"drivers": [1], "until_s": [-1.0]}, r"shifts.end_s\[0\]"),
    ],
)
def test_a_day_that_cannot_be_is_refused(change: dict[str, object], refusal: str) -> None:
    given_day: dict[str, object] = {"requests": [(5.0, 1, 2, 9.0)], "drivers": [1]}
    with pytest.raises(ValueError, match=refusal):
        day(**(given_day | change))  # type: ignore[arg-type] # a table of mixed kinds


def test_two_shifts_of_one_driver_at_a_time_are_refused() -> None:
    with pytest.raises(ValueError, match="two shifts at a time"):
        Shifts(
            driver=np.array([1, 1]),
            start_s=np.array([0.0, 9.0]),
            end_s=np.array([10.0, 20.0]),
            stands_at=np.array([0, 0]),
        )


@pytest.mark.parametrize("change", [{"window_s": 0}, {"accept_share": 0}, {"patience_s": -1}])
def test_a_rule_that_cannot_be_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        Rules(**change)


def test_the_gini_of_equals_is_0_and_of_one_who_has_all_nearly_1() -> None:
    assert gini(np.array([5.0, 5.0, 5.0])) == 0
    assert gini(np.array([0.0, 0.0, 0.0, 8.0])) == 0.75
    assert gini(np.array([1.0, 3.0])) == 0.25
    assert gini(np.array([])) == 0
    assert gini(np.zeros(3)) == 0


def test_a_spread_is_mean_median_and_95th_percentile() -> None:
    assert spread(np.arange(1.0, 102.0)) == {"mean": 51.0, "p50": 51.0, "p95": 96.0}
    assert spread(np.array([])) == {"mean": None, "p50": None, "p95": None}
