"""The nearest place on a street, measured to the street itself and not to its corners."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from app.roads.network import Floats, Indices, RoadNetwork
from app.roads.port import Snapped
from matching.travel import EARTH_RADIUS_M, Point

# Streets are dotted at least this densely, so that the nearest dot tells where to look.
DOT_SPACING_M = 50.0
# Beyond this the nearest dot's own street is near enough: such a point is refused anyway.
EXACT_WITHIN_M = 2_000.0


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on segment number `segment`: 0 at its tail, 1 at its head."""

    segment: int
    fraction: float
    snapped: Snapped


class SnapIndex:
    """Answers where on the streets a point lies: about 0.1 ms each, in memory, no engine needed.

    Everything is done in three dimensions (metres from the centre of the Earth), so that no map
    projection has to fit the city.
    """

    def __init__(self, network: RoadNetwork) -> None:
        self.network = network
        places = on_sphere(network.lat, network.lng)
        self._tail = places[network.tail]
        self._along = places[network.head] - self._tail
        pieces = np.ceil(network.length_m / DOT_SPACING_M).astype(np.int64)
        dots = pieces + 1
        self._segment_of_dot: Indices = np.repeat(np.arange(len(dots)), dots)
        nth = np.arange(dots.sum()) - np.repeat(np.cumsum(dots) - dots, dots)
        fraction = nth / np.repeat(pieces, dots)
        dotted = self._tail[self._segment_of_dot]
        dotted = dotted + fraction[:, None] * self._along[self._segment_of_dot]
        self._tree = cKDTree(dotted)

    def snap(self, point: Point) -> Spot:
        """The nearest spot on any street, however far."""
        place = on_sphere(np.array([point.lat]), np.array([point.lng]))[0]
        dot_m, dot = self._tree.query(place)
        segments = np.array([self._segment_of_dot[dot]])
        if dot_m <= EXACT_WITHIN_M:
            # The nearest spot lies at most half a spacing from a dot of its own segment.
            reach_m = float(np.hypot(dot_m, DOT_SPACING_M / 2)) + 1e-6
            near = self._tree.query_ball_point(place, reach_m)
            segments = np.unique(self._segment_of_dot[near])
        along = self._along[segments]
        offset = place - self._tail[segments]
        fraction = np.clip(
            np.einsum("ij,ij->i", offset, along) / np.einsum("ij,ij->i", along, along), 0, 1
        )
        apart_m = np.linalg.norm(offset - fraction[:, None] * along, axis=1)
        best = int(apart_m.argmin())
        segment = int(segments[best])
        x, y, z = self._tail[segment] + fraction[best] * along[best]
        return Spot(
            segment=segment,
            fraction=float(fraction[best]),
            snapped=Snapped(
                lat=float(np.degrees(np.arctan2(z, np.hypot(x, y)))),
                lng=float(np.degrees(np.arctan2(y, x))),
                distance_m=float(apart_m[best]),
                name=str(self.network.names[self.network.name_of[segment]]),
            ),
        )

    def snap_all(self, points: Sequence[Point]) -> list[Spot]:
        """The nearest spot of each point, in the same order."""
        return [self.snap(point) for point in points]


def on_sphere(lat: Floats, lng: Floats) -> NDArray[np.float64]:
    """Metres from the centre of the Earth, shape (n, 3)."""
    phi, theta = np.radians(lat), np.radians(lng)
    return EARTH_RADIUS_M * np.column_stack(
        [np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)]
    )
