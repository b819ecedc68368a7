"""All pairs of riders and drivers under one cost, never written down as a matrix.

A pairing costs its pickup time, something of the rider's and something of the driver's. That is
what lets the pairs be searched by geometry; it is checked on every edge that is handed out.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from matching.arrays import FloatArray, IntArray
from matching.costs import cost_terms, deciseconds, not_serving
from matching.duals import Prices
from matching.nearest import on_unit_sphere
from matching.problem import Candidates, Problem
from matching.travel import EARTH_RADIUS_M, StraightLine

# As many riders at a time as keep their rows in the processor's cache.
_RIDERS_AT_ONCE = 32
# Rounding to a whole decisecond moves a cost by half of one; floats add next to nothing.
_ROUNDING_DS = 0.5 + 1e-3
# More near-improving edges than this of one rider are left to the next round.
_LOOKED_AT = 48


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Possible pairs, ordered by rider and then driver, no pair twice; one entry each."""

    rider: IntArray
    driver: IntArray
    pickup_s: FloatArray
    cost_ds: IntArray

    def __len__(self) -> int:
        return len(self.rider)


@dataclass(frozen=True, slots=True, eq=False)
class PricedOut:
    """What given prices say about all pairs: no pairing costs less than `bound_ds`.

    `rider`, `driver` are pairs that could still improve, no pair twice, in no promised order.
    """

    bound_ds: int
    rider: IntArray
    driver: IntArray


