"""Earnings as a PDF: what came together, where each coin went, the hours, and every ride."""

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from app.foundation.money import percent, readable
from app.statements.clocks import HOUR_S, Clocks
from app.statements.earnings import Earnings, Share
from app.statements.lines import EARNED, Column, Line, Sums, add_up
from app.statements.paper import AMBER, BLUE, GREEN, GREY, PALE, Head, Paper, Part

NAMES: Final = {
    Column.FARES: "Fares",
    Column.FEES: "Fees for no-shows and late cancellations",
    Column.TIPS: "Tips",
    Column.TOP_UPS: "Pay floor: weeks filled up",
    Column.COMMISSION: "Commission",
    Column.PASSED_ON: "Passed on to others (taxes, levies)",
    Column.CORRECTIONS: "Taken back or put right",
    Column.SURPLUS_REFUNDS: "Refunds of the surplus, in money",
    Column.CAPITAL_REPAID: "Capital paid back",
    Column.SOLIDARITY: "Solidarity",
    Column.CASH_TAKEN: "Cash that you took from riders",
    Column.PAID_OUT: "Paid out to your bank",
    Column.OTHER: "Other movements",
}
_RIDES: Final = (
    Head("When", 24, is_figure=False),
    Head("Ride", 17, is_figure=False),
    Head("km", 11),
    Head("Fare", 18),
    Head("Waiting", 14),
    Head("Share", 12),
    Head("Commission", 19),
    Head("Fee, tip", 16),
    Head("Put right", 16),
    Head("Earned", 18),
    Head("Cash", 13),
)
_OTHERS: Final = (
    Head("When", 30, is_figure=False),
    Head("What", 45, is_figure=False),
    Head("Why", 78, is_figure=False),
    Head("Amount", 25),
)
_LONGEST_REASON: Final = 60


def earnings_pdf(earnings: Earnings) -> bytes:
    """Return the statement as a document; the same statement gives the same bytes."""
    period, currency = earnings.period, earnings.currency
    time_zone = ZoneInfo(earnings.time_zone)
    last = period.until.astimezone(time_zone)
    paper = Paper(
        title=f"Earnings, {period.name}",
        about=f"{earnings.cooperative} \N{BULLET} {earnings.driver_name} \N{BULLET} {period.name}",
        at=earnings.known_at,
    )
    paper.masthead(
        house=earnings.cooperative,
        title=f"Earnings, {period.name}",
        under=(
            f"{earnings.driver_name} \N{BULLET} all amounts in {currency}",
            (
                f"From {period.since.astimezone(time_zone):%d.%m.%Y %H:%M} until before"
                f" {last:%d.%m.%Y %H:%M} ({earnings.time_zone}), by the books as they stood on"
                f" {earnings.known_at.astimezone(time_zone):%d.%m.%Y at %H:%M}."
            ),
        ),
    )
    large_figures(paper, earnings)
    where_it_went(paper, earnings.sums, currency=currency)
    account_lines(paper, earnings)
    share_lines(paper, earnings.shares, time_zone=time_zone)
    clock_bar(paper, earnings.clocks)
    _rides(paper, earnings, time_zone=time_zone)
    _others(paper, earnings.other_lines, currency=currency, time_zone=time_zone)
    return paper.content()


def large_figures(paper: Paper, earnings: Earnings) -> None:
    """Set what was earned, also by the hour, and the number of rides."""
    currency = earnings.currency
    paper.figures(
        [
            ("earned", readable(earnings.sums.earned_minor, currency=currency)),
            ("for an hour online", _or_dash(earnings.per_hour_online_minor, currency)),
            ("for an hour with a rider", _or_dash(earnings.per_hour_with_rider_minor, currency)),
            ("rides", f"{len(earnings.rides)}"),
        ]
    )


def _or_dash(amount_minor: int | None, currency: str) -> str:
    return "\N{EN DASH}" if amount_minor is None else readable(amount_minor, currency=currency)


def where_it_went(paper: Paper, sums: Sums, *, currency: str) -> None:
    """Draw what riders paid, parted among who got it; what was put right stands in the account."""
    commission, passed = -sums[Column.COMMISSION], -sums[Column.PASSED_ON]
    paid = sums[Column.FARES] + sums[Column.FEES] + sums[Column.TIPS]
    if paid <= 0:
        return
    yours = paid - commission - passed - sums[Column.TIPS]
    parts = [
        ("You, of fares and fees", yours, GREEN),
        ("You, tips", sums[Column.TIPS], BLUE),
        ("The cooperative", commission, AMBER),
        ("Others (taxes, levies)", passed, PALE),
    ]
    paper.heading(f"Where each {currency} went that riders paid")
    paper.bar(
        [Part(name, size, readable(size, currency=currency), tone) for name, size, tone in parts]
    )


