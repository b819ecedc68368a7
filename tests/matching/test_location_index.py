from collections import Counter

import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.location_index import CELL_RESOLUTION, IndexFullError, LocationIndex
from matching.travel import great_circle_m

VADUZ = (47.1410, 9.5209)

# Anywhere, and often where a flat map would break: the antimeridian, the poles, one spot.
latitudes = st.floats(-90, 90) | st.sampled_from([-90.0, 90.0, 89.999, 0.0, 47.14])
longitudes = st.floats(-180, 180) | st.sampled_from([-180.0, 180.0, 179.9999, -179.9999, 9.5])
points = st.tuples(latitudes, longitudes)
nearby = st.tuples(st.floats(47.05, 47.25), st.floats(9.45, 9.65))


def filled(places: list[tuple[float, float]]) -> LocationIndex:
    index = LocationIndex()
    for number, (lat, lng) in enumerate(places):
        index.update(number, lat=lat, lng=lng, at_s=0)
    return index


def brute_force_m(
    places: list[tuple[float, float]], lat: float, lng: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    at = np.array(places)
    return great_circle_m(from_lat=lat, from_lng=lng, to_lat=at[:, 0], to_lng=at[:, 1])


@pytest.mark.parametrize(("at_s", "taken"), [(99.0, False), (100.0, False), (100.1, True)])
def test_only_a_newer_position_replaces_the_known_one(at_s: float, *, taken: bool) -> None:
    index = LocationIndex()
    assert index.update("d", lat=1, lng=1, at_s=100)
    assert index.update("d", lat=2, lng=3, at_s=at_s) is taken
    known = index.snapshot(["d"])
    assert (known.lat[0], known.lng[0], known.at_s[0]) == ((2, 3, at_s) if taken else (1, 1, 100))
    cell = h3.latlng_to_cell(known.lat[0], known.lng[0], CELL_RESOLUTION)
    assert index.count_by_cell() == {cell: 1}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), max_size=40))
@settings(deadline=None)
def test_in_whatever_order_positions_arrive_the_newest_is_known(
    arrivals: list[tuple[int, int]],
) -> None:
    index = LocationIndex()
    newest: dict[int, int] = {}
    for driver, at_s in arrivals:
        # The latitude carries the time, so that a mixed-up position would show.
        taken = index.update(driver, lat=at_s, lng=driver, at_s=at_s)
        assert taken == (at_s > newest.get(driver, -1))
        newest[driver] = max(newest.get(driver, -1), at_s)
    known = index.snapshot()
    assert dict(zip(known.ids, known.at_s.tolist(), strict=True)) == newest
    assert known.lat.tolist() == known.at_s.tolist()
    assert known.lng.tolist() == list(known.ids)


@given(
    st.lists(
        st.tuples(st.sampled_from(["update", "remove", "evict"]), st.integers(0, 9)), max_size=60
    )
)
@settings(deadline=None)
def test_the_index_agrees_with_a_plain_dictionary(steps: list[tuple[str, int]]) -> None:
    index = LocationIndex()
    model: dict[int, int] = {}
    horizon_s = -1
    for at_s, (step, number) in enumerate(steps):
        if step == "update":
            assert index.update(number, lat=number, lng=0, at_s=at_s)
            model[number] = at_s
        elif step == "remove":
            assert index.remove(number) == (model.pop(number, None) is not None)
        else:
            horizon_s = max(horizon_s, at_s - number)
            gone = {one for one, seen_s in model.items() if seen_s < at_s - number}
            assert set(index.evict_before(at_s - number)) == gone
            model = {one: seen_s for one, seen_s in model.items() if one not in gone}
        known = index.snapshot()
        assert dict(zip(known.ids, known.at_s.tolist(), strict=True)) == model
        assert known.lat.tolist() == list(known.ids)
        assert len(index) == len(model)
        assert all(one in index for one in model)


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=12)
        | st.integers(0, 30),
        max_size=12,
    )
)
@settings(deadline=None)
def test_many_at_once_are_taken_as_one_after_another_would_be(
    steps: list[list[tuple[int, int]] | int],
) -> None:
    at_once, in_turn = LocationIndex(), LocationIndex()
    for step in steps:
        if isinstance(step, int):
            assert set(at_once.evict_before(step)) == set(in_turn.evict_before(step))
            continue
        taken = at_once.update_many(
            [driver for driver, _ in step],
            lat=np.array([driver + at_s / 100 for driver, at_s in step]),
            lng=np.array([-at_s for _, at_s in step], dtype=np.float64),
            at_s=np.array([at_s for _, at_s in step], dtype=np.float64),
        )
        assert taken.tolist() == [
            in_turn.update(driver, lat=driver + at_s / 100, lng=-at_s, at_s=at_s)
            for driver, at_s in step
        ]
        got, expected = at_once.snapshot(range(10)), in_turn.snapshot(range(10))
        assert got.ids == expected.ids
        for column in ("lat", "lng", "at_s"):
            assert getattr(got, column).tolist() == getattr(expected, column).tolist()
        assert at_once.count_by_cell() == in_turn.count_by_cell()


