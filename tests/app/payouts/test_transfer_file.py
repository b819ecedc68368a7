"""Promises about what the bank is given."""

import csv
import io
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
import sepaxml
import xmlschema
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from app.foundation.money import decimal
from app.payouts.rules import end_to_end_id
from app.payouts.transfer_file import FORM, Payment, TransferOrder, write_list, write_pain001
from tests.app.payouts.till import OWN_IBAN, some_iban

ORDER = TransferOrder(
    batch_id=UUID(int=7),
    debtor_name="Fahrgenossenschaft Rheintal e. Gen.",
    debtor_iban=OWN_IBAN,
    debtor_bic="BLFLLI2XXXX",
    currency="EUR",
    ordered_at=datetime(2026, 5, 22, 9, tzinfo=UTC),
    execute_on=date(2026, 5, 23),
    text="Fahrgenossenschaft Rheintal: earned up to 2026-05-22",
    payments=(),
)


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    path = Path(sepaxml.__file__).parent / "schemas" / f"{FORM}.xsd"
    return xmlschema.XMLSchema(path)


def order(*amounts: int) -> TransferOrder:
    payments = tuple(
        Payment(UUID(int=1000 + number), f"Zoë Müller {number}", some_iban(number), amount_minor)
        for number, amount_minor in enumerate(amounts)
    )
    return replace(ORDER, payments=payments)


def test_a_file_of_a_thousand_payments_is_valid_by_its_schema_and_adds_up(
    schema: xmlschema.XMLSchema,
) -> None:
    amounts = [100 + 37 * number for number in range(1000)]
    asked = order(*amounts)

    began = time.perf_counter()
    content = write_pain001(asked)
    took_s = time.perf_counter() - began

    schema.validate(content.decode())
    root = fromstring(content)
    sums = [node.text for node in root.iterfind(".//{*}CtrlSum")]
    counts = [node.text for node in root.iterfind(".//{*}NbOfTxs")]
    assert sums == [decimal(sum(amounts), currency="EUR")] * 2
    assert counts == ["1000"] * 2
    names = [node.text for node in root.iterfind(".//{*}EndToEndId")]
    assert names == [end_to_end_id(payment.payout_id) for payment in asked.payments]
    assert took_s < 30


def test_the_same_order_gives_the_same_bytes_for_ever() -> None:
    assert write_pain001(order(100, 5, 1)) == write_pain001(order(100, 5, 1))


def test_the_file_says_what_was_ordered(schema: xmlschema.XMLSchema) -> None:
    content = write_pain001(order(4_205))

    root = fromstring(content)
    said = {tag: root.findtext(f".//{{*}}{tag}") for tag in ("MsgId", "CreDtTm", "InstdAmt", "Dt")}
    assert said == {
        "MsgId": ORDER.batch_id.hex,
        "CreDtTm": "2026-05-22T09:00:00",
        "InstdAmt": "42.05",
        "Dt": "2026-05-23",
    }
    assert root.findtext(".//{*}SvcLvl/{*}Cd") == "SEPA"
    assert root.findtext(".//{*}Cdtr/{*}Nm") == "Zoe Muller 0"
    assert root.find(".//{*}InstdAmt").get("Ccy") == "EUR"
    assert root.find(".//{*}PstlAdr") is None


def test_another_currency_is_an_ordinary_transfer_without_sepas_own_terms(
    schema: xmlschema.XMLSchema,
) -> None:
    content = write_pain001(replace(order(4_205), currency="CHF"))

    schema.validate(content.decode())
    root = fromstring(content)
    assert root.find(".//{*}SvcLvl") is None
    assert root.find(".//{*}ChrgBr") is None
    assert root.find(".//{*}InstdAmt").get("Ccy") == "CHF"


@pytest.mark.parametrize(
    ("currency", "each", "total"),
    [("JPY", "4205", "4305"), ("KWD", "4.205", "4.305"), ("CHF", "42.05", "43.05")],
)
def test_an_amount_has_the_decimals_of_its_currency_in_the_file_and_in_the_list(
    schema: xmlschema.XMLSchema, currency: str, each: str, total: str
) -> None:
    asked = replace(order(4_205, 100), currency=currency)

    content = write_pain001(asked)

    schema.validate(content.decode())
    root = fromstring(content)
    assert root.findtext(".//{*}InstdAmt") == each
    assert {node.text for node in root.iterfind(".//{*}CtrlSum")} == {total}
    assert next(csv.DictReader(io.StringIO(write_list(asked))))["amount"] == each


def test_a_bank_without_a_known_bic_is_named_as_not_provided(schema: xmlschema.XMLSchema) -> None:
    content = write_pain001(replace(order(1), debtor_bic=None))

    schema.validate(content.decode())
    assert fromstring(content).findtext(".//{*}DbtrAgt/{*}FinInstnId/{*}Othr/{*}Id") == (
        "NOTPROVIDED"
    )


def test_an_order_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one payment"):
        write_pain001(ORDER)


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(1, 10**11), min_size=1, max_size=20))
def test_no_cent_is_lost_between_the_order_and_the_file(amounts: list[int]) -> None:
    root = fromstring(write_pain001(order(*amounts)))

    written = [node.text for node in root.iterfind(".//{*}InstdAmt")]
    assert written == [decimal(amount_minor, currency="EUR") for amount_minor in amounts]
    assert root.findtext(".//{*}GrpHdr/{*}CtrlSum") == decimal(sum(amounts), currency="EUR")


def test_the_list_says_the_same_as_the_file_and_holds_no_formulas() -> None:
    asked = replace(
        order(4_205), payments=(Payment(UUID(int=1), "=HYPERLINK(1)", some_iban(1), 4_205),)
    )

    [line] = csv.DictReader(io.StringIO(write_list(asked)))

    assert line["reference"] == UUID(int=1).hex
    assert line["iban"] == some_iban(1)
    assert (line["amount"], line["currency"]) == ("42.05", "EUR")
    assert line["holder_name"] == "HYPERLINK(1)"
