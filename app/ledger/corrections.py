"""Money put right by a person: a journal taken back whole, or a part of it, with a reason."""

from datetime import datetime
from uuid import UUID

import asyncpg

from app.foundation.database import Transaction
from app.ledger import correction_queries
from app.ledger.errors import JournalReversedBefore
from app.ledger.postings import Recipe
from app.ledger.refusals import refusing

POSTED_WITH_OTHER_LINES = "MN003"


async def reverse_journal(
    tx: Transaction, *, journal_id: int, reason: str, decided_by: UUID | None, now: datetime
) -> int:
    """Take a journal of any kind but a cost back, whole, and return the reversal's number.

    Every line goes back the way it came. It concerns the moment of what it takes back, or `now`
    where the books of that moment are closed. `decided_by` is None where the program itself found
    that money had to go back. The same again books nothing more. Costs have documents, and are
    taken back by `costs.reverse_cost`.

    Raises:
        JournalReversedBefore: by another, or with another reason, perhaps at this moment.
        BookingIsFinal: it is a reversal, or put money into the indivisible reserve.
        BalanceTooLow: who got the money no longer has it.
    """
    try:
        with refusing():
            return await correction_queries.reverse_journal(
                tx, journal_id=journal_id, reason=reason, decided_by=decided_by, at=now
            )
    except asyncpg.PostgresError as refused:
        if refused.sqlstate != POSTED_WITH_OTHER_LINES:
            raise
        raise JournalReversedBefore from refused


async def post_adjustment(
    tx: Transaction,
    recipe: Recipe,
    *,
    scope: str,
    key: str,
    subject_id: UUID,
    reason: str,
    decided_by: UUID | None,
    now: datetime,
    policy_version_id: UUID | None = None,
) -> int:
    """Book what puts money right, such as a part of a fare given back, and return its number.

    `subject_id` is what it concerns, such as the ride. A repeat books nothing more.

    Raises:
        PeriodIsClosed: the books of `now` are closed.
        BalanceTooLow: a member's account would fall below its limit.
    """
    with refusing():
        return await correction_queries.post_adjustment(
            tx,
            recipe,
            scope=scope,
            key=key,
            subject_id=subject_id,
            policy_version_id=policy_version_id,
            reason=reason,
            decided_by=decided_by,
            at=now,
        )
