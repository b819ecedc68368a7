"""Which drivers are worth considering for which rider.

Lists of the nearest drivers alone leak quality: where demand clusters they all name the same few
drivers. So each driver also brings in the riders nearest to her.
"""

import numpy as np

from matching.arrays import FloatArray, IntArray
from matching.nearest import Neighbours, PointTree
from matching.problem import Candidates, Demand, Problem, Supply
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
    by_rider = _nearest_allowed(
        demand, supply, k=per_rider, reach_m=reach_m, barred=(riders, drivers)
    )
    rider, driver, distance_m = by_rider.query, by_rider.point, by_rider.distance_m
    if per_driver:
        by_driver = _nearest_allowed(
            supply, demand, k=per_driver, reach_m=reach_m, barred=(drivers, riders)
        )
        rider = np.concatenate((rider, by_driver.point))
        driver = np.concatenate((driver, by_driver.query))
        distance_m = np.concatenate((distance_m, by_driver.distance_m))
    # `unique` also sorts by rider and driver, the order that Candidates asks for.
    _, first = np.unique(rider * max(len(supply), 1) + driver, return_index=True)
    pickup_s = line.drive_s(distance_m[first])
    # Rounding may carry a time a hair beyond the cap, and `solve` is strict about it.
    short = pickup_s <= cap_s
    return Candidates(
        rider=rider[first][short],
        driver=driver[first][short],
        pickup_s=pickup_s[short],
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


def _nearest_allowed(
    seekers: Demand | Supply,
    sought: Demand | Supply,
    *,
    k: int,
    reach_m: float,
    barred: tuple[IntArray, IntArray],
) -> Neighbours:
    """The `k` nearest of each seeker that are not barred (positions of seekers and of sought)."""
    tree = PointTree(lat=sought.lat, lng=sought.lng)
    if not len(barred[0]):
        return tree.nearest(lat=seekers.lat, lng=seekers.lng, k=k, max_distance_m=reach_m)
    barred_of = np.bincount(barred[0], minlength=len(seekers))
    found = []
    # Only seekers with barred pairs pay for a longer search.
    for group in (np.flatnonzero(barred_of == 0), np.flatnonzero(barred_of)):
        if len(group) == 0:
            continue
        near = tree.nearest(
            lat=seekers.lat[group],
            lng=seekers.lng[group],
            k=k + int(barred_of[group].max()),
            max_distance_m=reach_m,
        )
        near = Neighbours(group[near.query], near.point, near.distance_m)
        width = max(len(sought), 1)
        free = ~np.isin(near.query * width + near.point, barred[0] * width + barred[1])
        near = near.keep(free)
        found.append(near.keep(_place_in_group(near.query) < k))
    return Neighbours(
        np.concatenate([near.query for near in found] or [np.empty(0, dtype=np.int64)]),
        np.concatenate([near.point for near in found] or [np.empty(0, dtype=np.int64)]),
        np.concatenate([near.distance_m for near in found] or [np.empty(0)]),
    )


def _place_in_group(groups: IntArray) -> IntArray:
    """For ascending group numbers: 0, 1, 2 … within each run of equal ones."""
    here = np.arange(len(groups), dtype=np.int64)
    place: IntArray = here - np.searchsorted(groups, groups)
    return place
