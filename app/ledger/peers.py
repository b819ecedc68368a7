"""A sister cooperative in the books: its account, what is set aside on accounts, its journals."""

from datetime import datetime
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.ledger import cost_queries, peer_queries, postings
from app.ledger.accounts import AccountKind
from app.ledger.refusals import refusing
from app.ledger.service import post


async def open_peer_account(
    tx: Transaction, *, peer_id: UUID, they_may_owe_minor: int, now: datetime
) -> UUID:
    """Open the account that mirrors ours in the sister's books; above zero we owe it."""
    return await peer_queries.open_partner_account(
        tx,
        account_id=new_id(),
        kind=AccountKind.PEER_COOPERATIVE,
        partner_id=peer_id,
        lowest_minor=-they_may_owe_minor,
        at=now,
    )


async def set_aside(
    tx: Transaction, *, account_id: UUID, amount_minor: int, now: datetime, expires_at: datetime
) -> UUID:
    """Set money of an account aside until `expires_at`; return the hold.

    Raises:
        BalanceTooLow: the account would fall below its limit.
    """
    hold_id = new_id()
    with refusing():
        await peer_queries.place_hold(
            tx,
            hold_id=hold_id,
            account_id=account_id,
            amount_minor=amount_minor,
            at=now,
            expires_at=expires_at,
        )
    return hold_id


async def post_peer_ride(
    tx: Transaction,
    *,
    clearing_id: UUID,
    debtor_id: UUID,
    creditor_id: UUID,
    amount_minor: int,
    hold_id: UUID | None,
    now: datetime,
) -> int:
    """Book a clearing once; below zero its amount goes back. Returns the number of the journal.

    Where the sister carried our member, the member's account owes the sister's; where we carried
    its member, the sister's account owes the visitor's.

    Raises:
        BalanceTooLow: whoever owes it has not that much.
    """
    recipe = postings.peer_ride(
        debtor_id=debtor_id, creditor_id=creditor_id, amount_minor=amount_minor
    )
    return await post(
        tx,
        recipe,
        scope="peer_ride",
        key=str(clearing_id),
        subject_id=clearing_id,
        now=now,
        hold_id=hold_id,
    )


async def post_peer_settlement(
    tx: Transaction, *, statement_id: UUID, account_id: UUID, paid_minor: int, now: datetime
) -> int:
    """Book once that a month was paid: above zero from our bank, below zero to it."""
    houses = await cost_queries.house_accounts(tx)
    recipe = postings.peer_settlement(
        peer_id=account_id, bank_id=houses[AccountKind.BANK], paid_minor=paid_minor
    )
    return await post(
        tx,
        recipe,
        scope="peer_settlement",
        key=str(statement_id),
        subject_id=statement_id,
        now=now,
    )