def account_lines(paper: Paper, earnings: Earnings) -> None:
    """Set what moved the account, by column, from what was on it before to what is after."""
    sums, currency = earnings.sums, earnings.currency

    def amount(value: int) -> str:
        return readable(value, currency=currency)

    rows = []
    for column in EARNED:
        if sums[column]:
            rows.append((NAMES[column], amount(sums[column]), False))
        if column is Column.FARES and earnings.waiting_minor:
            rows.append(("   of which waiting", f"({amount(earnings.waiting_minor)})", False))
    rows.append(("Earned", amount(sums.earned_minor), True))
    rows += [
        (NAMES[column], amount(sums[column]), False)
        for column in Column
        if column not in EARNED and sums[column]
    ]
    rows += [
        ("Change of your account", amount(sums.moved_minor), True),
        ("On your account before", amount(earnings.opening_minor), False),
        ("On your account after", amount(earnings.closing_minor), True),
    ]
    paper.heading("Your account", room_mm=60)
    paper.account(rows)


def share_words(share: Share, *, time_zone: ZoneInfo) -> str:
    """Return in one sentence what the cooperative takes of a fare, and who decided it."""
    taken = f"{percent(share.commission_bp)} of fares quoted from"
    since = f"{share.effective_from.astimezone(time_zone):%d.%m.%Y %H:%M}"
    if share.tallied_at is None:
        return f"{taken} {since} on: set by the founding statutes."
    counted = f"{share.tallied_at.astimezone(time_zone):%d.%m.%Y}"
    title = f'"{share.title}"' if share.title else "a vote"
    return (
        f"{taken} {since} on: decided by the assembly's vote {title}, counted on {counted}"
        f" (policy version {share.policy_version_id})."
    )


def share_lines(paper: Paper, shares: Sequence[Share], *, time_zone: ZoneInfo) -> None:
    """Set which shares were taken, and who decided each."""
    if shares:
        paper.heading("What the cooperative took, and who decided it", room_mm=18)
    for share in shares:
        paper.words(share_words(share, time_zone=time_zone))


def clock_bar(paper: Paper, clocks: Clocks) -> None:
    """Draw the hours online, parted by what went on in them."""
    if not clocks.online_s:
        return
    paper.heading(f"Your hours: {hours(clocks.online_s)} online")
    paper.bar(
        [
            Part("With a rider", clocks.on_trip_s, hours(clocks.on_trip_s), GREEN),
            Part("On the way to one", clocks.dispatch_s, hours(clocks.dispatch_s), AMBER),
            Part("Waiting for a ride", clocks.available_s, hours(clocks.available_s), PALE),
        ]
    )


def hours(seconds: int) -> str:
    """Return a duration in hours and minutes, such as 7:05 h; seconds are left off."""
    return f"{seconds // HOUR_S}:{seconds % HOUR_S // 60:02} h"


def _rides(paper: Paper, earnings: Earnings, *, time_zone: ZoneInfo) -> None:
    if not earnings.rides:
        return

    def amount(value: int) -> str:
        return readable(value, currency=earnings.currency) if value else ""

    def figures(sums: Sums, waiting_minor: int, share: str) -> list[str]:
        return [
            amount(sums[Column.FARES]),
            amount(waiting_minor),
            share,
            amount(sums[Column.COMMISSION] + sums[Column.PASSED_ON]),
            amount(sums[Column.FEES] + sums[Column.TIPS]),
            amount(sums[Column.CORRECTIONS]),
            amount(sums.earned_minor),
            amount(sums[Column.CASH_TAKEN]),
        ]

    rows, whole = [], Sums()
    for ride in earnings.rides:
        facts = ride.facts
        whole.take_in(ride.sums)
        share = "" if facts.commission_bp is None else percent(facts.commission_bp)
        rows.append(
            [
                f"{ride.at.astimezone(time_zone):%d.%m.%y  %H:%M}",
                str(facts.ride_id)[-8:],
                "" if facts.distance_m is None else f"{facts.distance_m / 1000:.1f}",
                *figures(ride.sums, facts.waiting_minor, share),
            ]
        )
    paper.heading("Every ride")
    paper.words(
        "Ride: the last eight signs of its number. Commission: with what was passed on to others."
        " Fee, tip: for rides that did not take place, and thanks, which are yours whole.",
        colour=GREY,
        size_pt=7.5,
    )
    paper.listing(_RIDES, rows)
    paper.total(_RIDES, ["Together", "", "", *figures(whole, earnings.waiting_minor, "")])


def _others(paper: Paper, lines: Sequence[Line], *, currency: str, time_zone: ZoneInfo) -> None:
    if not lines:
        return
    paper.heading("Other movements")
    rows = [
        [
            f"{line.effective_at.astimezone(time_zone):%d.%m.%y  %H:%M}",
            line.kind.replace("_", " "),
            _short(line.reason or ""),
            readable(line.amount_minor, currency=currency),
        ]
        for line in lines
    ]
    paper.listing(_OTHERS, rows)
    changed = readable(add_up(lines).moved_minor, currency=currency)
    paper.total(_OTHERS, ["Together", "", "", changed])


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 3]}..."
