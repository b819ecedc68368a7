"""Which pairs improve at given prices, among all pairs, in compiled code: a search by geometry.

Drivers who stand near each other share a bucket. A bucket whose nearest edge and best price cannot
improve a rider's lot is passed over as a whole, so that few pairs are looked at one by one.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from matching.arrays import FloatArray, IntArray
from matching.compiled import compiled, inlined
from matching.travel import EARTH_RADIUS_M

_BUCKET = 24
# Rounding to a whole decisecond moves a cost by half of one; floats add next to nothing.
_ROUNDING_DS = 0.5 + 1e-3


class _Buckets(NamedTuple):
    """Drivers grouped by place; a NamedTuple, since compiled code takes no dataclass.

    `at` has shape (buckets, 3, `_BUCKET`), where each of a bucket's drivers is, in deciseconds of
    chord; `driver` and `worth` have shape (buckets, `_BUCKET`), her number and what she costs
    beside the pickup. Nobody in bucket b is farther than `radius[b]` from `centre[b]`, nor worth
    less than `least_worth[b]`. Places left over in the last bucket are worth too much to be named.
    """

    at: FloatArray
    driver: IntArray
    centre: FloatArray
    radius: FloatArray
    nearest: IntArray
    worth: FloatArray
    least_worth: FloatArray


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
        self._driver_count = len(order)
        # Whole buckets, so that compiled code knows their size: the last driver fills the last one.
        full = np.append(order, np.repeat(order[-1], -len(order) % _BUCKET))
        self._driver = full.reshape(-1, _BUCKET)
        self._at = np.ascontiguousarray(np.swapaxes(at[self._driver] * chord_ds, 1, 2))
        self._start = start * chord_ds
        self._centre = self._at.mean(axis=2)
        apart = np.linalg.norm(self._at - self._centre[:, :, np.newaxis], axis=1)
        self._radius = apart.max(axis=1) + _ROUNDING_DS
        self._nearest = np.argsort(cdist(self._centre, self._centre), axis=1, kind="stable")
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
        worth = worth_ds[self._driver].astype(np.float64)
        worth.reshape(-1)[self._driver_count :] = np.inf
        buckets = _Buckets(
            at=self._at,
            driver=self._driver,
            centre=self._centre,
            radius=self._radius,
            nearest=self._nearest,
            worth=worth,
            least_worth=worth.min(axis=1),
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
    looked_at = 0
    square, spare = np.empty(_BUCKET), np.empty(_BUCKET)
    for rider in range(len(start)):
        looked_at += _look_around(
            rider, start, buckets.nearest[home[rider]], buckets, way, barred, share, best, square,
            spare,
        )  # fmt: skip
    return looked_at


@compiled
def _look_around(
    rider: int,
    start: FloatArray,
    nearest: IntArray,
    buckets: _Buckets,
    way: Way,
    barred: Barred,
    share: int,
    best: _Best,
    square: FloatArray,
    spare: FloatArray,
) -> int:
    """Enter the pairs of one rider that cost less than her limit; how much was looked at.

    All in one function, since numba counts the references to every array wherever one is called.
    """
    cap_ds = way.max_pickup_s * 10 + _ROUNDING_DS
    x, y, z = start[rider, 0], start[rider, 1], start[rider, 2]
    looked_at = len(nearest)
    # What another must cost less than: lower once she has as many as wanted.
    limit_ds = lowest_ds = best.lowest_ds[rider]
    # The nearest buckets come first: what they hold rules out most of the others.
    for bucket in nearest:
        within = min(limit_ds + _ROUNDING_DS - buckets.least_worth[bucket], cap_ds)
        reach = within + buckets.radius[bucket]
        east = x - buckets.centre[bucket, 0]
        north = y - buckets.centre[bucket, 1]
        up = z - buckets.centre[bucket, 2]
        if within < 0 or east * east + north * north + up * up > reach * reach:
            continue
        looked_at += _BUCKET
        # Without branches, so that the processor takes several drivers at a time: how far each is,
        # and how much farther she might be, in squares.
        for place in range(_BUCKET):
            is_offered = (buckets.driver[bucket, place] - rider) & (share - 1) == 0
            below_ds = limit_ds if is_offered else lowest_ds
            within = min(below_ds + _ROUNDING_DS - buckets.worth[bucket, place], cap_ds)
            east = x - buckets.at[bucket, 0, place]
            north = y - buckets.at[bucket, 1, place]
            up = z - buckets.at[bucket, 2, place]
            square[place] = east * east + north * north + up * up
            spare[place] = within * abs(within) - square[place]
        for place in range(_BUCKET):
            if spare[place] < 0:
                continue
            driver, worth = buckets.driver[bucket, place], int(buckets.worth[bucket, place])
            is_offered = (driver - rider) & (share - 1) == 0
            below_ds = limit_ds if is_offered else lowest_ds
            # The limit may have fallen since; this is quicker than the time itself.
            within = below_ds + _ROUNDING_DS - worth
            if within < 0 or square[place] > within * within:
                continue
            pickup_s = _pickup_s(square[place], way)
            reduced_ds = int(np.rint(pickup_s * 10)) + worth
            if (
                pickup_s <= way.max_pickup_s
                and reduced_ds < below_ds
                and not _is_barred(barred, rider, driver)
            ):
                lowest_ds = min(lowest_ds, reduced_ds)
                if is_offered:
                    limit_ds = _enter(rider, driver, pickup_s, reduced_ds, limit_ds, best)
    best.lowest_ds[rider] = lowest_ds
    return looked_at


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
