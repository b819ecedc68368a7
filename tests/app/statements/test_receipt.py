"""A rider's receipt: the total is what the rider was charged, and every cent is placed."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.money import readable
from app.ledger.accounts import AccountKind, JournalKind
from app.ledger.seals import find_proof, keep_sealed
from app.settings import Settings
from app.statements.receipt import PAYING, Movement, reckon_charges
from tests.app.statements.made import texts_of
from tests.app.statements.month import Street
from tests.conftest import FRIDAY_EVENING
from tests.factories import make_member
from tests.steps import book, slug

NOON = datetime(2026, 5, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"legal_name": "Meent Łąka eG", "legal_address": "Städtle 1, 9490 Vaduz"}
    )


async def charged(owner: asyncpg.Connection, street: Street) -> int:
    """What the rider owes in all, by the books alone."""
    return -int(
        await owner.fetchval(
            "select posted_minor from balance b join account a on a.id = b.account_id"
            " where a.member_id = $1 and a.kind = 'rider'",
            street.rider.id,
        )
    )


async def receipt(street: Street, ride_id: str) -> dict[str, Any]:
    answer = await street.get(f"/v1/rides/{ride_id}/receipt", street.rider)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_receipt_says_the_price_the_share_and_who_has_every_cent(street: Street) -> None:
    ride_id = await street.drive()

    got = await receipt(street, ride_id)

    fare = got["fare_minor"]
    assert got["total_minor"] == fare == await charged(street.owner, street)
    assert sum(item["amount_minor"] for item in got["items"]) == fare
    assert got["split"] == {
        "driver_minor": fare - fare * 1500 // 10_000,
        "cooperative_minor": fare * 1500 // 10_000,
        "passed_on_minor": 0,
        "others_paid_minor": 0,
    }
    assert (got["share"]["commission_bp"], got["share"]["source"]) == (1500, "founding")
    assert got["driver_name"] == "Bo"
    assert got["issuer"]["legal_name"] == "Meent Łąka eG"
    assert got["vat"] == {"rate_bp": 0, "amount_minor": 0, "remitted_by": "nobody"}


async def test_tips_and_refunds_change_the_total_to_the_cent(street: Street) -> None:
    ride_id = await street.drive()
    fare = (await receipt(street, ride_id))["fare_minor"]
    await street.tip(ride_id, 350)
    await street.give_back(ride_id, 500, reason="the way was longer than needed")

    got = await receipt(street, ride_id)

    assert got["total_minor"] == fare + 350 - 550 == await charged(street.owner, street)
    assert got["tips_minor"] == 350
    assert [(one["amount_minor"], one["reason"]) for one in got["refunds"]] == [
        (550, "the way was longer than needed"),
    ]
    commission = fare * 1500 // 10_000
    assert got["split"]["driver_minor"] == fare - commission + 350 - 500
    assert got["split"]["cooperative_minor"] == commission - 50


async def test_a_fare_that_was_taken_back_costs_nothing(street: Street) -> None:
    ride_id = await street.drive()
    await street.take_back(ride_id, reason="it was another rider")

    got = await receipt(street, ride_id)

    assert (got["total_minor"], await charged(street.owner, street)) == (0, 0)
    assert set(got["split"].values()) == {0}


async def test_paying_does_not_change_what_a_ride_cost(street: Street) -> None:
    ride_id = await street.drive()
    before = await receipt(street, ride_id)
    await street.cash(ride_id, 500)

    got = await receipt(street, ride_id)
    assert got["total_minor"] == before["total_minor"]
    cash = {"method": "cash", "state": "captured", "amount_minor": 500}
    assert cash in got["payments"]


async def test_a_receipt_on_paper_has_the_same_figures(street: Street) -> None:
    ride_id = await street.drive()
    await street.tip(ride_id, 350)
    got = await receipt(street, ride_id)

    answer = await street.get(f"/v1/rides/{ride_id}/receipt.pdf", street.rider)
    again = await street.get(f"/v1/rides/{ride_id}/receipt.pdf", street.rider)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.content == again.content
    texts = texts_of(answer.content)
    for amount_minor in (got["total_minor"], got["fare_minor"], 350):
        assert readable(amount_minor, currency="CHF") in texts
    assert "Meent Łąka eG" in texts


async def test_a_receipt_on_paper_spells_the_driver_s_name_as_she_does(street: Street) -> None:
    ride_id = await street.drive()
    await street.owner.execute(
        "update member set name = 'Şahin Łukasz Đorđe' where id = $1", street.driver.id
    )

    answer = await street.get(f"/v1/rides/{ride_id}/receipt.pdf", street.rider)

    assert any("Şahin" in text for text in texts_of(answer.content))


async def test_a_receipt_brings_the_proof_of_its_entry_once_it_is_sealed(
    street: Street, settings: Settings
) -> None:
    ride_id = await street.drive()
    before = await receipt(street, ride_id)
    await keep_sealed(street.database, home=settings.home, now=street.clock.now())

    got = await receipt(street, ride_id)

    assert before["seal"] is None
    journal_id = await street.owner.fetchval(
        "select journal_id from ride_settlement where ride_id = $1", UUID(ride_id)
    )
    async with street.database.reading() as reader:
        proof = await find_proof(reader, journal_id=journal_id)
    assert proof is not None
    assert (got["seal"]["height"], got["seal"]["root"]) == (proof.height, proof.root.hex())
    assert got["seal"]["proof"]["format"] == "meent-journal-proof:1"


async def test_nobody_but_the_rider_gets_the_receipt(street: Street) -> None:
    ride_id = await street.drive()
    stranger = await make_member(street.owner, now=FRIDAY_EVENING)

    for person in (stranger, street.driver):
        for ending in ("", ".pdf"):
            answer = await street.get(f"/v1/rides/{ride_id}/receipt{ending}", person)
            assert answer.status_code == 404


async def test_a_ride_that_cost_nothing_yet_has_no_receipt(street: Street) -> None:
    ride = await book(street.client, street.rider)

    answer = await street.get(f"/v1/rides/{ride['id']}/receipt", street.rider)

    assert (answer.status_code, slug(answer)) == (409, "nothing-charged-yet")


kinds = st.sampled_from([str(kind) for kind in JournalKind])


@st.composite
def movements(draw: st.DrawFn) -> Movement:
    debit, credit = (draw(st.sampled_from(AccountKind)) for _ in range(2))
    debit_own = debit == AccountKind.RIDER and draw(st.booleans())
    return Movement(
        journal_id=draw(st.integers(1, 6)),
        kind=draw(kinds),
        undone_kind=draw(st.none() | kinds),
        reason=None,
        effective_at=NOON,
        debit_kind=debit,
        debit_own=debit_own,
        credit_kind=credit,
        credit_own=credit == AccountKind.RIDER and not debit_own and draw(st.booleans()),
        amount_minor=draw(st.integers(1, 10_000)),
    )


@given(st.lists(movements(), max_size=12))
def test_whatever_was_booked_the_parts_are_the_total(booked: list[Movement]) -> None:
    charges = reckon_charges(booked)

    owed = sum(one.charged_minor for one in booked if (one.undone_kind or one.kind) not in PAYING)
    assert charges.total_minor == owed
    given_back = sum(refund.amount_minor for refund in charges.refunds)
    came = charges.first_minor + charges.tips_minor + charges.later_minor
    assert came - given_back == owed
    parts = asdict(charges.split)
    others = parts.pop("others_paid_minor")
    assert sum(parts.values()) - others == owed
