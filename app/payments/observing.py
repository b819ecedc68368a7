"""Books what a provider says of a payment, however late, often or out of order it says so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.foundation.database import Transaction
from app.ledger import postings
from app.ledger import service as ledger
from app.ledger.errors import BalanceTooLow
from app.ledger.postings import Recipe
from app.payments import books
from app.payments.port import Seen
from app.payments.queries import payments as queries
from app.payments.queries import sending as sending_queries
from app.payments.rules import PaymentState

_OPEN = (PaymentState.WANTED, PaymentState.AUTHORISED)


@dataclass(frozen=True, slots=True)
class _Sums:
    """What was paid, given back, taken back by a bank and given up again, in minor units."""

    captured_minor: int
    refunded_minor: int
    withdrawn_minor: int
    reinstated_minor: int


def _grown(payment: Any, seen: Seen) -> _Sums:
    """Return the larger of what we know and what is seen. What comes later is never more."""
    captured = max(payment["captured_minor"], seen.captured_minor)
    withdrawn = max(payment["withdrawn_minor"], seen.withdrawn_minor)
    return _Sums(
        captured_minor=captured,
        refunded_minor=min(captured, max(payment["refunded_minor"], seen.refunded_minor)),
        withdrawn_minor=withdrawn,
        reinstated_minor=min(withdrawn, max(payment["reinstated_minor"], seen.reinstated_minor)),
    )


def _state(payment: Any, seen: Seen, sums: _Sums) -> PaymentState:
    """Return where a payment stands by these sums; without any paid it may have been given up."""
    if sums.captured_minor:
        if sums.withdrawn_minor > sums.reinstated_minor:
            return PaymentState.CHARGED_BACK
        if sums.refunded_minor == sums.captured_minor:
            return PaymentState.REFUNDED
        return PaymentState.CAPTURED
    state = PaymentState(payment["state"])
    if state is PaymentState.WANTED and seen.authorised_minor and not seen.failure:
        return PaymentState.AUTHORISED
    return state


async def observe(tx: Transaction, payment: Any, seen: Seen, *, now: datetime) -> None:
    """Store what is seen of a payment that is locked, and book what is new of it, each cent once.

    A payment that we had given up and that was captured all the same is given back.
    """
    sums = _grown(payment, seen)
    state = _state(payment, seen, sums)
    await sending_queries.grow(
        tx,
        payment_id=payment["id"],
        state=state,
        reference=seen.reference,
        authorised_minor=seen.authorised_minor,
        captured_minor=sums.captured_minor,
        refunded_minor=sums.refunded_minor,
        withdrawn_minor=sums.withdrawn_minor,
        reinstated_minor=sums.reinstated_minor,
    )
    accounts = await queries.accounts(tx, rider_id=payment["rider_id"])
    await _book_capture(tx, payment, accounts, sums, now=now)
    await _book_refund(tx, payment, accounts, sums, now=now)
    await _book_chargeback(tx, payment, accounts, sums, now=now)
    if seen.failure is not None and state in _OPEN:
        await give_up(tx, payment, failure=seen.failure, now=now)


async def give_up(tx: Transaction, payment: Any, *, failure: str, now: datetime) -> None:
    """Ask nothing more of a payment that cannot be had; it failed, unless nobody wants it."""
    for hold_id in await sending_queries.drop_due(tx, payment_id=payment["id"], now=now):
        await ledger.release_fare(tx, hold_id=hold_id, now=now)
    if payment["state"] in _OPEN:
        await books.fail(tx, payment, failure=failure, now=now)


async def _book_capture(
    tx: Transaction, payment: Any, accounts: Any, sums: _Sums, *, now: datetime
) -> None:
    new_minor = sums.captured_minor - payment["captured_minor"]
    if not new_minor:
        return
    recipe = postings.card_capture(
        card_clearing_id=accounts["card_clearing"],
        rider_id=accounts["rider"],
        amount_minor=new_minor,
    )
    await _post(tx, payment, recipe, total_minor=sums.captured_minor, now=now)
    books.tell(tx, payment, "payment.captured", now=now, amount_minor=new_minor)
    if payment["state"] == PaymentState.VOIDED:
        await books.order_refund(tx, payment, amount_minor=new_minor, key="unwanted", now=now)


async def _book_refund(
    tx: Transaction, payment: Any, accounts: Any, sums: _Sums, *, now: datetime
) -> None:
    """Book it from what was set aside for it; what nobody asked of us is the rider's too."""
    done_minor = payment["refunded_minor"]
    new_minor = sums.refunded_minor - done_minor
    while done_minor < sums.refunded_minor:
        hold = await sending_queries.open_refund_hold(tx, payment_id=payment["id"])
        part_minor = sums.refunded_minor - done_minor
        if hold is not None:
            part_minor = min(part_minor, hold["amount_minor"])
        done_minor += part_minor
        recipes = [
            postings.card_refund(
                rider_id=bearer, card_clearing_id=accounts["card_clearing"], amount_minor=part_minor
            )
            for bearer in (accounts["rider"], accounts["platform_costs"])
        ]
        await _bear(
            tx,
            payment,
            recipes,
            total_minor=done_minor,
            hold_id=None if hold is None else hold["hold_id"],
            now=now,
        )
    if new_minor:
        books.tell(tx, payment, "payment.refunded", now=now, amount_minor=new_minor)


async def _book_chargeback(
    tx: Transaction, payment: Any, accounts: Any, sums: _Sums, *, now: datetime
) -> None:
    taken_minor = sums.withdrawn_minor - payment["withdrawn_minor"]
    if taken_minor:
        recipes = [
            postings.chargeback(
                bearer_id=bearer,
                card_clearing_id=accounts["card_clearing"],
                amount_minor=taken_minor,
            )
            for bearer in (accounts["rider"], accounts["platform_costs"])
        ]
        await _bear(tx, payment, recipes, total_minor=sums.withdrawn_minor, now=now)
        books.tell(tx, payment, "payment.charged_back", now=now, amount_minor=taken_minor)
    given_minor = sums.reinstated_minor - payment["reinstated_minor"]
    if given_minor:
        house = await sending_queries.borne_by_house(tx, payment_id=payment["id"])
        recipe = postings.chargeback(
            bearer_id=accounts["platform_costs" if house else "rider"],
            card_clearing_id=accounts["card_clearing"],
            amount_minor=-given_minor,
        )
        await _post(tx, payment, recipe, total_minor=-sums.reinstated_minor, now=now)
        books.tell(tx, payment, "payment.reinstated", now=now, amount_minor=given_minor)


async def _bear(
    tx: Transaction,
    payment: Any,
    recipes: list[Recipe],
    *,
    total_minor: int,
    hold_id: Any = None,
    now: datetime,
) -> None:
    """Book the first recipe, against the rider; what that account cannot bear costs the house."""
    own, house = recipes
    try:
        async with tx.connection.transaction():
            await _post(tx, payment, own, total_minor=total_minor, hold_id=hold_id, now=now)
    except BalanceTooLow:
        await _post(tx, payment, house, total_minor=total_minor, now=now)


async def _post(
    tx: Transaction,
    payment: Any,
    recipe: Recipe,
    *,
    total_minor: int,
    hold_id: Any = None,
    now: datetime,
) -> None:
    """Book a journal of a payment under the sum that is reached by it, which is reached once."""
    await ledger.post(
        tx,
        recipe,
        scope=str(recipe.kind),
        key=f"{payment['id']}:{total_minor}",
        subject_id=payment["id"],
        now=now,
        hold_id=hold_id,
    )
