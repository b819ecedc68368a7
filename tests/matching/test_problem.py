import pickle
from dataclasses import FrozenInstanceError, fields
from uuid import UUID, uuid4

import numpy as np
import pytest

from matching.problem import Candidates, Demand, Id, Supply, Weights
from tests.matching.instances import candidates, problem


def demand(
    *, ids: tuple[str, ...] = ("a", "b"), lat: float = 0, lng: float = 0, waited_s: float = 0
) -> Demand:
    """Two riders, the second of them with the given numbers."""
    return Demand(
        ids=ids,
        lat=np.array([0, lat]),
        lng=np.array([0, lng]),
        waited_s=np.array([0, waited_s]),
    )


def edges(
    *,
    rider: tuple[float, ...] = (0, 0, 1),
    driver: tuple[int, ...] = (0, 2, 1),
    pickup_s: tuple[float, ...] = (1.0, 2.0, 3.0),
) -> Candidates:
    return Candidates(
        rider=np.array(rider),
        driver=np.array(driver),
        pickup_s=np.array(pickup_s),
        rider_count=2,
        driver_count=3,
    )


@pytest.mark.parametrize(("lat", "lng"), [(90, 180), (-90, -180), (0, 0)])
def test_every_place_on_earth_can_ask_for_a_ride(lat: float, lng: float) -> None:
    assert demand(lat=lat, lng=lng).lat[1] == lat


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"lat": 90.01}, r"demand.lat\[1\] must be a number from -90 to 90, got 90.01"),
        ({"lat": float("nan")}, r"demand.lat\[1\] must be a number from -90 to 90, got nan"),
        ({"lng": -180.5}, r"demand.lng\[1\] must be a number from -180 to 180, got -180.5"),
        ({"waited_s": -0.1}, r"demand.waited_s\[1\] must be a number from 0 to 1e\+09, got -0.1"),
        ({"waited_s": float("inf")}, r"demand.waited_s\[1\] .* got inf"),
        ({"ids": ("a", "a")}, "demand.ids must differ, got 'a' twice"),
        ({"ids": ("a",)}, "demand.lat must have 1 entries, got 2"),
    ],
)
def test_demand_that_cannot_be_is_refused(wrong: dict[str, float], refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal):
        demand(**wrong)  # type: ignore[arg-type] # the table mixes the kinds of its columns


def test_supply_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"supply\.ids must differ, got 7 twice"):
        Supply(ids=(7, 7), lat=np.zeros(2), lng=np.zeros(2))
    with pytest.raises(ValueError, match=r"supply\.lng must have 1 entries, got 2"):
        Supply(ids=(7,), lat=np.zeros(1), lng=np.zeros(2))
    with pytest.raises(ValueError, match=r"supply\.free_in_s\[0\] must be a number from 0"):
        Supply(ids=(7,), lat=np.zeros(1), lng=np.zeros(1), free_in_s=np.array([-1.0]))
    with pytest.raises(ValueError, match=r"supply\.free_in_s must have 1 entries, got 0"):
        Supply(ids=(7,), lat=np.zeros(1), lng=np.zeros(1), free_in_s=np.empty(0))
    with pytest.raises(
        ValueError, match=r"supply\.lat must have one dimension, got shape \(1, 1\)"
    ):
        Supply(ids=(7,), lat=np.zeros((1, 1)), lng=np.zeros(1))


@pytest.mark.parametrize("name", [weight.name for weight in fields(Weights)])
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), 1e10])
def test_a_weight_that_cannot_be_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"weights.{name} must be from 0 to .*, got {value}"):
        Weights(**{name: value})


def test_a_driver_is_free_now_unless_it_is_said_otherwise() -> None:
    drivers = Supply(ids=("a", "b"), lat=np.zeros(2), lng=np.zeros(2))
    assert drivers.free_in_s.tolist() == [0, 0]
    assert pickle.loads(pickle.dumps(drivers)).free_in_s.tolist() == [0, 0]  # noqa: S301 - our own


