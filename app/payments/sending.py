"""The worker that talks to a provider: sends what is due, and asks after what it heard nothing of.

Nothing is sent inside a transaction. A command is taken, sent, and its outcome recorded; whoever
dies in between leaves it due under the same key.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from app.foundation.database import Database, Transaction
from app.ledger import service as ledger
from app.payments import books
from app.payments.observing import give_up, observe
from app.payments.port import Done, Outcome, PaymentPort, Refused, Told, Unknown
from app.payments.queries import payments as queries
from app.payments.queries import sending as sending_queries
from app.payments.rules import MOST_ATTEMPTS, Act, CommandState

MOST_AT_ONCE = 20
LOOK_AFTER = timedelta(hours=1)
LOOK_FOR = timedelta(days=60)  # a bank may take a payment back for so long
UNREACHABLE = "provider_unreachable"

log = structlog.get_logger("payments")


async def run_once(database: Database, port: PaymentPort, *, now: datetime) -> int:
    """Send the commands that are due, and record what came of each; return how many were sent."""
    async with database.transaction() as tx:
        commands = await sending_queries.claim(tx, provider=port.name, now=now, limit=MOST_AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for command in commands:
            group.create_task(_send_and_record(database, port, command, now=now))
    return len(commands)


async def _send_and_record(
    database: Database, port: PaymentPort, command: Any, *, now: datetime
) -> None:
    outcome = await _send(port, command)
    async with database.transaction() as tx:
        await record(tx, command, outcome, now=now)


async def _send(port: PaymentPort, command: Any) -> Outcome:
    """Ask the provider for what a command says."""
    act, key = Act(command["act"]), command["key"]
    if act is Act.AUTHORISE:
        return await port.authorise(
            payment_id=UUID(str(command["payment_id"])),
            token=command["token"],
            amount_minor=command["amount_minor"],
            currency=command["currency"],
            key=key,
        )
    reference = command["reference"]
    if reference is None:  # Its authorisation came to nothing.
        return Refused("never_authorised")
    match act:
        case Act.CAPTURE:
            return await port.capture(
                reference=reference, amount_minor=command["amount_minor"], key=key
            )
        case Act.VOID:
            return await port.void(reference=reference, key=key)
        case Act.REFUND:
            return await port.refund(
                reference=reference, amount_minor=command["amount_minor"], key=key
            )


async def record(tx: Transaction, command: Any, outcome: Outcome, *, now: datetime) -> None:
    """Write down what a provider answered to a command, and book what follows from it."""
    payment = await queries.lock_payment(tx, payment_id=command["payment_id"])
    assert payment is not None
    if isinstance(outcome, Unknown):
        log.warning("payment.unknown", act=command["act"], why=outcome.why)
        if command["attempts"] < MOST_ATTEMPTS:
            return
        outcome = Refused(UNREACHABLE)
    done = isinstance(outcome, Done)
    await sending_queries.end_command(
        tx,
        command_id=command["id"],
        state=CommandState.DONE if done else CommandState.REFUSED,
        answer=outcome.code if isinstance(outcome, Refused) else None,
        now=now,
    )
    if outcome.seen is not None:
        await observe(tx, payment, outcome.seen, now=now)
    if isinstance(outcome, Refused):
        await _was_refused(tx, command, code=outcome.code, now=now)


async def _was_refused(tx: Transaction, command: Any, *, code: str, now: datetime) -> None:
    payment = await queries.lock_payment(tx, payment_id=command["payment_id"])
    assert payment is not None
    if command["act"] in (Act.AUTHORISE, Act.CAPTURE):
        await give_up(tx, payment, failure=code, now=now)
    hold_id = command["hold_id"]
    if hold_id is not None and await sending_queries.is_held(tx, hold_id=hold_id):
        # It stays where it is: to the rider's credit.
        await ledger.release_fare(tx, hold_id=hold_id, now=now)
        amount_minor = command["amount_minor"]
        books.tell(
            tx, payment, "payment.refund_refused", now=now, failure=code, amount_minor=amount_minor
        )


async def take_event(database: Database, told: Told, *, provider: str, now: datetime) -> bool:
    """Book what a verified event tells, once; False where it was told before."""
    async with database.transaction() as tx:
        seen, payment_id = told.seen, None
        if seen is not None:
            payment_id = await sending_queries.find_by_reference(
                tx, provider=provider, reference=seen.reference, payment_id=seen.payment_id
            )
        first = await sending_queries.keep_event(
            tx,
            provider=provider,
            event_id=told.event_id,
            type_=told.type,
            payment_id=payment_id,
            now=now,
        )
        if first and seen is not None and payment_id is not None:
            payment = await queries.lock_payment(tx, payment_id=payment_id)
            await observe(tx, payment, seen, now=now)
    return first


async def look_after(database: Database, port: PaymentPort, *, now: datetime) -> int:
    """Ask the provider how payments stand of which nothing was heard for a while; return how many.

    What no webhook told is booked by that.
    """
    async with database.transaction() as tx:
        quiet = await sending_queries.take_unlooked(
            tx,
            provider=port.name,
            before=now - LOOK_AFTER,
            since=now - LOOK_FOR,
            now=now,
            limit=MOST_AT_ONCE,
        )
    for row in quiet:
        outcome = await port.look_up(reference=row["reference"])
        if isinstance(outcome, Done):
            async with database.transaction() as tx:
                payment = await queries.lock_payment(tx, payment_id=row["id"])
                await observe(tx, payment, outcome.seen, now=now)
    return len(quiet)
