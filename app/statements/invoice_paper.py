"""An invoice as a PDF: the rides, the tax by rate, what is due, and where to pay it."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.foundation.money import percent, readable
from app.statements.invoice import Charged, Invoice, InvoiceLine
from app.statements.paper import GREY, Head, Paper

_RIDES: Final = (
    Head("Date", 22, is_figure=False),
    Head("Ride", 90, is_figure=False),
    Head("VAT", 16),
    Head("VAT in it", 22),
    Head("Amount", 28),
)
_TAXES: Final = (
    Head("VAT", 76, is_figure=False),
    Head("Without it", 34),
    Head("VAT", 34),
    Head("With it", 34),
)
_LONGEST: Final = 66  # letters that fit beside the date
_WORDS: Final = {
    Charged.RIDE: "{way}",
    Charged.FEE: "{way}: did not take place",
    Charged.TIP: "Tip, whole to the driver: {way}",
    Charged.LATER: "Charged afterwards: {way}",
    Charged.BACK: "Given back: {way}",
}
_REMITTERS: Final = {
    "driver": "The value-added tax in these rides is owed to the state by their drivers.",
    "cooperative": "The value-added tax in these rides is owed to the state by the cooperative.",
}


def invoice_pdf(invoice: Invoice) -> bytes:
    """Return the invoice as a document; the same invoice gives the same bytes."""
    time_zone = ZoneInfo(invoice.time_zone)
    issuer, client = invoice.issuer, invoice.client
    house = issuer.legal_name or issuer.name
    paper = Paper(
        title=f"Invoice {invoice.number}",
        about=f"{house} \N{BULLET} invoice {invoice.number}",
        at=invoice.paid_at or invoice.issued_at,
    )
    paper.masthead(
        house=house,
        title=f"Invoice {invoice.number}",
        under=(
            *_legal(issuer.address, issuer.vat_number),
            f"Issued on {_day(invoice.issued_at, time_zone)}, due on {_date(invoice.due_on)}",
        ),
    )
    paper.heading("To", room_mm=20)
    paper.words(client.name)
    for line in _legal(client.billing_address, client.vat_number):
        paper.words(line)
    paper.heading(f"Rides up to the end of {invoice.month:%m.%Y}, in {invoice.currency}")
    paper.listing(_RIDES, list(_rows(invoice, time_zone)))
    vat_minor = sum(line.vat_minor for line in invoice.lines)
    paper.total(
        _RIDES,
        ["", "Total", "", _amount(invoice, vat_minor), _amount(invoice, invoice.total_minor)],
    )
    _taxes(paper, invoice)
    _payment(paper, invoice, house, time_zone)
    return paper.content()


def _legal(address: str | None, vat_number: str | None) -> tuple[str, ...]:
    lines = (address or "").splitlines()
    return (*lines, f"VAT number {vat_number}") if vat_number else tuple(lines)


def _date(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def _day(at: datetime, time_zone: ZoneInfo) -> str:
    return _date(at.astimezone(time_zone).date())


def _amount(invoice: Invoice, minor: int) -> str:
    return readable(minor, currency=invoice.currency)


def _fitting(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


def _rows(invoice: Invoice, time_zone: ZoneInfo) -> Iterator[list[str]]:
    """Give a row for each line, and one below it for a reference."""
    for line in invoice.lines:
        yield [
            _day(line.at, time_zone),
            _fitting(_what(line)),
            percent(line.vat_bp),
            _amount(invoice, line.vat_minor),
            _amount(invoice, line.amount_minor),
        ]
        if line.reference:
            yield ["", _fitting(f"Your reference: {line.reference}"), "", "", ""]


def _what(line: InvoiceLine) -> str:
    way = f"{line.pickup_name} \N{EN DASH} {line.dropoff_name}"
    return _WORDS[line.what].format(way=way)


def _taxes(paper: Paper, invoice: Invoice) -> None:
    paper.heading("Value-added tax in it")
    paper.listing(
        _TAXES,
        [
            [
                percent(total.rate_bp),
                *(
                    _amount(invoice, minor)
                    for minor in (total.net_minor, total.vat_minor, total.gross_minor)
                ),
            ]
            for total in invoice.vat_totals
        ],
    )
    remitters = dict.fromkeys(line.vat_remitted_by for line in invoice.lines)
    for words in (_REMITTERS[one] for one in remitters if one in _REMITTERS):
        paper.words(words, colour=GREY)


def _payment(paper: Paper, invoice: Invoice, house: str, time_zone: ZoneInfo) -> None:
    paper.heading("What is due", room_mm=24)
    paper.account(((f"Due in {invoice.currency}", _amount(invoice, invoice.due_minor), True),))
    paper.ln(2)
    if invoice.paid_at is not None:
        paper.words(f"Paid on {_day(invoice.paid_at, time_zone)}. Thank you.")
    elif invoice.pay_to is not None:
        paper.words(
            f"Please pay by {_date(invoice.due_on)} to {house}, account {invoice.pay_to}, and name"
            f" invoice {invoice.number}."
        )
    else:
        paper.words(f"Please pay by {_date(invoice.due_on)} and name invoice {invoice.number}.")
