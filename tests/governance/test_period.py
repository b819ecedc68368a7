"""A period is closed to the cent, earlier losses first, within the rules of each legal form."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.legal_form import BELGIUM, FRANCE, ICA, LEGAL_FORMS, SPAIN, UNITED_STATES, LegalForm
from governance.patronage import Patronage, PatronageRules
from governance.period import (
    ClosedPeriod,
    PeriodBooks,
    PeriodRules,
    Refund,
    bound_by_form,
    close_period,
)

POTS = {
    "reserve": Fraction(4, 15),
    "dividend": Fraction(16, 45),
    "solidarity": Fraction(1, 5),
    "investment": Fraction(8, 45),
}
MEMBERS = {
    "ada": Patronage(630_000, 1900),
    "bo": Patronage(472_500, 1500),
    "cem": Patronage(270_000, 1000),
    "dia": Patronage(135_000, 450),
    "eli": Patronage(67_500, 300),
}


def worked_year(
    *, costs_minor: int = 1_240_000, carried_loss_minor: int = 0, reserve_minor: int = 0
) -> PeriodBooks:
    return PeriodBooks(
        MEMBERS,
        225_000,
        60_000,
        costs_minor,
        carried_loss_minor=carried_loss_minor,
        reserve_minor=reserve_minor,
    )


def rules(form: LegalForm = ICA, *, reserve_bears_losses: bool = False) -> PeriodRules:
    return PeriodRules(PatronageRules(POTS), form, reserve_bears_losses=reserve_bears_losses)


def test_the_worked_year_comes_out_to_the_cent_with_cash_and_capital() -> None:
    closed = close_period(worked_year(), rules=rules())

    assert (closed.result_minor, closed.net_minor, closed.carried_minor) == (620_000, 620_000, 0)
    assert closed.division.indivisible_minor == 130_000
    assert (closed.division.reserve_minor, closed.division.education_minor) == (98_000, 24_500)
    assert closed.refunds == {
        "ada": Refund(10_048, 40_189),
        "bo": Refund(7_726, 30_903),
        "cem": Refund(4_778, 19_108),
        "dia": Refund(2_262, 9_047),
        "eli": Refund(1_322, 5_284),
    }
    assert (closed.cash_minor, closed.capital_minor) == (26_136, 104_531)
    assert closed.undivided_minor == 0


def test_a_loss_is_carried_and_borne_by_the_next_surplus_before_anything_is_divided() -> None:
    bad = close_period(worked_year(costs_minor=1_960_000), rules=rules())
    assert (bad.result_minor, bad.carried_minor, bad.absorbed_minor) == (-100_000, 100_000, 0)
    assert bad.refunds == {}

    good = close_period(worked_year(carried_loss_minor=bad.carried_minor), rules=rules())

    as_if_it_were_a_cost = close_period(worked_year(costs_minor=1_340_000), rules=rules())
    assert (good.result_minor, good.net_minor, good.carried_minor) == (620_000, 520_000, 0)
    assert good.division == as_if_it_were_a_cost.division


def test_a_loss_larger_than_the_next_surplus_waits_on() -> None:
    closed = close_period(worked_year(carried_loss_minor=700_000), rules=rules())

    assert (closed.result_minor, closed.net_minor, closed.carried_minor) == (
        620_000,
        -80_000,
        80_000,
    )
    assert closed.refunds == {}


@pytest.mark.parametrize(
    ("reserve", "absorbed", "carried"),
    [(30_000, 30_000, 70_000), (500_000, 100_000, 0), (0, 0, 100_000)],
)
def test_the_reserve_bears_a_loss_as_far_as_it_goes_where_the_statutes_say_so(
    reserve: int, absorbed: int, carried: int
) -> None:
    books = worked_year(costs_minor=1_960_000, reserve_minor=reserve)

    closed = close_period(books, rules=rules(reserve_bears_losses=True))

    assert (closed.absorbed_minor, closed.carried_minor) == (absorbed, carried)


def test_what_was_taken_back_beyond_what_came_is_a_cost_and_gives_no_claim() -> None:
    members = {"ada": Patronage(1_000, 10), "bo": Patronage(-200, 0)}

    closed = close_period(PeriodBooks(members, -50, -30, -20), rules=rules())

    assert closed.result_minor == 1_000 - 200 - 50 - 30 + 20
    assert "bo" not in closed.refunds


def test_refunds_that_nobody_has_a_claim_to_are_named() -> None:
    by_hours = PeriodRules(
        PatronageRules({"dividend": Fraction(1)}, commission_part=Fraction(0)), ICA
    )

    closed = close_period(PeriodBooks({"ada": Patronage(1_000, 0)}, 0, 0, 0), rules=by_hours)

    assert (closed.undivided_minor, closed.refunds) == (750, {})


def test_a_form_that_asks_for_more_raises_the_shares_and_one_that_asks_less_leaves_them() -> None:
    stingy = PatronageRules(POTS, reserve_weight=0, education_weight=0, votable_weight=1)

    spain = bound_by_form(stingy, form=SPAIN)
    assert (spain.reserve_weight, spain.education_weight, spain.votable_weight) == (2000, 500, 7500)

    france = bound_by_form(
        PatronageRules({"dividend": Fraction(0), "reserve": Fraction(3, 4), "sun": Fraction(1, 4)}),
        form=FRANCE,
    )
    assert france.pots == {
        "dividend": Fraction(1, 3),  # a third of 75 % is the 25 % that the law asks
        "reserve": Fraction(1, 2),
        "sun": Fraction(1, 6),
    }
    ours = bound_by_form(PatronageRules(POTS), form=ICA)
    assert (ours.reserve_weight, ours.education_weight, ours.pots) == (2000, 500, POTS)


def test_where_refunds_follow_operations_alone_hours_have_no_say() -> None:
    closed = close_period(worked_year(), rules=rules(BELGIUM))

    whole = [refund.cash_minor + refund.capital_minor for refund in closed.refunds.values()]
    assert whole == [52_267, 39_200, 22_400, 11_200, 5_600]  # the published row by commission


def test_nobody_is_paid_less_cash_than_the_form_asks() -> None:
    tight = PeriodRules(PatronageRules(POTS), UNITED_STATES, cash_bp=0)

    closed = close_period(worked_year(), rules=tight)

    assert closed.cash_minor == 26_136


def test_shares_that_ask_for_more_than_there_is_are_refused() -> None:
    greedy = PatronageRules(POTS, reserve_weight=80, education_weight=0, votable_weight=20)

    with pytest.raises(ValueError, match="more than there is"):
        bound_by_form(greedy, form=FRANCE)


amounts = st.integers(0, 10**9)
periods = st.builds(
    PeriodBooks,
    members=st.dictionaries(
        st.text("abcdef", min_size=1, max_size=3),
        st.builds(Patronage, st.integers(-(10**5), 10**8), st.integers(0, 10**7)),
        max_size=8,
    ),
    other_commission_minor=st.integers(-(10**6), 10**8),
    other_income_minor=st.integers(-(10**6), 10**8),
    costs_minor=st.integers(-(10**6), 10**9),
    carried_loss_minor=amounts,
    reserve_minor=amounts,
)


def all_parts(closed: ClosedPeriod) -> int:
    division = closed.division
    pots = {name: cents for name, cents in division.pots_minor.items() if name != "dividend"}
    paid = closed.cash_minor + closed.capital_minor + closed.undivided_minor
    whole = division.reserve_minor + division.education_minor + sum(pots.values()) + paid
    return whole + max(0, division.indivisible_minor) - closed.absorbed_minor - closed.carried_minor


@given(
    books=periods,
    form=st.sampled_from(list(LEGAL_FORMS.values())),
    hours_bp=st.integers(0, 10_000),
    cash_bp=st.integers(0, 10_000),
    reserve_bears=st.booleans(),
)
def test_every_form_keeps_its_rules_whatever_the_year(
    books: PeriodBooks, form: LegalForm, hours_bp: int, cash_bp: int, *, reserve_bears: bool
) -> None:
    commission_part = 1 - Fraction(hours_bp, 10_000)
    patronage = PatronageRules(POTS, commission_part=commission_part)
    closed = close_period(
        books, rules=PeriodRules(patronage, form, cash_bp, reserve_bears_losses=reserve_bears)
    )

    brought = sum(member.commission_minor for member in books.members.values())
    brought += books.other_commission_minor + books.other_income_minor - books.costs_minor
    assert closed.result_minor == brought
    assert all_parts(closed) == brought - books.carried_loss_minor
    assert min(closed.carried_minor, closed.absorbed_minor, closed.undivided_minor) >= 0
    assert closed.absorbed_minor <= books.reserve_minor
    division = closed.division
    made = closed.net_minor - division.indivisible_minor  # what members' rides made
    if closed.net_minor > 0:
        assert min(division.indivisible_minor, made) >= 0
        assert division.reserve_minor > Fraction(made * form.reserve_bp.value, 10_000) - 1
        assert division.education_minor > Fraction(made * form.education_bp.value, 10_000) - 1
        refunded = division.pots_minor["dividend"]
        assert refunded > Fraction(made * form.refund_bp.value, 10_000) - 2
    part = Fraction(1) if form.operations_only.value else commission_part
    for key, exact in _quotas(books, closed, commission_part=part).items():
        refund = closed.refunds.get(key, Refund(0, 0))
        whole = refund.cash_minor + refund.capital_minor
        assert refund.cash_minor * 10_000 >= whole * max(cash_bp, form.cash_bp.value)
        assert refund.capital_minor >= 0
        assert abs(whole - exact) < 1


def _quotas(
    books: PeriodBooks, closed: ClosedPeriod, *, commission_part: Fraction
) -> dict[str, Fraction]:
    """What each claim comes to unrounded; nothing where nobody has a claim."""
    claims = {name: m for name, m in books.members.items() if m.commission_minor >= 0}
    paid = sum(member.commission_minor for member in claims.values())
    engaged = sum(member.engaged for member in claims.values())
    weights = {
        name: commission_part * Fraction(m.commission_minor, paid or 1)
        + (1 - commission_part) * Fraction(m.engaged, engaged or 1)
        for name, m in claims.items()
    }
    whole = sum(weights.values())
    pot = closed.division.pots_minor["dividend"]
    return {name: pot * weight / whole for name, weight in weights.items()} if whole else {}


def test_every_clause_names_its_source_and_doubts_are_listed() -> None:
    for form in LEGAL_FORMS.values():
        for _, clause in form.clauses():
            assert clause.source
        assert all(not dict(form.clauses())[name].is_checked for name in form.unchecked)
    assert ICA.unchecked == ("education_bp",)
    assert set(SPAIN.unchecked) == {name for name, _ in SPAIN.clauses()}
