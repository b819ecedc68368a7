"""Distances, the straight line, and calibration on completed rides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.travel import (
    Calibration,
    Point,
    StraightLine,
    distance_m,
    fit_calibration,
    great_circle_m,
)

VADUZ = Point(lat=47.1410, lng=9.5209)
BALZERS = Point(lat=47.0660, lng=9.5030)
PRIOR = Calibration.same_all_week(constant_s=45, factor=1.15)

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
points = st.builds(Point, lat=latitudes, lng=longitudes)


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert distance_m(Point(lat=0, lng=0), to=Point(lat=1, lng=0)) == pytest.approx(111_195, abs=1)


def test_antipodes_are_half_the_earth_apart() -> None:
    half_way_round = distance_m(Point(lat=0, lng=0), to=Point(lat=0, lng=180))
    assert half_way_round == pytest.approx(20_015_115, abs=5)


@pytest.mark.parametrize(("lat", "lng"), [(90.1, 0), (-91, 0), (0, 181), (float("nan"), 0)])
def test_a_point_off_the_earth_is_refused(lat: float, lng: float) -> None:
    with pytest.raises(ValueError, match="no such place"):
        Point(lat=lat, lng=lng)


@given(points, points)
def test_the_distance_there_is_the_distance_back_and_zero_at_home(a: Point, b: Point) -> None:
    assert distance_m(a, to=b) == pytest.approx(distance_m(b, to=a), abs=1e-6)
    assert distance_m(a, to=a) == 0


@given(points, points, points)
def test_no_detour_is_shorter_than_the_direct_way(a: Point, b: Point, c: Point) -> None:
    assert distance_m(a, to=c) <= distance_m(a, to=b) + distance_m(b, to=c) + 0.1


def test_distances_broadcast_into_a_matrix() -> None:
    lats, lngs = np.array([47.1, 47.2, 47.3]), np.array([9.5, 9.5, 9.5])
    matrix = great_circle_m(
        from_lat=lats[:, None], from_lng=lngs[:, None], to_lat=lats[None, :2], to_lng=lngs[None, :2]
    )
    assert matrix.shape == (3, 2)
    assert matrix[1, 1] == 0
    assert matrix[2, 0] == pytest.approx(22_239, abs=1)


def test_the_straight_line_drives_the_detour_at_its_speed() -> None:
    line = StraightLine(detour=1.3, speed_mps=25 / 3.6)
    assert line.drive_m(1000) == pytest.approx(1300)
    assert line.drive_s(np.array([0, 1000])) == pytest.approx([0, 187.2])


@pytest.mark.parametrize(
    ("detour", "speed_mps"), [(0.9, 5), (1.3, 0), (1.3, -1), (float("inf"), 5), (1.3, float("nan"))]
)
def test_an_impossible_straight_line_is_refused(detour: float, speed_mps: float) -> None:
    with pytest.raises(ValueError, match=r"never shorter|nothing arrives"):
        StraightLine(detour=detour, speed_mps=speed_mps)


def test_the_straight_line_takes_the_speed_of_the_engine() -> None:
    crow_m = np.array([1000.0, 2000.0, 4000.0, 0.0, 500.0])
    engine_s = np.array([130.0, 260.0, 520.0, 0.0, np.nan])
    line = StraightLine(detour=1.3).at_speed_of(engine_s, crow_m=crow_m)
    assert line.speed_mps == pytest.approx(10)
    assert line.detour == 1.3


def test_the_straight_line_stays_where_the_engine_says_nothing() -> None:
    line = StraightLine()
    assert line.at_speed_of([np.nan, 0.0], crow_m=[10.0, 0.0]) == line


def test_a_promise_is_the_line_times_the_factor_of_the_hour() -> None:
    week = [1.0] * 168
    week[17] = 1.5
    calibration = Calibration(constant_s=90, factor=1.2, hour_of_week=tuple(week))
    assert calibration.promise_s(300, hour=16) == pytest.approx(450)
    assert calibration.promise_s(300, hour=17) == pytest.approx(675)
    promised = calibration.promise_s([[0.0, np.nan]], hour=17)
    assert promised[0, 0] == pytest.approx(135)
    assert np.isnan(promised[0, 1])


@given(
    st.floats(0, 1e4), st.floats(0, 10), st.floats(0, 1e5), st.floats(0, 1e5), st.integers(0, 167)
)
def test_a_promise_is_never_negative_and_never_shorter_for_a_longer_drive(
    constant_s: float, factor: float, one_s: float, other_s: float, hour: int
) -> None:
    calibration = Calibration.same_all_week(constant_s=constant_s, factor=factor)
    short_s, long_s = sorted((one_s, other_s))
    assert (
        0 <= calibration.promise_s(short_s, hour=hour) <= calibration.promise_s(long_s, hour=hour)
    )


@pytest.mark.parametrize("hour", [-1, 168])
def test_an_hour_outside_the_week_is_refused(hour: int) -> None:
    with pytest.raises(ValueError, match="hour of the week"):
        PRIOR.promise_s(100, hour=hour)


def test_a_negative_engine_time_is_refused() -> None:
    with pytest.raises(ValueError, match="never negative"):
        PRIOR.promise_s([10, -1], hour=3)


@pytest.mark.parametrize(
    ("constant_s", "factor", "week"),
    [
        (-1, 1, (1.0,) * 168),
        (0, -0.1, (1.0,) * 168),
        (float("nan"), 1, (1.0,) * 168),
        (0, 1, (1.0,) * 167),
        (0, 1, (0.0,) + (1.0,) * 167),
    ],
)
def test_an_impossible_calibration_is_refused(
    constant_s: float, factor: float, week: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match=r"constant_s|factor|hours"):
        Calibration(constant_s=constant_s, factor=factor, hour_of_week=week)


def test_the_fit_finds_the_line_that_made_the_rides() -> None:
    engine_s = np.linspace(60, 1200, 500)
    fitted = fit_calibration(
        engine_s,
        actual_s=94 + 1.2 * engine_s,
        hour_of_week=np.arange(500) % 168,
        prior=PRIOR,
    )
    assert fitted.constant_s == pytest.approx(94, abs=0.01)
    assert fitted.factor == pytest.approx(1.2, abs=1e-4)
    assert fitted.hour_of_week == pytest.approx((1.0,) * 168, abs=1e-4)


def test_a_tenth_of_absurd_rides_does_not_bend_the_line() -> None:
    engine_s = np.linspace(60, 1200, 500)
    actual_s = 94 + 1.2 * engine_s
    actual_s[::10] *= 20
    fitted = fit_calibration(
        engine_s, actual_s=actual_s, hour_of_week=np.zeros(500, dtype=np.int64), prior=PRIOR
    )
    assert fitted.constant_s == pytest.approx(94, abs=1)
    assert fitted.factor == pytest.approx(1.2, abs=0.01)


def test_an_hour_with_60_rides_goes_half_way_to_its_median() -> None:
    engine_s = np.tile(np.linspace(100, 1000, 60), 10)
    hours = np.repeat(np.arange(10), 60)
    actual_s = engine_s.copy()
    actual_s[hours == 9] *= 2
    fitted = fit_calibration(engine_s, actual_s=actual_s, hour_of_week=hours, prior=PRIOR)
    assert fitted.hour_of_week[9] == pytest.approx(1.5, abs=0.01)
    assert fitted.hour_of_week[0] == pytest.approx(1, abs=0.01)
    assert fitted.hour_of_week[100] == 1


def test_a_city_with_fewer_than_60_rides_keeps_the_prior() -> None:
    assert (
        fit_calibration([1.0] * 59, actual_s=[9.0] * 59, hour_of_week=[0] * 59, prior=PRIOR)
        is PRIOR
    )
    assert fit_calibration([], actual_s=[], hour_of_week=[], prior=PRIOR) is PRIOR


rides = st.lists(
    st.tuples(st.integers(0, 3600), st.integers(0, 7200), st.integers(0, 167)),
    min_size=60,
    max_size=90,
)


@settings(max_examples=40)
@given(rides)
def test_no_nearby_line_fits_better_and_none_is_negative(
    rides: list[tuple[float, float, int]],
) -> None:
    engine_s, actual_s, hours = (np.array(column) for column in zip(*rides, strict=True))
    fitted = fit_calibration(engine_s, actual_s=actual_s, hour_of_week=hours, prior=PRIOR)

    def error_s(constant_s: float, factor: float) -> float:
        return float(np.abs(actual_s - constant_s - factor * engine_s).sum())

    best_s = error_s(fitted.constant_s, fitted.factor)
    assert fitted.constant_s >= 0
    assert fitted.factor >= 0
    for constant_step_s in (-5, 0, 5):
        for factor_step in (-0.05, 0, 0.05):
            other = max(0, fitted.constant_s + constant_step_s), max(0, fitted.factor + factor_step)
            assert best_s <= error_s(*other) * (1 + 1e-6) + 1e-3


@pytest.mark.parametrize(
    ("engine_s", "actual_s", "hours"),
    [
        ([1.0, 2.0], [1.0], [0, 0]),
        ([float("nan")], [1.0], [0]),
        ([-1.0], [1.0], [0]),
        ([1.0], [1.0], [168]),
    ],
)
def test_rides_that_cannot_be_are_refused_by_the_fit(
    engine_s: list[float], actual_s: list[float], hours: list[int]
) -> None:
    with pytest.raises(ValueError, match=r"one length|finite|negative|hour of the week"):
        fit_calibration(engine_s, actual_s=actual_s, hour_of_week=hours, prior=PRIOR)