def test_of_many_at_once_none_is_taken_if_one_cannot_be() -> None:
    index = filled([VADUZ, VADUZ])
    with pytest.raises(ValueError, match=r"lat\[1\] must be a number from -90 to 90, got 91"):
        index.update_many([0, 1], lat=np.array([1.0, 91.0]), lng=np.zeros(2), at_s=np.ones(2))
    with pytest.raises(ValueError, match="lng must have 2 entries"):
        index.update_many([0, 1], lat=np.zeros(2), lng=np.zeros(1), at_s=np.ones(2))
    assert index.snapshot().lat.tolist() == [VADUZ[0], VADUZ[0]]


def test_a_cell_follows_a_driver_who_moves_and_the_slot_of_one_who_leaves() -> None:
    index = filled([VADUZ, (0, 0), (10, 10)])
    before = index.count_by_cell()
    index.update_many([1, 2], lat=np.array([20.0, 10.0]), lng=np.zeros(2), at_s=np.ones(2))
    index.remove(0)
    assert before.keys() & index.count_by_cell().keys() == set()
    assert index.count_by_cell() == {
        h3.latlng_to_cell(lat, 0, CELL_RESOLUTION): 1 for lat in (20, 10)
    }


def test_eviction_keeps_a_position_of_exactly_that_time_and_lets_no_older_one_back() -> None:
    index = LocationIndex()
    index.update("older", lat=0, lng=0, at_s=99.9)
    index.update("same", lat=0, lng=0, at_s=100)
    assert index.evict_before(100) == ("older",)
    assert index.snapshot().ids == ("same",)
    assert not index.update("older", lat=0, lng=0, at_s=99.95)
    assert "older" not in index
    assert index.update("older", lat=0, lng=0, at_s=100)
    assert index.evict_before(50) == ()
    assert not index.update("late", lat=0, lng=0, at_s=60)


def test_a_removed_driver_is_not_found_and_may_come_back() -> None:
    index = filled([VADUZ, (47.15, 9.52)])
    assert index.remove(0)
    assert not index.remove(0)
    found = index.nearest(lat=np.array([47.14]), lng=np.array([9.52]), k=5, max_distance_m=10_000)
    assert found.driver_ids == (1,)
    assert index.update(0, lat=47.14, lng=9.52, at_s=-5)


def test_growth_by_doubling_keeps_every_position() -> None:
    index = LocationIndex(capacity=1000)
    for number in range(1000):
        assert index.update(number, lat=number / 100, lng=-number / 100, at_s=number)
    known = index.snapshot()
    assert known.ids == tuple(range(1000))
    assert known.lat.tolist() == [number / 100 for number in range(1000)]
    assert index.count_by_cell() == Counter(
        h3.latlng_to_cell(number / 100, -number / 100, CELL_RESOLUTION) for number in range(1000)
    )


def test_a_full_index_refuses_a_new_driver_and_still_follows_the_known_ones() -> None:
    index = LocationIndex(capacity=2)
    index.update("a", lat=0, lng=0, at_s=0)
    index.update("b", lat=0, lng=0, at_s=0)
    with pytest.raises(IndexFullError, match="full: 2 drivers; remove or evict some"):
        index.update("c", lat=0, lng=0, at_s=0)
    assert "c" not in index
    assert index.update("a", lat=1, lng=1, at_s=1)
    index.remove("b")
    assert index.update("c", lat=0, lng=0, at_s=0)


@pytest.mark.parametrize(
    ("lat", "lng", "at_s", "refusal"),
    [
        (90.1, 0, 0, "lat must be from -90 to 90, got 90.1"),
        (float("nan"), 0, 0, "lat must be from -90 to 90, got nan"),
        (0, -180.1, 0, "lng must be from -180 to 180, got -180.1"),
        (0, 0, float("nan"), "at_s must be a time, got nan"),
        (0, 0, float("inf"), "at_s must be a time, got inf"),
    ],
)
def test_a_position_that_cannot_be_is_refused(
    lat: float, lng: float, at_s: float, refusal: str
) -> None:
    index = LocationIndex()
    with pytest.raises(ValueError, match=refusal):
        index.update("d", lat=lat, lng=lng, at_s=at_s)
    assert len(index) == 0


def test_a_capacity_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity must be at least 1, got 0"):
        LocationIndex(capacity=0)


def test_a_snapshot_keeps_the_order_asked_and_leaves_out_strangers_and_doubles() -> None:
    index = filled([(1, 1), (2, 2), (3, 3)])
    known = index.snapshot([2, "stranger", 0, 2])
    assert known.ids == (2, 0)
    assert known.lat.tolist() == [3, 1]


def test_a_snapshot_does_not_follow_the_index() -> None:
    index = filled([(1, 1)])
    known = index.snapshot()
    index.update(0, lat=5, lng=5, at_s=9)
    assert known.lat.tolist() == [1]


