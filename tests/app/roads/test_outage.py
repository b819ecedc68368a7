"""When the road engine dies, estimates answer; when it comes back, so do the roads."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.roads.fallback import FAILURES_TO_OPEN, PROBE_AFTER_S, ResilientRouter
from app.roads.osrm import OsrmRouter
from app.roads.port import OutsideServiceArea, RouterUnavailable
from app.roads.service import Roads
from app.roads.snapping import SnapIndex
from app.roads.straight_line import StraightLineRouter
from matching.travel import Calibration, Point

VADUZ = Point(lat=47.1396, lng=9.5216)
BALZERS = Point(lat=47.0667, lng=9.5027)
ZURICH = Point(lat=47.3769, lng=8.5417)
# Thursday 21 May 2026, 17:30 in Vaduz.
HALF_PAST_FIVE = datetime(2026, 5, 21, 15, 30, tzinfo=UTC)
THURSDAY_FIVE = 3 * 24 + 17


class Stopwatch:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def test_a_dead_engine_is_replaced_by_estimates_and_taken_back(
    own_engine: Any, snap_index: SnapIndex
) -> None:
    stopwatch = Stopwatch()
    async with OsrmRouter(own_engine.base_url) as osrm:
        router = ResilientRouter(
            osrm, fallback=StraightLineRouter(snap_index), monotonic_s=stopwatch
        )
        by_road = await router.route(VADUZ, end=BALZERS)
        assert not by_road.is_estimate
        assert not router.is_estimate

        await own_engine.kill()
        for _ in range(FAILURES_TO_OPEN + 2):
            guessed = await router.route(VADUZ, end=BALZERS)
            assert guessed.is_estimate
            assert guessed.distance_m == pytest.approx(by_road.distance_m, rel=0.3)
        assert router.is_estimate
        assert np.isfinite(await router.matrix([VADUZ], destinations=[BALZERS])).all()
        with pytest.raises(OutsideServiceArea):
            await router.route(VADUZ, end=ZURICH)

        await own_engine.start()
        assert (await router.route(VADUZ, end=BALZERS)).is_estimate
        stopwatch.now_s += PROBE_AFTER_S
        assert await router.route(VADUZ, end=BALZERS) == by_road
        assert not router.is_estimate


async def test_a_dead_engine_says_so_by_itself(own_engine: Any) -> None:
    await own_engine.kill()
    async with OsrmRouter(own_engine.base_url) as osrm:
        with pytest.raises(RouterUnavailable):
            await osrm.nearest(VADUZ)
        with pytest.raises(RouterUnavailable):
            await osrm.route(VADUZ, end=BALZERS)
        with pytest.raises(RouterUnavailable):
            await osrm.matrix([VADUZ], destinations=[BALZERS])


async def test_a_refusal_is_an_answer_and_no_outage(
    osrm: OsrmRouter, snap_index: SnapIndex
) -> None:
    router = ResilientRouter(osrm, fallback=StraightLineRouter(snap_index))
    for _ in range(FAILURES_TO_OPEN + 1):
        with pytest.raises(OutsideServiceArea):
            await router.route(VADUZ, end=ZURICH)
    assert not router.is_estimate
    assert not (await router.route(VADUZ, end=BALZERS)).is_estimate


@pytest.fixture
def roads(osrm: OsrmRouter) -> Roads:
    week = [1.0] * 168
    week[THURSDAY_FIVE] = 1.5
    return Roads(
        osrm,
        calibration=Calibration(constant_s=45, factor=1.15, hour_of_week=tuple(week)),
        time_zone=ZoneInfo("Europe/Vaduz"),
    )


async def test_a_quoted_time_is_calibrated_for_the_local_hour(
    roads: Roads, osrm: OsrmRouter
) -> None:
    raw = await osrm.route(VADUZ, end=BALZERS)
    quoted = await roads.quote_route(VADUZ, dropoff=BALZERS, at=HALF_PAST_FIVE)
    later = await roads.quote_route(VADUZ, dropoff=BALZERS, at=HALF_PAST_FIVE.replace(hour=16))
    assert quoted.duration_s == pytest.approx((45 + 1.15 * raw.duration_s) * 1.5)
    assert later.duration_s == pytest.approx(45 + 1.15 * raw.duration_s)
    assert quoted.distance_m == raw.distance_m
    assert quoted.geometry == raw.geometry
    assert (quoted.pickup, quoted.dropoff) == (raw.start, raw.end)
    assert not quoted.is_estimate


async def test_pickup_times_are_calibrated_like_quotes(roads: Roads) -> None:
    matrix = await roads.pickup_matrix(
        [VADUZ, BALZERS, ZURICH], destinations=[BALZERS], at=HALF_PAST_FIVE
    )
    quoted = await roads.quote_route(VADUZ, dropoff=BALZERS, at=HALF_PAST_FIVE)
    assert matrix.shape == (3, 1)
    assert matrix[0, 0] == pytest.approx(quoted.duration_s, abs=0.5)
    assert matrix[1, 0] == pytest.approx(45 * 1.5)
    assert np.isnan(matrix[2, 0])


async def test_a_pickup_outside_the_service_area_is_refused_with_its_distance(
    roads: Roads,
) -> None:
    with pytest.raises(OutsideServiceArea, match="m from the nearest road; at most 500 m"):
        await roads.nearest(ZURICH)
    assert (await roads.nearest(VADUZ)).name == "Äulestrasse"


async def test_a_time_without_a_zone_is_refused(roads: Roads) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        await roads.quote_route(VADUZ, dropoff=BALZERS, at=HALF_PAST_FIVE.replace(tzinfo=None))
