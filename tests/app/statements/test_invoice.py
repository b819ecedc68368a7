"""A client's invoice: every ride, the tax as it was settled, and the stored sum to the cent."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.money import readable
from app.members.roles import Role
from app.settings import Settings
from app.statements.invoice import Client, Invoice, InvoiceLine, part_of
from app.statements.invoice_paper import invoice_pdf
from app.statements.receipt import Issuer
from tests.app.fares.acts import put_in_force
from tests.app.guests.desk import Desk, make_desk, member_with
from tests.app.payments.acts import CLIENT
from tests.app.statements.made import texts_of
from tests.conftest import StandingClock
from tests.factories import Person, make_member
from tests.steps import slug, take

IBAN = "LI21088100002324013AA"
WHOLE = ("arrive", "start", "complete")
VAT = {"rate_bp": 810, "remitted_by": "cooperative"}
TOLL = [{"name": "Tunnel", "code": "toll", "amount_minor": 300}]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "legal_name": "Meent Łąka eG",
            "legal_address": "Städtle 1, 9490 Vaduz",
            "vat_number": "LI12345",
            "payout_iban": type(settings).model_validate({"payout_iban": IBAN}).payout_iban,
        }
    )


@pytest.fixture
async def desk(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    settings: Settings,
) -> Desk:
    return await make_desk(app, client, owner, clock, settings)


@pytest.fixture
async def staff(desk: Desk) -> Person:
    return await make_member(desk.owner, Role.STAFF, now=desk.clock.now())


async def issue(desk: Desk, staff: Person, client_id: str) -> dict[str, Any]:
    """The invoice of the month, some days after its end."""
    desk.clock.pass_time(20 * 24 * 3600)
    await desk.owner.execute("update session set access_expires_at = access_expires_at + '1 y'")
    path = f"/v1/contract-clients/{client_id}/invoices"
    answer = await take(desk.client, staff, path, month="2026-05")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def shown(desk: Desk, staff: Person, invoice_id: str) -> dict[str, Any]:
    answer = await desk.client.get(f"/v1/invoices/{invoice_id}", headers=staff.headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def drawn(desk: Desk, staff: Person, invoice_id: str) -> bytes:
    answer = await desk.client.get(f"/v1/invoices/{invoice_id}.pdf", headers=staff.headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


async def test_an_invoice_says_rides_tax_and_where_to_pay_and_adds_up_to_its_stored_sum(
    desk: Desk, staff: Person
) -> None:
    await put_in_force(desk.client, desk.owner, desk.clock, vat=VAT, charges=TOLL)
    client_id = await desk.client_of_ours()
    terms = {"payment_method": "invoice", "client_id": client_id}
    ride = await desk.book(await desk.guest(), **terms, reference="Ward 3")
    await desk.drive(ride, *WHOLE)
    member = await member_with(desk)
    tipped = await desk.book(await desk.guest(phone=member.phone), **terms)
    await desk.drive(tipped, *WHOLE)
    tip = await take(desk.client, member, f"/v1/rides/{tipped['id']}/tips", amount_minor=200)
    assert tip.is_success, tip.text
    issued = await issue(desk, staff, client_id)

    got = await shown(desk, staff, issued["id"])
    texts = texts_of(await drawn(desk, staff, issued["id"]))

    fare = ride["fare_minor"]
    own = fare - 300
    vat = (2 * own * 810 + 10_810) // (2 * 10_810)
    stored = await desk.owner.fetchval("select total_minor from invoice")
    assert got["total_minor"] == got["due_minor"] == stored == 2 * fare + 200
    assert sum(line["amount_minor"] for line in got["lines"]) == stored
    assert [line["what"] for line in got["lines"]] == ["ride", "ride", "tip"]
    assert [line["reference"] for line in got["lines"]] == ["Ward 3", None, None]
    assert [line["vat_minor"] for line in got["lines"]] == [vat, vat, 0]
    assert got["vat_totals"] == [
        {
            "rate_bp": 810,
            "net_minor": 2 * (own - vat),
            "vat_minor": 2 * vat,
            "gross_minor": 2 * own,
        },
        {"rate_bp": 0, "net_minor": 800, "vat_minor": 0, "gross_minor": 800},
    ]
    assert (got["number"], got["client"]["name"]) == (1, CLIENT["name"])
    for words in (
        "Meent Łąka eG",
        "Invoice 1",
        "VAT number LI12345",
        CLIENT["name"],
        f"VAT number {CLIENT['vat_number']}",
        "Your reference: Ward 3",
        readable(stored, currency="CHF"),
        readable(2 * vat, currency="CHF"),
    ):
        assert words in texts, words
    assert "LI21 0881 0000 2324 013A A" in " ".join(texts)
    assert "Ospelt" not in " ".join(texts)


async def test_what_a_decision_gave_back_stands_on_the_invoice_with_its_part_of_the_tax(
    desk: Desk, staff: Person
) -> None:
    await put_in_force(desk.client, desk.owner, desk.clock, vat=VAT)
    client_id = await desk.client_of_ours()
    terms = {"payment_method": "invoice", "client_id": client_id}
    member = await member_with(desk)
    ride = await desk.book(await desk.guest(phone=member.phone), **terms)
    await desk.drive(ride, *WHOLE)
    words = {"kind": "wrong_fare", "text": "It took the long way round."}
    opened = await take(desk.client, member, f"/v1/rides/{ride['id']}/disputes", **words)
    decision = {
        "outcome": "refund",
        "from_costs_minor": 1081,
        "reason": "The road was open.",
    }
    path = f"/v1/disputes/{opened.json()['id']}/decide"
    decided = await take(desk.client, staff, path, **decision)
    assert decided.is_success, decided.text

    got = await shown(desk, staff, (await issue(desk, staff, client_id))["id"])

    assert [line["what"] for line in got["lines"]] == ["ride", "back"]
    assert got["lines"][1]["amount_minor"] == -1081
    assert got["lines"][1]["vat_minor"] == -81
    assert got["total_minor"] == ride["fare_minor"] - 1081
    assert sum(total["gross_minor"] for total in got["vat_totals"]) == got["total_minor"]


async def test_the_same_invoice_is_the_same_bytes_until_it_is_paid_and_says_so(
    desk: Desk, staff: Person
) -> None:
    client_id = await desk.client_of_ours()
    ride = await desk.book(
        await desk.guest(phone=None), payment_method="invoice", client_id=client_id
    )
    await desk.drive(ride, *WHOLE)
    issued = await issue(desk, staff, client_id)

    first, second = [await drawn(desk, staff, issued["id"]) for _ in range(2)]
    await take(desk.client, staff, f"/v1/invoices/{issued['id']}/paid")
    after = texts_of(await drawn(desk, staff, issued["id"]))

    assert first == second
    assert not [text for text in texts_of(first) if text.startswith("Paid on")]
    assert "Paid on 11.06.2026. Thank you." in after
    assert (await shown(desk, staff, issued["id"]))["due_minor"] == 0


async def test_only_staff_reads_invoices_and_an_unknown_one_does_not_exist(
    desk: Desk, staff: Person
) -> None:
    unknown = f"/v1/invoices/{UUID(int=1)}"
    for path in (unknown, f"{unknown}.pdf"):
        by_staff = await desk.client.get(path, headers=staff.headers)
        by_dispatcher = await desk.client.get(path, headers=desk.dispatcher.headers)
        assert (slug(by_staff), slug(by_dispatcher)) == ("not-found", "role-missing")


FARES = st.integers(1, 10**7)


@given(minor=FARES, whole=FARES, amounts=st.integers(-(10**7), 10**7))
def test_a_part_of_a_tax_is_exact_for_the_whole_and_mirrors_what_comes_back(
    minor: int, whole: int, amounts: int
) -> None:
    assert part_of(minor, whole, whole) == minor
    assert part_of(minor, -amounts, whole) == -part_of(minor, amounts, whole)
    assert abs(part_of(minor, amounts, whole) * whole - minor * amounts) * 2 <= whole


LINES = st.builds(
    dict,
    fare_minor=FARES,
    share=st.integers(0, 100),
    vat_bp=st.sampled_from([0, 260, 810, 2100]),
    what=st.sampled_from(["ride", "fee", "tip", "later", "back"]),
    part=st.integers(1, 100),
)


def line_of(drawn: dict[str, Any]) -> InvoiceLine:
    fare, sign = drawn["fare_minor"], -1 if drawn["what"] == "back" else 1
    taxed = fare * drawn["share"] // 100
    row = {
        "ride_id": UUID(int=7),
        "at": datetime(2026, 5, 22, 12, tzinfo=UTC),
        "pickup_name": "Städtle",
        "dropoff_name": "Höfle",
        "reference": None,
        "what": drawn["what"],
        "fare_minor": fare,
        "amount_minor": sign * max(1, fare * drawn["part"] // 100),
        "vat_bp": drawn["vat_bp"],
        "taxed_minor": taxed,
        "vat_minor": taxed * drawn["vat_bp"] // (10_000 + drawn["vat_bp"]),
        "vat_remitted_by": "driver" if drawn["vat_bp"] else "nobody",
    }
    return InvoiceLine.of(row)


def made_invoice(*lines: InvoiceLine) -> Invoice:
    return Invoice(
        id=UUID(int=1),
        number=12,
        month=date(2026, 5, 1),
        issuer=Issuer(name="Vaduz", legal_name=None, address="A\nB", vat_number=None),
        client=Client(id=UUID(int=2), name="School", billing_address="C\nD", vat_number=None),
        currency="CHF",
        time_zone="Europe/Vaduz",
        issued_at=datetime(2026, 6, 1, 8, tzinfo=UTC),
        due_on=date(2026, 7, 1),
        paid_at=None,
        total_minor=sum(line.amount_minor for line in lines),
        pay_to=None,
        lines=lines,
    )


@given(st.lists(LINES, min_size=1, max_size=8))
def test_the_rates_together_are_the_total_whatever_was_charged_and_given_back(
    charges: list[dict[str, Any]],
) -> None:
    invoice = made_invoice(*map(line_of, charges))

    totals = invoice.vat_totals

    assert sum(total.gross_minor for total in totals) == invoice.total_minor
    assert sum(total.vat_minor for total in totals) == sum(x.vat_minor for x in invoice.lines)
    rates = [total.rate_bp for total in totals]
    assert rates == sorted(set(rates), reverse=True)


def test_an_invoice_of_hundreds_of_rides_runs_over_pages_and_asks_for_its_total() -> None:
    ride = {"fare_minor": 4465, "share": 100, "vat_bp": 810, "what": "ride", "part": 100}
    invoice = made_invoice(*(line_of(ride) for _ in range(300)))

    texts = texts_of(invoice_pdf(invoice))

    assert texts.count("Ride") > 3
    assert texts.count(readable(4465, currency="CHF")) == 300
    assert readable(300 * 4465, currency="CHF") in texts
    assert "B" in texts
    assert "D" in texts