def test_a_weight_of_nothing_is_allowed() -> None:
    assert Weights(age_credit=0, unserved_s=0, max_pickup_s=0).unserved_s == 0


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"rider": (0, 0, 2)}, r"candidates.rider\[2\] must be from 0 to 1, got 2"),
        ({"rider": (-1, 0, 1)}, r"candidates.rider\[0\] must be from 0 to 1, got -1"),
        ({"rider": (0.0, 0.5, 1.0)}, "candidates.rider must hold whole numbers, got float64"),
        ({"driver": (0, 3, 1)}, r"candidates.driver\[1\] must be from 0 to 2, got 3"),
        ({"driver": (0, 2)}, "candidates.driver must have 3 entries, got 2"),
        ({"driver": (2, 0, 1)}, "ordered .* edge 1 is rider 0, driver 0"),
        ({"driver": (2, 2, 1)}, "without doubles; edge 1 is rider 0, driver 2"),
        ({"rider": (1, 1, 0)}, "ordered .* edge 2 is rider 0, driver 1"),
        ({"pickup_s": (1.0, -1.0, 3.0)}, r"candidates.pickup_s\[1\] .* got -1.0"),
        ({"pickup_s": (1.0, 2.0, float("nan"))}, r"candidates.pickup_s\[2\] .* got nan"),
    ],
)
def test_candidates_that_cannot_be_are_refused(
    wrong: dict[str, tuple[float, ...]], refusal: str
) -> None:
    with pytest.raises(ValueError, match=refusal):
        edges(**wrong)  # type: ignore[arg-type] # the table mixes the kinds of its columns


def test_the_edges_of_each_rider_stand_together() -> None:
    table = candidates([[5, None, 6], [None, None, None], [None, 7, None]])
    assert [table.driver[table.edges_of(rider)].tolist() for rider in range(3)] == [[0, 2], [], [1]]
    assert table.starts.tolist() == [0, 2, 2, 3]


def test_what_was_checked_can_no_longer_change() -> None:
    given_lat = np.array([1.0])
    drivers = Supply(ids=("a",), lat=given_lat, lng=np.zeros(1))
    given_lat[0] = 500.0
    assert drivers.lat.tolist() == [1.0]
    with pytest.raises(ValueError, match="read-only"):
        drivers.lat[0] = 500.0
    with pytest.raises(FrozenInstanceError):
        drivers.lat = given_lat  # type: ignore[misc] # that is what is refused


def test_excluded_pairs_are_found_by_id_and_strangers_exclude_nobody() -> None:
    asked = problem(
        ["r0", "r1"],
        ["d0", "d1"],
        excluded=[("r1", "d0"), ("r0", "d1"), ("r1", "gone"), ("gone", "d0"), ("d0", "r0")],
    )
    riders, drivers = asked.excluded_pairs()
    assert list(zip(riders.tolist(), drivers.tolist(), strict=True)) == [(0, 1), (1, 0)]


@pytest.mark.parametrize(
    "ids",
    [
        ("rider 0", "rider 1"),
        (7, 8),
        (UUID(int=2**127 + 1), UUID(int=0)),
        (UUID(int=1), "rider 1"),
    ],
)
def test_a_problem_survives_pickling(ids: tuple[Id, Id]) -> None:
    asked = problem(ids, 3, waited_s=[1, 2], excluded=[(ids[0], "driver 1")])
    copy = pickle.loads(pickle.dumps(asked))  # noqa: S301 - our own bytes
    assert copy.demand.ids == ids
    assert copy.supply.ids == asked.supply.ids
    assert copy.demand.waited_s.tolist() == [1, 2]
    assert not copy.demand.waited_s.flags.writeable
    assert copy.excluded == asked.excluded
    table = candidates([[60, None], [90, 500]])
    assert pickle.loads(pickle.dumps(table)).starts.tolist() == [0, 1, 3]  # noqa: S301 - our own


def test_nobody_at_all_survives_pickling() -> None:
    nobody = pickle.loads(pickle.dumps(problem(0, 0)))  # noqa: S301 - our own bytes
    assert (nobody.demand.ids, nobody.supply.ids) == ((), ())


def test_a_uuid_crosses_into_another_process_in_sixteen_bytes() -> None:
    ids = tuple(uuid4() for _ in range(1000))
    nowhere = np.zeros(1000)
    packed = pickle.dumps(Supply(ids=ids, lat=nowhere, lng=nowhere))
    without_ids = pickle.dumps(Supply(ids=tuple(range(1000)), lat=nowhere, lng=nowhere))
    assert len(packed) < len(without_ids) + 16 * 1000
