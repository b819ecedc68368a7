"""Waiting and not riding cost what the quote said, and only by the rider's own fault."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fares.terms import (
    Course,
    Terms,
    Verdict,
    charge_for_ending,
    terms_of,
    waiting_minor,
)
from app.tariff import Fees
from tests.app.fares.test_pricing import tariff
from tests.conftest import FRIDAY_EVENING as NOON

TERMS = Terms(
    free_wait_s=180,
    wait_per_minute_minor=70,
    grace_s=120,
    late_after_s=300,
    cancellation_minor=600,
    no_show_minor=1_000,
)
SECOND = timedelta(seconds=1)
ON_THE_WAY = Course(
    assigned_at=NOON, promised_at=NOON + 240 * SECOND, arrived_at=None, no_show_from=None
)
THERE = replace(ON_THE_WAY, arrived_at=NOON + 200 * SECOND, no_show_from=NOON + 380 * SECOND)


@pytest.mark.parametrize(
    ("course", "after_s", "expected"),
    [
        (replace(ON_THE_WAY, assigned_at=None), 0, (0, Verdict.NOBODY_ON_THE_WAY)),
        (ON_THE_WAY, 119, (0, Verdict.WITHIN_GRACE)),
        (ON_THE_WAY, 120, (600, Verdict.CANCELLED_LATE)),
        (ON_THE_WAY, 540, (600, Verdict.CANCELLED_LATE)),
        (ON_THE_WAY, 541, (0, Verdict.DRIVER_LATE)),
        (THERE, 379, (600, Verdict.CANCELLED_LATE)),
        (THERE, 380, (1_000, Verdict.DID_NOT_COME)),
        (replace(THERE, arrived_at=NOON + 541 * SECOND), 900, (0, Verdict.DRIVER_LATE)),
        (replace(THERE, promised_at=None), 900, (1_000, Verdict.DID_NOT_COME)),
        (replace(THERE, by_platform=True), 900, (0, Verdict.BY_THE_PLATFORM)),
    ],
)
def test_a_ride_that_does_not_take_place_costs_its_rider_only_by_their_own_fault(
    course: Course, after_s: int, expected: tuple[int, Verdict]
) -> None:
    charge = charge_for_ending(TERMS, course=course, now=NOON + after_s * SECOND)

    assert (charge.fee_minor, charge.verdict) == expected


def test_a_tariff_without_fees_asks_none() -> None:
    charge = charge_for_ending(Terms(), course=ON_THE_WAY, now=NOON + 200 * SECOND)

    assert (charge.fee_minor, charge.verdict) == (0, Verdict.NO_FEE)


@given(
    fare_minor=st.integers(1, 10_000),
    cancellation_minor=st.integers(0, 20_000),
    no_show_minor=st.integers(0, 20_000),
    after_s=st.integers(0, 2_000),
    is_there=st.booleans(),
)
def test_no_fee_is_ever_above_the_fare_or_below_nothing(
    fare_minor: int, cancellation_minor: int, no_show_minor: int, after_s: int, *, is_there: bool
) -> None:
    fees = Fees(cancellation_minor=cancellation_minor, no_show_minor=no_show_minor)
    terms = terms_of(tariff(fees=fees.model_dump()), fare_minor=fare_minor)

    charge = charge_for_ending(
        terms, course=THERE if is_there else ON_THE_WAY, now=NOON + after_s * SECOND
    )

    assert 0 <= charge.fee_minor <= fare_minor


@pytest.mark.parametrize(("waited_s", "expected"), [(0, 0), (180, 0), (181, 1), (240, 70)])
def test_waiting_is_free_at_first_and_then_costs_by_the_second(
    waited_s: float, expected: int
) -> None:
    assert waiting_minor(TERMS, waited_s=waited_s) == expected


@given(waited_s=st.floats(0, 86_400), per_minute=st.integers(0, 10_000))
def test_waiting_is_rounded_down_for_the_rider(waited_s: float, per_minute: int) -> None:
    terms = replace(TERMS, wait_per_minute_minor=per_minute)

    found = waiting_minor(terms, waited_s=waited_s)

    assert 0 <= found <= max(waited_s - 180, 0) * per_minute / 60
