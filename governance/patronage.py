"""Divides a year's surplus by its source, then over pots, then among who did the work."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from governance.apportionment import apportion


@dataclass(frozen=True, slots=True)
class PatronageRules:
    """How a surplus is divided; in force before the year to which it applies.

    Of the part that members' rides made, `reserve_weight` and `education_weight` go where the
    statutes say and `votable_weight` to the pots, by `pots`; the pot named `refund_pot` is
    refunded, `commission_part` of it in proportion to commission paid and the rest to engaged
    time. Refused (ValueError): a part outside 0 to 1, pots without the one to refund.
    """

    pots: Mapping[str, Fraction]
    refund_pot: str = "dividend"
    commission_part: Fraction = Fraction(1, 2)
    reserve_weight: int = 20
    education_weight: int = 5
    votable_weight: int = 75

    def __post_init__(self) -> None:
        if not 0 <= self.commission_part <= 1:
            raise ValueError("commission_part must be from 0 to 1")
        if self.refund_pot not in self.pots:
            raise ValueError(f"there is no pot {self.refund_pot} to refund")


@dataclass(frozen=True, slots=True)
class Patronage:
    """What one member did in a year: commission paid and time engaged, in any one unit."""

    commission_minor: int
    engaged: int


@dataclass(frozen=True, slots=True)
class SurplusDivision:
    """Where a surplus goes, in minor units; every part named here adds up to it.

    `indivisible_minor` is what other people's rides and other income made: never refunded. A
    deficit, negative, is `indivisible_minor` alone.
    """

    surplus_minor: int
    indivisible_minor: int
    reserve_minor: int
    education_minor: int
    pots_minor: dict[str, int]
    refunds_minor: dict[str, int]


def divide_surplus(
    members: Mapping[str, Patronage],
    *,
    other_commission_minor: int,
    other_income_minor: int,
    costs_minor: int,
    rules: PatronageRules,
) -> SurplusDivision:
    """Divide the surplus of a year to the cent, every division by largest remainder.

    The surplus is all commission and other income less costs. What is left of commission alone
    is divided between members' and other people's rides as they paid it; only the members' part
    is votable. Without anything left of commission nobody is refunded. `refunds_minor` divides
    the refund pot; when nobody has anything to weigh it stays empty and the pot undivided.

    Source: patronage dividends in proportion to business done, from earnings with patrons alone
    (26 CFR 1.1388-1; the third of the ICA's cooperative principles).
    """
    paid_minor = sum(member.commission_minor for member in members.values())
    operating_minor = paid_minor + other_commission_minor - costs_minor
    surplus_minor = operating_minor + other_income_minor
    by_source = {"members": 0, "others": operating_minor}
    if operating_minor > 0:
        commission = {"members": paid_minor, "others": other_commission_minor}
        by_source = apportion(operating_minor, weights=commission)
    statutory = apportion(
        by_source["members"],
        weights={
            "reserve": rules.reserve_weight,
            "education": rules.education_weight,
            "votable": rules.votable_weight,
        },
    )
    pots = apportion(statutory["votable"], weights=rules.pots)
    weights = _weights(members, commission_part=rules.commission_part)
    refunds = {}
    if any(weights.values()):
        refunds = apportion(pots[rules.refund_pot], weights=weights)
    return SurplusDivision(
        surplus_minor=surplus_minor,
        indivisible_minor=by_source["others"] + other_income_minor,
        reserve_minor=statutory["reserve"],
        education_minor=statutory["education"],
        pots_minor=pots,
        refunds_minor=refunds,
    )


def _weights(members: Mapping[str, Patronage], *, commission_part: Fraction) -> dict[str, Fraction]:
    """Return each member's part of what is refunded; a measure that is 0 for all has no say."""
    paid = sum(member.commission_minor for member in members.values())
    engaged = sum(member.engaged for member in members.values())
    weights = {}
    for key, member in members.items():
        by_paid = Fraction(member.commission_minor, paid) if paid else Fraction(0)
        by_time = Fraction(member.engaged, engaged) if engaged else Fraction(0)
        weights[key] = commission_part * by_paid + (1 - commission_part) * by_time
    return weights
