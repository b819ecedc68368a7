"""Which drives to ask the road engine for, and what it said: some pairs of all, in blocks."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from matching.arrays import FloatArray, IntArray
from matching.candidates import find_candidates
from matching.nearest import on_unit_sphere
from matching.problem import Candidates, Problem
from matching.travel import StraightLine

# Up to so many pairs, and drivers, a road engine times them all within a fraction of a second.
ALL_PAIRS = 10_000
ALL_DRIVERS = 500
# Beyond, the lists that `find_candidates` needs to lose little in batches of hundreds.
PER_RIDER = 20
PER_DRIVER = 20
# Riders who are asked for together: neighbours, so that their drivers are mostly the same.
_RIDERS_AT_ONCE = 32


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Positions in demand and supply: the drive from each of the drivers to each of the riders."""

    riders: IntArray
    drivers: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """Pairs that the road engine was asked for: seconds each, nan where no way leads.

    Ordered by rider and then driver, no pair twice; made by `Timed.of`.
    """

    rider: IntArray
    driver: IntArray
    pickup_s: FloatArray

    @classmethod
    def of(cls, blocks: tuple[Block, ...], *, seconds: tuple[FloatArray, ...]) -> "Timed":
        """All pairs of all blocks; `seconds` has a matrix (drivers, riders) for each.

        Of a pair that stands in several blocks the shortest time counts.
        """
        rider = [np.repeat(block.riders, len(block.drivers)) for block in blocks]
        driver = [np.tile(block.drivers, len(block.riders)) for block in blocks]
        nobody = np.empty(0, dtype=np.int64)
        return _merged(
            np.concatenate([*rider, nobody]),
            np.concatenate([*driver, nobody]),
            np.concatenate([*(matrix.T.ravel() for matrix in seconds), np.empty(0)]),
        )

    def joined(self, more: "Timed") -> "Timed":
        """These pairs and those."""
        return _merged(
            np.concatenate((self.rider, more.rider)),
            np.concatenate((self.driver, more.driver)),
            np.concatenate((self.pickup_s, more.pickup_s)),
        )

    def candidates(self, problem: Problem) -> Candidates:
        """Those that are possible: there is a way, not longer than the cap, nobody excluded."""
        width = max(len(problem.supply), 1)
        riders, drivers = problem.excluded_pairs()
        possible = self.pickup_s <= problem.weights.max_pickup_s
        possible &= ~np.isin(self.rider * width + self.driver, riders * width + drivers)
        return Candidates(
            rider=self.rider[possible],
            driver=self.driver[possible],
            pickup_s=self.pickup_s[possible],
            rider_count=len(problem.demand),
            driver_count=len(problem.supply),
        )


def first_blocks(problem: Problem, *, line: StraightLine) -> tuple[Block, ...]:
    """What to time first: all pairs where they are few, else the nearest of each within reach."""
    riders, drivers = len(problem.demand), len(problem.supply)
    if not riders or not drivers:
        return ()
    if riders * drivers <= ALL_PAIRS and drivers <= ALL_DRIVERS:
        return (Block(np.arange(riders), np.arange(drivers)),)
    near = find_candidates(problem, line=line, per_rider=PER_RIDER, per_driver=PER_DRIVER)
    return blocks_of(problem, near.rider, near.driver)


def blocks_of(problem: Problem, rider: IntArray, driver: IntArray) -> tuple[Block, ...]:
    """The pairs, and few others, as blocks of riders who are neighbours."""
    asked = np.unique(rider)
    if not len(asked):
        return ()
    at = on_unit_sphere(problem.demand.lat[asked], problem.demand.lng[asked])
    nearby = asked[cKDTree(at, leafsize=_RIDERS_AT_ONCE).indices]
    blocks = []
    for start in range(0, len(nearby), _RIDERS_AT_ONCE):
        group = np.sort(nearby[start : start + _RIDERS_AT_ONCE])
        blocks.append(Block(group, np.unique(driver[np.isin(rider, group)])))
    return tuple(blocks)


def _merged(rider: IntArray, driver: IntArray, pickup_s: FloatArray) -> Timed:
    # A time that is none sorts last, so the first of a pair's entries is its shortest.
    order = np.lexsort((pickup_s, driver, rider))
    rider, driver, pickup_s = rider[order], driver[order], pickup_s[order]
    first = np.ones(len(rider), dtype=np.bool_)
    first[1:] = (np.diff(rider) != 0) | (np.diff(driver) != 0)
    return Timed(rider[first], driver[first], pickup_s[first])
