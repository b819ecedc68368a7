"""How far a pairing by road is from the best over all pairs, though few of them were timed.

A road engine times some thousand pairs in the time of a tick, not millions. What it did not time
takes at least as long as the quickest drive there could be over that distance. So the same bound
holds as in `matching.certified`: give every driver a price v ≤ 0; by whomever she is fetched, rider
i costs at least u_i = min(unserved_i, min over all drivers j (least_ij - v_j)) beyond it, and no
pairing costs less than Σ u_i + Σ v_j. Pairs that keep the bound down are worth timing next.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from matching.arrays import FloatArray, IntArray
from matching.assignment import GREEDY_SOLVER
from matching.candidates import find_candidates
from matching.certified import proven_gap
from matching.compiled import compiled
from matching.costs import cost_terms, deciseconds, not_serving
from matching.duals import optimal_prices, rider_prices
from matching.nearest import on_unit_sphere
from matching.problem import Assignment, Candidates, Problem
from matching.travel import EARTH_RADIUS_M, StraightLine, great_circle_m

# Up to so many pairs, and drivers, a road engine times them all within a fraction of a second.
ALL_PAIRS = 10_000
ALL_DRIVERS = 500
# Beyond, the lists that `find_candidates` needs to lose little in batches of hundreds.
PER_RIDER = 20
PER_DRIVER = 20
# Of each rider, as many pairs are asked for in a further round.
NEW_PER_RIDER = 10
# Riders who are asked for together: neighbours, so that their drivers are mostly the same.
_RIDERS_AT_ONCE = 32
# A tenth of a second is the engine's own grain; what is quicker by more was no error of rounding.
_GRAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class LeastDrive:
    """No drive between places takes less than `constant_s` and `s_per_m` for each metre apart.

    Metres are those of the crow. Refused: negative or endless numbers.
    """

    constant_s: float
    s_per_m: float

    def __post_init__(self) -> None:
        for name in ("constant_s", "s_per_m"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)}")


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


@dataclass(frozen=True, slots=True, eq=False)
class RoadCertificate:
    """What is proven about a pairing, and what to time to prove more.

    `gap` is the proven relative distance to the optimum over all pairs by road, as
    `matching.certified.proven_gap` defines it; None where nothing can be said. `ask` is empty
    where no untimed pair can improve the pairing.
    """

    gap: float | None
    ask: tuple[Block, ...]


def first_blocks(problem: Problem, *, line: StraightLine) -> tuple[Block, ...]:
    """What to time first: all pairs where they are few, else the nearest of each within reach."""
    riders, drivers = len(problem.demand), len(problem.supply)
    if not riders or not drivers:
        return ()
    if riders * drivers <= ALL_PAIRS and drivers <= ALL_DRIVERS:
        return (Block(np.arange(riders), np.arange(drivers)),)
    near = find_candidates(problem, line=line, per_rider=PER_RIDER, per_driver=PER_DRIVER)
    return _blocks(problem, near.rider, near.driver)


def certify(
    problem: Problem,
    candidates: Candidates,
    assignment: Assignment,
    *,
    timed: Timed,
    least: LeastDrive,
) -> RoadCertificate:
    """How far `assignment`, made over the `candidates`, can be from the best over all pairs.

    `candidates` are those among `timed` that may be paired. A pair not timed may be paired if the
    least drive is within `weights.max_pickup_s` and it is not excluded. True whatever the
    assignment; near where it is an optimum. Where a timed pair was quicker than the least drive
    allows, that cannot be trusted and nothing is said, unless all pairs were timed.
    """
    unserved_ds = not_serving(problem)
    cost_ds = cost_terms(problem, candidates).total_ds
    rider_part_ds, driver_part_ds = _parts(problem)
    parts_ds = rider_part_ds[candidates.rider] + driver_part_ds[candidates.driver]
    assert (cost_ds == deciseconds(candidates.pickup_s) + parts_ds).all(), (
        "a cost term depends on rider and driver together: all pairs cannot be bounded"
    )
    driver_ds = _driver_prices(problem, candidates, assignment, cost_ds=cost_ds)
    rider_ds = rider_prices(
        rider=candidates.rider,
        driver=candidates.driver,
        cost_ds=cost_ds,
        unserved_ds=unserved_ds,
        driver_ds=driver_ds,
    )
    starts, known = _known(problem, timed)
    lowest_ds, rider, driver = _price_untimed(
        on_unit_sphere(problem.demand.lat, problem.demand.lng),
        on_unit_sphere(problem.supply.lat, problem.supply.lng),
        starts,
        known,
        rider_ds,
        rider_part_ds,
        driver_part_ds - driver_ds,
        least.constant_s * 10,
        least.s_per_m * EARTH_RADIUS_M * 10,
        problem.weights.max_pickup_s * 10,
        NEW_PER_RIDER,
    )
    complete = len(known) == len(problem.demand) * len(problem.supply)
    if not complete and _is_contradicted(problem, timed, least=least):
        return RoadCertificate(None, _blocks(problem, rider, driver))
    bound_ds = int(lowest_ds.sum() + driver_ds.sum())
    gap = proven_gap(objective_ds=assignment.objective_ds, bound_ds=bound_ds)
    return RoadCertificate(gap, _blocks(problem, rider, driver))


def _merged(rider: IntArray, driver: IntArray, pickup_s: FloatArray) -> Timed:
    # A time that is none sorts last, so the first of a pair's entries is its shortest.
    order = np.lexsort((pickup_s, driver, rider))
    rider, driver, pickup_s = rider[order], driver[order], pickup_s[order]
    first = np.ones(len(rider), dtype=np.bool_)
    first[1:] = (np.diff(rider) != 0) | (np.diff(driver) != 0)
    return Timed(rider[first], driver[first], pickup_s[first])


def _blocks(problem: Problem, rider: IntArray, driver: IntArray) -> tuple[Block, ...]:
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


def _known(problem: Problem, timed: Timed) -> tuple[IntArray, IntArray]:
    """By rows of riders: where each begins, and the drivers of pairs timed or excluded."""
    width = max(len(problem.supply), 1)
    riders, drivers = problem.excluded_pairs()
    keys = np.unique(
        np.concatenate((timed.rider, riders)) * width + np.concatenate((timed.driver, drivers))
    )
    starts = np.searchsorted(keys, np.arange(len(problem.demand) + 1) * width)
    return starts.astype(np.int64), keys % width


def _driver_prices(
    problem: Problem, candidates: Candidates, assignment: Assignment, *, cost_ds: IntArray
) -> IntArray:
    """Prices of an optimum, or none at all for a pairing that is no optimum."""
    if assignment.solver == GREEDY_SOLVER or not len(candidates):
        return np.zeros(len(problem.supply), dtype=np.int64)
    if assignment.driver_price_ds is not None:
        # Any prices prove a bound, as long as nobody's is above 0.
        return np.minimum(np.array(assignment.driver_price_ds, dtype=np.int64), 0)
    pairs = [(one.rider, one.driver) for one in assignment.pairings]
    given = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    width = len(problem.supply)
    chosen = np.searchsorted(
        candidates.rider * width + candidates.driver, given[:, 0] * width + given[:, 1]
    )
    return optimal_prices(
        rider=candidates.rider,
        driver=candidates.driver,
        cost_ds=cost_ds,
        unserved_ds=not_serving(problem),
        driver_count=width,
        chosen=chosen,
    ).driver_ds


def _parts(problem: Problem) -> tuple[IntArray, IntArray]:
    """What a pairing costs on account of its rider and of its driver, beside the way."""
    riders, drivers = len(problem.demand), len(problem.supply)
    one_each = [
        (np.arange(riders), np.zeros(riders, dtype=np.int64)),
        (np.zeros(drivers, dtype=np.int64), np.arange(drivers)),
    ]
    rider_ds, driver_ds = (
        cost_terms(
            problem,
            Candidates(
                rider=rider,
                driver=driver,
                pickup_s=np.zeros(len(rider)),
                rider_count=riders,
                driver_count=drivers,
            ),
        ).total_ds
        for rider, driver in one_each
    )
    return rider_ds, driver_ds - driver_ds[0]


def _is_contradicted(problem: Problem, timed: Timed, *, least: LeastDrive) -> bool:
    demand, supply = problem.demand, problem.supply
    crow_m = great_circle_m(
        from_lat=supply.lat[timed.driver],
        from_lng=supply.lng[timed.driver],
        to_lat=demand.lat[timed.rider],
        to_lng=demand.lng[timed.rider],
    )
    least_s = least.constant_s + least.s_per_m * crow_m
    return bool((timed.pickup_s < least_s - _GRAIN_S).any())


@compiled
def _price_untimed(
    demand_at: FloatArray,
    supply_at: FloatArray,
    starts: IntArray,
    known: IntArray,
    rider_ds: IntArray,
    rider_part_ds: IntArray,
    worth_ds: IntArray,
    constant_ds: float,
    ds_per_chord: float,
    cap_ds: float,
    most_new: int,
) -> tuple[IntArray, IntArray, IntArray]:
    """Per rider the least reduced cost of any pair, and the untimed pairs that are below her price.

    A chord is never longer than the way along the sphere, so no pair is bounded too high. All pairs
    are looked at, some nanoseconds each. Of each rider the most promising `most_new` come back.
    """
    riders, drivers = len(demand_at), len(supply_at)
    lowest_ds = rider_ds.copy()
    new_rider = np.empty(riders * most_new, dtype=np.int64)
    new_driver = np.empty(riders * most_new, dtype=np.int64)
    best_ds = np.empty(most_new, dtype=np.int64)
    known_to = np.full(drivers, -1, dtype=np.int64)
    total = 0
    for rider in range(riders):
        for place in range(starts[rider], starts[rider + 1]):
            known_to[known[place]] = rider
        limit_ds = rider_ds[rider] - rider_part_ds[rider]
        found = 0
        for driver in range(drivers):
            if known_to[driver] == rider or worth_ds[driver] + constant_ds > limit_ds:
                continue
            x = demand_at[rider, 0] - supply_at[driver, 0]
            y = demand_at[rider, 1] - supply_at[driver, 1]
            z = demand_at[rider, 2] - supply_at[driver, 2]
            least_ds = constant_ds + np.sqrt(x * x + y * y + z * z) * ds_per_chord
            if least_ds > cap_ds:
                continue
            # Whole deciseconds round to the nearest: this is never above what the pair would cost.
            reduced_ds = np.int64(np.floor(least_ds + 0.5 - 1e-6)) + worth_ds[driver]
            if reduced_ds >= limit_ds:
                continue
            lowest_ds[rider] = min(lowest_ds[rider], reduced_ds + rider_part_ds[rider])
            if found < most_new:
                place = found
                found += 1
            elif reduced_ds < best_ds[most_new - 1]:
                place = most_new - 1
            else:
                continue
            while place > 0 and best_ds[place - 1] > reduced_ds:
                best_ds[place] = best_ds[place - 1]
                new_driver[total + place] = new_driver[total + place - 1]
                place -= 1
            best_ds[place] = reduced_ds
            new_driver[total + place] = driver
        new_rider[total : total + found] = rider
        total += found
    return lowest_ds, new_rider[:total].copy(), new_driver[:total].copy()
