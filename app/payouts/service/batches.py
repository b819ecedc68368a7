"""Batches: one person prepares, another one releases or somebody cancels."""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.ledger import payouts as ledger
from app.ledger.queries import currency
from app.payouts.errors import BatchDecided, CutOffInTheFuture, NothingToPay, OwnBatch
from app.payouts.queries import batches as queries
from app.payouts.rules import (
    MOST_PER_BATCH,
    PassedOver,
    amount_of,
    why_left_out,
    why_passed_over,
)


async def prepare_batch(
    tx: Transaction, *, until: datetime | None, least_minor: int, prepared_by: UUID, now: datetime
) -> UUID:
    """Freeze what is to be paid: to each driver what was earned before `until` and is still there.

    No money moves. Who is not paid is counted by the reason why. Returns the batch.

    Raises:
        CutOffInTheFuture: `until` has not come yet.
        NothingToPay: nobody can be paid.
    """
    until = until or now
    if until > now:
        raise CutOffInTheFuture
    await queries.wait_to_prepare(tx)
    candidates = await queries.list_candidates(tx, until=until)
    because = [why_passed_over(one, least_minor=least_minor, now=now) for one in candidates]
    payable = [one for one, why in zip(candidates, because, strict=True) if why is None]
    drivers = payable[:MOST_PER_BATCH]
    passed_over = Counter(why.value for why in because if why is not None)
    if len(payable) > len(drivers):
        passed_over[PassedOver.BATCH_FULL.value] = len(payable) - len(drivers)
    if not drivers:
        raise NothingToPay(passed_over=dict(passed_over))
    batch_id = new_id()
    await queries.insert_batch(
        tx,
        batch_id=batch_id,
        currency=await currency(tx),
        until=until,
        prepared_by=prepared_by,
        passed_over=dict(passed_over),
        now=now,
    )
    await queries.insert_payouts(
        tx,
        batch_id=batch_id,
        ids=[new_id() for _ in drivers],
        drivers=drivers,
        amounts=[amount_of(driver) for driver in drivers],
    )
    return batch_id


async def release_batch(
    tx: Transaction, *, batch_id: UUID, released_by: UUID, now: datetime
) -> None:
    """Let a batch go: each payout leaves its driver's account, or is left out and says why.

    Left out is whose bank account changed since, and whose balance fell below what was prepared;
    the next batch takes them up.

    Raises:
        NotFound: there is no such batch.
        BatchDecided: it was released or cancelled before.
        OwnBatch: the same person prepared it.
    """
    batch = await _undecided(tx, batch_id=batch_id)
    if batch["prepared_by"] == released_by:
        raise OwnBatch
    rows = await queries.lock_prepared(tx, batch_id=batch_id)
    free = await ledger.free_for_payout(tx, accounts=[row["account_id"] for row in rows])
    verdicts = {
        row["id"]: why_left_out(
            is_current=row["is_current"],
            free_minor=free[row["account_id"]],
            amount_minor=row["amount_minor"],
        )
        for row in rows
    }
    left_out = {payout_id: why for payout_id, why in verdicts.items() if why is not None}
    moves = [
        ledger.PayoutMove(row["id"], row["account_id"], row["amount_minor"])
        for row in rows
        if row["id"] not in left_out
    ]
    journals = await ledger.release_payouts(tx, moves=moves, now=now)
    await queries.mark_released(tx, journals=journals)
    await queries.mark_left_out(tx, because=left_out)
    await queries.release_batch(tx, batch_id=batch_id, released_by=released_by, now=now)
    for row in rows:
        why = left_out.get(row["id"])
        data = {
            "payout_id": str(row["id"]),
            "amount_minor": row["amount_minor"],
            "currency": batch["currency"],
        }
        event = (
            Event("payout.released", (row["member_id"],), data)
            if why is None
            else Event("payout.left_out", (row["member_id"],), data | {"because": why})
        )
        tx.emit(event, at=now)


async def cancel_batch(
    tx: Transaction, *, batch_id: UUID, cancelled_by: UUID, reason: str, now: datetime
) -> None:
    """Give up a prepared batch: nothing has moved, and its drivers are free for the next one.

    Raises:
        NotFound: there is no such batch.
        BatchDecided: it was released or cancelled before.
    """
    await _undecided(tx, batch_id=batch_id)
    await queries.cancel_batch(
        tx, batch_id=batch_id, cancelled_by=cancelled_by, reason=reason, now=now
    )


async def get_batch(reader: Transaction, *, batch_id: UUID) -> Any:
    """Return a batch as it is shown.

    Raises:
        NotFound: there is no such batch.
    """
    batch = await queries.find_batch(reader, batch_id=batch_id)
    if batch is None:
        raise NotFound
    return batch


async def _undecided(tx: Transaction, *, batch_id: UUID) -> Any:
    batch = await queries.lock_batch(tx, batch_id=batch_id)
    if batch is None:
        raise NotFound
    if batch["released_at"] is not None or batch["cancelled_at"] is not None:
        raise BatchDecided
    return batch
