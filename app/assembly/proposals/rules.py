"""What a proposal may hold: sizes, paces and the names of money, as tables of facts."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from governance.proposal import Stage

MAX_TITLE_CHARACTERS: Final = 120
MAX_QUESTION_CHARACTERS: Final = 500
MAX_EXPLANATION_CHARACTERS: Final = 1_000
MAX_TEXT_CHARACTERS: Final = 20_000
MAX_COMMENT_CHARACTERS: Final = 2_000
MAX_PAGE_CHARACTERS: Final = 4_000
MAX_PAGE_WORDS: Final = 200
MAX_OPTION_CHARACTERS: Final = 80
MAX_OPTIONS: Final = 10  # of a choice; also of a text with its rivals
MAX_POTS: Final = 10
BUDGET_POINTS: Final = 10

MAX_DRAFTS: Final = 5  # of one author
MAX_SEEKING: Final = 3  # proposals of one author that look for support at once
MAX_COMMENTS_PER_HOUR: Final = 20  # of one member, on all proposals
MAX_OPEN_AMENDMENTS: Final = 5  # of one member to one proposal
HOUR: Final = timedelta(hours=1)

# From the first supporter to the last look at the count.
COMMENT_STAGES: Final = (
    Stage.SEEKING_SUPPORT,
    Stage.DELIBERATION,
    Stage.FROZEN,
    Stage.CREDENTIALS_OPEN,
    Stage.VOTING,
    Stage.TALLIED,
    Stage.OBJECTION_WINDOW,
)


class AmendmentState(StrEnum):
    """What became of an amendment."""

    OPEN = "open"
    ACCEPTED = "accepted"  # by the author: it made a new version
    DECLINED = "declined"  # by the author; with enough supporters it is voted on all the same
    RIVAL = "rival"  # it is voted on, as an option of its own
    DROPPED = "dropped"  # at the freeze: neither accepted nor supported by enough


class Side(StrEnum):
    """The two pages of a panel."""

    FOR = "for"
    AGAINST = "against"


# Besides its ISO 4217 code: how people write amounts, in the languages spoken where it is used.
_MONEY: Final[dict[str, tuple[str, ...]]] = {
    "CHF": ("Fr.", "SFr.", "francs", "franc", "Franken", "Rappen", "Rp."),
    "EUR": ("€", "euros", "euro", "cents", "cent", "ct"),
    "GBP": ("£", "pounds", "pound", "pence", "p"),
    "USD": ("$", "dollars", "dollar", "cents", "cent", "¢"),
}


def money_names(currency: str) -> tuple[str, ...]:
    """Return how amounts of a currency are written, its ISO 4217 code first."""
    return (currency, *_MONEY.get(currency, ()))
