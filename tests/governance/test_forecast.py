"""A year is divided and recomputed at another share to the cent."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.commission import split_fare
from governance.forecast import Worked, Year, at_share, at_shares
from governance.inequality import gini
from governance.patronage import PatronageRules

POTS = {
    "reserve": Fraction(4, 15),
    "dividend": Fraction(16, 45),
    "solidarity": Fraction(1, 5),
    "investment": Fraction(8, 45),
}
RULES = PatronageRules(pots=POTS)
YEAR = Year(
    members={
        "ada": Worked((4_200_000,), 1900),
        "bo": Worked((3_150_000,), 1500),
        "cem": Worked((1_800_000,), 1000),
        "dia": Worked((900_000,), 450),
        "eli": Worked((450_000,), 300),
    },
    other_fares_minor=(1_500_000,),
    other_income_minor=60_000,
    costs_minor=1_240_000,
)


def test_the_worked_year_is_divided_to_the_cent() -> None:
    division = at_share(YEAR, 1500, rules=RULES).division
    assert division.surplus_minor == 620_000
    assert division.indivisible_minor == 130_000
    assert (division.reserve_minor, division.education_minor) == (98_000, 24_500)
    assert division.pots_minor == {
        "reserve": 98_000,
        "dividend": 130_667,
        "solidarity": 73_500,
        "investment": 65_333,
    }
    assert list(division.refunds_minor.values()) == [50_237, 38_629, 23_886, 11_309, 6_606]


@pytest.mark.parametrize(
    ("share_bp", "surplus", "ada", "eli", "all_drivers"),
    [
        (900, -100_000, (3_822_000, 0), (409_500, 0), 9_555_000),
        (1000, 20_000, (3_780_000, 0), (405_000, 0), 9_450_000),
        (1200, 260_000, (3_696_000, 17_942), (396_000, 2_359), 9_286_667),
        (1500, 620_000, (3_570_000, 50_237), (382_500, 6_606), 9_055_667),
        (1800, 980_000, (3_444_000, 82_532), (369_000, 10_852), 8_824_667),
    ],
)
def test_the_published_forecasts_come_out_to_the_cent(
    share_bp: int, surplus: int, ada: tuple[int, int], eli: tuple[int, int], all_drivers: int
) -> None:
    seen = at_share(YEAR, share_bp, rules=RULES)
    assert seen.division.surplus_minor == surplus
    refunds = seen.division.refunds_minor
    assert (seen.net_minor["ada"], refunds["ada"]) == ada
    assert (seen.net_minor["eli"], refunds["eli"]) == eli
    assert sum(seen.keeps_minor(member) for member in YEAR.members) == all_drivers


def test_break_even_of_the_worked_year_is_the_published_fraction() -> None:
    assert YEAR.break_even_bp == Fraction(2950, 3)
    with pytest.raises(ValueError, match="without fares"):
        _ = Year({}, (), 0, 1).break_even_bp


@pytest.mark.parametrize(
    ("commission_part", "published"),
    [(Fraction(1), "0.37143"), (Fraction(1, 2), "0.37113"), (Fraction(0), "0.37083")],
)
def test_refunds_by_turnover_leave_inequality_as_it_is(
    commission_part: Fraction, published: str
) -> None:
    rules = replace(RULES, commission_part=commission_part)
    seen = at_share(YEAR, 1500, rules=rules)
    assert f"{float(seen.gini):.5f}" == published
    assert f"{float(gini(seen.net_minor.values())):.5f}" == "0.37143"


def test_funds_are_shown_in_months_and_a_debt_is_negative() -> None:
    year = replace(
        YEAR, reserve_minor=294_000, solidarity_minor=26_500, monthly_claims_minor=10_000
    )
    seen = at_share(year, 1500, rules=RULES)
    # 294,000 + 130,000 + 98,000 + 98,000 pay for half a year of 1,240,000.
    assert (seen.reserve_months, seen.solidarity_months) == (Fraction(6), Fraction(10))
    low = at_share(replace(YEAR, reserve_minor=0), 900, rules=RULES)
    assert low.reserve_months == Fraction(-100_000 * 12, 1_240_000)
    assert low.solidarity_months is None


fares = st.lists(st.integers(1, 20_000), max_size=8).map(tuple)
worked = st.builds(Worked, fares, st.integers(0, 100))
years = st.builds(
    Year,
    st.dictionaries(st.sampled_from("abcdef"), worked, max_size=5),
    fares,
    st.integers(0, 5_000),
    st.integers(0, 20_000),
)


@given(years, st.integers(0, 10_000))
def test_every_cent_of_every_ride_arrives_somewhere(year: Year, share_bp: int) -> None:
    seen = at_share(year, share_bp, rules=RULES)
    division = seen.division
    parts = division.indivisible_minor + division.reserve_minor + division.education_minor
    assert parts + sum(division.pots_minor.values()) == division.surplus_minor
    if division.refunds_minor:
        assert sum(division.refunds_minor.values()) == division.pots_minor["dividend"]
    for member, worked in year.members.items():
        paid = [split_fare(fare, commission_bp=share_bp) for fare in worked.fares_minor]
        assert seen.net_minor[member] == sum(split.driver_net_minor for split in paid)


def test_all_shares_of_a_grid_are_worked_out_alike() -> None:
    grid = range(900, 1501, 50)
    seen = at_shares(YEAR, grid, rules=RULES)
    assert [year.commission_bp for year in seen] == list(grid)
    assert seen[6] == at_share(YEAR, 1200, rules=RULES)


@pytest.mark.parametrize("share_bp", [-1, 10_001])
def test_a_share_of_more_than_everything_is_refused(share_bp: int) -> None:
    with pytest.raises(ValueError, match="commission_bp"):
        at_share(YEAR, share_bp, rules=RULES)


@pytest.mark.parametrize(
    "changed", [{"refund_pot": "nothing"}, {"commission_part": Fraction(3, 2)}]
)
def test_rules_that_refund_nothing_or_too_much_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no pot|from 0 to 1"):
        replace(RULES, **changed)
