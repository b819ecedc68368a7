"""What every tally has in common: how many seats a majority takes, and the chairs left empty."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Majority:
    """The part of all seats that must agree: at least this fraction, or more than it.

    Refused (ValueError): a fraction above 1, and one that two opposed camps could both reach:
    below a half, or "at least a half".
    """

    numerator: int
    denominator: int
    more_than: bool = False

    def __post_init__(self) -> None:
        twice = 2 * self.numerator
        opposed = twice < self.denominator or (twice == self.denominator and not self.more_than)
        beyond_all = self.numerator > self.denominator - self.more_than
        if self.denominator <= 0 or opposed or beyond_all:
            raise ValueError(f"no majority: {self.numerator}/{self.denominator}")

    def seats(self, *, of: int) -> int:
        """Return the least number of seats that is such a majority of `of` seats; never 0."""
        if self.more_than:
            return of * self.numerator // self.denominator + 1
        return max(1, -(-of * self.numerator // self.denominator))


MORE_THAN_HALF = Majority(1, 2, more_than=True)
TWO_THIRDS = Majority(2, 3)
THREE_QUARTERS = Majority(3, 4)


def empty_chairs(*, quorum: int, cast: int) -> int:
    """Return how many seats the quorum misses; each counts as a ballot for "no change".

    A boycott therefore never helps: who stays away leaves a chair that votes against change, and
    there is no edge at which one ballot less undoes the vote. `quorum` is fixed from the roll
    when the vote is frozen. Refused (ValueError): negative numbers.
    """
    if quorum < 0 or cast < 0:
        raise ValueError(f"quorum and cast must be 0 or more, got {quorum} and {cast}")
    return max(0, quorum - cast)
