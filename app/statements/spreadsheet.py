"""Earnings as CSV (RFC 4180, UTF-8): a row for each ride and for each other movement."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.foundation.money import decimal
from app.statements.earnings import Earnings
from app.statements.lines import Column, Sums, add_up

HEADER: Final = (
    "at",
    "ride",
    "what",
    "distance_km",
    "commission_percent",
    "policy_version",
    *Column,
    "earned",
    "account_change",
    "of_fares_waiting",
    "of_fares_vat",
    "vat_remitted_by",
    "currency",
    "reason",
)
# A spreadsheet takes a cell that begins with one of these for a formula, which may do anything.
_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def earnings_csv(earnings: Earnings) -> bytes:
    """Return the statement as a table; `account_change` sums up to closing less opening.

    Times are those of the cooperative's time zone, amounts decimal. There is no row of totals,
    which a spreadsheet would count twice.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(row for _, row in sorted(_rows(earnings), key=lambda one: one[0]))
    return text.getvalue().encode()


def safe_text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with an apostrophe before it."""
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def _rows(earnings: Earnings) -> Iterator[tuple[datetime, tuple[str, ...]]]:
    """Yield when each thing was, and its row."""
    time_zone, currency = ZoneInfo(earnings.time_zone), earnings.currency
    for ride in earnings.rides:
        facts = ride.facts
        yield (
            ride.at,
            (
                _moment(ride.at, time_zone),
                str(facts.ride_id),
                f"ride {facts.state}",
                "" if facts.distance_m is None else f"{facts.distance_m / 1000:.3f}",
                "" if facts.commission_bp is None else f"{facts.commission_bp / 100:.2f}",
                str(facts.policy_version_id or ""),
                *_amounts(ride.sums, currency=currency),
                decimal(facts.waiting_minor, currency=currency),
                decimal(facts.vat_minor, currency=currency),
                facts.vat_remitted_by,
                currency,
                safe_text("; ".join(ride.reasons)),
            ),
        )
    for line in earnings.other_lines:
        yield (
            line.effective_at,
            (
                _moment(line.effective_at, time_zone),
                "",
                line.kind,
                *("" for _ in range(3)),
                *_amounts(add_up([line]), currency=currency),
                *("" for _ in range(3)),
                currency,
                safe_text(line.reason or ""),
            ),
        )


def _moment(at: datetime, time_zone: ZoneInfo) -> str:
    return at.astimezone(time_zone).isoformat(timespec="seconds")


def _amounts(sums: Sums, *, currency: str) -> Iterator[str]:
    for column in Column:
        yield decimal(sums[column], currency=currency)
    yield decimal(sums.earned_minor, currency=currency)
    yield decimal(sums.moved_minor, currency=currency)
