"""What the bank is given: a SEPA file (pain.001.001.09) or, where it takes none, a list."""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID
from xml.etree.ElementTree import SubElement, tostring

from defusedxml.ElementTree import fromstring
from sepaxml import SepaTransfer
from sepaxml.validation import try_valid_xml

from app.foundation.money import decimal
from app.payouts.iban import sepa_text
from app.payouts.rules import EURO, end_to_end_id

FORM: Final = "pain.001.001.09"
_SPACE: Final = f"{{urn:iso:std:iso:20022:tech:xsd:{FORM}}}"
NAME_LENGTH: Final = 70
TEXT_LENGTH: Final = 140


@dataclass(frozen=True, slots=True)
class Payment:
    """One payout as the bank sees it."""

    payout_id: UUID
    holder_name: str
    iban: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """A released batch as the bank sees it: whose account pays what to whom, and when."""

    batch_id: UUID
    debtor_name: str
    debtor_iban: str
    debtor_bic: str | None
    currency: str
    ordered_at: datetime
    execute_on: date
    text: str
    payments: tuple[Payment, ...]


def write_pain001(order: TransferOrder) -> bytes:
    """Return the file for the bank: the same bytes for the same order, valid by its schema.

    In another currency than the euro it is an ordinary transfer without the SEPA service level;
    whether a bank takes that is for the bank to say. Takes about a second for a thousand payments:
    not for the event loop. Refused (ValueError): an order without payments.
    """
    if not order.payments:
        raise ValueError("a file has at least one payment")
    config = {
        "name": sepa_text(order.debtor_name, most=NAME_LENGTH),
        "IBAN": order.debtor_iban,
        "batch": True,
        "currency": order.currency,
        "domestic": order.currency != EURO,
    } | ({"BIC": order.debtor_bic} if order.debtor_bic else {})
    # It cleans texts in place, but lets more letters through than banks do: ours are clean.
    file = SepaTransfer(config, schema=FORM, clean=False)
    for payment in order.payments:
        file.add_payment(
            {
                "name": sepa_text(payment.holder_name, most=NAME_LENGTH),
                "IBAN": payment.iban,
                "amount": payment.amount_minor,
                "execution_date": order.execute_on,
                "description": sepa_text(order.text, most=TEXT_LENGTH),
                "endtoend_id": end_to_end_id(payment.payout_id),
            }
        )
    content = _as_ordered(file.export(validate=False), order)
    try_valid_xml(content, FORM)
    return content


def _as_ordered(drawn: bytes, order: TransferOrder) -> bytes:
    """Put our names and moment where the library put random ones and its clock's.

    Amounts too: the library takes every currency for one with two decimals.
    """
    root = fromstring(drawn)
    for tag, text in (
        ("MsgId", order.batch_id.hex),
        ("PmtInfId", order.batch_id.hex),
        ("CreDtTm", order.ordered_at.strftime("%Y-%m-%dT%H:%M:%S")),
    ):
        [node] = root.iter(f"{_SPACE}{tag}")
        node.text = text
    for node, payment in zip(root.iter(f"{_SPACE}InstdAmt"), order.payments, strict=True):
        node.text = decimal(payment.amount_minor, currency=order.currency)
    total = sum(payment.amount_minor for payment in order.payments)
    for node in root.iter(f"{_SPACE}CtrlSum"):
        node.text = decimal(total, currency=order.currency)
    [payments] = root.iter(f"{_SPACE}PmtInf")
    if order.currency != EURO:  # The shared charges that SEPA asks for are SEPA's alone.
        payments.remove(payments.find(f"{_SPACE}ChrgBr"))
    if order.debtor_bic is None:
        [bank] = payments.iterfind(f"{_SPACE}DbtrAgt/{_SPACE}FinInstnId")
        SubElement(SubElement(bank, f"{_SPACE}Othr"), f"{_SPACE}Id").text = "NOTPROVIDED"
    # The library has registered this namespace as the one without a prefix.
    written: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + written


def write_list(order: TransferOrder) -> str:
    """Return the payments as CSV, to be typed in or to be read by a bank's own program."""
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow(("reference", "holder_name", "iban", "amount", "currency", "text"))
    sheet.writerows(
        (
            end_to_end_id(payment.payout_id),
            sepa_text(payment.holder_name, most=NAME_LENGTH),
            payment.iban,
            decimal(payment.amount_minor, currency=order.currency),
            order.currency,
            sepa_text(order.text, most=TEXT_LENGTH),
        )
        for payment in order.payments
    )
    return text.getvalue()
