"""Every statement about corrections and closed periods; writing goes through functions."""

from datetime import datetime
from uuid import UUID

from app.foundation.database import Transaction
from app.ledger.postings import Recipe


async def reverse_journal(
    tx: Transaction, *, journal_id: int, reason: str, decided_by: UUID | None, at: datetime
) -> int:
    """Post what takes a journal back, and why."""
    return int(
        await tx.value("select reverse_journal($1, $2, $3, $4)", journal_id, reason, decided_by, at)
    )


async def post_adjustment(
    tx: Transaction,
    recipe: Recipe,
    *,
    scope: str,
    key: str,
    subject_id: UUID,
    policy_version_id: UUID | None,
    reason: str,
    decided_by: UUID | None,
    at: datetime,
) -> int:
    """Post a correction, and why."""
    return int(
        await tx.value(
            "select post_adjustment($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            scope,
            key,
            recipe.fingerprint,
            subject_id,
            policy_version_id,
            at,
            [line.debit_id for line in recipe.lines],
            [line.credit_id for line in recipe.lines],
            [line.amount_minor for line in recipe.lines],
            reason,
            decided_by,
        )
    )


async def lock_period(
    tx: Transaction, *, until: datetime, locked_by: UUID | None, at: datetime
) -> None:
    """Let nothing be booked any more that concerns a moment before `until`."""
    await tx.execute("select lock_period($1, $2, $3)", until, locked_by, at)


async def locked_until(reader: Transaction) -> datetime | None:
    """Return the end of the closed periods, or None."""
    until: datetime | None = await reader.value("select max(until) from period_lock")
    return until


async def roll_up(tx: Transaction, *, least_lines: int) -> int:
    """Write sums of house accounts that moved by that many lines, and return how many."""
    return int(await tx.value("select roll_up($1)", least_lines))
