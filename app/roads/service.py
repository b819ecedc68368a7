"""Ways and travel times as this city's own rides have shown them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from numpy.typing import ArrayLike

from app.roads.port import Router, Seconds, Snapped, check_service_area
from matching.travel import Calibration, Point


@dataclass(frozen=True, slots=True)
class CalibratedRoute:
    """A way with the seconds to expect on it; `geometry` holds (lat, lng), two or more.

    `engine_s` is the road engine's own time, None where the answer is an estimate.
    """

    distance_m: float
    duration_s: float
    geometry: tuple[tuple[float, float], ...]
    is_estimate: bool
    pickup: Snapped
    dropoff: Snapped
    engine_s: float | None = None


def hour_of_week(at: datetime, *, time_zone: ZoneInfo) -> int:
    """0 to 167 in the zone's own time, from Monday 00:00 on; refuses a time without a zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone could mean any hour")
    local = at.astimezone(time_zone)
    return local.weekday() * 24 + local.hour


class Roads:
    """What the other rooms ask: distances as driven, times as experienced in this city."""

    def __init__(self, router: Router, *, calibration: Calibration, time_zone: ZoneInfo) -> None:
        self._router = router
        self._calibration = calibration
        self._time_zone = time_zone

    @property
    def is_estimate(self) -> bool:
        """Whether answers are, for now, guesses that follow no road."""
        return self._router.is_estimate

    @property
    def calibration(self) -> Calibration:
        """What is made of the engine's seconds now."""
        return self._calibration

    def calibrate(self, calibration: Calibration) -> None:
        """Answer by this calibration from the next question on."""
        self._calibration = calibration

    async def nearest(self, point: Point) -> Snapped:
        """The nearest place on a road; `OutsideServiceArea` where it is over 500 m away."""
        snapped = await self._router.nearest(point)
        check_service_area(point, snapped=snapped)
        return snapped

    async def quote_route(self, pickup: Point, *, dropoff: Point, at: datetime) -> CalibratedRoute:
        """The way from pickup to drop-off and the seconds it takes when begun at `at`.

        `OutsideServiceArea` where an end lies over 500 m from a road or no way joins them. Where
        both ends are one place the distance is 0 and the time is the calibration's constant.
        """
        route = await self._router.route(pickup, end=dropoff)
        return CalibratedRoute(
            distance_m=route.distance_m,
            duration_s=float(self._promise_s(route.duration_s, at=at)),
            geometry=route.geometry,
            is_estimate=route.is_estimate,
            pickup=route.start,
            dropoff=route.end,
            engine_s=None if route.is_estimate else route.duration_s,
        )

    async def pickup_matrix(
        self, sources: Sequence[Point], *, destinations: Sequence[Point], at: datetime
    ) -> Seconds:
        """Seconds to expect from each source (row) to each destination (column), from `at` on.

        nan where no way leads or an end lies outside the service area.
        """
        engine_s = await self._router.matrix(sources, destinations=destinations)
        return self._promise_s(engine_s, at=at)

    def _promise_s(self, engine_s: ArrayLike, *, at: datetime) -> Seconds:
        hour = hour_of_week(at, time_zone=self._time_zone)
        return self._calibration.promise_s(engine_s, hour=hour)
