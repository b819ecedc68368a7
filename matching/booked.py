"""Rides booked ahead: when a driver is kept for one, who is in time, and when she is sent.

A booked ride takes part in the pairing as soon as few drivers are left who could still set out
later. Its high price gives it a driver, and as a driver goes to one rider only, nobody else gets
her in this tick: she is reserved. The next tick decides anew, so a nearer one who has become free
meanwhile takes her place.
"""

import numpy as np

from matching.arrays import LONGEST_S, BoolArray, FloatArray, IntArray
from matching.costs import wait_until_free
from matching.problem import Candidates, Pairing, Problem

EARLY_S = 120.0
"""So long before her rider's time a driver should be there: two declined offers, a red light."""

SPARE_DRIVERS = 3
SPARE_S = 180.0
"""Nobody is kept for a ride while three drivers could set out three minutes later as well."""


def in_play(problem: Problem, candidates: Candidates) -> Candidates:
    """Without riders for whom nobody need be kept yet, and without who would break a promise.

    A rider joins when fewer than `SPARE_DRIVERS` could set out `SPARE_S` from now and still be
    there early. A driver who would be late is left out where another is in time; where nobody is,
    all stay: late is better than never. Who was promised nothing keeps all her candidates.
    """
    demand = problem.demand
    if (demand.late_in_s == LONGEST_S).all():
        return candidates
    there_in_s = _there_in_s(problem, candidates)
    spare = there_in_s + EARLY_S + SPARE_S <= demand.due_in_s[candidates.rider]
    late = there_in_s > demand.late_in_s[candidates.rider]
    joins = _per_rider(candidates, spare) < SPARE_DRIVERS
    can_be_kept = _per_rider(candidates, ~late) > 0
    return candidates.keep(joins & ~(late & can_be_kept))


def _there_in_s(problem: Problem, candidates: Candidates) -> FloatArray:
    """Per edge: when the driver would be there, with the margin for who is not free yet."""
    return np.asarray(wait_until_free(problem, candidates) / 10 + candidates.pickup_s)


def _per_rider(candidates: Candidates, counted: BoolArray) -> IntArray:
    """Per edge: how many edges of its rider are counted."""
    many = np.bincount(candidates.rider[counted], minlength=candidates.rider_count)
    return np.asarray(many[candidates.rider])


def is_due(problem: Problem, pairing: Pairing, *, early_s: float = EARLY_S) -> bool:
    """Whether the driver should set out now, so as to be there `early_s` before she is wanted."""
    return bool(problem.demand.due_in_s[pairing.rider] <= pairing.pickup_s + early_s)
