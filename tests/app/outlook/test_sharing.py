"""Hints are shared out: no place gets more than its need and one more, and nobody drives far."""

from collections import Counter
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from app.outlook.sharing import LEAST_GAIN_S, LONGEST_DRIVE_S, REQUEST_WORTH_S, share_out
from matching.waiting_places import NOWHERE


@given(st.integers(0, 2**32 - 1), st.integers(1, 25), st.integers(1, 6))
def test_however_many_wait_each_is_sent_to_one_place_that_needs_her(
    seed: int, drivers: int, places: int
) -> None:
    random = np.random.default_rng(seed)
    drive_s = random.uniform(0, 1.5 * LONGEST_DRIVE_S, (drivers, places))
    drive_s[random.random((drivers, places)) < 0.1] = np.nan
    stands_in = random.integers(NOWHERE, places, drivers)
    expected = random.exponential(1.5, places)
    coming = random.integers(0, 3, places)

    hints = share_out(drive_s, stands_in, expected, coming)

    sent = Counter(hint.place for hint in hints)
    moved = {hint.driver for hint in hints}
    stay = Counter(int(at) for one, at in enumerate(stands_in) if one not in moved)
    assert len(moved) == len(hints)
    there = [int(coming[at]) + stay[at] + sent[at] for at in range(places)]
    for hint in hints:
        at, home = hint.place, int(stands_in[hint.driver])
        assert there[at] <= ceil(expected[at]) + 1
        assert hint.drivers_there == there[at] - 1
        assert 0 <= hint.drive_s <= LONGEST_DRIVE_S
        assert at != home
        # The referee counts riders itself: P(at least n) is 1 - P(at most n - 1).
        assert hint.chance == pytest.approx(poisson.sf(there[at] - 1, expected[at]))
        here = 0.0 if home == NOWHERE else poisson.sf(there[home], expected[home])
        gain_s = REQUEST_WORTH_S * (hint.chance - here) - hint.drive_s
        assert gain_s >= LEAST_GAIN_S - 1e-6


def test_nobody_is_sent_minutes_away_for_a_gain_of_seconds() -> None:
    nowhere, nobody = np.full(1, NOWHERE), np.zeros(1, dtype=np.int64)
    # With 0.2 riders expected, somebody is needed in 18 of 100 cases: worth 163 s.
    expected = np.array([0.2])

    assert share_out(np.array([[40.0]]), nowhere, expected, nobody) != ()
    assert share_out(np.array([[50.0]]), nowhere, expected, nobody) == ()


def test_who_is_one_too_many_and_gains_least_stays() -> None:
    # A fifth could just be needed where 3.5 are expected, but not a sixth.
    drive_s = np.array([[60.0 + driver] for driver in range(8)])

    hints = share_out(
        drive_s, np.full(8, NOWHERE, dtype=np.int64), np.array([3.5]), np.zeros(1, dtype=np.int64)
    )

    assert [hint.driver for hint in hints] == [0, 1, 2, 3, 4]
    assert {hint.drivers_there for hint in hints} == {4}
