"""Statements about what the bank is given and what it says."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction


async def find_order(reader: Transaction, *, batch_id: UUID) -> Any | None:
    """Return a batch's currency, until, released_at, execute_on and cooperative; None if no such.

    `day` is the cut-off's day by the city's own time.
    """
    return await reader.row(
        "select b.currency, b.released_at, b.execute_on, c.name as cooperative,"
        " (b.until at time zone c.time_zone)::date as day"
        " from payout_batch b cross join cooperative c where b.id = $1",
        batch_id,
    )


async def list_payments(reader: Transaction, *, batch_id: UUID) -> list[Any]:
    """Return payout_id, holder_name, iban and amount_minor of all that was ever released."""
    return await reader.rows(
        "select p.id as payout_id, k.holder_name, k.iban, p.amount_minor from payout p"
        " join bank_account k on k.id = p.bank_account_id"
        " where p.batch_id = $1 and p.release_journal_id is not null order by p.id",
        batch_id,
    )


async def find_file(reader: Transaction, *, batch_id: UUID) -> Any | None:
    """Return form, content and drawn_at of a batch's file, or None."""
    return await reader.row(
        "select form, content, encode(content_sha256, 'hex') as sha256, drawn_at"
        " from payout_file where batch_id = $1",
        batch_id,
    )


async def keep_file(
    tx: Transaction, *, batch_id: UUID, form: str, content: bytes, drawn_by: UUID, now: datetime
) -> None:
    """Store the file of a batch; where there is one already it stays."""
    await tx.execute(
        "insert into payout_file (batch_id, form, content, content_sha256, drawn_by, drawn_at)"
        " values ($1, $2, $3, sha256($3), $4, $5) on conflict (batch_id) do nothing",
        batch_id,
        form,
        content,
        drawn_by,
        now,
    )


async def lock_released(tx: Transaction, *, batch_id: UUID) -> list[Any]:
    """Return what was released with a batch, and let nobody else change it meanwhile."""
    return await tx.rows(
        "select id, member_id, account_id, amount_minor, state, release_journal_id from payout"
        " where batch_id = $1 and release_journal_id is not null order by id for no key update",
        batch_id,
    )


async def mark_settled(tx: Transaction, *, journals: dict[UUID, int], now: datetime) -> None:
    """Write down which journal settled each payout."""
    await tx.execute(
        "update payout set state = 'settled', settle_journal_id = done.journal_id, settled_at = $3"
        " from unnest($1::uuid[], $2::bigint[]) as done(id, journal_id) where payout.id = done.id",
        list(journals),
        list(journals.values()),
        now,
    )


async def mark_returned(
    tx: Transaction, *, journals: dict[UUID, int], codes: dict[UUID, str | None], now: datetime
) -> None:
    """Write down which journal brought each payout back, and the bank's code for why."""
    await tx.execute(
        "update payout set state = 'returned', return_journal_id = done.journal_id,"
        " returned_at = $4, reason_code = done.code"
        " from unnest($1::uuid[], $2::bigint[], $3::text[]) as done(id, journal_id, code)"
        " where payout.id = done.id",
        list(journals),
        list(journals.values()),
        [codes[payout_id] for payout_id in journals],
        now,
    )
