"""The exact nearest neighbours of a point, anywhere on Earth.

A flat map bends distances, and breaks at the antimeridian and the poles. Points on a unit sphere in
three dimensions do neither: the straight chord between two of them grows strictly with the great
circle, so the nearest by chord are the nearest on Earth and a k-d tree finds them exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from matching.arrays import BoolArray, FloatArray, IntArray
from matching.travel import EARTH_RADIUS_M


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Pairs of a query and a point, ordered by query and then by distance.

    Three arrays of one length: `query` and `point` are positions in the arrays that were asked and
    searched, `distance_m` is the great circle between them.
    """

    query: IntArray
    point: IntArray
    distance_m: FloatArray

    def keep(self, mask: BoolArray) -> "Neighbours":
        """The pairs for which `mask` is true, in the same order."""
        if mask.all():
            return self
        return Neighbours(self.query[mask], self.point[mask], self.distance_m[mask])


class PointTree:
    """Points on Earth, ready to be searched; never changes after it is built."""

    def __init__(self, *, lat: FloatArray, lng: FloatArray) -> None:
        self._size = len(lat)
        self._tree = cKDTree(on_unit_sphere(lat, lng))

    def nearest(
        self, *, lat: FloatArray, lng: FloatArray, k: int, max_distance_m: float
    ) -> Neighbours:
        """The `k` nearest points of each query, none farther than `max_distance_m`.

        Fewer where there are not so many. Which of several equally distant points at the cut are
        kept is fixed by the order in which the points were given. Refused: `k` below 1, a negative
        or missing distance.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        if not max_distance_m >= 0:
            raise ValueError(f"max_distance_m must not be negative, got {max_distance_m}")
        wanted = min(k, self._size)
        if wanted == 0 or len(lat) == 0:
            nothing = np.empty(0, dtype=np.int64)
            return Neighbours(nothing, nothing, np.empty(0))
        # The tree's bound is exclusive and in chords, so it is taken a little wider; the exact
        # limit is applied below, in metres.
        half_angle = min(max_distance_m / (2 * EARTH_RADIUS_M), np.pi / 2)
        chord, point = self._tree.query(
            on_unit_sphere(lat, lng),
            k=np.arange(1, wanted + 1),
            distance_upper_bound=2 * np.sin(half_angle) * (1 + 1e-9) + 1e-12,
        )
        query = np.repeat(np.arange(len(lat), dtype=np.int64), wanted)
        distance_m = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(chord.ravel() / 2, 1.0))
        # The tree fills up with infinity where there are fewer points.
        found = Neighbours(query, point.ravel().astype(np.int64), distance_m)
        return found.keep(np.isfinite(chord.ravel()) & (distance_m <= max_distance_m))


def on_unit_sphere(lat: FloatArray, lng: FloatArray) -> NDArray[np.float64]:
    """Shape (n, 3): where the points are in space, with the Earth's radius as the unit."""
    north, east = np.radians(lat), np.radians(lng)
    return np.column_stack(
        (np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north))
    )
