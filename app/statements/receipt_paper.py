"""A receipt as a PDF: what the ride cost, the tax in it, and where every cent went."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.foundation.money import percent, readable
from app.statements.earnings_paper import share_words
from app.statements.paper import AMBER, BLUE, GREEN, GREY, PALE, Paper, Part
from app.statements.receipt import Receipt

_ITEMS: Final = {
    "base": "Base price",
    "distance": "Distance",
    "time": "Time",
    "minimum": "Up to the least price",
    "fixed": "Fixed price",
    "night": "At night",
    "zone": "Zone",
    "surge": "Few drivers near",
    "shared": "Shared ride",
    "legal_most": "Down to the legal most",
    "legal_least": "Up to the legal least",
    "airport": "Airport fee, laid out by the driver",
    "toll": "Toll, laid out by the driver",
    "tax": "Tax",
    "waiting": "Waiting",
    "cancellation": "Late cancellation",
    "no_show": "Nobody came to the car",
}
_METHODS: Final = {
    "balance": "on your account with the cooperative",
    "card": "by card",
    "cash": "in cash, to the driver",
    "invoice": "by invoice",
}
_STATES: Final = {
    "wanted": "under way",
    "authorised": "set aside",
    "on_account": "owed",
    "captured": "paid",
    "refunded": "given back",
    "charged_back": "taken back by your bank",
    "failed": "could not be had",
}
_REMITTERS: Final = {
    "driver": "The driver owes it to the state.",
    "cooperative": "The cooperative owes it to the state, and keeps it apart until it is paid.",
}
_REFUNDS: Final = {"reversal": "Taken back", "fare_share": "Taken over by others who rode along"}


def receipt_pdf(receipt: Receipt) -> bytes:
    """Return the receipt as a document; the same receipt gives the same bytes."""
    time_zone = ZoneInfo(receipt.time_zone)
    issuer = receipt.issuer
    paper = Paper(
        title=f"Receipt {receipt.ride_id}",
        about=f"{issuer.legal_name or issuer.name} \N{BULLET} receipt {receipt.ride_id}",
        at=receipt.settled_at,
    )
    legal = (issuer.address, f"VAT number {issuer.vat_number}" if issuer.vat_number else None)
    paper.masthead(
        house=issuer.legal_name or issuer.name,
        title="Receipt",
        under=(
            *(line for line in legal if line),
            f"Number {receipt.ride_id}",
            _way(receipt, time_zone),
            f"Driven by {receipt.driver_name} \N{BULLET} {receipt.car}",
        ),
    )
    _costs(paper, receipt, time_zone)
    _parts(paper, receipt, time_zone)
    _seal(paper, receipt)
    return paper.content()


def _moment(at: datetime, time_zone: ZoneInfo) -> str:
    return f"{at.astimezone(time_zone):%d.%m.%Y %H:%M}"


def _way(receipt: Receipt, time_zone: ZoneInfo) -> str:
    ends = f"{receipt.pickup_name} \N{EN DASH} {receipt.dropoff_name}"
    if receipt.kind == "fee":
        return f"{ends}, {_moment(receipt.ended_at, time_zone)}: this ride did not take place"
    times = f"{_moment(receipt.started_at or receipt.ended_at, time_zone)}"
    ended = f"{receipt.ended_at.astimezone(time_zone):%H:%M}"
    return f"{ends}, {receipt.distance_m / 1000:.1f} km, {times} \N{EN DASH} {ended}"


def _costs(paper: Paper, receipt: Receipt, time_zone: ZoneInfo) -> None:
    charges, currency, vat = receipt.charges, receipt.currency, receipt.vat

    def amount(value: int) -> str:
        return readable(value, currency=currency)

    rows = [
        (_ITEMS.get(code, code.replace("_", " ").capitalize()), amount(value), False)
        for code, value in receipt.items
        if value
    ]
    what = "Fare" if receipt.kind == "fare" else "Fee"
    rows.append((what, amount(charges.first_minor), True))
    if charges.tips_minor:
        rows.append(("Tip, whole to the driver", amount(charges.tips_minor), False))
    if charges.later_minor:
        rows.append(("Charged afterwards", amount(charges.later_minor), False))
    for refund in charges.refunds:
        why = f": {' '.join(refund.reason.split())[:70]}" if refund.reason else ""
        named = _REFUNDS.get(refund.kind, "Given back")
        when = f"{refund.at.astimezone(time_zone):%d.%m.%Y}"
        rows.append((f"{named} on {when}{why}", amount(-refund.amount_minor), False))
    rows.append((f"Total in {currency}", amount(charges.total_minor), True))
    paper.account(rows)
    paper.ln(2)
    for payment in receipt.payments:
        method = _METHODS.get(payment.method, payment.method)
        state = _STATES.get(payment.state, payment.state)
        paper.words(f"{amount(payment.amount_minor)} {method}: {state}.", colour=GREY)
    if vat.rate_bp:
        paper.words(
            f"The fare includes {percent(vat.rate_bp)} value-added tax, {currency}"
            f" {amount(vat.amount_minor)}. {_REMITTERS.get(vat.remitted_by, '')}",
            colour=GREY,
        )
    else:
        paper.words("No value-added tax is in this fare.", colour=GREY)


def _parts(paper: Paper, receipt: Receipt, time_zone: ZoneInfo) -> None:
    split, charges = receipt.charges.split, receipt.charges
    # A tip that was taken back is no more in what the driver has.
    tips = min(charges.tips_minor, max(split.driver_minor, 0))
    parts = [
        ("The driver, of the fare", split.driver_minor - tips, GREEN),
        ("The driver, tip", tips, BLUE),
        ("The cooperative", split.cooperative_minor, AMBER),
        ("Passed on to others", split.passed_on_minor, PALE),
    ]
    paper.heading(f"Where each {receipt.currency} went")
    paper.bar(
        [
            Part(name, size, readable(size, currency=receipt.currency), tone)
            for name, size, tone in parts
        ]
    )
    if split.others_paid_minor > 0:
        others = readable(split.others_paid_minor, currency=receipt.currency)
        paper.words(f"Of this others who rode along paid {others}.")
    paper.words("What the cooperative takes of a fare is what its members decided:")
    paper.words(share_words(receipt.share, time_zone=time_zone))


def _seal(paper: Paper, receipt: Receipt) -> None:
    paper.heading("In the books", room_mm=20)
    if receipt.seal is None:
        paper.words("The entry of this ride is booked and not sealed yet; that takes moments.")
        return
    paper.words(
        f"Sealed in block {receipt.seal.height}, whose root is {receipt.seal.root}. The receipt's"
        " JSON has the proof, which meent-verify checks without asking the cooperative."
    )
