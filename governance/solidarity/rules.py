"""The rules of solidarity: what members set by vote, and the bounds that make a circle a circle."""

from dataclasses import dataclass

# A circle is small enough for its members to know each other: that, not a doctor, is the control.
CIRCLE_LEAST = 20
CIRCLE_MOST = 50
# What a member wants to be given in a month of illness, in minor units; chosen on joining.
TIERS_MINOR = (50_000, 75_000, 100_000, 150_000, 200_000, 250_000)
PEERS_TO_CONFIRM = 2
# An illness that begins sooner after the last one goes on with it, as Dutch law counts sick pay
# (Civil Code, book 7, article 629, paragraph 10: an interruption of less than four weeks).
# Otherwise a day of work would begin the longest time of gifts anew, and a setback a new wait.
RELAPSE_DAYS = 28
# The fund should hold what it is expected to pay in so many months.
RESERVE_MONTHS = 3
# What is shown of fewer people would show a person.
LEAST_PEOPLE_SHOWN = 10


@dataclass(frozen=True, slots=True)
class SolidarityRules:
    """What the members voted.

    `contribution_bp` of a tier is contributed in a month, and up to `contribution_most_bp` while
    the fund is short. Refused (ValueError): a share below 0 or above the whole.
    """

    contribution_bp: int
    contribution_most_bp: int

    def __post_init__(self) -> None:
        for share in (self.contribution_bp, self.contribution_most_bp):
            if not 0 <= share <= 10_000:
                raise ValueError(f"a share goes from 0 to 10000, not {share}")


# What a city is founded with that says nothing else. 4.5 % is what Dutch circles ask: 33.75 for a
# gift of 750 (rtvnoord.nl 168306: 33 to just over 100 euros a month). Three times that at most:
# with twice, a fund of 200 members ran dry in 2 % of simulated decades.
DEFAULT_RULES = SolidarityRules(contribution_bp=450, contribution_most_bp=1350)
