"""Ways and travel times as this city's own rides have shown them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.roads.port import Router, Seconds, Snapped, check_service_area
from matching.travel import Calibration, Point


@dataclass(frozen=True, slots=True)
class CalibratedRoute:
    """A way with the seconds to expect on it; `geometry` holds (lat, lng), two or more."""

    distance_m: float
    duration_s: float
    geometry: tuple[tuple[float, float], ...]
    is_estimate: bool
    pickup: Snapped
    dropoff: Snapped


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
            duration_s=float(
                self._calibration.promise_s(route.duration_s, hour=self._hour_of_week(at))
            ),
            geometry=route.geometry,
            is_estimate=route.is_estimate,
            pickup=route.start,
            dropoff=route.end,
        )

    async def pickup_matrix(
        self, sources: Sequence[Point], *, destinations: Sequence[Point], at: datetime
    ) -> Seconds:
        """Seconds to expect from each source (row) to each destination (column), from `at` on.

        nan where no way leads or an end lies outside the service area.
        """
        engine_s = await self._router.matrix(sources, destinations=destinations)
        return self._calibration.promise_s(engine_s, hour=self._hour_of_week(at))

    def _hour_of_week(self, at: datetime) -> int:
        """0 to 167 in the city's own time, from Monday 00:00 on."""
        if at.tzinfo is None:
            raise ValueError("a time without a zone could mean any hour")
        local = at.astimezone(self._time_zone)
        return local.weekday() * 24 + local.hour
