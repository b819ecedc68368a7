"""Statements about contract clients and their invoices."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.ids import new_id

_NUMBERING = 730_001  # the lock of whoever numbers an invoice

_CLIENT = """
select c.id, c.name, c.billing_address, c.vat_number, c.limit_minor, c.opened_at, c.ended_at,
  -b.posted_minor as owed_minor, b.held_minor, a.currency,
  (select count(*) from contract_rider r where r.client_id = c.id and r.ended_at is null) as riders
from contract_client c join account a on a.id = c.account_id
join balance b on b.account_id = c.account_id
"""
_INVOICE = """
select i.id, i.number, i.client_id, c.name, c.billing_address, c.vat_number, i.month,
  i.total_minor, i.due_on, i.issued_at, i.paid_at, a.currency,
  (select jsonb_agg(jsonb_build_object('payment_id', x.payment_id, 'ride_id', p.ride_id,
     'amount_minor', x.amount_minor, 'booked_at', x.booked_at) order by x.id)
   from client_charge x join payment p on p.id = x.payment_id where x.invoice_id = i.id) as lines
from invoice i join contract_client c on c.id = i.client_id join account a on a.id = c.account_id
"""


async def insert_client(
    tx: Transaction,
    *,
    client_id: UUID,
    account_id: UUID,
    name: str,
    billing_address: str,
    vat_number: str | None,
    limit_minor: int,
    opened_by: UUID,
    now: datetime,
) -> None:
    """Open a client's account and enter the client."""
    await tx.execute(
        "select open_partner_account($1, 'contract_client', $2,"
        " (select currency from cooperative), $3, $4)",
        account_id,
        client_id,
        -limit_minor,
        now,
    )
    await tx.execute(
        "insert into contract_client (id, name, billing_address, vat_number, limit_minor,"
        " account_id, opened_by, opened_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        client_id,
        name,
        billing_address,
        vat_number,
        limit_minor,
        account_id,
        opened_by,
        now,
    )


async def find_client(reader: Transaction, *, client_id: UUID) -> Any | None:
    """Return a client as it is shown, or None."""
    return await reader.row(f"{_CLIENT} where c.id = $1", client_id)


async def list_clients(reader: Transaction, *, before: UUID | None, limit: int) -> list[Any]:
    """Return clients as they are shown, the newest first."""
    return await reader.rows(
        f"{_CLIENT} where $1::uuid is null or c.id < $1 order by c.id desc limit $2", before, limit
    )


async def insert_rider(
    tx: Transaction, *, client_id: UUID, rider_id: UUID, authorised_by: UUID, now: datetime
) -> None:
    """Enter that a client pays for a rider."""
    await tx.execute(
        "insert into contract_rider (id, client_id, rider_id, authorised_by, since)"
        " values ($1, $2, $3, $4, $5)",
        new_id(),
        client_id,
        rider_id,
        authorised_by,
        now,
    )


async def end_rider(tx: Transaction, *, client_id: UUID, rider_id: UUID, now: datetime) -> bool:
    """End that a client pays for a rider; False if it does not."""
    return bool(
        await tx.value(
            "update contract_rider set ended_at = $3 where client_id = $1 and rider_id = $2"
            " and ended_at is null returning true",
            client_id,
            rider_id,
            now,
        )
    )


async def day_of(reader: Transaction, *, at: datetime) -> date:
    """Return which day a moment is on in the cooperative's time zone."""
    day: date = await reader.value(
        "select ($1::timestamptz at time zone time_zone)::date from cooperative", at
    )
    return day


async def end_of_month(reader: Transaction, *, month: date) -> datetime:
    """Return when a month ends in the cooperative's time zone."""
    ends: datetime = await reader.value(
        "select ($1::date + interval '1 month') at time zone time_zone from cooperative", month
    )
    return ends


async def wait_to_number(tx: Transaction) -> None:
    """Let one invoice be numbered after the other."""
    await tx.execute("select pg_advisory_xact_lock($1)", _NUMBERING)


async def open_charges(tx: Transaction, *, client_id: UUID, until: datetime) -> list[Any]:
    """Return id and amount_minor of what was taken over before a moment, not invoiced; locked."""
    return await tx.rows(
        "select id, amount_minor from client_charge where client_id = $1 and invoice_id is null"
        " and booked_at < $2 order by id for no key update",
        client_id,
        until,
    )


async def insert_invoice(
    tx: Transaction,
    *,
    invoice_id: UUID,
    client_id: UUID,
    month: date,
    total_minor: int,
    due_on: date,
    issued_by: UUID,
    now: datetime,
) -> None:
    """Enter an invoice under the next number."""
    await tx.execute(
        "insert into invoice (id, number, client_id, month, total_minor, due_on, issued_by,"
        " issued_at) select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7 from invoice",
        invoice_id,
        client_id,
        month,
        total_minor,
        due_on,
        issued_by,
        now,
    )


async def put_on_invoice(tx: Transaction, *, invoice_id: UUID, charge_ids: Sequence[UUID]) -> None:
    """Put these charges on an invoice."""
    await tx.execute(
        "update client_charge set invoice_id = $1 where id = any($2)", invoice_id, charge_ids
    )


async def lock_invoice(tx: Transaction, *, invoice_id: UUID) -> Any | None:
    """Return an invoice, and let nobody else book it meanwhile; None if there is no such."""
    return await tx.row("select * from invoice where id = $1 for no key update", invoice_id)


async def mark_paid(
    tx: Transaction, *, invoice_id: UUID, journal_id: int, paid_by: UUID, now: datetime
) -> None:
    """Write down by which journal an invoice was paid."""
    await tx.execute(
        "update invoice set paid_at = $2, paid_by = $3, paid_journal_id = $4 where id = $1",
        invoice_id,
        now,
        paid_by,
        journal_id,
    )


async def find_invoice(reader: Transaction, *, invoice_id: UUID) -> Any | None:
    """Return an invoice with its lines as it is shown, or None."""
    return await reader.row(f"{_INVOICE} where i.id = $1", invoice_id)


async def list_invoices(
    reader: Transaction, *, client_id: UUID, before: UUID | None, limit: int
) -> list[Any]:
    """Return a client's invoices with their lines, the newest first."""
    return await reader.rows(
        f"{_INVOICE} where i.client_id = $1 and ($2::uuid is null or i.id < $2)"
        " order by i.id desc limit $3",
        client_id,
        before,
        limit,
    )
