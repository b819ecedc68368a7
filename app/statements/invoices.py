"""Gathers what a client's invoice is made of."""

from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.problems import NotFound
from app.settings import Settings
from app.statements import queries
from app.statements.invoice import Client, Invoice, InvoiceLine
from app.statements.receipt import Issuer


async def read_invoice(reader: Transaction, *, invoice_id: UUID, settings: Settings) -> Invoice:
    """Return an invoice as it was issued, and whether it is paid now.

    Raises:
        NotFound: there is no such invoice.
    """
    async with queries.one_moment(reader):
        row = await queries.find_invoice(reader, invoice_id=invoice_id)
        if row is None:
            raise NotFound
        charges = await queries.list_charges(reader, invoice_id=invoice_id)
    lines = tuple(InvoiceLine.of(dict(charge)) for charge in charges)
    assert sum(line.amount_minor for line in lines) == row["total_minor"], "invoices add up"
    account = settings.payout_iban
    return Invoice(
        id=row["id"],
        number=row["number"],
        month=row["month"],
        issuer=Issuer(
            name=row["cooperative"],
            legal_name=settings.legal_name,
            address=settings.legal_address,
            vat_number=settings.vat_number,
        ),
        client=Client(
            id=row["client_id"],
            name=row["name"],
            billing_address=row["billing_address"],
            vat_number=row["vat_number"],
        ),
        currency=row["currency"],
        time_zone=row["time_zone"],
        issued_at=row["issued_at"],
        due_on=row["due_on"],
        paid_at=row["paid_at"],
        total_minor=row["total_minor"],
        # Who is to pay must read it whole, in groups of four as on any bank's paper.
        pay_to=_grouped(account.get_secret_value()) if account else None,
        lines=lines,
    )


def _grouped(iban: str) -> str:
    plain = "".join(iban.split())
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))
