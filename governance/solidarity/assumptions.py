"""What the fund's forecast takes for granted, each figure with where it comes from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assumption:
    """A figure, what it means, its source, and whether somebody looked the source up."""

    key: str
    value: float
    words: str
    source: str
    is_looked_up: bool


_BROODFONDS = (
    "nu.nl 5707026 (2019) on Dutch gift circles in 2018: over 20,000 freelancers in 435 circles,"
    " almost 9 million euros given to 1,385 sick, on average 8,218 euros over 7.1 months"
)
_OURS = "our own assumption, to be replaced by the city's own figures"

ASSUMPTIONS: dict[str, Assumption] = {
    one.key: one
    for one in (
        # 9,000,000 / 12 / (8,218 / 7.1) is 648 gifts a month, 3.2 % of 20,000 members; at 7.1
        # months each that is 0.055 new ones per member and year.
        Assumption(
            "sick_per_member_year",
            0.055,
            "illnesses longer than the waiting time, per member and year",
            _BROODFONDS,
            is_looked_up=True,
        ),
        Assumption(
            "gift_months",
            7.1,
            "months that a gift lasts on average",
            _BROODFONDS,
            is_looked_up=True,
        ),
        Assumption(
            "longest_months", 24, "months that a gift lasts at most", _BROODFONDS, is_looked_up=True
        ),
        Assumption(
            "bad_years",
            0.3,
            "how much more or less illness and failing cards one year has than another"
            " (coefficient of variation, shared by all members)",
            _OURS,
            is_looked_up=False,
        ),
        Assumption(
            "collected",
            0.95,
            "part of the contributions that balances allow to be taken",
            _OURS,
            is_looked_up=False,
        ),
        Assumption(
            "rides_per_member_month", 250, "rides of a driver in a month", _OURS, is_looked_up=False
        ),
        Assumption(
            "failed_cards",
            0.001,
            "part of the rides whose card payment fails for good",
            _OURS,
            is_looked_up=False,
        ),
        Assumption(
            "failed_fare_minor",
            1_500,
            "what the fund takes over of such a ride, on average, in minor units",
            _OURS,
            is_looked_up=False,
        ),
        Assumption("paid_back", 0.3, "part of it that riders pay later", _OURS, is_looked_up=False),
    )
}


def assumed(key: str) -> float:
    """Return the figure of an assumption."""
    return ASSUMPTIONS[key].value
