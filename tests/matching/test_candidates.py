import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.candidates import find_candidates, for_router, refine
from matching.problem import Candidates, Demand, Id, Problem, Supply, Weights
from matching.travel import StraightLine, great_circle_m
from tests.matching.instances import candidates

# One second per metre, so that seconds are distances.
METRES = StraightLine(detour=1.0, speed_mps=1.0)
METRE_DEG = 1 / 111_195.08
"""A metre along the equator in degrees."""


def on_a_line(
    riders_m: list[float],
    drivers_m: list[float],
    *,
    max_pickup_s: float = 1e6,
    excluded: frozenset[tuple[Id, Id]] = frozenset(),
) -> Problem:
    """Riders and drivers along the equator, so many metres east of one point."""
    return Problem(
        demand=Demand(
            ids=tuple(f"r{number}" for number in range(len(riders_m))),
            lat=np.zeros(len(riders_m)),
            lng=np.array(riders_m) * METRE_DEG,
            waited_s=np.zeros(len(riders_m)),
        ),
        supply=Supply(
            ids=tuple(f"d{number}" for number in range(len(drivers_m))),
            lat=np.zeros(len(drivers_m)),
            lng=np.array(drivers_m) * METRE_DEG,
        ),
        weights=Weights(max_pickup_s=max_pickup_s),
        excluded=excluded,
    )


def pairs_of(table: Candidates) -> list[tuple[int, int]]:
    return list(zip(table.rider.tolist(), table.driver.tolist(), strict=True))


def test_each_rider_gets_her_nearest_drivers() -> None:
    asked = on_a_line([0, 100], [10, 30, 80, 200])
    table = find_candidates(asked, line=METRES, per_rider=2, per_driver=0)
    assert pairs_of(table) == [(0, 0), (0, 1), (1, 1), (1, 2)]
    assert table.pickup_s == pytest.approx([10, 30, 70, 20], abs=0.01)


def test_a_driver_whom_no_rider_names_brings_in_her_nearest_riders() -> None:
    # Three riders stand around driver 0; without the drivers' side nobody would know driver 1.
    asked = on_a_line([0, 1, 2], [1, 500])
    assert pairs_of(find_candidates(asked, line=METRES, per_rider=1, per_driver=0)) == [
        (0, 0),
        (1, 0),
        (2, 0),
    ]
    assert pairs_of(find_candidates(asked, line=METRES, per_rider=1, per_driver=1)) == [
        (0, 0),
        (1, 0),
        (2, 0),
        (2, 1),
    ]


def test_a_driver_who_declined_does_not_use_up_a_place() -> None:
    asked = on_a_line(
        [0], [1, 2, 3, 4], excluded=frozenset({("r0", "d0"), ("r0", "d2"), ("r0", "gone")})
    )
    table = find_candidates(asked, line=METRES, per_rider=2, per_driver=1)
    assert pairs_of(table) == [(0, 1), (0, 3)]


def test_the_driver_side_does_not_bring_back_who_declined() -> None:
    asked = on_a_line([0, 50], [1], excluded=frozenset({("r0", "d0")}))
    table = find_candidates(asked, line=METRES, per_rider=1, per_driver=1)
    assert pairs_of(table) == [(1, 0)]


@pytest.mark.parametrize(("max_pickup_s", "found"), [(99.99, 0), (100.01, 1)])
def test_nobody_farther_than_the_cap_is_a_candidate(max_pickup_s: float, found: int) -> None:
    asked = on_a_line([0], [100], max_pickup_s=max_pickup_s)
    assert len(find_candidates(asked, line=METRES)) == found


def test_a_cap_of_nothing_leaves_drivers_who_are_there_already() -> None:
    asked = on_a_line([0], [0, 1], max_pickup_s=0)
    assert pairs_of(find_candidates(asked, line=METRES)) == [(0, 0)]


@pytest.mark.parametrize(("riders", "drivers"), [(0, 0), (0, 3), (3, 0)])
def test_with_nobody_on_one_side_there_are_no_candidates(riders: int, drivers: int) -> None:
    table = find_candidates(on_a_line([0.0] * riders, [0.0] * drivers))
    assert len(table) == 0
    assert (table.rider_count, table.driver_count) == (riders, drivers)


