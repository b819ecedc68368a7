"""Statements about riders' cards."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

_SHOWN = "id, provider, label, is_default, added_at"


async def list_methods(reader: Transaction, *, member_id: UUID) -> list[Any]:
    """Return a member's cards as they are shown, the default first."""
    return await reader.rows(
        f"select {_SHOWN} from payment_method where member_id = $1 and removed_at is null"
        " order by is_default desc, id desc",
        member_id,
    )


async def clear_default(tx: Transaction, *, member_id: UUID) -> None:
    """Let none of a member's cards be the default."""
    await tx.execute(
        "update payment_method set is_default = false where member_id = $1 and is_default",
        member_id,
    )


async def choose_default(tx: Transaction, *, member_id: UUID) -> None:
    """Let a member's newest card be the default, if none is."""
    await tx.execute(
        "update payment_method set is_default = true where id = ("
        " select id from payment_method where member_id = $1 and removed_at is null"
        " order by is_default desc, id desc limit 1) and not is_default",
        member_id,
    )


async def insert_method(
    tx: Transaction,
    *,
    method_id: UUID,
    member_id: UUID,
    provider: str,
    token: str,
    label: str,
    is_default: bool,
    now: datetime,
) -> Any:
    """Enter a card and return it as it is shown."""
    return await tx.row(
        "insert into payment_method (id, member_id, provider, token, label, is_default, added_at)"
        f" values ($1, $2, $3, $4, $5, $6, $7) returning {_SHOWN}",
        method_id,
        member_id,
        provider,
        token,
        label,
        is_default,
        now,
    )


async def remove_method(
    tx: Transaction, *, member_id: UUID, method_id: UUID, now: datetime
) -> bool:
    """Mark a member's card as removed; False if there is no such."""
    return bool(
        await tx.value(
            "update payment_method set removed_at = $3, is_default = false"
            " where id = $1 and member_id = $2 and removed_at is null returning true",
            method_id,
            member_id,
            now,
        )
    )


async def list_payments(
    reader: Transaction, *, member_id: UUID, before: UUID | None, limit: int
) -> list[Any]:
    """Return a rider's payments as they are shown, the newest first."""
    return await reader.rows(
        "select p.id, p.ride_id, p.kind, p.method, p.provider, p.state, p.amount_minor,"
        " p.captured_minor, p.refunded_minor, p.begun_at, p.failed_at, p.failure,"
        " m.label, (select currency from cooperative) as currency"
        " from payment p left join payment_method m on m.id = p.payment_method_id"
        " where p.rider_id = $1 and ($2::uuid is null or p.id < $2) order by p.id desc limit $3",
        member_id,
        before,
        limit,
    )
