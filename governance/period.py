"""Closes a period: earlier losses first, then reserves, pots and refunds, in cash and capital."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from governance.commission import BASIS_POINTS
from governance.legal_form import LegalForm
from governance.patronage import Patronage, PatronageRules, SurplusDivision, divide_surplus


@dataclass(frozen=True, slots=True)
class PeriodBooks:
    """What the books say of a period, in minor units.

    Each figure is net of what was taken back, so one may be below 0 where more was taken back in
    the period than came. `carried_loss_minor` is what earlier periods lost and nobody bore yet,
    `reserve_minor` what the indivisible reserve holds before the close.
    """

    members: Mapping[str, Patronage]
    other_commission_minor: int
    other_income_minor: int
    costs_minor: int
    carried_loss_minor: int = 0
    reserve_minor: int = 0


@dataclass(frozen=True, slots=True)
class PeriodRules:
    """What a period is closed by: the statutes and votes, the legal form, and who bears a loss.

    `cash_bp` is the part of a refund that the statutes pay in money. With `reserve_bears_losses`
    the reserve takes a loss before it is carried to the next period.
    """

    patronage: PatronageRules
    form: LegalForm
    cash_bp: int = 2000
    reserve_bears_losses: bool = False

    @property
    def cash_paid_bp(self) -> int:
        """The part of a refund paid in money: the statutes', and never less than the form's."""
        return max(self.cash_bp, self.form.cash_bp.value)


@dataclass(frozen=True, slots=True)
class Refund:
    """What one member gets: money now, and a credit on the member's capital."""

    cash_minor: int
    capital_minor: int


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """Where the result of a period goes; all of it, to the cent.

    `net_minor` is the result after earlier losses: above 0 it is in `division`, below 0 it is a
    loss, of which `absorbed_minor` is taken from the reserve and `carried_minor` waits for the
    next surplus. `indivisible_minor`, `statutory_minor` and `reserve_pot_minor` go to the reserve,
    as does `undivided_minor`: refunds for which nobody had a claim.
    """

    result_minor: int
    net_minor: int
    division: SurplusDivision
    refunds: dict[str, Refund]
    undivided_minor: int
    absorbed_minor: int
    carried_minor: int

    @property
    def cash_minor(self) -> int:
        """All refunds in money."""
        return sum(refund.cash_minor for refund in self.refunds.values())

    @property
    def capital_minor(self) -> int:
        """All refunds credited as capital."""
        return sum(refund.capital_minor for refund in self.refunds.values())


def bound_by_form(rules: PatronageRules, *, form: LegalForm) -> PatronageRules:
    """Return the rules with nothing less than the form asks, and no measure it forbids.

    Shares of the reserve and of education rise to the form's least. Where refunds would fall below
    the form's least, the refund pot takes what is missing from the other pots in proportion.
    Refused (ValueError): reserve, education and refunds that together exceed the whole.
    """
    whole = rules.reserve_weight + rules.education_weight + rules.votable_weight
    reserve_bp = max(form.reserve_bp.value, _in_bp(rules.reserve_weight, whole))
    education_bp = max(form.education_bp.value, _in_bp(rules.education_weight, whole))
    votable_bp = BASIS_POINTS - reserve_bp - education_bp
    if votable_bp < form.refund_bp.value or votable_bp < 0:
        raise ValueError(f"{form.key} asks for more than there is")
    pots = dict(rules.pots)
    if votable_bp:
        pots = _with_least(
            pots, pot=rules.refund_pot, least=Fraction(form.refund_bp.value, votable_bp)
        )
    return replace(
        rules,
        pots=pots,
        commission_part=Fraction(1) if form.operations_only.value else rules.commission_part,
        reserve_weight=reserve_bp,
        education_weight=education_bp,
        votable_weight=votable_bp,
    )


def close_period(books: PeriodBooks, *, rules: PeriodRules) -> ClosedPeriod:
    """Divide what a period made, after what earlier ones lost; every cent goes somewhere.

    A loss carried forward counts as a cost, so it is borne before anything is divided. What was
    taken back beyond what came counts as a cost too, and costs taken back as other income; a
    member for whom that happened has no claim. Each refund's cash is rounded up, its capital is
    the rest. Source of the order: research on cooperative accounting, "Formulas".
    """
    members = {key: member for key, member in books.members.items() if member.commission_minor >= 0}
    taken_back_minor = -sum(
        member.commission_minor for member in books.members.values() if member.commission_minor < 0
    )
    taken_back_minor += max(0, -books.other_commission_minor) + max(0, -books.other_income_minor)
    bound = bound_by_form(rules.patronage, form=rules.form)
    division = divide_surplus(
        members,
        other_commission_minor=max(0, books.other_commission_minor),
        other_income_minor=max(0, books.other_income_minor) + max(0, -books.costs_minor),
        costs_minor=max(0, books.costs_minor) + taken_back_minor + books.carried_loss_minor,
        rules=bound,
    )
    net_minor = division.surplus_minor
    loss_minor = max(0, -net_minor)
    absorbed_minor = (
        min(loss_minor, max(0, books.reserve_minor)) if rules.reserve_bears_losses else 0
    )
    refunded_minor = sum(division.refunds_minor.values())
    closed = ClosedPeriod(
        result_minor=net_minor + books.carried_loss_minor,
        net_minor=net_minor,
        division=division,
        refunds={
            key: _in_cash_and_capital(refund_minor, cash_bp=rules.cash_paid_bp)
            for key, refund_minor in division.refunds_minor.items()
            if refund_minor
        },
        undivided_minor=division.pots_minor[bound.refund_pot] - refunded_minor,
        absorbed_minor=absorbed_minor,
        carried_minor=loss_minor - absorbed_minor,
    )
    assert closed.net_minor == _all_parts(closed), "a period is divided to the cent"
    return closed


def _all_parts(closed: ClosedPeriod) -> int:
    division = closed.division
    return (
        division.indivisible_minor
        + division.reserve_minor
        + division.education_minor
        + sum(division.pots_minor.values())
    )


def _in_cash_and_capital(refund_minor: int, *, cash_bp: int) -> Refund:
    cash_minor = -(-refund_minor * cash_bp // BASIS_POINTS)
    return Refund(cash_minor, refund_minor - cash_minor)


def _in_bp(weight: int, whole: int) -> int:
    """Return a weight in basis points, rounded up: a least share is never missed by rounding."""
    return -(-weight * BASIS_POINTS // whole)


def _with_least(pots: Mapping[str, Fraction], *, pot: str, least: Fraction) -> dict[str, Fraction]:
    """Return shares in which one pot has at least so much; the others give in proportion."""
    shares = {name: share / sum(pots.values()) for name, share in pots.items()}
    if shares[pot] >= least:
        return shares
    others = 1 - shares[pot]
    return {
        name: least if name == pot else share * (1 - least) / others
        for name, share in shares.items()
    }
