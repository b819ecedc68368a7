"""What the room decides by: topics, how long a voice is lent, when counts are shown."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

from governance.ranked_vote import NO_CHANGE


class Topic(StrEnum):
    """The topics on which a voice may be lent: the kinds of proposal that may be open.

    Numbers and budgets decide about money, so they are secret always, and nobody lends there.
    """

    TEXT = "text"
    CHOICE = "choice"


class Ending(StrEnum):
    """How a lent voice came back."""

    REVOKED = "revoked"  # by the giver
    RETURNED = "returned"  # by the taker, who does not want it
    EXPIRED = "expired"
    TAKER_LEFT = "taker_left"
    GIVER_LEFT = "giver_left"


LONGEST = timedelta(days=365)  # then a giver is asked anew, since takers change and so do givers
# A taker above this part of all voices is marked; nothing is taken away, as givers may revoke.
CAP = Fraction(1, 20)
# Fewer votes than these are not counted out loud: with few, the number of voices that somebody
# carries says who lent them, and givers are told to nobody but their takers.
FEWEST_VOTES = 10


def basis_points(part: Fraction) -> int:
    """Return a part of the whole in basis points, rounded down."""
    return int(part * 10_000)


def outcome(result: Mapping[str, Any], *, votes: int) -> dict[str, Any]:
    """Return what is told of a result: all of it, or of few votes only what was decided."""
    if votes >= FEWEST_VOTES:
        return dict(result)
    return {name: said for name, said in result.items() if name in {"carried", "winner"}}


def changes_anything(result: Mapping[str, Any]) -> bool:
    """Whether the result of a text or a choice is other than "leave it as it is"."""
    if "carried" in result:
        return bool(result["carried"])
    return bool(result["winner"] != NO_CHANGE)
