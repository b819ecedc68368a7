"""The cheapest pairing over given edges, as a flow of least cost (OR-Tools)."""

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from matching.arrays import IntArray


def cheapest_edges(
    *, rider: IntArray, driver: IntArray, cost_ds: IntArray, price_ds: IntArray
) -> IntArray | None:
    """The positions of the edges of a least-cost pairing, or None if the solver found none.

    The first three arrays have one entry per edge, `price_ds` one per rider: what it costs to leave
    her unserved. One unit flows from each rider, through a driver or straight, to a common end; a
    driver lets one unit through. Of equally cheap pairings it is one that serves most riders; what
    is still equal goes by the order in which the edges are given, always alike.
    """
    if len(rider) == 0:
        return np.empty(0, dtype=np.int64)
    start, first_edge = _numbered(rider)
    through, _ = _numbered(driver)
    riders, drivers = len(first_edge), int(through.max()) + 1
    end = riders + drivers
    # Costs are scaled so that one more rider left unserved can break a tie but never outweigh a
    # decisecond, however many riders there are.
    scale = riders + 1
    solver = SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        np.concatenate((start, riders + np.arange(drivers), np.arange(riders))),
        np.concatenate((riders + through, np.full(drivers + riders, end))),
        np.ones(len(rider) + drivers + riders, dtype=np.int64),
        np.concatenate(
            (
                cost_ds * scale,
                np.zeros(drivers, dtype=np.int64),
                price_ds[rider[first_edge]] * scale + 1,
            )
        ),
    )
    solver.set_nodes_supplies(
        np.append(np.arange(riders), end), np.append(np.ones(riders, dtype=np.int64), -riders)
    )
    if solver.solve() != SimpleMinCostFlow.OPTIMAL:
        return None
    chosen: IntArray = np.flatnonzero(solver.flows(arcs[: len(rider)]) == 1)
    return chosen


def _numbered(places: IntArray) -> tuple[IntArray, IntArray]:
    """The same things numbered 0, 1, 2 … by first appearance, and where each appears first."""
    first = np.full(int(places.max()) + 1, -1, dtype=np.int64)
    # Of several values for one place the last is kept, so backwards it is the first that stays.
    first[places[::-1]] = np.arange(len(places) - 1, -1, -1)
    by_appearance = np.sort(first[first >= 0])
    number = np.empty(len(first), dtype=np.int64)
    number[places[by_appearance]] = np.arange(len(by_appearance))
    return number[places], by_appearance
