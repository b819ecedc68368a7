"""Use cases of open votes: lend and take back a voice, vote by name, count, and see it all."""

from app.assembly.open_votes.service.views import list_votes, see_concentration, see_vote
from app.assembly.open_votes.service.voices import (
    lend_voice,
    list_own_delegations,
    return_voices,
    revoke_delegation,
)
from app.assembly.open_votes.service.votes import (
    cast_open_vote,
    freeze_open_vote,
    tally_open_vote,
)

__all__ = [
    "cast_open_vote",
    "freeze_open_vote",
    "lend_voice",
    "list_own_delegations",
    "list_votes",
    "return_voices",
    "revoke_delegation",
    "see_concentration",
    "see_vote",
    "tally_open_vote",
]