def test_a_list_of_no_length_is_refused() -> None:
    asked = on_a_line([0], [0])
    with pytest.raises(ValueError, match="per_rider must be at least 1, got 0"):
        find_candidates(asked, per_rider=0)
    with pytest.raises(ValueError, match="per_driver must not be negative, got -1"):
        find_candidates(asked, per_driver=-1)
    with pytest.raises(ValueError, match="per_rider must be at least 1, got 0"):
        for_router(candidates([[1]]), per_rider=0)
    with pytest.raises(ValueError, match="per_driver must not be negative, got -1"):
        for_router(candidates([[1]]), per_driver=-1)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 12),
    st.integers(0, 12),
    st.integers(1, 5),
    st.integers(0, 4),
    st.sampled_from([0.0, 0.2, 1.0]),
)
@settings(max_examples=200, deadline=None)
def test_the_candidates_are_those_that_brute_force_finds(
    seed: int, riders: int, drivers: int, per_rider: int, per_driver: int, declined: float
) -> None:
    random = np.random.default_rng(seed)
    demand = Demand(
        ids=tuple(f"r{number}" for number in range(riders)),
        lat=random.uniform(47.0, 47.3, riders),
        lng=random.uniform(9.4, 9.7, riders),
        waited_s=np.zeros(riders),
    )
    supply = Supply(
        ids=tuple(f"d{number}" for number in range(drivers)),
        lat=random.uniform(47.0, 47.3, drivers),
        lng=random.uniform(9.4, 9.7, drivers),
    )
    barred = random.random((riders, drivers)) < declined
    asked = Problem(
        demand=demand,
        supply=supply,
        weights=Weights(max_pickup_s=3000),
        excluded=frozenset((f"r{rider}", f"d{driver}") for rider, driver in np.argwhere(barred)),
    )
    line = StraightLine()
    time_s = line.drive_s(
        great_circle_m(
            from_lat=demand.lat[:, None],
            from_lng=demand.lng[:, None],
            to_lat=supply.lat,
            to_lng=supply.lng,
        )
    )
    allowed = np.where(barred | (time_s > 3000), np.inf, time_s)
    # Random places have no ties, so the rank of each pair from either side is beyond doubt.
    by_rider = allowed.argsort(axis=1).argsort(axis=1) < per_rider
    by_driver = allowed.argsort(axis=0).argsort(axis=0) < per_driver
    expected = np.argwhere((by_rider | by_driver) & np.isfinite(allowed))
    table = find_candidates(asked, line=line, per_rider=per_rider, per_driver=per_driver)
    assert pairs_of(table) == [(rider, driver) for rider, driver in expected.tolist()]
    assert table.pickup_s == pytest.approx(time_s[table.rider, table.driver], abs=1e-6)


def test_the_router_is_asked_for_the_shortest_estimates_of_each_rider() -> None:
    table = candidates([[50, 20, 40, 30], [None, 5, None, None], [7, 7, 7, 7]])
    chosen = for_router(table, per_rider=2, per_driver=0)
    assert pairs_of(chosen) == [(0, 1), (0, 3), (1, 1), (2, 0), (2, 1)]
    assert chosen.pickup_s.tolist() == [20, 30, 5, 7, 7]


def test_the_router_is_asked_for_the_shortest_estimates_of_each_driver_too() -> None:
    table = candidates([[50, 20, 40, 30], [None, 5, 60, None], [7, 7, 7, 7]])
    assert pairs_of(for_router(table, per_rider=1, per_driver=1)) == [
        (0, 1),
        (1, 1),
        (2, 0),
        (2, 2),
        (2, 3),
    ]


def test_the_router_is_asked_for_everything_that_lists_of_the_same_lengths_found() -> None:
    asked = on_a_line([0, 1, 2], [1, 500])
    found = find_candidates(asked, line=METRES, per_rider=1, per_driver=1)
    assert pairs_of(for_router(found, per_rider=1, per_driver=1)) == pairs_of(found)


def test_times_of_the_router_replace_the_estimates() -> None:
    table = candidates([[50, 20], [30, None], [10, 15]])
    nan, inf = float("nan"), float("inf")
    refined = refine(table, pickup_s=np.array([70.0, nan, 300.0, 300.1, inf]), max_pickup_s=300)
    assert pairs_of(refined) == [(0, 0), (1, 0)]
    assert refined.pickup_s.tolist() == [70, 300]
    assert (refined.rider_count, refined.driver_count) == (3, 2)


def test_times_that_do_not_belong_to_the_edges_are_refused() -> None:
    table = candidates([[50, 20]])
    with pytest.raises(ValueError, match=r"pickup_s must have 2 entries, got shape \(3,\)"):
        refine(table, pickup_s=np.zeros(3), max_pickup_s=300)
    with pytest.raises(ValueError, match=r"pickup_s\[1\] must not be negative, got -1.0"):
        refine(table, pickup_s=np.array([1.0, -1.0]), max_pickup_s=300)
