"""What members contribute in a month, and how it rises while the fund is short: the stop-loss."""

from fractions import Fraction

from governance.solidarity.assumptions import assumed
from governance.solidarity.rules import RESERVE_MONTHS, SolidarityRules

_WHOLE_BP = 10_000
_STEP_BP = 50
# The part of the members that is given to at any time, if the assumptions are right.
SICK_SHARE = (
    Fraction(str(assumed("sick_per_member_year"))) * Fraction(str(assumed("gift_months"))) / 12
)


def contribution_rate_bp(
    rules: SolidarityRules, *, fund_minor: int, expected_claims_minor: int
) -> int:
    """Return the share of a tier that is contributed next month, in basis points.

    It is the voted one while the fund holds three months of expected claims, and rises in a
    straight line to the voted most as the fund falls to nothing, rounded up to steps of 0.5 %:
    from a finer one a single gift could be read. It depends on nothing else, so it falls back by
    itself when the fund is full again. A most that was voted below the contribution raises
    nothing. Refused (ValueError): claims below 0.
    """
    if expected_claims_minor < 0:
        raise ValueError(f"claims are 0 or more, not {expected_claims_minor}")
    enough = RESERVE_MONTHS * expected_claims_minor
    missing = max(enough - max(fund_minor, 0), 0)
    room = max(rules.contribution_most_bp - rules.contribution_bp, 0)
    if not missing or not room:
        return rules.contribution_bp
    steps = -(-room * missing // (enough * _STEP_BP))
    return rules.contribution_bp + min(steps * _STEP_BP, room)


def contribution_minor(*, tier_minor: int, rate_bp: int) -> int:
    """Return what a member contributes in a month: a share of the tier, rounded down."""
    return tier_minor * rate_bp // _WHOLE_BP


def expected_claims_minor(*, tiers_minor: int, gifts_minor: int, guarantees_minor: int) -> int:
    """Return what the fund will have to pay in a month, as far as anybody can say.

    `tiers_minor` is the sum of all members' tiers; `gifts_minor` and `guarantees_minor` are what
    was really paid in a month, on average. Gifts are taken as assumed, or as paid where that is
    more: a circle that had no illness yet is not safe from it. Refused (ValueError): an amount
    below 0.
    """
    if min(tiers_minor, gifts_minor, guarantees_minor) < 0:
        raise ValueError("what is expected is made of amounts of 0 or more")
    assumed_minor = -(-tiers_minor * SICK_SHARE.numerator // SICK_SHARE.denominator)
    return max(assumed_minor, gifts_minor) + guarantees_minor
