from dataclasses import replace

import numpy as np
import pytest

from matching.pooling.words import Pool, Rules, Stop, TravelTimes, Vehicles
from tests.matching.pooling.instances import DROPOFF, PICKUP, asking, on_a_line

TRIPS = [(0.0, 100.0), (50.0, 150.0)]


def promising(*stops: Stop, **more: object) -> Pool:
    return on_a_line(TRIPS, [0.0, 10.0], committed=((), stops), **more)  # type: ignore[arg-type]


def test_limits_count_from_the_moment_of_asking() -> None:
    rules = Rules(wait_s=300, detour_s=600, detour_share=0.5, boarding_s=30)

    asked = on_a_line(
        [(0.0, 100.0)] * 3, [0.0], rules=rules, waited_s=[0, 120, 0], earliest_s=[0, 0, 900]
    ).requests

    assert asked.latest_pickup_s.tolist() == [300, 180, 1200]
    assert asked.latest_arrival_s.tolist() == [780, 660, 1680]


def test_times_are_rounded_up_and_limits_down_but_for_rounding_errors() -> None:
    times = TravelTimes(np.array([[0.0, 16.1], [16.11, np.inf]]))
    asked = on_a_line(TRIPS, [0.0]).requests

    assert times.ds.tolist() == [[0, 161], [162, 1_000_000_000]]
    assert replace(asked, latest_pickup_s=np.array([16.1, 16.19])).latest_pickup_ds.tolist() == [
        161,
        161,
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (np.zeros((2, 3)), "square"),
        (np.array([[0.0, -1.0], [1.0, 0.0]]), "from 0 to 1"),
        (np.array([[0.0, np.nan], [1.0, 0.0]]), "from 0 to 1"),
    ],
)
def test_travel_times_that_are_none_are_refused(seconds: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TravelTimes(seconds)


@pytest.mark.parametrize("name", ["wait_s", "detour_s", "detour_share", "boarding_s", "unserved_s"])
def test_a_rule_below_zero_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"rules.{name}"):
        Rules(**{name: -1.0})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seats": np.array([0, 1])}, "at least 1"),
        ({"seats": np.array([1])}, "2 entries"),
        ({"pickup": np.array([2, 99])}, "from 0 to"),
        ({"waited_s": np.array([0.0, -1.0])}, "waited_s"),
        ({"latest_arrival_s": np.array([0.0, np.nan])}, "latest_arrival_s"),
    ],
)
def test_a_request_that_cannot_be_is_refused(change: dict[str, np.ndarray], words: str) -> None:
    pool = on_a_line(TRIPS, [0.0])

    with pytest.raises(ValueError, match=words):
        asking(pool, replace(pool.requests, **change))


@pytest.mark.parametrize(
    ("stops", "words"),
    [
        ([Stop(0, PICKUP)], "no drop-off"),
        ([Stop(0, DROPOFF), Stop(0, PICKUP)], "before the pickup"),
        ([Stop(0, DROPOFF), Stop(0, DROPOFF)], "two stops of one kind"),
        ([Stop(7, DROPOFF)], "there are 2 requests"),
    ],
)
def test_a_promise_that_makes_no_sense_is_refused(stops: list[Stop], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        promising(*stops)


def test_a_party_promised_to_two_cars_is_refused() -> None:
    with pytest.raises(ValueError, match="two vehicles"):
        on_a_line(TRIPS, [0.0, 1.0], committed=((Stop(0, DROPOFF),), (Stop(0, DROPOFF),)))


def test_promises_to_more_riders_than_seats_are_refused() -> None:
    with pytest.raises(ValueError, match="3 seats, 4 are promised"):
        promising(Stop(0, DROPOFF), Stop(1, DROPOFF), party=[2, 2], seats=3)


def test_more_locked_stops_than_promised_ones_are_refused() -> None:
    with pytest.raises(ValueError, match="2, but 1 stops"):
        Vehicles(
            place=np.array([0, 0]),
            ready_s=np.zeros(2),
            seats=np.array([4, 4]),
            committed=((Stop(0, DROPOFF),), (Stop(1, DROPOFF), Stop(2, DROPOFF))),
            locked=np.array([2, 0]),
        )


def test_a_promised_stop_without_a_way_to_it_is_refused() -> None:
    pool = promising(Stop(0, DROPOFF))
    seconds = np.array(pool.times.seconds)
    seconds[1, pool.requests.dropoff[0]] = np.inf

    with pytest.raises(ValueError, match="no way"):
        Pool(pool.requests, pool.vehicles, TravelTimes(seconds), 0.0)


def test_the_pool_knows_who_is_promised_a_car_and_who_sits_in_one() -> None:
    pool = promising(Stop(1, DROPOFF), Stop(0, PICKUP), Stop(0, DROPOFF))

    assert pool.bound.tolist() == [True, True]
    assert pool.aboard.tolist() == [False, True]
    assert [pool.vehicles.locked_of(car) for car in (0, 1)] == [0, 1]
