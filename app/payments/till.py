"""What staff books of payments: a provider's payout to the bank, and how far cash may go."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.ledger import costs, postings
from app.ledger import service as ledger
from app.ledger.accounts import JournalKind, Purpose
from app.payments.errors import SettlementBookedBefore
from app.payments.queries import payments as queries


async def book_settlement(
    tx: Transaction,
    *,
    provider: str,
    reference: str,
    gross_minor: int,
    fee_minor: int,
    day: date,
    booked_by: UUID,
    now: datetime,
) -> Any:
    """Book that a provider paid card money to the bank, and kept its fee; return the settlement.

    The bank is booked with the gross amount and pays the fee, a cost for card fees like any other.

    Raises:
        SettlementBookedBefore: this payout of the provider is booked.
        DayIsInTheFuture, PeriodIsClosed: of the fee's day.
    """
    settlement_id = new_id()
    ids = await queries.accounts(tx)
    recipe = postings.card_settled(
        bank_id=ids["bank"], card_clearing_id=ids["card_clearing"], amount_minor=gross_minor
    )
    journal_id = await ledger.post(
        tx,
        recipe,
        scope="card_settlement",
        key=str(settlement_id),
        subject_id=settlement_id,
        now=now,
    )
    if fee_minor:
        cost = costs.NewCost(
            kind=JournalKind.PLATFORM_COST,
            purpose=Purpose.CARD_FEES,
            amount_minor=fee_minor,
            day=day,
            document=f"{provider} payout {reference}",
            document_sha256=None,
        )
        await costs.book_cost(tx, cost=cost, booked_by=booked_by, now=now, streams=())
    try:
        return await queries.insert_settlement(
            tx,
            settlement_id=settlement_id,
            provider=provider,
            reference=reference,
            gross_minor=gross_minor,
            fee_minor=fee_minor,
            journal_id=journal_id,
            booked_by=booked_by,
            now=now,
        )
    except asyncpg.UniqueViolationError as twice:
        raise SettlementBookedBefore from twice


async def set_cash_limit(tx: Transaction, *, limit_minor: int, set_by: UUID, now: datetime) -> None:
    """Let drivers owe at most so much of what they took in cash, from the next ride on."""
    await queries.insert_cash_rule(
        tx, rule_id=new_id(), limit_minor=limit_minor, set_by=set_by, now=now
    )
