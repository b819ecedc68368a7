"""Riders who are held for drivers soon free: who counts as soon, and when nobody is held."""

import numpy as np

from matching.arrays import FloatArray
from matching.problem import Assignment, Candidates, Pairing, Problem


def soon_free_s(expected_s: FloatArray, *, window_s: float, horizon_s: float) -> FloatArray:
    """Seconds until each busy driver is free, nan where that is too far ahead to hold anybody.

    Who is late is expected at any moment, but never before the next tick, `window_s` from now.
    Expectations that are none (nan) stay so.
    """
    free_in_s = np.maximum(expected_s, window_s)
    return np.where(free_in_s <= horizon_s, free_in_s, np.nan)


def in_time(
    problem: Problem,
    candidates: Candidates,
    *,
    gives_up_in_s: FloatArray,
    rescue_s: float,
    rescue_load: float,
) -> Candidates:
    """Without drivers who are free only after the rider has given up, where she can be rescued.

    That is where somebody else is free before `gives_up_in_s`, one entry per rider, and with her
    within `rescue_s`. All candidates stay where there are more riders than `rescue_load` times the
    drivers: with a longer queue fetching one from afar loses several others.
    """
    if len(problem.demand) > max(1, rescue_load * len(problem.supply)):
        return candidates
    free_in_s = problem.supply.free_in_s[candidates.driver]
    late = free_in_s > gives_up_in_s[candidates.rider]
    near = ~late & (free_in_s + candidates.pickup_s <= rescue_s)
    rescued = np.zeros(candidates.rider_count, dtype=np.bool_)
    rescued[candidates.rider[near]] = True
    return candidates.keep(~(late & rescued[candidates.rider]))


def sent(problem: Problem, assignment: Assignment) -> tuple[Pairing, ...]:
    """The pairings whose driver is free now; the riders of all others are held."""
    free_in_s = problem.supply.free_in_s
    return tuple(one for one in assignment.pairings if not free_in_s[one.driver])
