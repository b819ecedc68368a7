"""A driver-member's year as a PDF, with the quarters that a tax office asks for."""

from typing import Final
from zoneinfo import ZoneInfo

from app.foundation.money import readable
from app.statements.earnings_paper import (
    account_lines,
    clock_bar,
    hours,
    large_figures,
    share_lines,
    where_it_went,
)
from app.statements.paper import GREY, Head, Paper
from app.statements.year import YearStatement

_QUARTERS: Final = (
    Head("Quarter", 38, is_figure=False),
    Head("Rides", 25),
    Head("Credited for driving", 40),
    Head("Withheld", 35),
    Head("Earned", 40),
)
_REFUNDS: Final = (
    Head("Period", 62, is_figure=False),
    Head("By commission of", 32),
    Head("By hours of", 28),
    Head("In money", 28),
    Head("As capital", 28),
)
_ACCOUNTS: Final = (
    Head("Account", 58, is_figure=False),
    Head("Before the year", 30),
    Head("Came to it", 30),
    Head("Left it", 30),
    Head("After the year", 30),
)
_NAMES: Final = {"member_capital": "Capital, yours", "member_share": "Share, yours on leaving"}


def year_pdf(year: YearStatement) -> bytes:
    """Return the statement as a document; the same statement gives the same bytes."""
    earnings = year.earnings
    time_zone = ZoneInfo(earnings.time_zone)
    known = f"{earnings.known_at.astimezone(time_zone):%d.%m.%Y at %H:%M}"
    paper = Paper(
        title=f"Statement of {year.year}",
        about=f"{earnings.cooperative} \N{BULLET} {earnings.driver_name} \N{BULLET} {year.year}",
        at=earnings.known_at,
    )
    paper.masthead(
        house=earnings.cooperative,
        title=f"Your year {year.year}",
        under=(
            f"{earnings.driver_name} \N{BULLET} all amounts in {earnings.currency}",
            f"By the books as they stood on {known} ({earnings.time_zone}).",
        ),
    )
    large_figures(paper, earnings)
    where_it_went(paper, earnings.sums, currency=earnings.currency)
    account_lines(paper, earnings)
    _quarters(paper, year)
    _refunds(paper, year, time_zone=time_zone)
    _accounts(paper, year)
    share_lines(paper, earnings.shares, time_zone=time_zone)
    clock_bar(paper, earnings.clocks)
    return paper.content()


def _quarters(paper: Paper, year: YearStatement) -> None:
    def row(name: str, rides: int, *amounts: int) -> list[str]:
        written = [readable(one, currency=year.earnings.currency) for one in amounts]
        return [name, f"{rides}", *written]

    quarters = year.quarters
    paper.heading("By quarter", room_mm=50)
    paper.listing(
        _QUARTERS,
        [
            row(one.period.name, one.rides, one.gross_minor, one.withheld_minor, one.earned_minor)
            for one in quarters
        ],
    )
    paper.total(
        _QUARTERS,
        row(
            f"{year.year}",
            sum(one.rides for one in quarters),
            sum(one.gross_minor for one in quarters),
            sum(one.withheld_minor for one in quarters),
            sum(one.earned_minor for one in quarters),
        ),
    )
    paper.words(
        "Credited: fares, fees, tips and top-ups, less what was taken back. Withheld: the"
        " commission, and taxes and levies that were passed on. Platforms report these to tax"
        " offices by quarter (DAC7, where it applies).",
        colour=GREY,
        size_pt=7.5,
    )


def _refunds(paper: Paper, year: YearStatement, *, time_zone: ZoneInfo) -> None:
    if not year.refunds:
        return

    def amount(value: int) -> str:
        return readable(value, currency=year.earnings.currency)

    rows = [
        [
            (
                f"{one.since.astimezone(time_zone):%d.%m.%Y} until before"
                f" {one.until.astimezone(time_zone):%d.%m.%Y}"
            ),
            amount(one.commission_minor),
            hours(one.engaged_s),
            amount(one.cash_minor),
            amount(one.capital_minor),
        ]
        for one in year.refunds
    ]
    paper.heading("Refunds of the surplus that were allotted to you")
    paper.listing(_REFUNDS, rows)


def _accounts(paper: Paper, year: YearStatement) -> None:
    if not year.accounts:
        return
    rows = [
        [
            _NAMES.get(one.kind, one.kind),
            *(
                readable(minor, currency=year.earnings.currency)
                for minor in (
                    one.opening_minor,
                    one.credits_minor,
                    one.debits_minor,
                    one.closing_minor,
                )
            ),
        ]
        for one in year.accounts
    ]
    paper.heading("What is yours in the cooperative")
    paper.listing(_ACCOUNTS, rows)
