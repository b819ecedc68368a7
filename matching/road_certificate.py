"""How far a pairing by road is from the best over all pairs, though few of them were timed.

A road engine times some thousand pairs in the time of a tick, not millions. What it did not time
takes at least as long as the quickest drive there could be over that distance. With these guesses
beside the times, the best pairing over all pairs cannot cost more than the real best: a lower bound
of it, found by prices as in `matching.certified`. Where that pairing uses a guess, its drive is
worth timing next; where it uses none, nothing is better than what was timed (the lazy search of
Dellin and Srinivasa, 2016, for a pairing instead of a path).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from matching.arrays import FloatArray, IntArray
from matching.certified import proven_gap
from matching.compiled import compiled, inlined
from matching.costs import cost_terms, deciseconds, late, not_serving
from matching.nearest import on_unit_sphere
from matching.problem import Assignment, Candidates, Problem
from matching.road_times import Block, Timed, blocks_of
from matching.sparse import Solution, cheapest_pairing
from matching.travel import EARTH_RADIUS_M, great_circle_m

# Of each rider, as many guesses join at a time.
NEW_PER_RIDER = 10
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
class RoadCertificate:
    """What is proven about a pairing, and what to time to prove more.

    `gap` is the proven relative distance to the optimum over all pairs by road, as
    `matching.certified.proven_gap` defines it; None where nothing can be said. `ask` is empty
    where no untimed pair can improve the pairing.
    """

    gap: float | None
    ask: tuple[Block, ...]


def certify(
    problem: Problem,
    candidates: Candidates,
    assignment: Assignment,
    *,
    timed: Timed,
    least: LeastDrive,
    is_over: Callable[[], bool] = lambda: False,
) -> RoadCertificate:
    """How far `assignment`, made over the `candidates`, can be from the best over all pairs.

    `candidates` are those among `timed` that may be paired; the assignment may be one over some of
    them. A pair not timed may be paired if the
    least drive is within `weights.max_pickup_s` and it is not excluded. True whatever the
    assignment; near where it is an optimum. Where a timed pair was quicker than the least drive
    allows, that cannot be trusted and nothing is said, unless all pairs were timed. `is_over` is
    asked between steps, for a caller who has a clock: what is proven by then is stated.
    """
    pairs = len(problem.demand) * len(problem.supply)
    if len(timed.rider) < pairs and is_over():
        return RoadCertificate(None, ())
    guesses = _Guesses(problem, candidates, assignment, timed=timed, least=least)
    bound_ds = guesses.bound_ds(is_over)
    ask = blocks_of(problem, *guesses.worth_timing())
    if not guesses.is_complete and _is_contradicted(problem, timed, least=least):
        return RoadCertificate(None, ask)
    return RoadCertificate(proven_gap(objective_ds=assignment.objective_ds, bound_ds=bound_ds), ask)


class _Guesses:
    """The problem over all pairs, with the least drive where none was timed."""

    def __init__(
        self,
        problem: Problem,
        candidates: Candidates,
        assignment: Assignment,
        *,
        timed: Timed,
        least: LeastDrive,
    ) -> None:
        self._width = max(len(problem.supply), 1)
        self._unserved_ds = not_serving(problem)
        self._cap_ds = problem.weights.max_pickup_s * 10
        self._least = least
        self._from = on_unit_sphere(problem.demand.lat, problem.demand.lng)
        self._to = on_unit_sphere(problem.supply.lat, problem.supply.lng)
        # Being late depends on rider and driver together and is never below 0: a bound may leave it
        # out of what was not timed, and is true all the same.
        never_late = replace(problem, weights=replace(problem.weights, late_weight=0.0))
        self._rider_part_ds, self._driver_part_ds = _parts(never_late)
        parts_ds = self._rider_part_ds[candidates.rider] + self._driver_part_ds[candidates.driver]
        cost_ds = cost_terms(problem, candidates).total_ds
        apart_ds = cost_ds - late(problem, candidates)
        assert (apart_ds == deciseconds(candidates.pickup_s) + parts_ds).all(), (
            "a cost term depends on rider and driver together: all pairs cannot be bounded"
        )
        riders, drivers = problem.excluded_pairs()
        self._known = _union(
            timed.rider * self._width + timed.driver, riders * self._width + drivers
        )
        self.is_complete = len(self._known) == len(problem.demand) * len(problem.supply)
        # Edges in the order of rider and driver: which, what they cost, and whether it is a guess.
        self._key = candidates.rider * self._width + candidates.driver
        self._cost_ds = cost_ds
        self._is_guess = np.zeros(len(self._key), dtype=np.bool_)
        self._solution = self._solved(_as_solution(problem, assignment))

    def bound_ds(self, is_over: Callable[[], bool]) -> int:
        """No pairing over all pairs costs less; better the more guesses there is time to add."""
        bound_ds: int | None = None
        while True:
            lowest_ds, key, cost_ds = self._improving()
            found_ds = int(lowest_ds.sum() + self._solution.driver_price_ds.sum())
            bound_ds = found_ds if bound_ds is None else max(bound_ds, found_ds)
            if len(key):
                self._add(key, cost_ds)
                self._solution = self._solved(self._solution)
            if not len(key) or is_over():
                return bound_ds

    def worth_timing(self) -> tuple[IntArray, IntArray]:
        """All guesses of the riders who would be fetched by one: positions of both."""
        rider = self._key // self._width
        chosen = self._solution.driver_of[rider] == self._key % self._width
        by_guess = np.zeros(len(self._unserved_ds), dtype=np.bool_)
        by_guess[rider[chosen & self._is_guess]] = True
        worth = self._key[self._is_guess & by_guess[rider]]
        return worth // self._width, worth % self._width

    def _solved(self, begin: Solution | None) -> Solution:
        riders = len(self._unserved_ds)
        return cheapest_pairing(
            starts=np.searchsorted(self._key, np.arange(riders + 1) * self._width),
            driver=self._key % self._width,
            cost_ds=self._cost_ds,
            unserved_ds=self._unserved_ds,
            driver_count=len(self._driver_part_ds),
            begin=begin,
        )

    def _improving(self) -> tuple[IntArray, IntArray, IntArray]:
        """Per rider the least reduced cost of all, and the untimed pairs below her price."""
        prices = self._solution
        seen = _union(self._known, self._key[self._is_guess])
        lowest_ds, rider, driver, cost_ds = _price_untimed(
            self._from,
            self._to,
            np.searchsorted(seen, np.arange(len(self._from) + 1) * self._width),
            seen % self._width,
            prices.rider_price_ds,
            self._rider_part_ds,
            self._driver_part_ds,
            prices.driver_price_ds,
            self._least.constant_s * 10,
            self._least.s_per_m * EARTH_RADIUS_M * 10,
            self._cap_ds,
            NEW_PER_RIDER,
        )
        return lowest_ds, rider * self._width + driver, cost_ds

    def _add(self, key: IntArray, cost_ds: IntArray) -> None:
        order = np.argsort(np.concatenate((self._key, key)))
        self._key = np.concatenate((self._key, key))[order]
        self._cost_ds = np.concatenate((self._cost_ds, cost_ds))[order]
        guessed = np.ones(len(key), dtype=np.bool_)
        self._is_guess = np.concatenate((self._is_guess, guessed))[order]


def _as_solution(problem: Problem, assignment: Assignment) -> Solution | None:
    """The assignment to go on from; None where it has no prices."""
    if assignment.driver_price_ds is None or assignment.rider_price_ds is None:
        return None
    driver_of = np.full(len(problem.demand), -1, dtype=np.int64)
    rider_of = np.full(len(problem.supply), -1, dtype=np.int64)
    for pairing in assignment.pairings:
        driver_of[pairing.rider], rider_of[pairing.driver] = pairing.driver, pairing.rider
    driver_price_ds = np.array(assignment.driver_price_ds, dtype=np.int64)
    return Solution(
        driver_of=driver_of,
        rider_of=rider_of,
        rider_price_ds=np.array(assignment.rider_price_ds, dtype=np.int64),
        driver_price_ds=driver_price_ds,
        # The unit in which `cheapest_pairing` breaks ties.
        fine_driver_price=driver_price_ds * (len(problem.demand) + 1),
        is_optimal=True,
        scans=0,
    )


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


def _union(some: IntArray, more: IntArray) -> IntArray:
    """All of both, ascending, none twice; both are ascending.

    A stable sort merges two ascending runs in one go; `np.union1d` takes a hundred times as long.
    """
    both = np.sort(np.concatenate((some, more)), kind="stable")
    is_first = np.ones(len(both), dtype=np.bool_)
    is_first[1:] = both[1:] != both[:-1]
    return both[is_first]


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


@inlined
def _insert(ascending: IntArray, beside: IntArray, value: int, one: int) -> None:
    """Put the value, and one beside it, in its place; the last of `beside` falls out."""
    place = len(beside) - 1
    while place > 0 and ascending[place - 1] > value:
        ascending[place] = ascending[place - 1]
        beside[place] = beside[place - 1]
        place -= 1
    ascending[place] = value
    beside[place] = one


@compiled
def _price_untimed(
    demand_at: FloatArray,
    supply_at: FloatArray,
    starts: IntArray,
    known: IntArray,
    rider_ds: IntArray,
    rider_part_ds: IntArray,
    driver_part_ds: IntArray,
    driver_ds: IntArray,
    constant_ds: float,
    ds_per_chord: float,
    cap_ds: float,
    most_new: int,
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Per rider the least reduced cost of any pair, and the untimed pairs below her price.

    A chord is never longer than the way along the sphere, so no pair is bounded too high. All pairs
    are looked at, some nanoseconds each. Of each rider the most promising `most_new` come back,
    with the least that they cost.
    """
    riders, drivers = len(demand_at), len(supply_at)
    worth_ds = driver_part_ds - driver_ds
    lowest_ds = rider_ds.copy()
    new_rider = np.empty(riders * most_new, dtype=np.int64)
    new_driver = np.empty(riders * most_new, dtype=np.int64)
    new_cost_ds = np.empty(riders * most_new, dtype=np.int64)
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
                found += 1
            elif reduced_ds >= best_ds[found - 1]:
                continue
            _insert(best_ds, new_driver[total : total + found], reduced_ds, driver)
        for place in range(found):
            driver = new_driver[total + place]
            new_cost_ds[total + place] = best_ds[place] + driver_ds[driver] + rider_part_ds[rider]
        new_rider[total : total + found] = rider
        total += found
    return lowest_ds, new_rider[:total], new_driver[:total], new_cost_ds[:total]
