"""Shares drivers out among the places where riders are expected; pure, runs beside the solver."""

from dataclasses import replace

import numpy as np

from matching.arrays import FloatArray, IntArray
from matching.waiting_places import NOWHERE, Hint, waiting_places

LONGEST_DRIVE_S = 900.0


def share_out(
    drive_s: FloatArray, stands_in: IntArray, expected: FloatArray, coming: IntArray
) -> tuple[Hint, ...]:
    """Return the hints of `waiting_places`, but no place gets more than its need and one more.

    The need is what is expected there, rounded up to whole drivers. Who was one too many, by the
    longest drive, stays where she is. The arrays are those of `waiting_places`.
    """
    hints = list(
        waiting_places(
            drive_s,
            stands_in=stands_in,
            expected=expected,
            coming=coming,
            longest_drive_s=LONGEST_DRIVE_S,
        )
    )
    most = np.ceil(expected).astype(np.int64) + 1
    there = _there(hints, stands_in=stands_in, coming=coming)
    while over := [hint for hint in hints if there[hint.place] > most[hint.place]]:
        hints.remove(max(over, key=lambda hint: (hint.drive_s, hint.driver)))
        there = _there(hints, stands_in=stands_in, coming=coming)
    return tuple(replace(hint, drivers_there=int(there[hint.place]) - 1) for hint in hints)


def _there(hints: list[Hint], *, stands_in: IntArray, coming: IntArray) -> IntArray:
    """How many drivers each place will have when all hints are followed."""
    goes_to = stands_in.copy()
    for hint in hints:
        goes_to[hint.driver] = hint.place
    there: IntArray = coming + np.bincount(goes_to[goes_to != NOWHERE], minlength=len(coming))
    return there
