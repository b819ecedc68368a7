"""Shares drivers out among the places where riders are expected; pure, runs beside the solver."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import pdtrc

from matching.arrays import FloatArray, IntArray
from matching.waiting_places import NOWHERE, Hint, waiting_places

LONGEST_DRIVE_S = 900.0
# The seconds of driving that being needed is worth, and what a move must bring to be advised.
REQUEST_WORTH_S = 900.0
LEAST_GAIN_S = 120.0


def share_out(
    drive_s: FloatArray, stands_in: IntArray, expected: FloatArray, coming: IntArray
) -> tuple[Hint, ...]:
    """Return those hints of `waiting_places` that are worth a driver's while.

    No place gets more than its need and one more, where the need is what is expected there,
    rounded up to whole drivers. Who would gain under 120 s, drive and chances to be needed there
    and here counted, stays too; who gains least stays first. The arrays are those of
    `waiting_places`.
    """
    hints = list(
        waiting_places(
            drive_s,
            stands_in=stands_in,
            expected=expected,
            coming=coming,
            request_worth_s=REQUEST_WORTH_S,
            longest_drive_s=LONGEST_DRIVE_S,
        )
    )
    most = np.ceil(expected) + 1
    while hints:
        there = _there(hints, stands_in=stands_in, coming=coming)
        gain_s = _gain_s(hints, there=there, stands_in=stands_in, expected=expected)
        place = np.array([hint.place for hint in hints])
        stays = (there > most)[place] | (gain_s < LEAST_GAIN_S)
        if not stays.any():
            chance = pdtrc(there - 1, expected)
            return tuple(
                replace(
                    hint, drivers_there=int(there[hint.place]) - 1, chance=float(chance[hint.place])
                )
                for hint in hints
            )
        del hints[int(np.where(stays, gain_s, np.inf).argmin())]
    return ()


def _there(hints: Sequence[Hint], *, stands_in: IntArray, coming: IntArray) -> IntArray:
    """How many drivers each place will have when all hints are followed."""
    goes_to = stands_in.copy()
    for hint in hints:
        goes_to[hint.driver] = hint.place
    there: IntArray = coming + np.bincount(goes_to[goes_to != NOWHERE], minlength=len(coming))
    return there


def _gain_s(
    hints: Sequence[Hint], *, there: IntArray, stands_in: IntArray, expected: FloatArray
) -> FloatArray:
    """What each driver gains, as the last of those there, over staying beside those here."""
    place = np.array([hint.place for hint in hints])
    home = stands_in[[hint.driver for hint in hints]]
    needed_there = pdtrc(there - 1, expected)[place]
    needed_here = np.where(home == NOWHERE, 0.0, pdtrc(there, expected)[home])
    drive_s = np.array([hint.drive_s for hint in hints])
    gain_s: FloatArray = REQUEST_WORTH_S * (needed_there - needed_here) - drive_s
    return gain_s
