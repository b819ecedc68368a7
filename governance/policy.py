"""What the members can set by vote, and which decided value is in force at a moment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from governance.number_vote import NumberTerms
from governance.tally import MORE_THAN_HALF, TWO_THIRDS, Majority


class Unit(StrEnum):
    """What a policy's whole number counts."""

    BASIS_POINTS = "basis_points"
    SECONDS = "seconds"
    MINOR_PER_HOUR = "minor_per_hour"
    MINOR = "minor"
    DAYS = "days"
    MONTHS = "months"
    MINOR_PER_KM = "minor_per_km"


@dataclass(frozen=True, slots=True)
class NumberPolicy:
    """A number that only a vote sets: its unit, the grid of its ballots and its natural range."""

    unit: Unit
    grid: int
    least: int
    most: int
    to_raise: Majority = MORE_THAN_HALF
    to_cut: Majority = MORE_THAN_HALF


# The commission is raised by two thirds and cut by more than half: it is the drivers' income.
# Grids are coarse, and the statutes' ceilings narrow the ranges: a fine number is a fingerprint
# by which a ballot could be recognised.
NUMBER_POLICIES: dict[str, NumberPolicy] = {
    "commission_bp": NumberPolicy(Unit.BASIS_POINTS, 50, 0, 10_000, to_raise=TWO_THIRDS),
    "surge_cap_bp": NumberPolicy(Unit.BASIS_POINTS, 2_500, 10_000, 100_000),
    "pay_floor_per_hour_minor": NumberPolicy(Unit.MINOR_PER_HOUR, 100, 0, 1_000_000),
    "pay_floor_per_km_minor": NumberPolicy(Unit.MINOR_PER_KM, 5, 0, 10_000),
    "fairness_weight_s": NumberPolicy(Unit.SECONDS, 60, 0, 3_600),
    "offer_time_s": NumberPolicy(Unit.SECONDS, 5, 5, 120),
    # What members of gift circles contribute, of the gift they chose, and up to what it may rise.
    "solidarity_contribution_bp": NumberPolicy(Unit.BASIS_POINTS, 50, 0, 3_000),
    "solidarity_most_bp": NumberPolicy(Unit.BASIS_POINTS, 50, 0, 3_000),
    # What the fund takes over of a ride's fare that a card does not pay.
    "guarantee_cap_minor": NumberPolicy(Unit.MINOR, 500, 0, 100_000),
    "gift_waiting_days": NumberPolicy(Unit.DAYS, 10, 10, 180),
    "gift_longest_months": NumberPolicy(Unit.MONTHS, 3, 3, 24),
}


def number_terms(
    key: str,
    *,
    status_quo: int,
    floor: int | None = None,
    ceiling: int | None = None,
    largest_step: int | None = None,
) -> NumberTerms:
    """Return the terms on which members vote about a policy.

    `floor` is what costs ask and `ceiling` what the statutes allow; left out, the policy's
    natural range bounds it. Refused (ValueError): a policy that is no number or unknown, bounds
    outside its natural range, a floor above the ceiling.
    """
    if key not in NUMBER_POLICIES:
        raise ValueError(f"{key} is no number that members vote on")
    policy = NUMBER_POLICIES[key]
    low = policy.least if floor is None else floor
    high = policy.most if ceiling is None else ceiling
    if not (policy.least <= low and high <= policy.most):
        raise ValueError(f"{key} goes from {policy.least} to {policy.most}, not {low} to {high}")
    return NumberTerms(
        status_quo=status_quo,
        floor=low,
        ceiling=high,
        largest_step=largest_step,
        to_raise=policy.to_raise,
        to_cut=policy.to_cut,
        grid=policy.grid,
    )


@dataclass(frozen=True, slots=True)
class PolicyVersion[Value]:
    """A decided value of one policy, in force from a moment until a later version's moment.

    Refused (ValueError): a moment without a time zone.
    """

    key: str
    value: Value
    effective_from: datetime

    def __post_init__(self) -> None:
        if self.effective_from.utcoffset() is None:
            raise ValueError(f"{self.key}: {self.effective_from} has no time zone")


def in_force[Value](
    versions: Iterable[PolicyVersion[Value]], *, key: str, at: datetime
) -> PolicyVersion[Value] | None:
    """Return the version of a policy in force at a moment, or None before the first.

    Refused (ValueError): two versions of a policy from the same moment.
    """
    begun = [line for line in versions if line.key == key and line.effective_from <= at]
    if len({line.effective_from for line in begun}) != len(begun):
        raise ValueError(f"{key} has two values from one moment")
    return max(begun, key=lambda line: line.effective_from, default=None)
