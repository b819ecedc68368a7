"""What other rooms ask of payments, inside their own transaction; a worker talks to providers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.ledger import service as ledger
from app.ledger.errors import BalanceTooLow
from app.ledger.refusals import refusing
from app.payments import books
from app.payments.errors import (
    CashLimitReached,
    ClientLimitReached,
    FundOwed,
    NoCard,
    NoClient,
    PaymentNotOpen,
)
from app.payments.queries import payments as queries
from app.payments.rules import AUTHORISE_AHEAD, Act, Kind, Method, PaymentState

_STILL_OPEN = (PaymentState.WANTED, PaymentState.AUTHORISED)
_OWED = (PaymentState.FAILED, PaymentState.ON_ACCOUNT)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A payment to be entered."""

    ride_id: UUID
    rider_id: UUID
    kind: Kind
    key: str | None
    amount_minor: int


async def begin(
    tx: Transaction,
    *,
    ride_id: UUID,
    rider_id: UUID,
    method: str,
    amount_minor: int,
    client_id: UUID | None = None,
    now: datetime,
) -> None:
    """Note how a ride that was just stored will be paid, up to `amount_minor`.

    A card is asked by a worker: at once, or near the pickup of a ride that was booked ahead. A
    client's account sets the amount aside: that of `client_id` if a person of ours chose it, else
    that of the client who pays for this rider. Cash is set aside once a driver accepts.

    Raises:
        NoCard: the rider has registered none.
        FundOwed: the solidarity fund paid what a card did not, and has not got it back.
        NoClient: nobody is invoiced for this rider, or the chosen client is not ours any more.
        ClientLimitReached: the client's account does not reach.
    """
    wanted = Wanted(ride_id, rider_id, Kind.RIDE, None, amount_minor)
    match Method(method):
        case Method.CARD:
            card = await queries.default_method(tx, member_id=rider_id)
            if card is None:
                raise NoCard
            if await queries.owed_to_fund(tx, rider_id=rider_id) > 0:
                raise FundOwed
            pickup = await queries.pickup_from(tx, ride_id=ride_id)
            due_at = now if pickup is None else max(now, pickup - AUTHORISE_AHEAD)
            await _begin_card(tx, wanted, card=card, due_at=due_at, now=now)
        case Method.INVOICE:
            await _begin_invoice(tx, wanted, client_id=client_id, now=now)
        case Method.BALANCE | Method.CASH as plain:
            await _insert(tx, wanted, method=plain, now=now)


async def reserve(tx: Transaction, *, ride_id: UUID, driver_id: UUID, now: datetime) -> None:
    """Set aside, on the account of the driver who accepts a cash ride, what they will be given.

    Whatever the driver owes by then, taking the cash at the end is never refused for it.

    Raises:
        CashLimitReached: the driver owes as much as the rule in force lets them.
    """
    payment = await queries.lock_ride_payment(tx, ride_id=ride_id)
    if payment is None or payment["method"] != Method.CASH:
        return
    await queries.let_driver_owe(tx, driver_id=driver_id)
    accounts = await queries.accounts(tx, driver_id=driver_id)
    try:
        hold_id = await _set_aside(
            tx, account_id=accounts["driver"], amount_minor=payment["amount_minor"], now=now
        )
    except BalanceTooLow as refused:
        raise CashLimitReached from refused
    await queries.keep_hold(tx, payment_id=payment["id"], hold_id=hold_id)


async def release_reserve(tx: Transaction, *, ride_id: UUID, now: datetime) -> None:
    """Let go what was set aside on the account of a driver who gave a cash ride back."""
    payment = await queries.lock_ride_payment(tx, ride_id=ride_id)
    if payment is not None and payment["method"] == Method.CASH:
        await _let_go(tx, payment, now=now)


async def settle(
    tx: Transaction,
    *,
    ride_id: UUID,
    rider_id: UUID,
    driver_id: UUID,
    amount_minor: int,
    took_place: bool,
    now: datetime,
) -> int:
    """Take what a ride cost, which its journal has just put on the rider's account.

    A card is captured by a worker. Cash and clients pay at once; nobody gave the driver cash for a
    ride that did not take place, so that its fee stays on the rider's account. What is above the
    authorisation, or above what was set aside and the limit, is charged as an extra. What cannot be
    had stands as a failed payment, and remains the rider's debt: a ride's end is never refused for
    its payment. Returns how much the driver has taken in cash.
    """
    payment = await queries.lock_ride_payment(tx, ride_id=ride_id)
    if payment is None or payment["state"] not in (*_STILL_OPEN, PaymentState.FAILED):
        return 0
    if amount_minor == 0:
        await drop(tx, ride_id=ride_id, now=now)
        return 0
    taken_minor, cash_minor = amount_minor, 0
    match Method(payment["method"]):
        case Method.CARD:
            taken_minor = await _take_from_card(tx, payment, amount_minor=amount_minor, now=now)
        case Method.CASH if took_place:
            taken_minor = cash_minor = await books.take_cash(
                tx, payment, driver_id=driver_id, amount_minor=amount_minor, now=now
            )
        case Method.INVOICE:
            taken_minor = await books.take_over(tx, payment, amount_minor=amount_minor, now=now)
        case Method.BALANCE | Method.CASH:
            await _let_go(tx, payment, now=now)
            await queries.update_payment(
                tx,
                payment_id=payment["id"],
                state=PaymentState.ON_ACCOUNT,
                amount_minor=amount_minor,
                now=now,
            )
    if 0 < taken_minor < amount_minor:
        await charge(
            tx,
            ride_id=ride_id,
            rider_id=rider_id,
            key="above",
            amount_minor=amount_minor - taken_minor,
            now=now,
        )
    return cash_minor


