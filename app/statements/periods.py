"""Periods of a statement: a day, week, month or year of the cooperative's calendar, or any."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LONGEST = timedelta(days=367)  # a leap year and the hour that a clock change may add
FIRST_YEAR, LAST_YEAR = 2000, 2999


class Span(StrEnum):
    """How long a period of the calendar is."""

    DAY = "day"
    WEEK = "week"  # from Monday, as in ISO 8601
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """[since, until) and how people call it."""

    since: datetime
    until: datetime
    name: str


def calendar_period(span: Span, *, on: date, time_zone: ZoneInfo) -> Period:
    """Return the day, week, month or year that `on` is in, from midnight to midnight there.

    Refused (ValueError): a date before the year 2000 or after 2999.
    """
    if not FIRST_YEAR <= on.year <= LAST_YEAR:
        raise ValueError(f"{on} is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    first, after, name = _days(span, on)
    return Period(
        since=midnight(first, time_zone=time_zone),
        until=midnight(after, time_zone=time_zone),
        name=name,
    )


def quarters(year: int, *, time_zone: ZoneInfo) -> tuple[Period, ...]:
    """Return the four quarters of a year, one after the other without a gap."""
    edges = [date(year + month // 12, month % 12 + 1, 1) for month in range(0, 13, 3)]
    moments = [midnight(day, time_zone=time_zone) for day in edges]
    return tuple(
        Period(since=moments[n], until=moments[n + 1], name=f"{year} Q{n + 1}") for n in range(4)
    )


def midnight(day: date, *, time_zone: ZoneInfo) -> datetime:
    """Return when a day begins by the clocks of a time zone."""
    return datetime.combine(day, time(), tzinfo=time_zone)


def _days(span: Span, on: date) -> tuple[date, date, str]:
    """Return the first day, the day after the last one, and the name."""
    match span:
        case Span.DAY:
            return on, on + timedelta(days=1), f"{on.day} {on:%B %Y}"
        case Span.WEEK:
            monday = on - timedelta(days=on.weekday())
            return monday, monday + timedelta(days=7), f"week of {monday.day} {monday:%B %Y}"
        case Span.MONTH:
            first = on.replace(day=1)
            return first, (first + timedelta(days=31)).replace(day=1), f"{first:%B %Y}"
        case Span.YEAR:
            return date(on.year, 1, 1), date(on.year + 1, 1, 1), str(on.year)
