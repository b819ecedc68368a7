"""Use cases of elections: freeze, have sealed, tell the members, revoke, tally, enact."""

from app.assembly.elections.service.auditing import ask_to_stop, confirm_stop
from app.assembly.elections.service.enacting import earliest_effect, enact
from app.assembly.elections.service.freezing import ImpossibleTerms, TooFewIssuers, freeze
from app.assembly.elections.service.logs import collect_final_logs, mirror_logs
from app.assembly.elections.service.revoking import revoke_ended
from app.assembly.elections.service.sealing import seal_terms
from app.assembly.elections.service.tallying import count_box, tally, void_for_faults
from app.assembly.elections.service.telling import (
    remind,
    tell_missing_keys,
    tell_roll,
    tell_unreadable,
)

__all__ = [
    "ImpossibleTerms",
    "TooFewIssuers",
    "ask_to_stop",
    "collect_final_logs",
    "confirm_stop",
    "count_box",
    "earliest_effect",
    "enact",
    "freeze",
    "mirror_logs",
    "remind",
    "revoke_ended",
    "seal_terms",
    "tally",
    "tell_missing_keys",
    "tell_roll",
    "tell_unreadable",
    "void_for_faults",
]
