"""Which pairs improve at given prices, among all pairs, in compiled code: a search by geometry.

Drivers who stand near each other share a bucket. A bucket whose nearest edge and best price cannot
improve a rider's lot is passed over as a whole, so that few pairs are looked at one by one.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from matching.arrays import FloatArray, IntArray
from matching.compiled import compiled, inlined
from matching.travel import EARTH_RADIUS_M

_BUCKET = 24
# Rounding to a whole decisecond moves a cost by half of one; floats add next to nothing.
_ROUNDING_DS = 0.5 + 1e-3


class _Buckets(NamedTuple):
    """Drivers grouped by place; a NamedTuple, since compiled code takes no dataclass.

    `at` and `driver` have one entry per driver, in the order of the buckets: where she is, in
    deciseconds of chord, and her number. Bucket b holds entries `_BUCKET * b` on, and nobody in it
    is farther than `radius[b]` from `centre[b]`. `worth` is what each driver costs beside the
    pickup, `least_worth` the least of a bucket.
    """

    at: FloatArray
    driver: IntArray
    centre: FloatArray
    radius: FloatArray
    worth: IntArray
    least_worth: IntArray


class Way(NamedTuple):
    """How a chord of the unit sphere becomes a pickup time, and how long one may be."""

    s_per_m: float
    max_pickup_s: float


class Barred(NamedTuple):
    """Drivers who must not be asked: those of rider r are `driver[starts[r]:starts[r + 1]]`."""

    starts: IntArray
    driver: IntArray


class _Best(NamedTuple):
    """The best pairs so far, a row of `most` places per rider, `taken` of them filled."""

    taken: IntArray
    driver: IntArray
    pickup_s: FloatArray
    reduced_ds: IntArray
    lowest_ds: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Improving:
    """The pairs found, ordered by rider and, within, by reduced cost; one entry each.

    `lowest_ds` has one entry per rider: the least reduced cost of all her pairs, or her limit if
    none is less. `looked_at` counts the buckets and pairs that were looked at.
    """

    rider: IntArray
    driver: IntArray
    pickup_s: FloatArray
    lowest_ds: IntArray
    looked_at: int


class Buckets:
    """All drivers and riders, ready to be searched at any prices; never changes."""

    def __init__(self, *, start: FloatArray, at: FloatArray, way: Way, barred: Barred) -> None:
        """Riders `start` and drivers are `at` places of shape (n, 3) on the unit sphere.

        Needs at least one of each.
        """
        # A chord is never longer than the way along the surface: this never says too much.
        chord_ds = EARTH_RADIUS_M * way.s_per_m * 10
        order = _tiled(at)
        self._at = np.ascontiguousarray(at[order]) * chord_ds
        self._start = start * chord_ds
        self._driver = order
        self._first = np.arange(0, len(order), _BUCKET)
        size = np.diff(np.append(self._first, len(order)))
        self._centre = np.add.reduceat(self._at, self._first, axis=0) / size[:, np.newaxis]
        apart = np.linalg.norm(self._at - np.repeat(self._centre, size, axis=0), axis=1)
        self._radius = np.maximum.reduceat(apart, self._first) + _ROUNDING_DS
        self._home = cKDTree(self._centre).query(self._start)[1].astype(np.int64)
        self._way, self._barred = way, barred

    def improving(
        self, *, below_ds: IntArray, worth_ds: IntArray, most: int, share: int = 1
    ) -> Improving:
        """The pairs whose pickup + `worth_ds` of the driver is less than `below_ds` of the rider.

        At most `most` of each rider, those of least cost. With `share`, a power of two, rider r is
        given only drivers whose number leaves the same remainder as hers, so that neighbours do not
        all name the same few; `lowest_ds` still counts all.
        """
        shape = (len(self._start), most)
        best = _Best(
            taken=np.zeros(shape[0], dtype=np.int64),
            driver=np.empty(shape, dtype=np.int64),
            pickup_s=np.empty(shape),
            reduced_ds=np.empty(shape, dtype=np.int64),
            lowest_ds=below_ds.copy(),
        )
        worth_ds = worth_ds[self._driver]
        buckets = _Buckets(
            at=self._at,
            driver=self._driver,
            centre=self._centre,
            radius=self._radius,
            worth=worth_ds,
            least_worth=np.minimum.reduceat(worth_ds, self._first),
        )
        looked_at = _search(self._start, self._home, buckets, self._way, self._barred, share, best)
        filled = np.arange(most) < best.taken[:, np.newaxis]
        return Improving(
            rider=np.repeat(np.arange(shape[0]), best.taken),
            driver=best.driver[filled],
            pickup_s=best.pickup_s[filled],
            lowest_ds=best.lowest_ds,
            looked_at=looked_at,
        )


def _tiled(at: FloatArray) -> IntArray:
    """An order in which each run of `_BUCKET` places lies close together.

    Cut across the longest direction into strips and these along the next into tiles (Leutenegger,
    Lopez and Edgington, "STR: a simple and efficient algorithm for R-tree packing", 1997).
    """
    across, along = np.argsort(np.ptp(at, axis=0))[:0:-1]
    in_strip = _BUCKET * math.isqrt(max(len(at) // _BUCKET, 1))
    rank = np.empty(len(at), dtype=np.int64)
    rank[np.argsort(at[:, across], kind="stable")] = np.arange(len(at))
    return np.lexsort((at[:, along], rank // in_strip)).astype(np.int64)


@compiled
def _search(
    start: FloatArray,
    home: IntArray,
    buckets: _Buckets,
    way: Way,
    barred: Barred,
    share: int,
    best: _Best,
) -> int:
    """Fill `best` for every rider; how many buckets and pairs were looked at."""
    cap_ds = way.max_pickup_s * 10 + _ROUNDING_DS
    looked_at = 0
    for rider in range(len(start)):
        # What another must cost less than: lower once she has as many as wanted.
        limit_ds = best.lowest_ds[rider]
        looked_at += len(buckets.radius)
        # Her own bucket comes first: what it holds rules out most of the others.
        for turn in range(-1, len(buckets.radius)):
            bucket = home[rider] if turn < 0 else turn
            if turn == home[rider]:
                continue
            within = min(limit_ds + _ROUNDING_DS - buckets.least_worth[bucket], cap_ds)
            if within < 0:
                continue
            within += buckets.radius[bucket]
            x = start[rider, 0] - buckets.centre[bucket, 0]
            y = start[rider, 1] - buckets.centre[bucket, 1]
            z = start[rider, 2] - buckets.centre[bucket, 2]
            if x * x + y * y + z * z > within * within:
                continue
            looked_at += _BUCKET
            limit_ds = _look_through(
                bucket, rider, start, limit_ds, cap_ds, buckets, way, barred, share, best
            )
    return looked_at


@inlined
def _look_through(
    bucket: int,
    rider: int,
    start: FloatArray,
    limit_ds: int,
    cap_ds: float,
    buckets: _Buckets,
    way: Way,
    barred: Barred,
    share: int,
    best: _Best,
) -> int:
    """Enter every pair of one rider and one bucket below her limit; the limit from there on."""
    first = bucket * _BUCKET
    for entry in range(first, min(first + _BUCKET, len(buckets.worth))):
        driver = buckets.driver[entry]
        is_offered = (driver - rider) & (share - 1) == 0
        below_ds = limit_ds if is_offered else best.lowest_ds[rider]
        within = min(below_ds + _ROUNDING_DS - buckets.worth[entry], cap_ds)
        x = start[rider, 0] - buckets.at[entry, 0]
        y = start[rider, 1] - buckets.at[entry, 1]
        z = start[rider, 2] - buckets.at[entry, 2]
        square = x * x + y * y + z * z
        if within < 0 or square > within * within:
            continue
        pickup_s = _pickup_s(square, way)
        reduced_ds = int(np.rint(pickup_s * 10)) + buckets.worth[entry]
        if (
            pickup_s <= way.max_pickup_s
            and reduced_ds < below_ds
            and not _is_barred(barred, rider, driver)
        ):
            best.lowest_ds[rider] = min(best.lowest_ds[rider], reduced_ds)
            if is_offered:
                limit_ds = _enter(rider, driver, pickup_s, reduced_ds, limit_ds, best)
    return limit_ds


@inlined
def _enter(
    rider: int, driver: int, pickup_s: float, reduced_ds: int, limit_ds: int, best: _Best
) -> int:
    """Put a pair in its place among the rider's best; what another must now cost less than."""
    most = best.driver.shape[1]
    place = min(best.taken[rider], most - 1)
    while place > 0 and best.reduced_ds[rider, place - 1] > reduced_ds:
        best.reduced_ds[rider, place] = best.reduced_ds[rider, place - 1]
        best.driver[rider, place] = best.driver[rider, place - 1]
        best.pickup_s[rider, place] = best.pickup_s[rider, place - 1]
        place -= 1
    best.reduced_ds[rider, place] = reduced_ds
    best.driver[rider, place] = driver
    best.pickup_s[rider, place] = pickup_s
    best.taken[rider] = min(best.taken[rider] + 1, most)
    return best.reduced_ds[rider, most - 1] if best.taken[rider] == most else limit_ds


@inlined
def _pickup_s(square: float, way: Way) -> float:
    """The pickup time over a chord in deciseconds, given as its square."""
    radius_ds = EARTH_RADIUS_M * way.s_per_m * 10
    half = min(math.sqrt(square) / (2 * radius_ds), 1.0)
    return EARTH_RADIUS_M * (2 * math.asin(half)) * way.s_per_m


@inlined
def _is_barred(barred: Barred, rider: int, driver: int) -> bool:
    is_barred = False
    for entry in range(barred.starts[rider], barred.starts[rider + 1]):
        is_barred |= barred.driver[entry] == driver
    return is_barred