class FullMatrix:
    """Every pair within `weights.max_pickup_s` that is not excluded; never changes."""

    def __init__(self, problem: Problem, *, line: StraightLine) -> None:
        """Needs at least one rider and one driver."""
        self._problem = problem
        self._line = line
        self._riders, self._drivers = len(problem.demand), len(problem.supply)
        self.unserved_ds = not_serving(problem)
        self._cap_ds = problem.weights.max_pickup_s * 10 + 1e-3
        # On a sphere of this size a chord is a pickup time in deciseconds, never too long a one.
        radius_ds = EARTH_RADIUS_M * float(line.drive_s(1.0)) * 10
        self._from = on_unit_sphere(problem.demand.lat, problem.demand.lng)
        self._to = on_unit_sphere(problem.supply.lat, problem.supply.lng)
        self._from_ds, self._to_ds = self._from * radius_ds, self._to * radius_ds
        barred_riders, barred_drivers = problem.excluded_pairs()
        self._barred = barred_riders * self._drivers + barred_drivers
        self._most_barred = int(np.bincount(barred_riders, minlength=1).max())
        self._rider_part_ds, self._driver_part_ds = self._parts()
        nearby = cKDTree(self._from, leafsize=_RIDERS_AT_ONCE).indices
        self._groups = np.split(nearby, range(_RIDERS_AT_ONCE, len(nearby), _RIDERS_AT_ONCE))

    def edges(self, rider: IntArray, driver: IntArray) -> Edges:
        """The given pairs that are possible, with exact times and costs.

        The same times as a search over candidates gives, and the same cost for the same time.
        """
        key = np.sort(rider * self._drivers + driver)
        key = key[np.diff(key, prepend=-1) > 0]
        if len(self._barred):
            key = key[~np.isin(key, self._barred)]
        rider, driver = key // self._drivers, key % self._drivers
        pickup_s = self._pickup_s(rider, driver)
        short = pickup_s <= self._problem.weights.max_pickup_s
        rider, driver, pickup_s = rider[short], driver[short], pickup_s[short]
        cost_ds = self._cost_ds(rider, driver, pickup_s)
        parts_ds = self._rider_part_ds[rider] + self._driver_part_ds[driver]
        assert (cost_ds == deciseconds(pickup_s) + parts_ds).all(), (
            "a cost term depends on rider and driver together: all pairs cannot be bounded"
        )
        return Edges(rider, driver, pickup_s, cost_ds)

    def spread(
        self, driver_ds: IntArray, *, per_rider: int, share: int, seed: int
    ) -> tuple[IntArray, IntArray]:
        """Pairs worth trying at given driver prices: of each rider, the best in a random share.

        Each group of riders sees another `1 / share` of the drivers. Without that, neighbours would
        all name the same few, which is what makes lists of the nearest leak.
        """
        random = np.random.default_rng(seed)
        seen = max(self._drivers // share, 1)
        wanted = min(per_rider, seen)
        worth_ds = (self._driver_part_ds - driver_ds).astype(np.float64)
        rider, driver = [], []
        order = random.permutation(self._riders)
        for start in range(0, self._riders, _RIDERS_AT_ONCE):
            group = order[start : start + _RIDERS_AT_ONCE]
            some = random.choice(self._drivers, seen, replace=False)
            reduced = cdist(self._from_ds[group], self._to_ds[some])
            reduced += worth_ds[some]
            best = np.argpartition(reduced, wanted - 1, axis=1)[:, :wanted]
            rider.append(np.repeat(group, wanted))
            driver.append(some[best].ravel())
        return np.concatenate(rider), np.concatenate(driver)

    def price_out(self, prices: Prices, *, most_new: int, thorough: bool) -> PricedOut:
        """A lower bound of the optimum over all pairs, and the pairs that keep it from rising.

        True for any `driver_ds` ≤ 0 and any `rider_ds` ≤ the price of not serving. At most
        `most_new` pairs per rider, the most promising first. Unless `thorough`, a rider with very
        many of them has her share of the bound taken from the first that was not looked at.
        """
        rider, driver, unseen_ds = self._near_improving(prices, thorough=thorough)
        edges = self.edges(rider, driver)
        reduced_ds = edges.cost_ds - prices.driver_ds[edges.driver]
        lowest_ds = np.minimum(prices.rider_ds, unseen_ds)
        np.minimum.at(lowest_ds, edges.rider, reduced_ds)
        gain_ds = reduced_ds - prices.rider_ds[edges.rider]
        new = np.flatnonzero(gain_ds < 0)
        new = new[np.lexsort((gain_ds[new], edges.rider[new]))]
        place = np.arange(len(new)) - np.searchsorted(edges.rider[new], edges.rider[new])
        new = new[place < most_new]
        return PricedOut(
            bound_ds=int(lowest_ds.sum() + prices.driver_ds.sum()),
            rider=edges.rider[new],
            driver=edges.driver[new],
        )

    def _near_improving(
        self, prices: Prices, *, thorough: bool
    ) -> tuple[IntArray, IntArray, IntArray]:
        """All pairs that may improve, some that do not, and a bound per rider on those left out."""
        worth_ds = (self._driver_part_ds - prices.driver_ds).astype(np.float64)
        below_ds = prices.rider_ds - self._rider_part_ds + _ROUNDING_DS
        most = self._drivers if thorough else _LOOKED_AT + self._most_barred
        unseen_ds = prices.rider_ds.copy()
        found_rider, found_driver = [], []
        for group in self._groups:
            here, limit = self._from_ds[group], below_ds[group]
            # By the triangle inequality nobody in the group is nearer to a driver than this.
            centre = here.mean(axis=0, keepdims=True)
            width = float(cdist(centre, here).max())
            least = cdist(centre, self._to_ds)[0] - width
            near = np.flatnonzero((least <= self._cap_ds) & (least + worth_ds < limit.max() + 1e-3))
            if len(near) == 0:
                continue
            reduced = cdist(here, self._to_ds[near])
            too_far = reduced > self._cap_ds
            reduced += worth_ds[near]
            reduced[too_far] = np.inf
            row, column = np.nonzero(reduced < limit[:, np.newaxis])
            if most < len(near) and len(row) > most and np.bincount(row).max() > most:
                best = np.argpartition(reduced, most, axis=1)[:, : most + 1]
                cheapest = np.take_along_axis(reduced, best, axis=1)
                rest = cheapest[:, -1] + self._rider_part_ds[group] - _ROUNDING_DS
                bounded = np.isfinite(rest) & (rest < unseen_ds[group])
                unseen_ds[group[bounded]] = np.floor(rest[bounded]).astype(np.int64)
                row, place = np.nonzero(cheapest[:, :-1] < limit[:, np.newaxis])
                column = best[row, place]
            found_rider.append(group[row])
            found_driver.append(near[column])
        nothing = [np.empty(0, dtype=np.int64)]
        return (
            np.concatenate(found_rider or nothing),
            np.concatenate(found_driver or nothing),
            unseen_ds,
        )

    def _pickup_s(self, rider: IntArray, driver: IntArray) -> FloatArray:
        apart = self._from[rider] - self._to[driver]
        chord = np.sqrt((apart * apart).sum(axis=1))
        return self._line.drive_s(2 * EARTH_RADIUS_M * np.arcsin(np.minimum(chord / 2, 1.0)))

    def _cost_ds(self, rider: IntArray, driver: IntArray, pickup_s: FloatArray) -> IntArray:
        """Per ordered edge: what `matching.costs` says."""
        return cost_terms(
            self._problem,
            Candidates(
                rider=rider,
                driver=driver,
                pickup_s=pickup_s,
                rider_count=self._riders,
                driver_count=self._drivers,
            ),
        ).total_ds

    def _parts(self) -> tuple[IntArray, IntArray]:
        """What a pairing costs on account of its rider and of its driver, beside the way."""
        riders, drivers = np.arange(self._riders), np.arange(self._drivers)
        first = np.zeros(max(self._riders, self._drivers), dtype=np.int64)
        nothing_s = np.zeros(len(first))
        rider_ds = self._cost_ds(riders, first[: len(riders)], nothing_s[: len(riders)])
        driver_ds = self._cost_ds(first[: len(drivers)], drivers, nothing_s[: len(drivers)])
        return rider_ds, driver_ds - driver_ds[0]
