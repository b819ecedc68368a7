"""Decides one number where two groups, drivers and riders, must both agree to a change."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from governance.number_vote import NumberResult, NumberTerms, tally_number


class Accord(StrEnum):
    """How the two houses came to one number."""

    EQUAL = "equal"  # both decided the same
    NEARER = "nearer"  # both want the same direction: only as far as the nearer goes
    OPPOSED = "opposed"  # one wants more, the other less: no change
    UNWILLING = "unwilling"  # one wants no change: no change


@dataclass(frozen=True, slots=True)
class TwoHousesResult:
    """The number decided, each house's own result, and how they came together."""

    value: int
    accord: Accord
    drivers: NumberResult
    riders: NumberResult


def tally_in_two_houses(
    terms: NumberTerms,
    *,
    drivers: Sequence[int],
    riders: Sequence[int],
    driver_quorum: int = 0,
    rider_quorum: int = 0,
) -> TwoHousesResult:
    """Decide the median of the drivers' result, the riders' result and no change.

    The houses weigh the same however many ballots each has; weights that followed turnout would
    make it worse for some to vote than to stay home. Source: a median of generalised medians and
    of a fixed number is itself one (Moulin 1980), so no lie helps in either house.
    """
    driving = tally_number(drivers, terms=terms, quorum=driver_quorum)
    riding = tally_number(riders, terms=terms, quorum=rider_quorum)
    now = terms.no_change
    value = sorted((driving.value, riding.value, now))[1]
    if driving.value == riding.value:
        accord = Accord.EQUAL
    elif value != now:
        accord = Accord.NEARER
    elif now in {driving.value, riding.value}:
        accord = Accord.UNWILLING
    else:
        accord = Accord.OPPOSED
    return TwoHousesResult(value, accord, driving, riding)
