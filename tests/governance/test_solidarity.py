"""The rules of solidarity keep their bounds, for every number that could come."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.solidarity.assumptions import ASSUMPTIONS
from governance.solidarity.contribution import (
    contribution_minor,
    contribution_rate_bp,
    expected_claims_minor,
)
from governance.solidarity.gifts import (
    SickLeave,
    full_gift_minor,
    gift_days,
    gift_months,
    going_on,
    later_month,
    share_what_is_there,
)
from governance.solidarity.guarantee import taken_over_minor
from governance.solidarity.ruin import Scenario, claims_of, simulate, walk
from governance.solidarity.rules import DEFAULT_RULES, SolidarityRules
from governance.solidarity.showing import FundPayment, rounded_minor, shown_payments

minor = st.integers(0, 10**9)
shares = st.integers(0, 3_000)
days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
RULES = SolidarityRules(contribution_bp=450, contribution_most_bp=1350)


@pytest.mark.parametrize(
    ("fund_minor", "rate_bp"),
    [(3_000, 450), (9_999, 450), (2_999, 500), (1_500, 900), (1, 1350), (0, 1350), (-5, 1350)],
)
def test_the_contribution_rises_below_three_months_and_not_at_them(
    fund_minor: int, rate_bp: int
) -> None:
    found = contribution_rate_bp(RULES, fund_minor=fund_minor, expected_claims_minor=1_000)
    assert found == rate_bp


@given(base=shares, most=shares, fund=minor, more=minor, claims=minor)
def test_a_fuller_fund_never_asks_for_more_and_nothing_exceeds_what_was_voted(
    base: int, most: int, fund: int, more: int, claims: int
) -> None:
    rules = SolidarityRules(contribution_bp=base, contribution_most_bp=most)
    short = contribution_rate_bp(rules, fund_minor=fund, expected_claims_minor=claims)
    fuller = contribution_rate_bp(rules, fund_minor=fund + more, expected_claims_minor=claims)
    assert base <= fuller <= short <= max(base, most)
    # Refilled, it falls back by itself: the rule remembers nothing.
    full = contribution_rate_bp(rules, fund_minor=3 * claims, expected_claims_minor=claims)
    assert full == base
    if claims:
        empty = contribution_rate_bp(rules, fund_minor=0, expected_claims_minor=claims)
        assert empty == max(base, most)


@given(tier=st.integers(1, 10**7), rate=shares)
def test_a_contribution_is_rounded_down(tier: int, rate: int) -> None:
    found = contribution_minor(tier_minor=tier, rate_bp=rate)
    assert found * 10_000 <= tier * rate < (found + 1) * 10_000


def test_what_is_expected_is_assumed_until_more_was_paid() -> None:
    quiet = expected_claims_minor(tiers_minor=2_000_000, gifts_minor=0, guarantees_minor=700)
    busy = expected_claims_minor(tiers_minor=2_000_000, gifts_minor=90_000, guarantees_minor=0)
    assert (quiet, busy) == (65_084 + 700, 90_000)
    with pytest.raises(ValueError, match="0 or more"):
        expected_claims_minor(tiers_minor=-1, gifts_minor=0, guarantees_minor=0)


@given(
    began=days,
    sick=st.none() | st.integers(0, 1_000),
    stays=st.none() | st.integers(0, 1_000),
    waiting=st.integers(0, 180),
    longest=st.integers(1, 24),
)
def test_gifts_begin_after_the_waiting_time_and_end_with_the_duration_or_the_illness(
    began: date, sick: int | None, stays: int | None, waiting: int, longest: int
) -> None:
    ended = None if sick is None else began + timedelta(days=sick)
    until = None if stays is None else began + timedelta(days=stays)
    leave = SickLeave(began, ended, until, waiting_days=waiting, longest_months=longest)

    months = gift_months(leave, before=date(2035, 1, 1))
    paid = {
        month + timedelta(days=day)
        for month in months
        for day in range(31)
        if month <= month + timedelta(days=day) < later_month(month, months=1)
        and leave.gifts_from <= month + timedelta(days=day) < leave.gifts_until
    }

    assert sum(gift_days(leave, month=month) for month in months) == len(paid)
    first = began + timedelta(days=waiting)
    assert all(first <= day < later_month(first, months=longest) for day in paid)
    assert all(day < (ended or date.max) and day < (until or date.max) for day in paid)
    if ended is None and until is None:
        assert len(paid) == (later_month(first, months=longest) - first).days


def test_a_month_that_is_not_over_has_no_gift_yet() -> None:
    leave = SickLeave(date(2026, 1, 11), None, None, waiting_days=30, longest_months=24)
    assert leave.gifts_from == date(2026, 2, 10)
    assert gift_months(leave, before=date(2026, 2, 28)) == []
    assert gift_months(leave, before=date(2026, 3, 1)) == [date(2026, 2, 1)]
    assert gift_days(leave, month=date(2026, 2, 1)) == 19


def test_a_setback_waits_no_second_time_and_has_only_what_was_left() -> None:
    rules = {"waiting_days": 30, "longest_months": 2}
    first = SickLeave(date(2026, 1, 1), date(2026, 2, 20), None, **rules)
    setback = SickLeave(date(2026, 3, 19), None, None, **rules)
    # Given from 31 January to 19 February: 20 of the days of two months.
    (_, going) = going_on([first, setback])
    assert going.gifts_from == date(2026, 3, 19)
    assert going.gifts_until == date(2026, 5, 19) - timedelta(days=20)
    # One that came back from a short illness waits for the rest.
    short = SickLeave(date(2026, 1, 1), date(2026, 1, 11), None, **rules)
    (_, again) = going_on([short, SickLeave(date(2026, 1, 20), None, None, **rules)])
    assert again.gifts_from == date(2026, 1, 20) + timedelta(days=20)
    # After four weeks of work it is another illness.
    (_, new) = going_on([first, SickLeave(date(2026, 3, 20), None, None, **rules)])
    assert (new.waited_days, new.given_days) == (0, 0)


@given(
    parts=st.lists(st.tuples(st.integers(1, 90), st.integers(0, 27)), min_size=1, max_size=30),
    waiting=st.integers(0, 60),
    longest=st.integers(1, 12),
)
def test_however_often_a_day_is_worked_between_gifts_never_exceed_the_longest_time(
    parts: list[tuple[int, int]], waiting: int, longest: int
) -> None:
    day, leaves = date(2026, 1, 1), []
    for ill, well in parts:
        ended = day + timedelta(days=ill)
        leaves.append(SickLeave(day, ended, None, waiting_days=waiting, longest_months=longest))
        day = ended + timedelta(days=well)

    gone_on = going_on(leaves)
    given = sum((leave.gifts_until - leave.gifts_from).days for leave in gone_on)
    ill_days = sum(ill for ill, _ in parts)

    # A month is of 31 days at most.
    assert given <= longest * 31
    assert given <= max(ill_days - waiting, 0)
    if ill_days - waiting <= longest * 28:
        assert given == max(ill_days - waiting, 0)


def test_nobody_is_well_again_before_they_were_ill() -> None:
    with pytest.raises(ValueError, match="nobody is well again"):
        SickLeave(date(2026, 1, 2), date(2026, 1, 1), None, waiting_days=30, longest_months=24)


def test_a_circle_gives_what_it_gathered() -> None:
    month = date(2026, 2, 1)
    half = full_gift_minor(
        tier_minor=100_000, month=month, days=14, circle_due_minor=0, circle_paid_minor=0
    )
    less = full_gift_minor(
        tier_minor=100_000, month=month, days=28, circle_due_minor=90_000, circle_paid_minor=60_000
    )
    assert (half, less) == (50_000, 66_666)
    with pytest.raises(ValueError, match="of what was due"):
        full_gift_minor(tier_minor=1, month=month, days=28, circle_due_minor=1, circle_paid_minor=2)


@given(wanted=st.dictionaries(st.text(min_size=1), minor, max_size=8), fund=st.integers(-9, 10**9))
def test_gifts_never_overdraw_the_fund_and_nobody_gets_more_than_the_full_gift(
    wanted: dict[str, int], fund: int
) -> None:
    given_ = share_what_is_there(wanted, fund_minor=fund)
    assert given_.keys() == wanted.keys()
    assert all(0 <= given_[key] <= wanted[key] for key in wanted)
    assert sum(given_.values()) == min(sum(wanted.values()), max(fund, 0))


@given(payment=minor, debt=st.integers(-(10**9), 10**9), cap=minor, covered=minor, fund=minor)
def test_the_fund_takes_over_no_more_than_is_owed_allowed_and_there(
    payment: int, debt: int, cap: int, covered: int, fund: int
) -> None:
    taken = taken_over_minor(
        payment_minor=payment,
        debt_minor=debt,
        cap_minor=cap,
        covered_minor=covered,
        fund_minor=fund,
    )
    bounds = (payment, debt, cap - covered, fund)
    assert taken == max(min(bounds), 0)


payments = st.lists(
    st.builds(
        FundPayment,
        month=st.integers(0, 30).map(lambda n: later_month(date(2026, 1, 1), months=n)),
        kind=st.sampled_from(["sick_gift", "payout_guarantee"]),
        person=st.integers(0, 25).map(str),
        amount_minor=st.integers(1, 10**6),
    ),
    max_size=120,
)


@given(payments=payments, known=st.integers(0, 30))
def test_what_is_shown_is_of_ten_people_and_never_changes_afterwards(
    payments: list[FundPayment], known: int
) -> None:
    day = later_month(date(2026, 1, 1), months=known)
    shown = shown_payments(payments)
    for group in shown:
        inside = [
            one
            for one in payments
            if one.kind == group.kind and group.since <= one.month <= group.through
        ]
        assert len({one.person for one in inside}) >= 10
        assert group.payments == len(inside)
        assert group.amount_minor == sum(one.amount_minor for one in inside)
    earlier = shown_payments(one for one in payments if one.month < day)
    assert set(earlier) <= set(shown)


def test_one_person_given_to_for_a_year_is_shown_to_nobody() -> None:
    alone = [
        FundPayment(later_month(date(2026, 1, 1), months=n), "sick_gift", "ada", 100_000)
        for n in range(24)
    ]
    assert shown_payments(alone) == []


@pytest.mark.parametrize(
    ("minor_", "about"), [(-3, 0), (0, 0), (9, 9), (1_999, 1_000), (987_654, 900_000)]
)
def test_the_fund_is_shown_to_one_digit(minor_: int, about: int) -> None:
    assert rounded_minor(minor_) == about


def test_a_fund_without_contributions_runs_dry_in_every_decade() -> None:
    nothing = Scenario(rules=SolidarityRules(contribution_bp=0, contribution_most_bp=0))
    report = simulate(nothing, seeds=100)
    assert report.ruin_share == 1
    assert (report.fund_minor[:, -1] == 0).all()


def test_without_the_stop_loss_the_fund_runs_dry_more_often() -> None:
    flat = Scenario(rules=SolidarityRules(contribution_bp=450, contribution_most_bp=450))
    assert simulate(flat, seeds=500).ruined > simulate(Scenario(), seeds=500).ruined


def test_the_default_fund_runs_dry_in_less_than_one_decade_of_a_hundred() -> None:
    told: list[int] = []
    report = simulate(Scenario(), seeds=10_000, tell=told.append)
    assert report.ruin_share_at_most < 0.01
    assert told == [*range(1_000, 10_001, 1_000)]
    # The rule that raises contributions is at work in it, and comes to rest again.
    assert 0 < report.raised_share < 0.1


def test_the_same_seed_draws_the_same_decade_and_another_one_another() -> None:
    one, again, other = (claims_of(Scenario(), seed=seed) for seed in (7, 7, 8))
    assert (one == again).all()
    assert (one != other).any()


def test_what_is_drawn_costs_what_was_assumed() -> None:
    scenario = Scenario(members=2_000)
    drawn = np.mean([claims_of(scenario, seed=seed)[36:].mean() for seed in range(200)])
    # Tiers are drawn evenly, so compare with a city whose members chose them evenly too.
    assert drawn == pytest.approx(scenario.expected_claims_minor, rel=0.03)


def test_a_walk_stops_in_the_month_in_which_the_fund_cannot_pay() -> None:
    scenario = replace(Scenario(members=20), rules=DEFAULT_RULES)
    claims = np.array([0, 10**9, 0], dtype=np.int64)
    funds, rates = walk(scenario, claims=claims, start_minor=0)
    assert (len(funds), len(rates), bool(funds[-1] < 0)) == (2, 2, True)
    assert rates[0] == 1350


def test_each_assumption_names_its_source() -> None:
    assert all(one.source and one.words for one in ASSUMPTIONS.values())
    with pytest.raises(ValueError, match="members and months"):
        Scenario(members=0)
    with pytest.raises(ValueError, match="seed"):
        simulate(Scenario(), seeds=0)
