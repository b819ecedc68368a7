"""Contract clients: opened by staff, for the riders staff authorises, invoiced for whole months."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.ledger import postings
from app.ledger import service as ledger
from app.payments.errors import (
    InvoicePaidBefore,
    InvoiceTooEarly,
    NothingToInvoice,
    RiderHasClient,
)
from app.payments.queries import clients as queries
from app.payments.queries.payments import accounts

TERM = timedelta(days=30)  # for which a client may wait with paying an invoice


async def open_client(
    tx: Transaction,
    *,
    name: str,
    billing_address: str,
    vat_number: str | None,
    limit_minor: int,
    opened_by: UUID,
    now: datetime,
) -> Any:
    """Open a client's account, which goes below zero down to its limit, and return the client."""
    client_id = new_id()
    await queries.insert_client(
        tx,
        client_id=client_id,
        account_id=new_id(),
        name=name,
        billing_address=billing_address,
        vat_number=vat_number,
        limit_minor=limit_minor,
        opened_by=opened_by,
        now=now,
    )
    return await queries.find_client(tx, client_id=client_id)


async def authorise_rider(
    tx: Transaction, *, client_id: UUID, rider_id: UUID, authorised_by: UUID, now: datetime
) -> None:
    """Let a client pay for a rider's rides, from now on.

    Raises:
        NotFound: there is no such client, or no such rider.
        RiderHasClient: a client pays for this rider already.
    """
    if await queries.find_client(tx, client_id=client_id) is None:
        raise NotFound
    try:
        await queries.insert_rider(
            tx,
            client_id=client_id,
            rider_id=rider_id,
            authorised_by=authorised_by,
            now=now,
        )
    except asyncpg.ForeignKeyViolationError as nobody:
        raise NotFound from nobody
    except asyncpg.UniqueViolationError as twice:
        raise RiderHasClient from twice


async def end_rider(tx: Transaction, *, client_id: UUID, rider_id: UUID, now: datetime) -> None:
    """Let a client begin no more payments for a rider; what was booked before is theirs.

    Raises:
        NotFound: the client does not pay for this rider.
    """
    if not await queries.end_rider(tx, client_id=client_id, rider_id=rider_id, now=now):
        raise NotFound


async def issue_invoice(
    tx: Transaction, *, client_id: UUID, month: date, issued_by: UUID, now: datetime
) -> Any:
    """Ask a client for all that was taken over up to a month's end and is on no invoice yet.

    `month` is its first day. Numbers follow each other without a gap. Returns the invoice.

    Raises:
        NotFound: there is no such client.
        InvoiceTooEarly: in the cooperative's time zone.
        NothingToInvoice: nothing was taken over, or more came back.
    """
    if await queries.find_client(tx, client_id=client_id) is None:
        raise NotFound
    ends_at = await queries.end_of_month(tx, month=month)
    if ends_at > now:
        raise InvoiceTooEarly
    # One after the other: a number that was rolled back would leave a gap if others went ahead.
    await queries.wait_to_number(tx)
    invoice_id = new_id()
    charges = await queries.open_charges(tx, client_id=client_id, until=ends_at)
    total_minor = sum(charge["amount_minor"] for charge in charges)
    if total_minor <= 0:
        raise NothingToInvoice
    try:
        await queries.insert_invoice(
            tx,
            invoice_id=invoice_id,
            client_id=client_id,
            month=month,
            total_minor=total_minor,
            due_on=await queries.day_of(tx, at=now) + TERM,
            issued_by=issued_by,
            now=now,
        )
    except asyncpg.UniqueViolationError as twice:
        raise NothingToInvoice from twice
    # These and no others: what was under way at the month's end may have been committed since.
    charge_ids = [charge["id"] for charge in charges]
    await queries.put_on_invoice(tx, invoice_id=invoice_id, charge_ids=charge_ids)
    return await get_invoice(tx, invoice_id=invoice_id)


async def book_invoice_paid(
    tx: Transaction, *, invoice_id: UUID, booked_by: UUID, now: datetime
) -> Any:
    """Book that the whole of an invoice reached the bank, and return it.

    Raises:
        NotFound: there is no such invoice.
        InvoicePaidBefore: as it says.
    """
    invoice = await queries.lock_invoice(tx, invoice_id=invoice_id)
    if invoice is None:
        raise NotFound
    if invoice["paid_at"] is not None:
        raise InvoicePaidBefore
    ids = await accounts(tx, client_id=invoice["client_id"])
    recipe = postings.invoice_paid(
        bank_id=ids["bank"], client_id=ids["client"], amount_minor=invoice["total_minor"]
    )
    journal_id = await ledger.post(
        tx,
        recipe,
        scope="invoice_paid",
        key=str(invoice_id),
        subject_id=invoice_id,
        now=now,
    )
    await queries.mark_paid(
        tx, invoice_id=invoice_id, journal_id=journal_id, paid_by=booked_by, now=now
    )
    return await get_invoice(tx, invoice_id=invoice_id)


async def get_invoice(reader: Transaction, *, invoice_id: UUID) -> Any:
    """Return an invoice with its lines.

    Raises:
        NotFound: there is no such invoice.
    """
    row = await queries.find_invoice(reader, invoice_id=invoice_id)
    if row is None:
        raise NotFound
    return row
