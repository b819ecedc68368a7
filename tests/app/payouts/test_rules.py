"""Promises about amounts, numbers and names, without a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.payouts.iban import check_iban, sepa_text
from app.payouts.reasons import ACCOUNT_FAULTS, UNKNOWN, WORDS, in_words
from app.payouts.rules import (
    Candidate,
    LeftOut,
    PassedOver,
    amount_of,
    end_to_end_id,
    mask_iban,
    payout_of,
    why_left_out,
    why_passed_over,
)

NOW = datetime(2026, 5, 22, tzinfo=UTC)
MINOR = st.integers(-(10**12), 10**12)


def candidate(**given_: object) -> Candidate:
    usual: dict[str, object] = {
        "member_id": uuid4(),
        "account_id": uuid4(),
        "free_minor": 5000,
        "later_minor": 0,
        "bank_account_id": uuid4(),
        "payable_from": NOW,
        "is_refused": False,
        "is_prepared": False,
    }
    return Candidate(**(usual | given_))  # type: ignore[arg-type]


@given(free=MINOR, later=MINOR)
def test_nobody_is_paid_more_than_is_there_nor_than_was_there_at_the_cut_off(
    free: int, later: int
) -> None:
    amount = amount_of(candidate(free_minor=free, later_minor=later))

    assert amount >= 0
    assert amount in {0, free, free - later}
    assert amount == 0 or amount <= min(free, free - later)


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ({}, None),
        ({"free_minor": 100}, None),
        ({"free_minor": 99}, PassedOver.BELOW_LEAST),
        ({"later_minor": 4901}, PassedOver.BELOW_LEAST),
        ({"payable_from": NOW + timedelta(microseconds=1)}, PassedOver.ACCOUNT_TOO_NEW),
        ({"payable_from": None, "bank_account_id": None}, PassedOver.NO_BANK_ACCOUNT),
        ({"is_refused": True}, PassedOver.ACCOUNT_REFUSED),
        ({"is_prepared": True}, PassedOver.IN_ANOTHER_BATCH),
    ],
)
def test_whoever_is_passed_over_is_told_why(
    given_: dict[str, object], why: PassedOver | None
) -> None:
    assert why_passed_over(candidate(**given_), least_minor=100, now=NOW) is why


@given(free=MINOR, amount=st.integers(1, 10**12))
def test_a_payout_is_released_if_the_money_is_there_and_left_out_if_not(
    free: int, amount: int
) -> None:
    why = why_left_out(is_current=True, free_minor=free, amount_minor=amount)

    assert why is (None if free >= amount else LeftOut.BALANCE_FELL)
    changed = why_left_out(is_current=False, free_minor=free, amount_minor=amount)
    assert changed is LeftOut.ACCOUNT_CHANGED


@given(st.uuids())
def test_the_bank_speaks_of_a_payout_by_a_name_that_fits_and_leads_back(payout_id: UUID) -> None:
    name = end_to_end_id(payout_id)

    assert len(name) <= 35
    assert payout_of(name) == payout_id
    assert payout_of(f" {payout_id} ") == payout_id


def test_a_name_that_is_not_ours_leads_nowhere() -> None:
    assert payout_of("NOTPROVIDED") is None


def test_an_account_number_is_taken_however_it_is_typed() -> None:
    number = check_iban("li21 0881 0000 2324 013a a")

    assert (number.iban, number.is_sepa) == ("LI21088100002324013AA", True)
    assert mask_iban(number.iban) == "LI** **** 13AA"


@pytest.mark.parametrize(
    "typed",
    [
        "LI21088100002324013AB",
        "LI2108810000232401",
        "XX21088100002324013AA",
        "DE00370400440532013000",
        "💶" * 20,
        "",
    ],
)
def test_a_wrong_account_number_is_refused_without_being_repeated(typed: str) -> None:
    with pytest.raises(ValueError, match="no account number") as refused:
        check_iban(typed)

    assert not typed or typed not in str(refused.value)
    assert refused.value.__suppress_context__


def test_an_account_outside_sepa_is_known_as_such() -> None:
    assert not check_iban("TR330006100519786457841326").is_sepa


@given(st.text(), st.integers(1, 140))
def test_texts_for_the_bank_are_in_its_letters_and_no_longer_than_it_takes(
    text: str, most: int
) -> None:
    clean = sepa_text(text, most=most)

    assert len(clean) <= most
    assert clean == sepa_text(clean, most=most)
    assert all(char.isascii() and (char.isalnum() or char in "/?:().,'+ -") for char in clean)


def test_a_name_keeps_its_letters_without_their_marks() -> None:
    assert sepa_text("Jürgen  Ñandú & Söhne", most=70) == "Jurgen Nandu Sohne"


def test_each_reason_says_what_to_do_and_an_unknown_one_too() -> None:
    assert in_words("AC04").startswith("The account is closed.")
    assert in_words("ZZ99") == in_words(None) == UNKNOWN
    assert {"AC01", "AC04", "AC06"} <= set(ACCOUNT_FAULTS) < set(WORDS)
    assert "AM04" not in ACCOUNT_FAULTS
