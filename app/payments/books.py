"""Payments in the books: cash, clients and what a card provider says, each booked once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.ledger import postings
from app.ledger import service as ledger
from app.ledger.errors import BalanceTooLow
from app.ledger.postings import Recipe
from app.ledger.refusals import refusing
from app.payments.queries import payments as queries
from app.payments.rules import Act, PaymentState


def tell(tx: Transaction, payment: Any, event: str, *, now: datetime, **more: Any) -> None:
    """Tell the rider what became of a payment."""
    data = {
        "payment_id": str(payment["id"]),
        "ride_id": str(payment["ride_id"]),
        "method": payment["method"],
        **more,
    }
    tx.emit(Event(event, (payment["rider_id"],), data), at=now)


async def fail(
    tx: Transaction, payment: Any, *, failure: str, amount_minor: int | None = None, now: datetime
) -> None:
    """Write down that a payment could not be had, and tell the rider, who owes it all the same."""
    await queries.update_payment(
        tx,
        payment_id=payment["id"],
        state=PaymentState.FAILED,
        amount_minor=amount_minor,
        failure=failure,
        now=now,
    )
    owed_minor = payment["amount_minor"] if amount_minor is None else amount_minor
    tell(tx, payment, "payment.failed", now=now, failure=failure, amount_minor=owed_minor)


async def take_cash(
    tx: Transaction, payment: Any, *, driver_id: UUID, amount_minor: int, now: datetime
) -> int:
    """Book that the driver has the rider's money in hand; return how much that is.

    The driver takes no more than what was set aside where their limit does not reach for all.
    """
    accounts = await queries.accounts(tx, rider_id=payment["rider_id"], driver_id=driver_id)

    def recipe(part_minor: int) -> Recipe:
        return postings.cash_taken(
            driver_id=accounts["driver"], rider_id=accounts["rider"], amount_minor=part_minor
        )

    taken = await _take(tx, payment, recipe, amount_minor=amount_minor, now=now)
    return 0 if taken is None else taken.amount_minor


async def take_over(tx: Transaction, payment: Any, *, amount_minor: int, now: datetime) -> int:
    """Book that a client takes over what the rider owes; return how much that is.

    The next invoice asks for it. It is no more than what was set aside where the client's account
    does not reach for all.
    """
    accounts = await queries.accounts(
        tx, rider_id=payment["rider_id"], client_id=payment["client_id"]
    )

    def recipe(part_minor: int) -> Recipe:
        return postings.invoice_issued(
            client_id=accounts["client"], rider_id=accounts["rider"], amount_minor=part_minor
        )

    taken = await _take(tx, payment, recipe, amount_minor=amount_minor, now=now)
    if taken is None:
        return 0
    await queries.add_charge(
        tx,
        charge_id=new_id(),
        payment_id=payment["id"],
        amount_minor=taken.amount_minor,
        journal_id=taken.journal_id,
        now=now,
    )
    return taken.amount_minor


@dataclass(frozen=True, slots=True)
class _Taken:
    """What was taken at once, and by which journal."""

    journal_id: int
    amount_minor: int


async def _take(
    tx: Transaction,
    payment: Any,
    recipe: Callable[[int], Recipe],
    *,
    amount_minor: int,
    now: datetime,
) -> _Taken | None:
    """Post it all, or else as much as is set aside; where not even that goes, the payment failed.

    A price may rise on the way, and the account's limit be reached meanwhile.
    """
    # One key for both: an attempt that is refused leaves nothing.
    for part_minor in dict.fromkeys((amount_minor, min(amount_minor, payment["amount_minor"]))):
        wanted = recipe(part_minor)
        try:
            async with tx.connection.transaction():
                journal_id = await ledger.post(
                    tx,
                    wanted,
                    scope=str(wanted.kind),
                    key=str(payment["id"]),
                    subject_id=payment["id"],
                    now=now,
                    hold_id=payment["hold_id"],
                )
        except BalanceTooLow:
            continue
        await queries.update_payment(
            tx,
            payment_id=payment["id"],
            state=PaymentState.CAPTURED,
            amount_minor=part_minor,
            captured_minor=part_minor,
            now=now,
        )
        return _Taken(journal_id, part_minor)
    if payment["hold_id"] is not None:
        await ledger.release_fare(tx, hold_id=payment["hold_id"], now=now)
    await fail(tx, payment, failure="limit_reached", amount_minor=amount_minor, now=now)
    return None


async def give_back(
    tx: Transaction, payment: Any, *, amount_minor: int, key: str, now: datetime
) -> None:
    """Book that a client gets back what it took over, with the next invoice."""
    accounts = await queries.accounts(
        tx, rider_id=payment["rider_id"], client_id=payment["client_id"]
    )
    recipe = postings.invoice_issued(
        client_id=accounts["client"], rider_id=accounts["rider"], amount_minor=-amount_minor
    )
    journal_id = await ledger.post(
        tx,
        recipe,
        scope="invoice_refund",
        key=f"{payment['id']}:{key}",
        subject_id=payment["id"],
        now=now,
    )
    await queries.add_charge(
        tx,
        charge_id=new_id(),
        payment_id=payment["id"],
        amount_minor=-amount_minor,
        journal_id=journal_id,
        now=now,
    )
    all_back = payment["refunded_minor"] + amount_minor == payment["captured_minor"]
    await queries.update_payment(
        tx,
        payment_id=payment["id"],
        state=PaymentState.REFUNDED if all_back else PaymentState.CAPTURED,
        refunded_minor=amount_minor,
        now=now,
    )


async def order_refund(
    tx: Transaction, payment: Any, *, amount_minor: int, key: str, now: datetime
) -> None:
    """Ask for money to go back to a card, and set it aside on the rider's account until then.

    Where the account does not hold it, it is owed for other rides, and nothing goes back.
    """
    accounts = await queries.accounts(tx, rider_id=payment["rider_id"])
    hold_id = new_id()
    try:
        async with tx.connection.transaction():
            with refusing():
                await queries.place_hold(
                    tx,
                    hold_id=hold_id,
                    account_id=accounts["rider"],
                    amount_minor=amount_minor,
                    now=now,
                )
    except BalanceTooLow:
        return
    await queries.give_command(
        tx,
        command_id=new_id(),
        payment_id=payment["id"],
        act=Act.REFUND,
        key=f"{payment['id']}:refund:{key}",
        amount_minor=amount_minor,
        due_at=now,
        hold_id=hold_id,
    )
