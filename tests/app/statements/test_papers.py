"""Papers: the same figures as the books, in letters that print, without holding up the loop."""

import asyncio
import threading
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.foundation.money import decimal, percent, readable
from app.statements.earnings_paper import earnings_pdf
from app.statements.errors import PressBusy
from app.statements.paper import Paper, printable
from app.statements.press import Press
from app.statements.spreadsheet import safe_text
from tests.app.statements.made import made_earnings, texts_of
from tests.app.statements.month import Street, mixed_month


def test_the_same_statement_gives_the_same_bytes() -> None:
    assert earnings_pdf(made_earnings(rides=40)) == earnings_pdf(made_earnings(rides=40))


def test_names_are_printed_in_the_letters_in_which_they_are_written() -> None:
    name = "Şahin Łukasz Đorđe née Ørsted, Νίκος Жанна"
    texts = texts_of(earnings_pdf(made_earnings(rides=1, name=name)))
    assert any(name in text for text in texts)


def test_every_latin_letter_of_europe_prints_as_it_is() -> None:
    # U+017F is a long s, which no name of today has.
    letters = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x17F)])) + "\N{EN DASH}€șțȘȚ"
    assert printable(letters) == letters


def test_letters_that_the_typeface_lacks_are_written_plainly() -> None:
    assert printable("თბილისი") == "t`bilisi"
    assert printable("S\u0327ahin\n\U0001f697\0") == "Şahin "


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=40))
def test_any_name_can_be_put_on_paper_and_is_read_from_it(name: str) -> None:
    paper = Paper(title="A", about="A", at=datetime(2026, 5, 22, tzinfo=UTC))
    paper.account([(f"[{name}]", "1", False)])
    assert printable(f"[{name}]") in texts_of(paper.content())


def test_every_ride_and_every_total_stands_on_the_paper() -> None:
    earnings = made_earnings(rides=150)

    texts = texts_of(earnings_pdf(earnings))

    for ride in earnings.rides:
        assert str(ride.facts.ride_id)[-8:] in texts
    assert texts.count(readable(earnings.sums.earned_minor, currency="CHF")) == 4
    assert readable(earnings.closing_minor, currency="CHF") in texts
    assert any("What a fare leaves us" in text for text in texts)


async def test_a_month_comes_on_paper_with_the_figures_of_its_json(street: Street) -> None:
    await mixed_month(street)

    month = await street.earnings()
    answer = await street.get("/v1/me/earnings.pdf?span=month")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "no-store"
    assert 'filename="earnings-May-2026.pdf"' in answer.headers["content-disposition"]
    texts = texts_of(answer.content)
    for amount_minor in (month["closing_minor"], month["totals"]["earned_minor"]):
        assert readable(amount_minor, currency="CHF") in texts


async def test_the_loop_goes_on_while_a_year_of_6000_rides_is_drawn() -> None:
    earnings, press, longest = made_earnings(rides=6000), Press(), 0.0

    work = asyncio.ensure_future(press.draw(earnings_pdf, earnings))
    while not work.done():
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - before)

    assert len(await work) > 100_000
    # A loop that drew itself would stand still for all of it, which is seconds.
    assert longest < 0.5


async def test_who_comes_when_too_many_papers_wait_is_told_so() -> None:
    press, may_go = Press(most_at_once=2), threading.Event()

    try:
        waiting = [asyncio.ensure_future(press.draw(may_go.wait, 20)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(PressBusy):
            await press.draw(int)
    finally:
        may_go.set()
    assert await asyncio.gather(*waiting) == [True, True]
    assert await press.draw(int) == 0


async def test_a_paper_that_takes_too_long_is_given_up() -> None:
    press, may_go = Press(patience_s=0.01), threading.Event()

    try:
        with pytest.raises(PressBusy):
            await press.draw(may_go.wait, 20)
    finally:
        may_go.set()


@pytest.mark.parametrize(
    ("amount_minor", "currency", "written"),
    [
        (-1205, "CHF", "-12.05"),
        (-5, "EUR", "-0.05"),
        (0, "EUR", "0.00"),
        (-1205, "JPY", "-1205"),
        (1205, "KWD", "1.205"),
    ],
)
def test_amounts_have_the_digits_of_their_currency(
    amount_minor: int, currency: str, written: str
) -> None:
    assert decimal(amount_minor, currency=currency) == written


def test_what_people_read_has_thousands_apart() -> None:
    assert readable(-123_456_789, currency="CHF") == "-1\u00a0234\u00a0567.89"
    assert [percent(bp) for bp in (1500, 1250, 1205, 5, 0)] == [
        "15 %",
        "12.5 %",
        "12.05 %",
        "0.05 %",
        "0 %",
    ]


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_text_is_a_formula_to_a_spreadsheet(first: str) -> None:
    assert safe_text(f"{first}cmd|' /C calc'!A0").startswith("'")
    assert safe_text("2 + 2") == "2 + 2"
