"""Idle drivers are told where to wait, with reasons, and not all the same place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.stats import poisson

from matching.waiting_places import LEAST_CHANCE, NOWHERE, Hint, waiting_places


def told(
    drive_s: list[list[float]],
    *,
    expected: list[float],
    stands_in: list[int] | None = None,
    coming: list[int] | None = None,
) -> tuple[Hint, ...]:
    return waiting_places(
        np.array(drive_s, dtype=float),
        stands_in=np.array(stands_in or [NOWHERE] * len(drive_s)),
        expected=np.array(expected),
        coming=np.array(coming or [0] * len(expected)),
    )


def test_a_driver_is_told_the_place_where_riders_are_expected_and_why() -> None:
    [hint] = told([[120.0, 90.0]], expected=[2.0, 0.0])
    assert (hint.driver, hint.place, hint.drive_s) == (0, 0, 120.0)
    assert (hint.expected_requests, hint.drivers_there) == (2.0, 0)
    assert hint.chance == pytest.approx(1 - np.exp(-2.0))


def test_drivers_who_stand_together_are_shared_out() -> None:
    hints = told([[60.0, 70.0, 80.0]] * 3, expected=[1.0, 1.0, 1.0])
    assert sorted(hint.place for hint in hints) == [0, 1, 2]


def test_a_busier_place_is_told_to_more_drivers() -> None:
    hints = told([[60.0, 60.0]] * 5, expected=[4.0, 1.0])
    assert [hint.place for hint in hints].count(0) == 4
    assert {hint.drivers_there for hint in hints if hint.place == 0} == {3}


def test_drivers_who_will_be_there_anyway_count() -> None:
    [hint] = told([[60.0, 200.0]], expected=[2.0, 1.0], coming=[4, 0])
    assert hint.place == 1


def test_who_already_is_at_a_good_place_stays() -> None:
    assert told([[400.0, 300.0]], expected=[1.5, 1.5], stands_in=[0]) == ()


def test_nobody_drives_farther_than_being_needed_is_worth() -> None:
    assert told([[899.0]], expected=[50.0]) != ()
    assert told([[901.0]], expected=[50.0]) == ()
    assert told([[500.0]], expected=[0.5]) == ()


def test_where_no_way_leads_nobody_is_told_to_go() -> None:
    assert told([[np.nan]], expected=[5.0]) == ()


def test_without_drivers_or_places_there_is_nothing_to_tell() -> None:
    assert (
        waiting_places(
            np.empty((0, 2)),
            stands_in=np.empty(0, dtype=np.int64),
            expected=np.ones(2),
            coming=np.zeros(2, dtype=np.int64),
        )
        == ()
    )
    assert told([[]], expected=[]) == ()


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 5))
def test_the_hints_are_worth_as_much_as_the_best_of_all_ways_to_share_out(
    seed: int, drivers: int, places: int
) -> None:
    random = np.random.default_rng(seed)
    drive_s = np.rint(random.uniform(0, 1200, (drivers, places)))
    expected = random.uniform(0, 3, places)
    coming = random.integers(0, 3, places)
    stands_in = random.integers(NOWHERE, places, drivers)
    hints = waiting_places(drive_s, stands_in=stands_in, expected=expected, coming=coming)

    at_home = np.flatnonzero(stands_in != NOWHERE)
    drive_s[at_home, stands_in[at_home]] = 0
    # The referee: every opening is a column, and each driver may also stay for nothing.
    place = np.repeat(np.arange(places), drivers)
    number = coming[place] + np.tile(np.arange(1, drivers + 1), places)
    chance = poisson.sf(number - 1, expected[place])
    gain = np.where(
        (drive_s[:, place] <= 900) & (chance >= LEAST_CHANCE),
        900 * chance - drive_s[:, place],
        -1e9,
    )
    gain = np.hstack((gain, np.zeros((drivers, drivers))))
    rows, columns = linear_sum_assignment(gain, maximize=True)
    best = gain[rows, columns].sum()

    # Who is not named stays; whether she is counted at her place is left to what is best.
    moved = {hint.driver: hint for hint in hints}
    assert len(moved) == len(hints)
    reached = -sum(hint.drive_s for hint in hints)
    for at in range(places):
        here = sum(hint.place == at for hint in hints)
        here += sum(stands_in[driver] == at for driver in range(drivers) if driver not in moved)
        numbers = coming[at] + np.arange(1, here + 1)
        chances = poisson.sf(numbers - 1, expected[at])
        reached += 900 * float(chances[chances >= LEAST_CHANCE].sum())
    assert reached == pytest.approx(best, abs=0.1 * drivers)


@pytest.mark.parametrize(
    ("expected", "coming", "stands_in", "refusal"),
    [
        ([1.0, 1.0], [0], [NOWHERE], "expected must have 1 entries"),
        ([np.nan], [0], [NOWHERE], r"expected\[0\]"),
        ([1.0], [1, 1], [NOWHERE], "coming must have 1 entries"),
        ([1.0], [0], [1], r"stands_in\[0\]"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    expected: list[float], coming: list[int], stands_in: list[int], refusal: str
) -> None:
    with pytest.raises(ValueError, match=refusal):
        told([[60.0]], expected=expected, coming=coming, stands_in=stands_in)
