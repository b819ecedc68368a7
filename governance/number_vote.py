"""Decides one number, such as the commission share, from everybody's own number."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from governance.tally import MORE_THAN_HALF, Majority, empty_chairs


class Limit(StrEnum):
    """What kept a result from the number that most ballots agreed on."""

    MAJORITY = "majority"  # more than half wanted it, but this direction asks for more
    QUORUM = "quorum"  # chairs that stayed empty count for no change
    FLOOR = "floor"
    CEILING = "ceiling"
    STEP = "step"  # a vote may not move the number further


@dataclass(frozen=True, slots=True)
class Held:
    """A limit that bound, and the number that would have come without it."""

    limit: Limit
    instead_of: int


@dataclass(frozen=True, slots=True)
class NumberTerms:
    """What the manifest fixes about a number before anybody votes.

    All numbers are in the unit of the policy (a share: basis points). Ballots lie on a `grid`:
    a fine number is a fingerprint by which a ballot could be recognised. A status quo that costs
    have overtaken may lie outside `floor` to `ceiling`; no change then means the nearer of them.
    Refused (ValueError): a floor above the ceiling, a grid or a largest step below 1.
    """

    status_quo: int
    floor: int
    ceiling: int
    largest_step: int | None = None
    to_raise: Majority = MORE_THAN_HALF
    to_cut: Majority = MORE_THAN_HALF
    grid: int = 1

    def __post_init__(self) -> None:
        if self.floor > self.ceiling:
            raise ValueError(f"floor {self.floor} is above ceiling {self.ceiling}")
        if self.grid < 1 or (self.largest_step is not None and self.largest_step < 1):
            raise ValueError("grid and largest_step must be 1 or more")

    @property
    def no_change(self) -> int:
        """The status quo, brought inside the range."""
        return _clamp(self.status_quo, self.floor, self.ceiling)

    def admits(self, ballot: int) -> bool:
        """Whether a ballot may be cast: in the range, and on the grid or equal to no change."""
        on_grid = ballot % self.grid == 0 or ballot in {self.floor, self.ceiling, self.no_change}
        return self.floor <= ballot <= self.ceiling and on_grid


@dataclass(frozen=True, slots=True)
class NumberResult:
    """The number decided, and why: the limits that bound, in the order in which they spoke.

    With no limit the value is what the ballots agreed on. It equals the status quo also when
    neither raising nor cutting had its majority.
    """

    value: int
    status_quo: int
    ballots: int
    empty_chairs: int
    held: tuple[Held, ...] = ()


def tally_number(ballots: Sequence[int], *, terms: NumberTerms, quorum: int = 0) -> NumberResult:
    """Decide one number by the median with the status quo as phantom ballots.

    The new number is the highest above the status quo that the majority `to_raise` wants reached
    or passed, else the lowest below it that the majority `to_cut` wants reached or passed, else
    the status quo. Seats missing to the quorum count as ballots for the status quo. With more
    than half in both directions this is the median of ballots and empty chairs, where an even
    number of them is evened out by one more for the status quo. `largest_step`, `floor` and
    `ceiling` then bound it.

    Source: generalised medians, H. Moulin, "On strategy-proofness and single peakedness", Public
    Choice 35 (1980): everything added is a ballot fixed beforehand, so that nobody whose wishes
    have one peak gains by a lie. Nor does staying home ever help. Refused (ValueError): a ballot
    that is no whole number, a negative quorum.
    """
    if any(type(ballot) is not int for ballot in ballots):
        raise ValueError("every ballot must be a whole number")
    missing = empty_chairs(quorum=quorum, cast=len(ballots))
    ranked, now = sorted(ballots), terms.status_quo
    agreed = _agreed(ranked, now, seats=len(ranked))
    with_majority = _agreed(ranked, now, seats=len(ranked), terms=terms)
    with_quorum = _agreed(ranked, now, seats=len(ranked) + missing, terms=terms)
    in_range = _clamp(with_quorum, terms.floor, terms.ceiling)
    step = terms.largest_step
    value = in_range
    if step is not None:
        value = _clamp(in_range, terms.no_change - step, terms.no_change + step)
    stages = (
        (Limit.MAJORITY, agreed, with_majority),
        (Limit.QUORUM, with_majority, with_quorum),
        (Limit.FLOOR if with_quorum < in_range else Limit.CEILING, with_quorum, in_range),
        (Limit.STEP, in_range, value),
    )
    held = tuple(Held(limit, before) for limit, before, after in stages if before != after)
    return NumberResult(value, now, len(ballots), missing, held)


def _agreed(
    ranked: Sequence[int], status_quo: int, *, seats: int, terms: NumberTerms | None = None
) -> int:
    """Return what `seats` agree on, those without a ballot for the status quo.

    Without terms, more than half of them decide in both directions.
    """
    raising = (terms.to_raise if terms else MORE_THAN_HALF).seats(of=seats)
    if raising <= len(ranked) and ranked[-raising] > status_quo:
        return ranked[-raising]
    cutting = (terms.to_cut if terms else MORE_THAN_HALF).seats(of=seats)
    if cutting <= len(ranked) and ranked[cutting - 1] < status_quo:
        return ranked[cutting - 1]
    return status_quo


def floor_from_costs(
    *,
    planned_costs_minor: int,
    other_income_minor: int,
    reserve_target_minor: int,
    planned_fares_minor: int,
    grid_bp: int = 50,
) -> int:
    """Return the lowest commission share, in basis points, that pays for the planned year.

    Costs less other income plus what the reserve is to gain, over planned fares, rounded up to
    the grid; 0 where other income pays for everything. It is computed and not voted, since every
    point of commission lowers this year's take-home. Refused (ValueError): no fares, a grid below
    1, costs that all fares together would not pay.
    """
    if planned_fares_minor <= 0 or grid_bp < 1:
        raise ValueError("planned_fares_minor and grid_bp must be above 0")
    needed_minor = planned_costs_minor - other_income_minor + reserve_target_minor
    if needed_minor > planned_fares_minor:
        raise ValueError("the planned fares do not pay for the planned costs")
    steps = -(-max(0, needed_minor) * 10_000 // (planned_fares_minor * grid_bp))
    return min(10_000, steps * grid_bp)


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))
