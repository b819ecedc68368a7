"""A command: one act of one caller, done at most once, committed before it is answered."""

import hashlib
import random
from asyncio import sleep
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from app.foundation.database import COLLIDED, Database, Transaction
from app.foundation.problems import (
    CommandInFlight,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    Problem,
)

TRIES = 4  # of a transaction that collided with another


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answered: an HTTP status and a JSON body."""

    status: int
    body: Any
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One act of ``actor_id`` under ``key``; the same key never acts twice.

    ``fingerprint`` is a hash of what was asked, so that a key taken for something else is refused.
    """

    database: Database
    actor_id: UUID
    key: str
    fingerprint: bytes
    now: datetime

    async def run(
        self, act: Callable[[Transaction], Awaitable[Any]], *, status: int = 200
    ) -> Answer:
        """Act once and return the answer; on a repeat return the first answer again.

        The key's row stands in the same transaction as the effect. A refusal rolls the effect
        back and is then kept as the first answer too. Nothing is returned before the commit.
        """
        for attempt in range(TRIES):
            try:
                return await self._once(act, status)
            except Problem as refusal:
                return await self._keep_refusal(refusal)
            except COLLIDED:
                if attempt == TRIES - 1:
                    raise
                await sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - a pause
        raise AssertionError("a command always returns or raises")

    async def _once(self, act: Callable[[Transaction], Awaitable[Any]], status: int) -> Answer:
        async with self.database.transaction() as tx:
            first = await self._first_answer(tx)
            if first is not None:
                return first
            body = await act(tx)
            # The key's primary key has the last word: whoever lost rolls its effect back.
            if not await self._remember(tx, status, body):
                raise asyncpg.SerializationError("another request with this key was first")
        return Answer(status, body)

    async def _first_answer(self, tx: Transaction) -> Answer | None:
        # The advisory lock tells "still at work" from "not begun"; it ends with the transaction.
        row = await tx.row(
            "select pg_try_advisory_xact_lock(hashtextextended($1::text || $2, 0)) as mine,"
            " k.fingerprint, k.status, k.body from (select) as one left join"
            " idempotency_key k on k.actor_id = $1 and k.key = $2",
            self.actor_id,
            self.key,
        )
        assert row is not None
        if row["fingerprint"] is None:
            if row["mine"]:
                return None
            raise CommandInFlight(retry_after_s=1)
        if row["fingerprint"] != self.fingerprint:
            raise IdempotencyKeyReused
        return Answer(row["status"], row["body"], replayed=True)

    async def _remember(self, tx: Transaction, status: int, body: Any) -> bool:
        kept = await tx.value(
            "insert into idempotency_key (actor_id, key, fingerprint, status, body, created_at)"
            " values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning true",
            self.actor_id,
            self.key,
            self.fingerprint,
            status,
            body,
            self.now,
        )
        return bool(kept)

    async def _keep_refusal(self, refusal: Problem) -> Answer:
        """Store a refusal as the first answer, unless it says "not now" rather than "no"."""
        if refusal.status >= 500 or isinstance(refusal, CommandInFlight | IdempotencyKeyReused):
            raise refusal
        body = refusal.body(trace_id=self.key)
        async with self.database.transaction() as tx:
            await self._remember(tx, refusal.status, body)
            first = await self._first_answer(tx)
        assert first is not None
        return first


def check_key(key: str | None) -> str:
    """Return the caller's Idempotency-Key.

    Raises:
        IdempotencyKeyMissing: there is none, or it is empty or longer than 255 characters.
    """
    if key is None or not 1 <= len(key) <= 255:
        raise IdempotencyKeyMissing
    return key


def fingerprint(method: str, path: str, body: Any) -> bytes:
    """Return a hash of what was asked, independent of the order of the body's members."""
    canonical = orjson.dumps([method, path, body], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).digest()
