"""Promises about the report itself: every cent that came in is in it, and nobody can be seen."""

import html
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.transparency.page import render
from app.transparency.report import DriverPeriod, Facts, Vote, make_report
from governance.policy import NUMBER_POLICIES

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def facts(
    *,
    fares_minor: int = 12_000_000,
    commission_minor: int = 1_800_000,
    tips_minor: int = 0,
    passed_minor: int = 0,
    top_ups_minor: int = 0,
    bad_debts_minor: int = 0,
    charged_back_minor: int = 0,
    card_refunds_minor: int = 0,
    other_income_minor: int = 60_000,
    costs: Mapping[str, int] | None = None,
    carried_minor: int = 0,
    drivers: int = 12,
) -> Facts:
    """A period of which the surplus is divided a half to the reserve, the rest to refunds."""
    costs = {"servers": 1_000_000, "staff": 240_000} if costs is None else costs
    by_themselves = bad_debts_minor + charged_back_minor + card_refunds_minor
    all_costs = sum(costs.values()) + top_ups_minor + by_themselves
    result = commission_minor + other_income_minor - all_costs
    net = result - carried_minor
    steps = {
        "member_commission": commission_minor,
        "other_commission": 0,
        "other_income": other_income_minor,
        "costs": -all_costs,
        "result": result,
    }
    if carried_minor:
        steps |= {"carried": -carried_minor, "net": net}
    if net < 0:
        steps |= {"absorbed": -net // 2, "carried_forward": -net - -net // 2}
    else:
        steps |= {"reserve": net // 2, "pot_dividend": net - net // 2, "cash": 0, "capital": 0}
    return Facts(
        since=SINCE,
        until=UNTIL,
        moved_minor={
            ("rider", "ride_fare"): -fares_minor,
            ("driver", "ride_fare"): fares_minor - commission_minor - passed_minor,
            ("pass_through", "ride_fare"): passed_minor,
            ("commission_income", "ride_fare"): commission_minor,
            ("rider", "tip"): -tips_minor,
            ("driver", "tip"): tips_minor,
            ("platform_costs", "pay_floor"): -top_ups_minor,
            ("driver", "pay_floor"): top_ups_minor,
            ("platform_costs", "bad_debt"): -bad_debts_minor,
            ("rider", "bad_debt"): bad_debts_minor,
            ("platform_costs", "chargeback"): -charged_back_minor,
            ("card_clearing", "chargeback"): charged_back_minor,
            ("platform_costs", "card_refund"): -card_refunds_minor,
            ("card_clearing", "card_refund"): card_refunds_minor,
            ("platform_costs", "platform_cost"): -sum(costs.values()),
            ("bank", "platform_cost"): sum(costs.values()),
            ("driver", "payout"): -1_000,
            ("commission_income", "surplus_close"): -commission_minor,
            ("platform_costs", "surplus_close"): all_costs,
        },
        steps_minor=steps,
        costs_minor=costs,
        reserves_minor=310_000,
        rides=1_000,
        drivers=[DriverPeriod(1_000_000 + n, 3_600_000, 20_000) for n in range(drivers)],
        votes=[Vote("e", 71, 81)],
        rates=[],
    )


def of_ten(report: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    return {
        part["words"]: (part["amount_minor"], part["of_ten_minor"]) for part in report["of_ten"]
    }


def test_of_each_ten_it_is_said_to_the_cent_where_it_went() -> None:
    report = make_report(facts())

    assert report["came_in"] == {"rides": 12_000_000, "other": 60_000}
    assert of_ten(report) == {
        "is the driver's at once, tips included": (10_200_000, 846),
        "pays for computers and networks": (1_000_000, 83),
        "goes to the reserve that is never shared out": (310_000, 25),
        "goes back to driver-members": (310_000, 26),
        "pays the staff": (240_000, 20),
    }


def test_what_fills_a_week_up_to_the_floor_is_the_drivers_and_counted_once() -> None:
    report = make_report(facts(top_ups_minor=50_000))

    assert of_ten(report)["is the driver's at once, tips included"][0] == 10_250_000
    assert sum(report["came_in"].values()) == sum(amount for amount, _ in of_ten(report).values())


def test_all_that_the_close_counts_as_a_cost_is_named() -> None:
    report = make_report(facts(top_ups_minor=50_000, bad_debts_minor=7_000))

    assert sum(report["costs"].values()) == 1_240_000 + 50_000 + 7_000
    assert report["costs"]["pay_floor"] == 50_000
    page = render(as_published(report))
    assert "drivers' weeks up to the pay floor" in html.unescape(page)


def test_a_fare_that_was_never_paid_is_a_cost() -> None:
    report = make_report(facts(bad_debts_minor=7_000))

    assert report["costs"]["bad_debt"] == 7_000
    assert of_ten(report)["covers fares that were never paid"][0] == 7_000


def test_what_cards_cost_the_house_is_said_in_words() -> None:
    report = make_report(facts(charged_back_minor=7_000, card_refunds_minor=900))

    assert of_ten(report)["covers payments that riders' banks took back"][0] == 7_000
    assert of_ten(report)["covers money given back to cards"][0] == 900
    page = render(as_published(report))
    assert ">payments that riders&#x27; banks took back<" in page
    assert ">money given back to cards<" in page
    assert not [key for key in ("card_refund", "chargeback", "bad_debt") if key in page]


def test_a_year_that_made_a_loss_says_what_was_missing() -> None:
    report = make_report(facts(costs={"staff": 2_000_000}))

    assert report["came_in"] == {"rides": 12_000_000, "other": 60_000, "missing": 140_000}
    assert sum(part["amount_minor"] for part in report["of_ten"]) == 12_200_000


@given(
    fares=st.integers(1, 10**9),
    share=st.integers(0, 10_000),
    tips=st.integers(0, 10**7),
    passed=st.integers(0, 10**5),
    top_ups=st.integers(0, 10**6),
    debts=st.integers(0, 10**6),
    other=st.integers(0, 10**6),
    costs=st.dictionaries(st.sampled_from(["servers", "staff", "rent"]), st.integers(1, 10**8)),
    carried=st.integers(0, 10**7),
)
def test_everything_that_came_in_went_somewhere(
    fares: int,
    share: int,
    tips: int,
    passed: int,
    top_ups: int,
    debts: int,
    other: int,
    costs: dict[str, int],
    carried: int,
) -> None:
    report = make_report(
        facts(
            fares_minor=fares,
            commission_minor=fares * share // 10_000,
            tips_minor=tips,
            passed_minor=min(passed, fares - fares * share // 10_000),
            top_ups_minor=top_ups,
            bad_debts_minor=debts,
            other_income_minor=other,
            costs=costs,
            carried_minor=carried,
        )
    )

    went = sum(part["amount_minor"] for part in report["of_ten"])
    assert went == sum(report["came_in"].values())
    assert sum(part["of_ten_minor"] for part in report["of_ten"]) == 1_000


def test_refunds_that_follow_fares_leave_inequality_and_equal_ones_lower_it() -> None:
    earned = [100_000 * n for n in range(1, 13)]

    def income(refunds: list[int]) -> dict[str, Any]:
        drivers = [
            DriverPeriod(minor, 36_000, refund)
            for minor, refund in zip(earned, refunds, strict=True)
        ]
        shown: dict[str, Any] = make_report(replace(facts(), drivers=drivers))["income"]
        return shown

    following, equal = income([minor // 100 for minor in earned]), income([5_000] * 12)

    assert following["gini_after_refunds"] == following["gini_before_refunds"]
    assert equal["gini_after_refunds"] < equal["gini_before_refunds"]


@pytest.mark.parametrize(("drivers", "is_shown"), [(9, False), (10, True)])
def test_incomes_of_fewer_than_ten_drivers_are_not_shown(drivers: int, *, is_shown: bool) -> None:
    report = make_report(facts(drivers=drivers))

    assert (report["income"] is not None) == is_shown


def test_no_income_that_is_shown_is_one_drivers_own() -> None:
    own = {1_000 * n * n for n in range(1, 13)}
    drivers = [DriverPeriod(minor, 3_600, 0) for minor in own]

    income = make_report(replace(facts(), drivers=drivers))["income"]

    assert not own & set(income["per_hour_before_minor"].values())


@pytest.mark.parametrize(
    ("ballots", "turnout"),
    [(9, None), (10, 0.123), (71, 0.877), (72, None), (80, None), (81, 1.0)],
)
def test_no_turnout_is_shown_that_tells_of_fewer_than_ten_who_voted_or_did_not(
    ballots: int, turnout: float | None
) -> None:
    report = make_report(replace(facts(), votes=[Vote("e", ballots, 81)]))

    assert report["votes"] == [{"election_id": "e", "on_the_roll": 81, "turnout": turnout}]


def test_reserves_are_told_in_months_of_such_costs() -> None:
    assert make_report(facts())["reserve_months"] == 3.0
    assert make_report(facts(costs={}))["reserve_months"] is None


@pytest.mark.parametrize(
    ("months", "said"),
    [(3.0, "costs for 3 months"), (0.0, "costs for less than a tenth of a month"), (None, None)],
)
def test_how_long_the_reserves_would_last_is_never_said_to_be_no_months(
    months: float | None, said: str | None
) -> None:
    page = render(as_published(make_report(facts())) | {"reserve_months": months})

    assert (said in page) if said else ("would pay such costs" not in page)


def test_every_number_that_members_vote_on_has_a_name_on_the_page() -> None:
    rates = [
        {"key": key, "value": 100, "effective_from": SINCE.isoformat(), "election_id": None}
        for key in NUMBER_POLICIES
    ]

    page = render(as_published(make_report(replace(facts(), rates=rates))))

    assert page.count("at founding") == len(NUMBER_POLICIES)


def as_published(report: dict[str, Any]) -> dict[str, Any]:
    return report | {
        "cooperative": "<script>alert(1)</script>",
        "currency": "EUR",
        "since": SINCE,
        "until": UNTIL,
        "time_zone": "UTC",
        "period_id": "p",
        "seal_height": 1,
        "seal_hash": "00",
    }


def test_amounts_on_the_page_have_the_decimals_of_their_currency() -> None:
    report = as_published(make_report(facts()))
    francs, yen, dinars = (
        render(report | {"currency": currency}) for currency in ("CHF", "JPY", "KWD")
    )
    minor = report["reserves_minor"]

    assert f"The reserves hold {minor / 100:,.2f}. That" in francs
    assert f"The reserves hold {minor:,}. That" in yen
    assert f"The reserves hold {minor / 1000:,.3f}. That" in dinars


def test_the_page_escapes_what_people_wrote() -> None:
    page = render(as_published(make_report(facts())))

    assert "<script>" not in page
    assert "1 January 2026 to 31 December 2026" in page
    assert "8.46" in page
