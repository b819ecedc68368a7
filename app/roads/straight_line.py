"""The crow's flight in place of a road engine: an estimate, called one, that never fails."""

import asyncio
from collections.abc import Sequence

import numpy as np

from app.roads.port import SERVICE_AREA_M, Route, Router, Seconds, Snapped, check_service_area
from app.roads.snapping import SnapIndex
from matching.travel import Point, StraightLine, distance_m, great_circle_m

# So many corners of the network, each to each, tell what a straight line is worth here.
CORNERS_TO_LEARN_FROM = 40


class StraightLineRouter:
    """Guesses from the streets kept in memory, so the service area holds without an engine."""

    is_estimate = True

    def __init__(self, snap_index: SnapIndex, *, line: StraightLine | None = None) -> None:
        self._snap_index = snap_index
        self.line = line or StraightLine()

    async def learn_from(self, engine: Router) -> None:
        """From now on the guesses are, at the median, as fast as the engine's answers.

        The city's calibration, fitted to the engine, then suits the guesses too.
        """
        network = self._snap_index.network
        spread = np.linspace(0, len(network.lat) - 1, CORNERS_TO_LEARN_FROM).astype(int)
        corners = [Point(lat=float(network.lat[i]), lng=float(network.lng[i])) for i in spread]
        engine_s = await engine.matrix(corners, destinations=corners)
        self.line = self.line.at_speed_of(engine_s, crow_m=_crow_m(corners, to=corners))

    async def nearest(self, point: Point) -> Snapped:
        """The nearest place on a street, however far."""
        return self._snap_index.snap(point).snapped

    async def route(self, start: Point, *, end: Point) -> Route:
        """A straight line between the two nearest streets, with a guessed distance and time."""
        start_snapped, end_snapped = await self.nearest(start), await self.nearest(end)
        check_service_area(start, snapped=start_snapped)
        check_service_area(end, snapped=end_snapped)
        crow_m = distance_m(start_snapped.point, to=end_snapped.point)
        return Route(
            start=start_snapped,
            end=end_snapped,
            distance_m=float(self.line.drive_m(crow_m)),
            duration_s=float(self.line.drive_s(crow_m)),
            geometry=(
                (start_snapped.lat, start_snapped.lng),
                (end_snapped.lat, end_snapped.lng),
            ),
            is_estimate=True,
        )

    async def matrix(self, sources: Sequence[Point], *, destinations: Sequence[Point]) -> Seconds:
        """Guessed seconds from each source to each destination; nan outside the service area."""
        # A thousand points take a tenth of a second, in which others must get their turn.
        return await asyncio.to_thread(self._matrix, sources, destinations)

    def _matrix(self, sources: Sequence[Point], destinations: Sequence[Point]) -> Seconds:
        from_spots = [spot.snapped for spot in self._snap_index.snap_all(sources)]
        to_spots = [spot.snapped for spot in self._snap_index.snap_all(destinations)]
        seconds = self.line.drive_s(
            _crow_m([spot.point for spot in from_spots], to=[spot.point for spot in to_spots])
        )
        seconds[[spot.distance_m > SERVICE_AREA_M for spot in from_spots], :] = np.nan
        seconds[:, [spot.distance_m > SERVICE_AREA_M for spot in to_spots]] = np.nan
        return seconds


def _crow_m(sources: Sequence[Point], *, to: Sequence[Point]) -> Seconds:
    return great_circle_m(
        from_lat=np.array([point.lat for point in sources])[:, None],
        from_lng=np.array([point.lng for point in sources])[:, None],
        to_lat=np.array([point.lat for point in to])[None, :],
        to_lng=np.array([point.lng for point in to])[None, :],
    )
