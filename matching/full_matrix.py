"""All pairs of riders and drivers under one cost, never written down as a matrix.

A pairing costs its pickup time, something of the rider's and something of the driver's. That is
what lets the pairs be searched by geometry; it is checked on the edges to begin with.
"""

from dataclasses import dataclass

import numpy as np

from matching.arrays import FloatArray, IntArray
from matching.costs import cost_terms, deciseconds, not_serving
from matching.nearest import on_unit_sphere
from matching.pricing import Barred, Buckets, Improving, Way
from matching.problem import Candidates, Problem
from matching.travel import StraightLine

# Above every cost there can be, and far enough below the largest whole number.
_ANY_COST_DS = 2**60


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Possible pairs, ordered by rider, no pair twice: those of rider r begin at `starts[r]`."""

    starts: IntArray
    rider: IntArray
    driver: IntArray
    pickup_s: FloatArray
    cost_ds: IntArray

    def __len__(self) -> int:
        return len(self.rider)


@dataclass(frozen=True, slots=True, eq=False)
class PricedOut:
    """What given prices say about all pairs: no pairing costs less than `bound_ds`.

    `new` are edges that could still improve; `looked_at` is how much work it was.
    """

    bound_ds: int
    new: Edges
    looked_at: int


class FullMatrix:
    """Every pair within `weights.max_pickup_s` that is not excluded; never changes."""

    def __init__(self, problem: Problem, *, line: StraightLine) -> None:
        """Needs at least one rider and one driver."""
        self._problem = problem
        self._riders, self.driver_count = len(problem.demand), len(problem.supply)
        self.unserved_ds = not_serving(problem)
        barred_riders, barred_drivers = problem.excluded_pairs()
        starts = np.searchsorted(barred_riders, np.arange(self._riders + 1)).astype(np.int64)
        self._buckets = Buckets(
            start=on_unit_sphere(problem.demand.lat, problem.demand.lng),
            at=on_unit_sphere(problem.supply.lat, problem.supply.lng),
            way=Way(float(line.drive_s(1.0)), float(problem.weights.max_pickup_s)),
            barred=Barred(starts, barred_drivers),
        )
        self._rider_part_ds, self._driver_part_ds = self._parts()

    def nearest(self, most: int) -> Edges:
        """Each rider's cheapest edges, whatever they cost: `most` of them where there are so many.

        Times are those of a search over candidates, but for the last bits of a float.
        """
        found = self._improving(
            np.full(self._riders, _ANY_COST_DS), self._driver_part_ds, most=most, share=1
        )
        edges = self._edges(found)
        order = np.lexsort((edges.driver, edges.rider))
        costs_ds = self._cost_ds(edges.rider[order], edges.driver[order], edges.pickup_s[order])
        assert (edges.cost_ds[order] == costs_ds).all(), (
            "a cost term depends on rider and driver together: all pairs cannot be bounded"
        )
        return edges

    def price_out(
        self, rider_ds: IntArray, driver_ds: IntArray, *, most_new: int, share: int = 1
    ) -> PricedOut:
        """A lower bound of the optimum over all pairs, and the edges that keep it from rising.

        True for any `driver_ds` ≤ 0 and any `rider_ds` ≤ the price of not serving. Edges: at most
        `most_new` per rider, the most promising of all or of each rider's `share` of the drivers.
        """
        found = self._improving(
            rider_ds - self._rider_part_ds,
            self._driver_part_ds - driver_ds,
            most=most_new,
            share=share,
        )
        lowest_ds = found.lowest_ds + self._rider_part_ds
        return PricedOut(
            bound_ds=int(lowest_ds.sum() + driver_ds.sum()),
            new=self._edges(found),
            looked_at=found.looked_at,
        )

    def _improving(
        self, below_ds: IntArray, worth_ds: IntArray, *, most: int, share: int
    ) -> Improving:
        return self._buckets.improving(
            below_ds=below_ds,
            worth_ds=worth_ds,
            most=min(most, self.driver_count),
            share=share,
        )

    def _edges(self, found: Improving) -> Edges:
        parts_ds = self._rider_part_ds[found.rider] + self._driver_part_ds[found.driver]
        return Edges(
            starts=np.searchsorted(found.rider, np.arange(self._riders + 1)).astype(np.int64),
            rider=found.rider,
            driver=found.driver,
            pickup_s=found.pickup_s,
            cost_ds=deciseconds(found.pickup_s) + parts_ds,
        )

    def _cost_ds(self, rider: IntArray, driver: IntArray, pickup_s: FloatArray) -> IntArray:
        """Per ordered edge: what `matching.costs` says."""
        return cost_terms(
            self._problem,
            Candidates(
                rider=rider,
                driver=driver,
                pickup_s=pickup_s,
                rider_count=self._riders,
                driver_count=self.driver_count,
            ),
        ).total_ds

    def _parts(self) -> tuple[IntArray, IntArray]:
        """What a pairing costs on account of its rider and of its driver, beside the way."""
        riders, drivers = np.arange(self._riders), np.arange(self.driver_count)
        first = np.zeros(max(self._riders, self.driver_count), dtype=np.int64)
        nothing_s = np.zeros(len(first))
        rider_ds = self._cost_ds(riders, first[: len(riders)], nothing_s[: len(riders)])
        driver_ds = self._cost_ds(first[: len(drivers)], drivers, nothing_s[: len(drivers)])
        return rider_ds, driver_ds - driver_ds[0]


def joined(edges: Edges, new: Edges) -> Edges:
    """Both together; none of the new may be among the old."""
    # Two ordered runs, which a stable sort merges in one go.
    order = np.argsort(np.concatenate((edges.rider, new.rider)), kind="stable")
    return Edges(
        starts=edges.starts + new.starts,
        rider=np.concatenate((edges.rider, new.rider))[order],
        driver=np.concatenate((edges.driver, new.driver))[order],
        pickup_s=np.concatenate((edges.pickup_s, new.pickup_s))[order],
        cost_ds=np.concatenate((edges.cost_ds, new.cost_ds))[order],
    )
