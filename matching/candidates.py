"""Which drivers are worth considering for which rider.

Lists of the nearest drivers alone leak quality: where demand clusters they all name the same few
drivers. So each driver also brings in the riders nearest to her.
"""

import numpy as np

from matching.arrays import FloatArray, IntArray
from matching.compiled import compiled
from matching.nearest import PointTree
from matching.problem import Candidates, Problem
from matching.travel import StraightLine


def find_candidates(
    problem: Problem,
    *,
    line: StraightLine | None = None,
    per_rider: int = 15,
    per_driver: int = 5,
) -> Candidates:
    """The nearest drivers of each rider together with the nearest riders of each driver.

    Nobody is left out by approximation. Excluded pairs are left out *before* counting, so a rider
    whom ten drivers declined still gets her full list. Times are those of the straight `line`.
    Pairs for which it takes longer than `weights.max_pickup_s` are left out and never shown to the
    router, so a careful caller guesses fast. Refused: `per_rider` below 1, `per_driver` below 0.
    """
    line = line or StraightLine()
    _check_lengths(per_rider=per_rider, per_driver=per_driver)
    cap_s = problem.weights.max_pickup_s
    reach_m = cap_s / float(line.drive_s(1.0))
    riders, drivers = problem.excluded_pairs()
    demand, supply = problem.demand, problem.supply
    near = PointTree(lat=supply.lat, lng=supply.lng).nearest(
        lat=demand.lat,
        lng=demand.lng,
        k=per_rider,
        max_distance_m=reach_m,
        barred=(riders, drivers),
    )
    rider, driver, distance_m = near.query, near.point, near.distance_m
    if per_driver:
        near = PointTree(lat=demand.lat, lng=demand.lng).nearest(
            lat=supply.lat,
            lng=supply.lng,
            k=per_driver,
            max_distance_m=reach_m,
            barred=(drivers, riders),
        )
        rider = np.concatenate((rider, near.point))
        driver = np.concatenate((driver, near.query))
        distance_m = np.concatenate((distance_m, near.distance_m))
    pickup_s = line.drive_s(distance_m)
    # Rounding may carry a time a hair beyond the cap, and `solve` is strict about it.
    order = _in_order(rider, driver, len(demand), len(supply))
    order = order[pickup_s[order] <= cap_s]
    return Candidates(
        rider=rider[order],
        driver=driver[order],
        pickup_s=pickup_s[order],
        rider_count=len(demand),
        driver_count=len(supply),
    )


def for_router(candidates: Candidates, *, per_rider: int = 15, per_driver: int = 5) -> Candidates:
    """What the router is to time: the shortest estimates of each rider and of each driver.

    At most `per_rider` times the riders plus `per_driver` times the drivers. What is not timed is
    not a candidate any more, because an estimate beside a real time would win or lose by its error.
    Equal estimates go by position. Refused: `per_rider` below 1, `per_driver` below 0.
    """
    _check_lengths(per_rider=per_rider, per_driver=per_driver)
    kept = np.zeros(len(candidates), dtype=np.bool_)
    for side, other, most in (
        (candidates.rider, candidates.driver, per_rider),
        (candidates.driver, candidates.rider, per_driver),
    ):
        order = np.lexsort((other, candidates.pickup_s, side))
        kept[order] |= _place_in_group(side[order]) < most
    return candidates.keep(kept)


def refine(candidates: Candidates, *, pickup_s: FloatArray, max_pickup_s: float) -> Candidates:
    """The same edges with the router's times, one per edge, instead of the estimates.

    Edges without a way (not a number, or infinite) and those longer than `max_pickup_s` are gone.
    Refused: another number of times, a negative time.
    """
    times = np.asarray(pickup_s, dtype=np.float64)
    if times.shape != candidates.pickup_s.shape:
        raise ValueError(f"pickup_s must have {len(candidates)} entries, got shape {times.shape}")
    if (times < 0).any():
        place = int(np.argmax(times < 0))
        raise ValueError(f"pickup_s[{place}] must not be negative, got {times[place]}")
    reachable = times <= max_pickup_s
    return Candidates(
        rider=candidates.rider[reachable],
        driver=candidates.driver[reachable],
        pickup_s=times[reachable],
        rider_count=candidates.rider_count,
        driver_count=candidates.driver_count,
    )


def _check_lengths(*, per_rider: int, per_driver: int) -> None:
    if per_rider < 1:
        raise ValueError(f"per_rider must be at least 1, got {per_rider}")
    if per_driver < 0:
        raise ValueError(f"per_driver must not be negative, got {per_driver}")


@compiled
def _in_order(rider: IntArray, driver: IntArray, riders: int, drivers: int) -> IntArray:
    """Where each pair stands first, ordered by rider and then by driver.

    Counted into place, which for numbers as small as these is far faster than sorting.
    """
    order = np.arange(len(rider))
    for side, size in ((driver, drivers), (rider, riders)):
        before, starts = order, np.zeros(size + 1, np.int64)
        for pair in before:
            starts[side[pair] + 1] += 1
        starts = np.cumsum(starts)
        order = np.empty_like(before)
        for pair in before:
            order[starts[side[pair]]] = pair
            starts[side[pair]] += 1
    kept = 0
    for pair in order:
        last = order[kept - 1]
        if kept == 0 or rider[pair] != rider[last] or driver[pair] != driver[last]:
            order[kept] = pair
            kept += 1
    return order[:kept]


def _place_in_group(groups: IntArray) -> IntArray:
    """For ascending group numbers: 0, 1, 2 … within each run of equal ones."""
    here = np.arange(len(groups), dtype=np.int64)
    place: IntArray = here - np.searchsorted(groups, groups)
    return place
