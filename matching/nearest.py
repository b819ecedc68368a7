"""The exact nearest neighbours of a point, anywhere on Earth.

A flat map bends distances, and breaks at the antimeridian and the poles. Points on a unit sphere in
three dimensions do neither: the straight chord between two of them grows strictly with the great
circle, so the nearest by chord are the nearest on Earth and a k-d tree finds them exactly.

H3 cells would be the worse boxes to search: all are of one size, so that downtown holds hundreds of
drivers in a few and the outskirts are empty, and naming them costs 1 µs each. They are for counting
(`LocationIndex.count_by_cell`).
"""

from dataclasses import dataclass

import numpy as np

from matching import nearest_kernels as kernels
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
        self._tree = kernels.grow(on_unit_sphere(lat, lng)) if self._size else None

    def nearest(
        self,
        *,
        lat: FloatArray,
        lng: FloatArray,
        k: int,
        max_distance_m: float,
        barred: tuple[IntArray, IntArray] | None = None,
    ) -> Neighbours:
        """The `k` nearest points of each query, none farther than `max_distance_m`.

        Fewer where there are not so many. Of equally distant points those given first are nearer.
        `barred` pairs, positions of queries and of points, are never found and use up no place.
        Made for lists of hundreds at most. Refused: `k` below 1, a negative or missing distance, a
        place that is none.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        if not max_distance_m >= 0:
            raise ValueError(f"max_distance_m must not be negative, got {max_distance_m}")
        asked, wanted = len(lat), min(k, self._size)
        if self._tree is None or asked == 0:
            nothing = np.empty(0, dtype=np.int64)
            return Neighbours(nothing, nothing, np.empty(0))
        # The tree's bound is in chords, so it is taken a little wider; the exact limit is applied
        # below, in metres.
        half_angle = min(max_distance_m / (2 * EARTH_RADIUS_M), np.pi / 2)
        reach = 2 * np.sin(half_angle) * (1 + 1e-9) + 1e-12
        found = kernels.Found(np.empty(asked * wanted, np.int64), np.empty(asked * wanted))
        taken = kernels.search(
            on_unit_sphere(lat, lng), self._tree, wanted, reach**2, _by_query(barred, asked), found
        )
        query = np.repeat(np.arange(asked), taken)
        chord = np.sqrt(found.square[: len(query)])
        distance_m = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(chord / 2, 1.0))
        near = Neighbours(query, found.point[: len(query)], distance_m)
        return near.keep(distance_m <= max_distance_m)


def on_unit_sphere(lat: FloatArray, lng: FloatArray) -> FloatArray:
    """Shape (n, 3): where the points are in space, with the Earth's radius as the unit.

    Refused: a place that is none (nan, infinity).
    """
    if not (np.isfinite(lat).all() and np.isfinite(lng).all()):
        raise ValueError("lat and lng must be numbers, got nan or infinity")
    north, east = np.radians(lat), np.radians(lng)
    from_axis = np.cos(north)
    return np.column_stack((from_axis * np.cos(east), from_axis * np.sin(east), np.sin(north)))


def _by_query(barred: tuple[IntArray, IntArray] | None, queries: int) -> kernels.Barred:
    starts = np.zeros(queries + 1, dtype=np.int64)
    if barred is None:
        return kernels.Barred(starts, np.empty(0, dtype=np.int64))
    query, point = barred
    np.cumsum(np.bincount(query, minlength=queries), out=starts[1:])
    return kernels.Barred(starts, point[np.argsort(query, kind="stable")])
