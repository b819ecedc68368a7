"""The dual prices of an optimal pairing: what its riders and drivers are worth.

OR-Tools hands out the pairing without them. They are the solution of a system of differences, and
such a system is solved by longest paths (Bellman and Ford, 1956 to 1958): here in whole arrays,
going on only from those that changed in the step before.
"""

from dataclasses import dataclass

import numpy as np

from matching.arrays import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """What one more rider would cost, and what one more driver would change, in deciseconds.

    `rider_ds` is at most the price of not serving, `driver_ds` at most 0: a driver less makes the
    optimum dearer by about so much. For every edge, rider + driver is at most the edge's cost. Over
    the edges that they were made for both add up to the pairing's objective.
    """

    rider_ds: IntArray
    driver_ds: IntArray


def rider_prices(
    *,
    rider: IntArray,
    driver: IntArray,
    cost_ds: IntArray,
    unserved_ds: IntArray,
    driver_ds: IntArray,
) -> IntArray:
    """The highest rider prices that fit the given driver prices over the given edges."""
    highest = unserved_ds.copy()
    np.minimum.at(highest, rider, cost_ds - driver_ds[driver])
    return highest


def optimal_prices(
    *,
    rider: IntArray,
    driver: IntArray,
    cost_ds: IntArray,
    unserved_ds: IntArray,
    driver_count: int,
    chosen: IntArray,
) -> Prices:
    """The prices of an optimal pairing with the dearest drivers: of all such, the lowest driver_ds.

    Of the many optimal prices these leave the fewest other edges that seem to improve (measured
    against the other extreme: a proven gap 10 to 60 % smaller in the first round).
    `chosen` are the positions of the pairing's edges. The edges of a rider, who are ordered by
    rider, bound her driver d from below: price of d ≥ own cost - cost of e + price of e's driver,
    and ≥ own cost - price of not serving; drivers who stay free are worth 0. The least solution
    grows from the second bound by raising whom a changed driver supports. An optimum has no
    improving cycle, so this ends.
    """
    price = np.zeros(driver_count, dtype=np.int64)
    own_ds = np.zeros(len(unserved_ds), dtype=np.int64)
    mate = np.full(len(unserved_ds), -1, dtype=np.int64)
    own_ds[rider[chosen]] = cost_ds[chosen]
    mate[rider[chosen]] = driver[chosen]
    price[driver[chosen]] = cost_ds[chosen] - unserved_ds[rider[chosen]]
    # What a driver supports: the edges to her of riders who have somebody, ordered by driver.
    by_driver = np.argsort(driver, kind="stable")
    by_driver = by_driver[mate[rider[by_driver]] >= 0]
    starts = np.searchsorted(driver[by_driver], np.arange(driver_count + 1))
    supported = mate[rider[by_driver]]
    supporter = driver[by_driver]
    margin_ds = own_ds[rider[by_driver]] - cost_ds[by_driver]
    raised = np.arange(driver_count)
    while len(raised):
        edges = _runs(starts[raised], starts[raised + 1])
        before = price.copy()
        np.maximum.at(price, supported[edges], price[supporter[edges]] + margin_ds[edges])
        raised = np.flatnonzero(price > before)
    return Prices(
        rider_ds=rider_prices(
            rider=rider, driver=driver, cost_ds=cost_ds, unserved_ds=unserved_ds, driver_ds=price
        ),
        driver_ds=price,
    )


def _runs(starts: IntArray, ends: IntArray) -> IntArray:
    """The whole numbers of all half-open ranges, one range after the other."""
    length = ends - starts
    before = np.cumsum(length) - length
    numbers: IntArray = np.repeat(starts - before, length) + np.arange(int(length.sum()))
    return numbers
