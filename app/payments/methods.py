"""A rider's cards: registered by the token a provider gave the rider's device, never by number."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.payments.errors import CardRegisteredBefore
from app.payments.queries import methods as queries


async def register(
    tx: Transaction,
    *,
    member_id: UUID,
    provider: str,
    token: str,
    label: str,
    is_default: bool,
    now: datetime,
) -> Any:
    """Let a member pay with the card behind a token, and return it. The first is the default.

    Raises:
        CardRegisteredBefore: somebody has registered this token.
    """
    existing = await queries.list_methods(tx, member_id=member_id)
    chosen = is_default or not existing
    if chosen:
        await queries.clear_default(tx, member_id=member_id)
    try:
        return await queries.insert_method(
            tx,
            method_id=new_id(),
            member_id=member_id,
            provider=provider,
            token=token,
            label=label,
            is_default=chosen,
            now=now,
        )
    except asyncpg.UniqueViolationError as twice:
        raise CardRegisteredBefore from twice


async def remove(tx: Transaction, *, member_id: UUID, method_id: UUID, now: datetime) -> None:
    """Let nothing more be begun with a card; what was begun with it is finished.

    Where it was the default, the newest of the others takes its place.

    Raises:
        NotFound: it is not this member's, or removed already.
    """
    if not await queries.remove_method(tx, member_id=member_id, method_id=method_id, now=now):
        raise NotFound
    await queries.choose_default(tx, member_id=member_id)
