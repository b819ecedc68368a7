"""Decides yes or no on a text, such as a change of the statutes."""

from dataclasses import dataclass
from enum import StrEnum

from governance.tally import Majority, empty_chairs


class TextGround(StrEnum):
    """Why a text carried or not."""

    CARRIED = "carried"
    QUORUM = "quorum"  # those present agreed, but too many chairs stayed empty
    MAJORITY = "majority"  # too few of those present agreed


@dataclass(frozen=True, slots=True)
class TextResult:
    """Whether the text carried, why, and how many yeses it needed."""

    carried: bool
    ground: TextGround
    yes: int
    no: int
    abstained: int
    empty_chairs: int
    needed: int


def tally_text(
    *, yes: int, no: int, abstained: int = 0, majority: Majority, quorum: int = 0
) -> TextResult:
    """Decide whether a text carries: the yeses are the majority of yes, no and empty chairs.

    An abstention is nobody's voice but fills a chair. Seats missing to the quorum count as no,
    so that voting no and staying home come to the same at worst, and no boycott pays. Source: with
    two answers a fixed threshold is the median with phantom ballots (Moulin 1980). Refused
    (ValueError): negative numbers.
    """
    if min(yes, no, abstained) < 0:
        raise ValueError("votes must be 0 or more")
    missing = empty_chairs(quorum=quorum, cast=yes + no + abstained)
    needed = majority.seats(of=yes + no + missing)
    if yes >= needed:
        ground = TextGround.CARRIED
    elif yes >= majority.seats(of=yes + no):
        ground = TextGround.QUORUM
    else:
        ground = TextGround.MAJORITY
    carried = ground is TextGround.CARRIED
    return TextResult(carried, ground, yes, no, abstained, missing, needed)
