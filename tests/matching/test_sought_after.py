import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.sought_after import AHEAD_S, REACH_M, RECENT_S, sought_after
from matching.travel import EARTH_RADIUS_M

NOWHERE = np.empty(0)
REACH_DEG = np.degrees(REACH_M / EARTH_RADIUS_M)


def about(lng: list[float], *, asked_lng: list[float], lat: float = 0.0) -> list[float]:
    """Drivers and requests along one parallel."""
    shares: list[float] = sought_after(
        lat=np.full(len(lng), lat),
        lng=np.array(lng),
        asked_lat=np.full(len(asked_lng), lat),
        asked_lng=np.array(asked_lng),
    ).tolist()
    return shares


def test_nobody_is_expected_where_nobody_asked() -> None:
    assert about([7.0, 8.0], asked_lng=[]) == [0, 0]
    assert about([7.0], asked_lng=[7.0 + 1.01 * REACH_DEG]) == [0]
    assert about([], asked_lng=[7.0]) == []


def test_so_many_are_expected_as_asked_in_as_long_a_time() -> None:
    expected = 6 * AHEAD_S / RECENT_S
    assert about([7.0], asked_lng=[7.0] * 6) == [pytest.approx(expected / (1 + expected))]


def test_drivers_near_each_other_share_the_riders() -> None:
    expected = 6 * AHEAD_S / RECENT_S / 3
    alone, *together = about([7.5, 7.0, 7.0, 7.0], asked_lng=[7.0] * 6)
    assert alone == 0
    assert together == pytest.approx([expected / (1 + expected)] * 3)


def test_who_asked_half_the_reach_away_counts_three_quarters() -> None:
    expected = 0.75 * 6 * AHEAD_S / RECENT_S
    here = about([7.0], asked_lng=[7.0 + REACH_DEG / 2] * 6)
    assert here == pytest.approx([expected / (1 + expected)], rel=1e-6)


def test_the_date_line_is_no_border() -> None:
    west, east = 180 - REACH_DEG / 4, -180 + REACH_DEG / 4
    assert about([west], asked_lng=[east]) == pytest.approx(
        about([7.0], asked_lng=[7.0 + REACH_DEG / 2]), rel=1e-6
    )
    assert about([west, east], asked_lng=[180.0])[0] > 0


@given(
    st.lists(st.floats(7.0, 7.05), min_size=1, max_size=8),
    st.lists(st.floats(7.0, 7.05), max_size=8),
)
def test_it_lies_between_0_and_1_and_one_more_request_never_lowers_it(
    lng: list[float], asked: list[float]
) -> None:
    before, after = about(lng, asked_lng=asked), about(lng, asked_lng=[*asked, 7.02])
    assert all(0 <= one <= more < 1 for one, more in zip(before, after, strict=True))
