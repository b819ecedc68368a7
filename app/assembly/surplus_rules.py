"""How a surplus is divided: by the statutes, over the pots as voted, within the legal form."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from app.assembly.statutes import StatutesInForce
from governance.commission import BASIS_POINTS
from governance.patronage import PatronageRules
from governance.period import bound_by_form

POTS_KEY = "surplus_pots"
REFUND_POT = "dividend"


def patronage_rules(
    statutes: StatutesInForce, *, voted: Mapping[str, Any] | None
) -> PatronageRules:
    """Return how a surplus is divided: by the statutes, over pots as voted, bound by the form.

    Until members voted about pots, all that is divisible is refunded.
    """
    pots = {REFUND_POT: Fraction(0 if voted else 1)}
    if voted:
        pots |= {
            pot: Fraction(*share) for pot, share in zip(voted["pots"], voted["shares"], strict=True)
        }
    rules = PatronageRules(
        pots=pots,
        refund_pot=REFUND_POT,
        commission_part=1 - Fraction(statutes.patronage_hours_bp, BASIS_POINTS),
        reserve_weight=statutes.reserve_bp,
        education_weight=statutes.education_bp,
        votable_weight=BASIS_POINTS - statutes.reserve_bp - statutes.education_bp,
    )
    return bound_by_form(rules, form=statutes.legal_form)