async def _take_from_card(
    tx: Transaction, payment: Any, *, amount_minor: int, now: datetime
) -> int:
    """Let a worker capture it as far as it was authorised; return how much that is."""
    taken_minor = min(amount_minor, int(payment["amount_minor"]))
    await queries.update_payment(
        tx, payment_id=payment["id"], state=payment["state"], amount_minor=taken_minor, now=now
    )
    if payment["state"] != PaymentState.FAILED:
        await queries.hasten(tx, payment_id=payment["id"], now=now)
        await _capture(tx, payment["id"], amount_minor=taken_minor, now=now)
    return taken_minor


async def drop(tx: Transaction, *, ride_id: UUID, now: datetime) -> None:
    """Let go all that was set aside for a ride of which nothing is owed."""
    payment = await queries.lock_ride_payment(tx, ride_id=ride_id)
    if payment is None or payment["state"] not in (*_STILL_OPEN, PaymentState.FAILED):
        return
    await _let_go(tx, payment, now=now)
    if payment["method"] == Method.CARD:
        under_way = await queries.drop_unsent(tx, payment_id=payment["id"], now=now)
        # What was sent and not answered may have been done: then it is voided after its answer.
        if under_way or payment["state"] == PaymentState.AUTHORISED:
            await queries.give_command(
                tx,
                command_id=new_id(),
                payment_id=payment["id"],
                act=Act.VOID,
                key=f"{payment['id']}:void",
                amount_minor=0,
                due_at=now,
            )
    await queries.update_payment(
        tx, payment_id=payment["id"], state=PaymentState.VOIDED, amount_minor=0, now=now
    )


async def charge(
    tx: Transaction, *, ride_id: UUID, rider_id: UUID, key: str, amount_minor: int, now: datetime
) -> None:
    """Take more for a settled ride, once for each key: a journal has put it on the rider's account.

    By the card or the client who pays for the ride; otherwise it stays on the rider's account.
    """
    payment = await queries.lock_ride_payment(tx, ride_id=ride_id)
    method = Method.BALANCE if payment is None else Method(payment["method"])
    wanted = Wanted(ride_id, rider_id, Kind.EXTRA, key, amount_minor)
    card = None
    if method is Method.CARD:
        card = await queries.default_method(tx, member_id=rider_id)
    if card is not None:
        await charge_card(tx, wanted, card=card, now=now)
    elif method is Method.INVOICE and payment is not None:
        extra_id = await _insert(
            tx, wanted, method=Method.INVOICE, client_id=payment["client_id"], now=now
        )
        extra = extra_id and await queries.lock_payment(tx, payment_id=extra_id)
        if extra is not None:
            await books.take_over(tx, extra, amount_minor=amount_minor, now=now)
    else:
        extra_id = await _insert(tx, wanted, method=Method.BALANCE, now=now)
        if extra_id is not None:
            await queries.update_payment(
                tx, payment_id=extra_id, state=PaymentState.ON_ACCOUNT, now=now
            )


async def refund(
    tx: Transaction, *, ride_id: UUID, rider_id: UUID, key: str, amount_minor: int, now: datetime
) -> None:
    """Let money go back the way it came, once for each key: a journal has just credited the rider.

    To the card by a worker, until when it is set aside on the rider's account; to the client at
    once. What was paid in cash or from the account stays on the rider's account, and so does what
    exceeds what was paid otherwise.
    """
    if await queries.refunded_before(tx, ride_id=ride_id, key=key):
        return
    left_minor = amount_minor
    for payment in await queries.lock_paid(tx, ride_id=ride_id, rider_id=rider_id):
        part_minor = min(left_minor, payment["refundable_minor"])
        if part_minor == 0:
            break
        if payment["method"] == Method.CARD:
            await books.order_refund(tx, payment, amount_minor=part_minor, key=key, now=now)
        elif payment["method"] == Method.INVOICE:
            await books.give_back(tx, payment, amount_minor=part_minor, key=key, now=now)
        else:
            continue
        left_minor -= part_minor


