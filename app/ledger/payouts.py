"""Payouts in the books: off the driver's account, paid by the bank, or back again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.no_order import in_no_order
from app.ledger import cost_queries, payout_queries, postings
from app.ledger.accounts import AccountKind
from app.ledger.payout_queries import PayoutJournal


@dataclass(frozen=True, slots=True)
class PayoutMove:
    """A payout, the driver's account that it is paid from, and how much in minor units."""

    payout_id: UUID
    account_id: UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PayoutUndone:
    """The journal that released a payout, and why it is taken back."""

    payout_id: UUID
    journal_id: int
    reason: str


async def free_for_payout(tx: Transaction, *, accounts: Sequence[UUID]) -> dict[UUID, int]:
    """Return what can be paid out of each account, and keep it so until the transaction ends."""
    return await payout_queries.lock_balances(tx, accounts=accounts)


async def release_payouts(
    tx: Transaction, *, moves: Sequence[PayoutMove], now: datetime
) -> dict[UUID, int]:
    """Book that payouts are on their way; a repeat books nothing more. Returns their journals.

    Their balances are locked already. The journals are in no order: everybody may see theirs, and
    the same one each week would tie a driver's payouts together.
    """
    houses = await cost_queries.house_accounts(tx)
    journals = [
        PayoutJournal(
            move.payout_id,
            postings.payout(
                driver_id=move.account_id,
                payout_clearing_id=houses[AccountKind.PAYOUT_CLEARING],
                amount_minor=move.amount_minor,
            ),
        )
        for move in in_no_order(moves)
    ]
    return await payout_queries.post_journals(tx, scope="payout", journals=journals, at=now)


async def settle_payouts(
    tx: Transaction, *, moves: Sequence[PayoutMove], now: datetime
) -> dict[UUID, int]:
    """Book that the bank has paid payouts; a repeat books nothing more. Returns their journals.

    They are in no order, as those of the release.
    """
    houses = await cost_queries.house_accounts(tx)
    journals = [
        PayoutJournal(
            move.payout_id,
            postings.payout_settled(
                payout_clearing_id=houses[AccountKind.PAYOUT_CLEARING],
                bank_id=houses[AccountKind.BANK],
                amount_minor=move.amount_minor,
            ),
        )
        for move in in_no_order(moves)
    ]
    return await payout_queries.post_journals(tx, scope="payout_settled", journals=journals, at=now)


async def return_payouts(
    tx: Transaction, *, moves: Sequence[PayoutMove], now: datetime
) -> dict[UUID, int]:
    """Book that the bank got payouts back that it had paid. Returns their journals."""
    houses = await cost_queries.house_accounts(tx)
    journals = [
        PayoutJournal(
            move.payout_id,
            postings.payout_return(
                bank_id=houses[AccountKind.BANK],
                driver_id=move.account_id,
                amount_minor=move.amount_minor,
            ),
        )
        for move in moves
    ]
    return await payout_queries.post_journals(tx, scope="payout_return", journals=journals, at=now)


async def take_back_payouts(
    tx: Transaction, *, undone: Sequence[PayoutUndone], decided_by: UUID, now: datetime
) -> dict[UUID, int]:
    """Reverse payouts that the bank never paid. Returns the reversals."""
    reversals = await payout_queries.reverse_journals(
        tx,
        journals=[payout.journal_id for payout in undone],
        reasons=[payout.reason for payout in undone],
        decided_by=decided_by,
        at=now,
    )
    return {payout.payout_id: reversal for payout, reversal in zip(undone, reversals, strict=True)}
