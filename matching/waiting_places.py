"""Where idle drivers had best wait: many requests expected, few drivers there, a short drive.

Advice, never an order. It is shared out: the second driver sent to a place is worth less there
than the first, so that not all are sent to the same corner.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from scipy.special import pdtrc

from matching.arrays import FloatArray, IntArray, floats, positions_in
from matching.costs import deciseconds

NOWHERE = -1
# One more driver is not sent where she would be needed less often than this.
LEAST_CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class Hint:
    """Where one idle driver had best wait, and the numbers that are the reason.

    `driver` and `place` are positions. `drive_s` takes her there; in the time ahead
    `expected_requests` are expected there and `drivers_there` other drivers will be. `chance` is
    how likely so many riders ask that she is needed too.
    """

    driver: int
    place: int
    drive_s: float
    expected_requests: float
    drivers_there: int
    chance: float


def waiting_places(
    drive_s: NDArray[np.float64],
    *,
    stands_in: IntArray,
    expected: FloatArray,
    coming: IntArray,
    request_worth_s: float = 900.0,
    longest_drive_s: float = 900.0,
) -> tuple[Hint, ...]:
    """A hint for each idle driver who had better move; who is not named stays where she is.

    `drive_s` has shape (drivers, places). `stands_in` is the place at which each driver already
    is, or -1. `expected` requests come to each place in the time ahead, `coming` other drivers
    will be there anyway. The n-th driver of a place is needed if n or more riders ask, of whom the
    number is taken as Poisson; that chance times `request_worth_s`, the seconds of driving that
    being needed is worth, less the drives, is largest in sum: a flow of least cost. Nobody is
    sent farther than `longest_drive_s`. Refused: other shapes, negative or missing numbers.
    """
    drivers, places = drive_s.shape
    expected = floats(expected, name="expected", low=0, high=1e6, length=places)
    at_least = np.maximum(np.asarray(coming, dtype=np.int64), 0)
    if at_least.shape != (places,):
        raise ValueError(f"coming must have {places} entries")
    home = positions_in(stands_in - NOWHERE, name="stands_in", size=places + 1, length=drivers)
    if not drivers or not places:
        return ()
    drives_s = np.where(np.isfinite(drive_s), drive_s, np.inf)
    at_home = np.flatnonzero(home)
    drives_s[at_home, home[at_home] + NOWHERE] = 0.0
    openings, chance = _openings(expected, at_least, drivers)
    chosen = _cheapest(
        np.where(drives_s <= longest_drive_s, drives_s, np.inf),
        openings=openings,
        wasted_s=request_worth_s * (1 - chance),
        staying_s=request_worth_s,
    )
    going = np.flatnonzero((chosen != NOWHERE) & (chosen != home + NOWHERE))
    there = at_least + np.bincount(chosen[chosen != NOWHERE], minlength=places)
    return tuple(
        Hint(
            driver=driver,
            place=at,
            drive_s=float(drives_s[driver, at]),
            expected_requests=float(expected[at]),
            drivers_there=int(there[at]) - 1,
            chance=float(pdtrc(there[at] - 1, expected[at])),
        )
        for driver, at in zip(going.tolist(), chosen[going].tolist(), strict=True)
    )


def _openings(
    expected: FloatArray, at_least: IntArray, drivers: int
) -> tuple[IntArray, FloatArray]:
    """One entry per driver who could be of use at a place: which place, and how likely she is."""
    # Beyond the mean and four deviations hardly a rider is left.
    many = np.ceil(expected + 4 * np.sqrt(expected)).astype(np.int64) + 1 - at_least
    many = np.clip(many, 0, drivers)
    place = np.repeat(np.arange(len(expected)), many)
    first = np.repeat(np.cumsum(many) - many, many)
    number = at_least[place] + np.arange(len(place)) - first + 1
    # At least n riders: more than n - 1.
    chance = np.asarray(pdtrc(number - 1, expected[place]))
    useful = chance >= LEAST_CHANCE
    return place[useful], chance[useful]


def _cheapest(
    drives_s: NDArray[np.float64], *, openings: IntArray, wasted_s: FloatArray, staying_s: float
) -> IntArray:
    """The place of each driver, or -1: one unit flows from each, through a place or not at all."""
    drivers, places = drives_s.shape
    driver, to = np.nonzero(np.isfinite(drives_s))
    end = drivers + places
    solver = SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        np.concatenate((driver, drivers + openings, np.arange(drivers))),
        np.concatenate((drivers + to, np.full(len(openings) + drivers, end))),
        np.ones(len(driver) + len(openings) + drivers, dtype=np.int64),
        np.concatenate(
            (
                deciseconds(drives_s[driver, to]),
                deciseconds(wasted_s),
                deciseconds(np.full(drivers, staying_s)),
            )
        ),
    )
    solver.set_nodes_supplies(
        np.append(np.arange(drivers), end), np.append(np.ones(drivers, dtype=np.int64), -drivers)
    )
    status = solver.solve()
    # Everybody can stay, so there always is a flow.
    assert status == SimpleMinCostFlow.OPTIMAL, status
    taken = solver.flows(arcs[: len(driver)]) == 1
    chosen = np.full(drivers, NOWHERE, dtype=np.int64)
    chosen[driver[taken]] = to[taken]
    return chosen