async def retry(tx: Transaction, *, payment_id: UUID, rider_id: UUID, now: datetime) -> UUID:
    """Charge the rider's default card for what failed or stands on account; return the new payment.

    No more is charged than the rider still owes for the ride: a part of it may have been given back
    or taken over by others since.

    Raises:
        NotFound: it is not this rider's.
        PaymentNotOpen: it is neither, was charged so before, or nothing is owed for the ride, as
            before its end.
        NoCard: the rider has registered none.
    """
    payment = await queries.lock_payment(tx, payment_id=payment_id)
    if payment is None or payment["rider_id"] != rider_id:
        raise NotFound
    owed_minor = await queries.owed_for_ride(tx, ride_id=payment["ride_id"], rider_id=rider_id)
    due_minor = min(payment["amount_minor"], owed_minor)
    if payment["state"] not in _OWED or due_minor <= 0:
        raise PaymentNotOpen
    card = await queries.default_method(tx, member_id=rider_id)
    if card is None:
        raise NoCard
    if payment["state"] == PaymentState.FAILED:
        await queries.update_payment(tx, payment_id=payment_id, state=PaymentState.VOIDED, now=now)
    wanted = Wanted(payment["ride_id"], rider_id, Kind.EXTRA, f"retry:{payment_id}", due_minor)
    new_payment_id = await charge_card(tx, wanted, card=card, now=now)
    if new_payment_id is None:
        raise PaymentNotOpen
    return new_payment_id


async def charge_card(tx: Transaction, wanted: Wanted, *, card: Any, now: datetime) -> UUID | None:
    """Enter an extra payment by card that is authorised and captured as soon as can be, once."""
    payment_id = await _begin_card(tx, wanted, card=card, due_at=now, now=now)
    if payment_id is not None:
        await _capture(tx, payment_id, amount_minor=wanted.amount_minor, now=now)
    return payment_id


async def _begin_card(
    tx: Transaction, wanted: Wanted, *, card: Any, due_at: datetime, now: datetime
) -> UUID | None:
    payment_id = await _insert(
        tx,
        wanted,
        method=Method.CARD,
        payment_method_id=card["id"],
        provider=card["provider"],
        now=now,
    )
    if payment_id is not None:
        await queries.give_command(
            tx,
            command_id=new_id(),
            payment_id=payment_id,
            act=Act.AUTHORISE,
            key=f"{payment_id}:authorise",
            amount_minor=wanted.amount_minor,
            due_at=due_at,
        )
    return payment_id


async def _begin_invoice(
    tx: Transaction, wanted: Wanted, *, client_id: UUID | None, now: datetime
) -> None:
    if client_id is None:
        client_id = await queries.client_of(tx, rider_id=wanted.rider_id)
    elif not await queries.is_open_client(tx, client_id=client_id):
        raise NoClient
    if client_id is None:
        raise NoClient
    accounts = await queries.accounts(tx, client_id=client_id)
    try:
        hold_id = await _set_aside(
            tx, account_id=accounts["client"], amount_minor=wanted.amount_minor, now=now
        )
    except BalanceTooLow as refused:
        raise ClientLimitReached from refused
    await _insert(tx, wanted, method=Method.INVOICE, client_id=client_id, hold_id=hold_id, now=now)


async def _insert(
    tx: Transaction, wanted: Wanted, *, method: Method, now: datetime, **more: Any
) -> UUID | None:
    """Enter a payment and return its id; None where there is one under its key."""
    payment_id = new_id()
    entered = await queries.insert_payment(
        tx,
        payment_id=payment_id,
        ride_id=wanted.ride_id,
        rider_id=wanted.rider_id,
        kind=wanted.kind,
        key=wanted.key,
        method=method,
        amount_minor=wanted.amount_minor,
        now=now,
        **more,
    )
    return payment_id if entered else None


async def _capture(tx: Transaction, payment_id: UUID, *, amount_minor: int, now: datetime) -> None:
    await queries.give_command(
        tx,
        command_id=new_id(),
        payment_id=payment_id,
        act=Act.CAPTURE,
        key=f"{payment_id}:capture",
        amount_minor=amount_minor,
        due_at=now,
    )


async def _set_aside(
    tx: Transaction, *, account_id: UUID, amount_minor: int, now: datetime
) -> UUID:
    hold_id = new_id()
    with refusing():
        await queries.place_hold(
            tx, hold_id=hold_id, account_id=account_id, amount_minor=amount_minor, now=now
        )
    return hold_id


async def _let_go(tx: Transaction, payment: Any, *, now: datetime) -> None:
    """Let go what is set aside on the driver's or the client's account, if anything is."""
    if payment["hold_id"] is not None:
        await ledger.release_fare(tx, hold_id=payment["hold_id"], now=now)
        await queries.keep_hold(tx, payment_id=payment["id"], hold_id=None)
