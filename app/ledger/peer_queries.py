"""Statements on partners' accounts and on holds of any account; the ledger's functions write."""

from datetime import datetime
from uuid import UUID

from app.foundation.database import Transaction


async def open_partner_account(
    tx: Transaction,
    *,
    account_id: UUID,
    kind: str,
    partner_id: UUID,
    lowest_minor: int,
    at: datetime,
) -> UUID:
    """Open a partner's account, or find the one there is."""
    found: UUID = await tx.value(
        "select open_partner_account($1, $2, $3, (select currency from cooperative), $4, $5)",
        account_id,
        kind,
        partner_id,
        lowest_minor,
        at,
    )
    return found


async def place_hold(
    tx: Transaction,
    *,
    hold_id: UUID,
    account_id: UUID,
    amount_minor: int,
    at: datetime,
    expires_at: datetime,
) -> None:
    """Set money of an account aside."""
    await tx.execute(
        "select place_hold($1, $2, $3, $4, $5)", hold_id, account_id, amount_minor, at, expires_at
    )


async def find_open_hold(tx: Transaction, *, hold_id: UUID | None) -> UUID | None:
    """Return the hold if it has not ended, else None."""
    found: UUID | None = await tx.value(
        "select id from hold h where id = $1"
        " and not exists (select from hold_end e where e.hold_id = h.id)",
        hold_id,
    )
    return found


async def posted_minor(reader: Transaction, *, account_id: UUID) -> int:
    """Return what stands on an account that has a balance; credit is positive."""
    return int(
        await reader.value("select posted_minor from balance where account_id = $1", account_id)
    )
