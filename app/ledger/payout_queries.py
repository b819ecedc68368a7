"""Statements that book many payouts at once; writing goes through the ledger's functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.foundation.database import Transaction
from app.ledger.postings import Recipe


@dataclass(frozen=True, slots=True)
class PayoutJournal:
    """A journal of one line to be posted for a payout."""

    payout_id: UUID
    recipe: Recipe


async def post_journals(
    tx: Transaction, *, scope: str, journals: Sequence[PayoutJournal], at: datetime
) -> dict[UUID, int]:
    """Post each journal once, in one statement; return the number of each payout's journal."""
    lines = [journal.recipe.lines[0] for journal in journals]
    rows = await tx.rows(
        "select j.payout_id, post_journal($1, j.payout_id::text, j.print, j.kind, j.payout_id,"
        " null, $2, array[j.debit], array[j.credit], array[j.amount], null) as journal_id"
        " from unnest($3::uuid[], $4::bytea[], $5::text[], $6::uuid[], $7::uuid[], $8::bigint[])"
        " as j(payout_id, print, kind, debit, credit, amount)",
        scope,
        at,
        [journal.payout_id for journal in journals],
        [journal.recipe.fingerprint for journal in journals],
        [journal.recipe.kind for journal in journals],
        [line.debit_id for line in lines],
        [line.credit_id for line in lines],
        [line.amount_minor for line in lines],
    )
    return {row["payout_id"]: row["journal_id"] for row in rows}


async def reverse_journals(
    tx: Transaction,
    *,
    journals: Sequence[int],
    reasons: Sequence[str],
    decided_by: UUID,
    at: datetime,
) -> list[int]:
    """Take each journal back for its reason; return the reversals in the same order."""
    rows = await tx.rows(
        "select reverse_journal(j.id, j.reason, $3, $4) as reversal"
        " from unnest($1::bigint[], $2::text[]) with ordinality as j(id, reason, n) order by j.n",
        list(journals),
        list(reasons),
        decided_by,
        at,
    )
    return [row["reversal"] for row in rows]


async def lock_balances(tx: Transaction, *, accounts: Sequence[UUID]) -> dict[UUID, int]:
    """Let nobody move these accounts' money until the end; return what is free on each.

    Locked in the order in which every posting locks, so that two never wait in a circle.
    """
    rows = await tx.rows("select * from lock_balances($1)", list(accounts))
    return {row["of_account"]: row["free_minor"] for row in rows}
