"""What a year would have been at another commission share, for one member and for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from governance.commission import BASIS_POINTS
from governance.inequality import gini
from governance.patronage import Patronage, PatronageRules, SurplusDivision, divide_surplus


@dataclass(frozen=True, slots=True)
class Worked:
    """What one driver did in a year: the fare of each ride, and time engaged in any one unit."""

    fares_minor: tuple[int, ...]
    engaged: int

    def commission_minor(self, commission_bp: int) -> int:
        """Return the commission at a share; each ride is rounded down by itself, as when paid."""
        return sum(fare * commission_bp // BASIS_POINTS for fare in self.fares_minor)


@dataclass(frozen=True, slots=True)
class Year:
    """A year as the ledger has it: members' work, other drivers' fares, other income and costs.

    `reserve_minor` and `solidarity_minor` are what those funds hold; `monthly_claims_minor` is
    what the solidarity fund pays in an ordinary month.
    """

    members: Mapping[str, Worked]
    other_fares_minor: tuple[int, ...]
    other_income_minor: int
    costs_minor: int
    reserve_minor: int = 0
    solidarity_minor: int = 0
    monthly_claims_minor: int = 0

    @property
    def break_even_bp(self) -> Fraction:
        """The share at which commission and other income just pay for the costs, unrounded.

        It is 0 or less where other income pays for them. Refused (ValueError): a year without
        fares.
        """
        fares = sum(sum(worked.fares_minor) for worked in self.members.values())
        fares += sum(self.other_fares_minor)
        if fares == 0:
            raise ValueError("a year without fares has no break-even")
        return Fraction((self.costs_minor - self.other_income_minor) * BASIS_POINTS, fares)


@dataclass(frozen=True, slots=True)
class YearAtShare:
    """A year at one share: what each member keeps, and what it does to everybody's funds.

    `net_minor` is each member's fares less commission, before `division.refunds_minor`.
    `reserve_months` is how long the reserve would pay the costs, `solidarity_months` how long the
    fund would pay its claims (None: it has none), both after the division; a reserve in debt is
    negative. `gini` is of net and refund together.
    """

    commission_bp: int
    net_minor: dict[str, int]
    division: SurplusDivision
    reserve_months: Fraction | None
    solidarity_months: Fraction | None
    gini: Fraction

    def keeps_minor(self, member: str) -> int:
        """Return what a member has in the end: net and refund."""
        return self.net_minor[member] + self.division.refunds_minor.get(member, 0)


def at_share(
    year: Year,
    commission_bp: int,
    *,
    rules: PatronageRules,
    reserve_pot: str = "reserve",
    solidarity_pot: str = "solidarity",
) -> YearAtShare:
    """Recompute a year at a share, every ride by itself: the same rides at the same fares.

    That the same rides would have been made is an assumption and must be shown as one. Never show
    `net_minor` alone: it is highest at the lowest share, whatever becomes of the cooperative.
    Refused (ValueError): a share outside 0 to 10,000 basis points.
    """
    if not 0 <= commission_bp <= BASIS_POINTS:
        raise ValueError(f"commission_bp must be from 0 to {BASIS_POINTS}, got {commission_bp}")
    paid = {key: worked.commission_minor(commission_bp) for key, worked in year.members.items()}
    division = divide_surplus(
        {key: Patronage(paid[key], worked.engaged) for key, worked in year.members.items()},
        other_commission_minor=Worked(year.other_fares_minor, 0).commission_minor(commission_bp),
        other_income_minor=year.other_income_minor,
        costs_minor=year.costs_minor,
        rules=rules,
    )
    net = {key: sum(worked.fares_minor) - paid[key] for key, worked in year.members.items()}
    reserve = year.reserve_minor + division.indivisible_minor + division.reserve_minor
    reserve += division.pots_minor.get(reserve_pot, 0)
    solidarity = year.solidarity_minor + division.pots_minor.get(solidarity_pot, 0)
    refunds = division.refunds_minor
    return YearAtShare(
        commission_bp=commission_bp,
        net_minor=net,
        division=division,
        reserve_months=_months(reserve, yearly_minor=year.costs_minor),
        solidarity_months=_months(solidarity, yearly_minor=12 * year.monthly_claims_minor),
        gini=gini(max(0, net[key] + refunds.get(key, 0)) for key in net),
    )


def at_shares(
    year: Year, shares_bp: Sequence[int], *, rules: PatronageRules
) -> tuple[YearAtShare, ...]:
    """Recompute a year at each share of a ballot's grid, in their order.

    All of them are always worked out, so that nobody can tell which one a member looked at.
    """
    return tuple(at_share(year, commission_bp, rules=rules) for commission_bp in shares_bp)


def _months(fund_minor: int, *, yearly_minor: int) -> Fraction | None:
    return Fraction(12 * fund_minor, yearly_minor) if yearly_minor else None
