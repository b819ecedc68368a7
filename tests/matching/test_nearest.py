import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.nearest import PointTree
from matching.travel import great_circle_m

NOBODY = np.empty(0, dtype=np.int64)


@pytest.mark.parametrize("many", [1, 2, 15, 16, 17, 31, 32, 33, 1000, 5000])
def test_every_point_of_a_crowd_is_found_however_many_there_are(many: int) -> None:
    random = np.random.default_rng(many)
    lat, lng = random.uniform(-90, 90, many), random.uniform(-180, 180, many)
    near = PointTree(lat=lat, lng=lng).nearest(lat=lat, lng=lng, k=1, max_distance_m=np.inf)
    assert near.query.tolist() == near.point.tolist() == list(range(many))
    assert near.distance_m.max() == 0


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.integers(1, 70),
    st.sampled_from([300.0, 2_000.0, 1e9]),
    st.sampled_from([0.0, 0.1, 0.9, 1.0]),
)
@settings(max_examples=200, deadline=None)
def test_the_nearest_that_are_not_barred_are_found_and_of_equally_near_the_first(
    seed: int, points: int, k: int, max_distance_m: float, barred: float
) -> None:
    random = np.random.default_rng(seed)
    # Few places for many points: most distances are shared by several.
    lat, lng = random.integers(0, 6, (2, points)) * 0.004 + 47.0
    from_lat, from_lng = random.integers(0, 6, (2, 5)) * 0.004 + 47.0
    is_barred = random.random((5, points)) < barred
    pairs = random.permutation(np.argwhere(is_barred))
    near = PointTree(lat=lat, lng=lng).nearest(
        lat=from_lat,
        lng=from_lng,
        k=k,
        max_distance_m=max_distance_m,
        barred=(pairs[:, 0], pairs[:, 1]),
    )
    assert (np.diff(near.query) >= 0).all()
    for query in range(5):
        away_m = great_circle_m(
            from_lat=from_lat[query], from_lng=from_lng[query], to_lat=lat, to_lng=lng
        )
        allowed = np.flatnonzero(~is_barred[query] & (away_m <= max_distance_m))
        found = near.keep(near.query == query)
        assert len(found.point) == min(k, len(allowed)) == len(set(found.point.tolist()))
        assert found.distance_m == pytest.approx(away_m[found.point], abs=1e-6)
        assert found.distance_m == pytest.approx(np.sort(away_m[allowed])[:k], abs=1e-6)
        assert set(found.point.tolist()) <= set(allowed.tolist())
        for place in {*zip(lat[found.point].tolist(), lng[found.point].tolist(), strict=True)}:
            # Points of one place are exactly equally near.
            here = allowed[(lat[allowed] == place[0]) & (lng[allowed] == place[1])]
            own = found.point[np.isin(found.point, here)]
            assert own.tolist() == here[: len(own)].tolist()


def test_a_thousand_points_in_one_spot_are_found_in_their_order() -> None:
    tree = PointTree(lat=np.full(1000, 47.1), lng=np.full(1000, 9.5))
    near = tree.nearest(lat=np.full(2, 47.1), lng=np.full(2, 9.6), k=3, max_distance_m=np.inf)
    assert near.query.tolist() == [0, 0, 0, 1, 1, 1]
    assert near.point.tolist() == [0, 1, 2, 0, 1, 2]


def test_among_no_points_and_for_no_query_nothing_is_found() -> None:
    empty = PointTree(lat=np.empty(0), lng=np.empty(0))
    barred = (NOBODY, NOBODY)
    assert not len(
        empty.nearest(lat=np.zeros(1), lng=np.zeros(1), k=1, max_distance_m=1, barred=barred).query
    )
    one = PointTree(lat=np.zeros(1), lng=np.zeros(1))
    assert not len(one.nearest(lat=np.empty(0), lng=np.empty(0), k=1, max_distance_m=1).query)


@pytest.mark.parametrize("nowhere", [float("nan"), float("inf")])
def test_a_place_that_is_none_is_refused(nowhere: float) -> None:
    here, odd = np.zeros(1), np.array([nowhere])
    with pytest.raises(ValueError, match="lat and lng must be numbers"):
        PointTree(lat=odd, lng=here)
    with pytest.raises(ValueError, match="lat and lng must be numbers"):
        PointTree(lat=here, lng=here).nearest(lat=here, lng=odd, k=1, max_distance_m=1)