@given(
    st.lists(points, min_size=1, max_size=25) | st.lists(nearby, min_size=1, max_size=25),
    points | nearby,
    st.integers(1, 30),
    st.sampled_from([0.0, 500.0, 50_000.0, 8e6, 3e7, float("inf")]),
)
@settings(max_examples=400, deadline=None)
def test_the_nearest_are_those_that_brute_force_finds(
    places: list[tuple[float, float]], query: tuple[float, float], k: int, max_distance_m: float
) -> None:
    found = filled(places).nearest(
        lat=np.array([query[0]]), lng=np.array([query[1]]), k=k, max_distance_m=max_distance_m
    )
    distance_m = brute_force_m(places, *query)
    # Near the antipode a rounding in the last place is 0.2 m; elsewhere it is far below 1 mm.
    slack_m = np.where(distance_m > 1.9e7, 1.0, 1e-3)
    expected_m = np.sort(distance_m[distance_m <= max_distance_m])[:k]
    on_the_edge = np.count_nonzero(np.abs(distance_m - max_distance_m) <= slack_m)
    assert abs(len(found.driver_ids) - len(expected_m)) <= on_the_edge
    assert len(set(found.driver_ids)) == len(found.driver_ids)
    assert (np.diff(found.distance_m) >= 0).all()
    own = np.array([int(str(one)) for one in found.driver_ids], dtype=np.int64)
    assert (np.abs(found.distance_m - distance_m[own]) <= slack_m[own]).all()
    left_out = np.delete(np.arange(len(places)), own)
    if len(own) == k:
        # Nobody who was left out is nearer than the farthest of those found.
        assert (distance_m[left_out] >= found.distance_m[-1] - slack_m[left_out]).all()
    else:
        assert (distance_m[left_out] >= max_distance_m - slack_m[left_out]).all()


def test_the_date_line_and_the_pole_separate_nobody() -> None:
    index = filled([(0, -179.999), (0, 179.0), (89.999, 0), (89.0, 179)])
    found = index.nearest(
        lat=np.array([0.0, 89.999]), lng=np.array([179.999, 180.0]), k=1, max_distance_m=1000
    )
    assert found.rider.tolist() == [0, 1]
    assert found.driver_ids == (0, 2)
    assert found.distance_m == pytest.approx([222.39, 222.39], abs=0.01)


def test_the_greatest_distance_is_still_near_enough() -> None:
    index = filled([(0, 0), (0, 0.01)])
    exact_m = float(brute_force_m([(0, 0.01)], 0, 0)[0])
    for max_distance_m, count in ((exact_m + 1e-6, 2), (exact_m - 1e-6, 1)):
        found = index.nearest(lat=np.zeros(1), lng=np.zeros(1), k=2, max_distance_m=max_distance_m)
        assert len(found.driver_ids) == count


def test_only_drivers_among_those_asked_for_are_found() -> None:
    index = filled([(0, 0), (0, 0.001), (0, 0.002)])
    found = index.nearest(
        lat=np.zeros(1), lng=np.zeros(1), k=1, max_distance_m=1e6, among=[2, 1, "stranger", 1]
    )
    assert found.driver_ids == (1,)
    nobody = index.nearest(lat=np.zeros(1), lng=np.zeros(1), k=1, max_distance_m=1e6, among=[])
    assert nobody.driver_ids == ()


def test_a_search_without_sense_is_refused() -> None:
    index = filled([(0, 0)])
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        index.nearest(lat=np.zeros(1), lng=np.zeros(1), k=0, max_distance_m=1)
    with pytest.raises(ValueError, match="max_distance_m must not be negative, got nan"):
        index.nearest(lat=np.zeros(1), lng=np.zeros(1), k=1, max_distance_m=float("nan"))


@given(st.lists(points, max_size=30), st.integers(0, CELL_RESOLUTION))
@settings(deadline=None)
def test_the_drivers_of_all_cells_are_all_drivers(
    places: list[tuple[float, float]], resolution: int
) -> None:
    index = filled(places)
    expected: dict[int, int] = {}
    for lat, lng in places:
        fine = h3.latlng_to_cell(lat, lng, CELL_RESOLUTION)
        cell = h3.cell_to_parent(fine, resolution)
        expected[cell] = expected.get(cell, 0) + 1
    assert index.count_by_cell(resolution=resolution) == expected


def test_cells_count_only_drivers_among_those_asked_for() -> None:
    index = filled([VADUZ, VADUZ, (0, 0)])
    cell = h3.latlng_to_cell(*VADUZ, CELL_RESOLUTION)
    assert index.count_by_cell(among=[0, 1]) == {cell: 2}


@pytest.mark.parametrize("resolution", [-1, CELL_RESOLUTION + 1])
def test_a_cell_finer_than_is_kept_is_refused(resolution: int) -> None:
    with pytest.raises(ValueError, match=f"resolution must be from 0 to 8, got {resolution}"):
        LocationIndex().count_by_cell(resolution=resolution)
