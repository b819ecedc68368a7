"""Rides booked ahead: who can still be there in time, and when the driver kept for one is sent.

A booked ride takes part in the pairing before its time. Its high price gives it a driver, and as a
driver goes to one rider only, nobody else gets her in this tick: she is reserved. The next tick
decides anew, so a nearer one who has become free meanwhile takes her place.
"""

import numpy as np

from matching.problem import Candidates, Pairing, Problem

EARLY_S = 120.0
"""So long before her rider's time a driver should be there: two declined offers, a red light."""


def on_time(problem: Problem, candidates: Candidates) -> Candidates:
    """Without drivers who would break a promise that another candidate can keep.

    A driver who is not free yet must make it in spite of `weights.soon_free_margin_s`. Where nobody
    is in time all stay: late is better than never.
    """
    free_in_s = problem.supply.free_in_s
    margin_s = np.where(free_in_s > 0, problem.weights.soon_free_margin_s, 0.0)
    there_in_s = (free_in_s + margin_s)[candidates.driver] + candidates.pickup_s
    late = there_in_s > problem.demand.late_in_s[candidates.rider]
    can_be_kept = np.zeros(candidates.rider_count, dtype=np.bool_)
    can_be_kept[candidates.rider[~late]] = True
    return candidates.keep(~(late & can_be_kept[candidates.rider]))


def is_due(problem: Problem, pairing: Pairing, *, early_s: float = EARLY_S) -> bool:
    """Whether the driver should set out now, so as to be there `early_s` before she is wanted."""
    return bool(problem.demand.due_in_s[pairing.rider] <= pairing.pickup_s + early_s)
