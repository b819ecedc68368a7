"""Statements about one-time codes, and what is kept only for a while."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction


async def lock_in_order(tx: Transaction, locks: Sequence[int]) -> None:
    """Wait for these locks, smallest first as everybody does; they end with the transaction."""
    await tx.execute(
        "select pg_advisory_xact_lock(key) from unnest($1::bigint[]) as key", sorted(locks)
    )


async def full_since(
    tx: Transaction,
    *,
    phone_hash: bytes,
    prefix: str,
    address_hash: bytes,
    number_from: datetime,
    address_from: datetime,
    per_number: int,
    per_prefix: int,
    per_address: int,
) -> Any:
    """Return, for number, prefix and address, when the code was sent that must leave its window.

    None where another code may be sent now.
    """
    return await tx.row(
        "select"
        " (select sent_at from sign_in_code where phone_hash = $1 and sent_at > $4"
        "  order by sent_at desc offset $6::int - 1 limit 1) as number,"
        " (select sent_at from sign_in_code where prefix = $2 and sent_at > $4"
        "  order by sent_at desc offset $7::int - 1 limit 1) as prefix,"
        " (select sent_at from sign_in_code where address_hash = $3 and sent_at > $5"
        "  order by sent_at desc offset $8::int - 1 limit 1) as address",
        phone_hash,
        prefix,
        address_hash,
        number_from,
        address_from,
        per_number,
        per_prefix,
        per_address,
    )


async def insert_code(
    tx: Transaction,
    *,
    code_id: UUID,
    phone_hash: bytes,
    prefix: str,
    address_hash: bytes,
    code_hash: bytes,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Keep a one-time code, hashed."""
    await tx.execute(
        "insert into sign_in_code (id, phone_hash, prefix, address_hash, code_hash, sent_at,"
        " expires_at) values ($1, $2, $3, $4, $5, $6, $7)",
        code_id,
        phone_hash,
        prefix,
        address_hash,
        code_hash,
        now,
        expires_at,
    )


async def count_try(tx: Transaction, *, code_id: UUID, now: datetime) -> Any | None:
    """Count one try and return prefix and code_hash; None where the code takes no more tries."""
    return await tx.row(
        "update sign_in_code set tries = tries + 1 where id = $1 and used_at is null"
        " and expires_at > $2 and tries < 5 returning prefix, code_hash",
        code_id,
        now,
    )


async def use_code(tx: Transaction, *, code_id: UUID, now: datetime) -> None:
    """Let the code work no more; the row is locked by `count_try` of the same transaction."""
    await tx.execute("update sign_in_code set used_at = $2 where id = $1", code_id, now)


async def delete_old(
    tx: Transaction, *, codes_before: datetime, keys_before: datetime, now: datetime, at_most: int
) -> int:
    """Delete old codes, tickets and idempotency keys, so many of each; return how many."""
    count: int = await tx.value(
        "with codes as (delete from sign_in_code where id in (select id from sign_in_code"
        "  where sent_at < $1 and expires_at < $3 limit $4) returning 1),"
        " tickets as (delete from socket_ticket where ticket_hash in (select ticket_hash"
        "  from socket_ticket where expires_at < $3 limit $4) returning 1),"
        " keys as (delete from idempotency_key where (actor_id, key) in (select actor_id, key"
        "  from idempotency_key where created_at < $2 order by created_at limit $4) returning 1)"
        " select (select count(*) from codes) + (select count(*) from tickets)"
        "  + (select count(*) from keys)",
        codes_before,
        keys_before,
        now,
        at_most,
    )
    return count
