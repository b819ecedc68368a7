"""Gathers what a statement is made of: the lines of the account first, all else explains them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.foundation.database import Transaction
from app.foundation.problems import NotFound
from app.statements import queries
from app.statements.clocks import RideTimes, ShiftTimes, read_clocks
from app.statements.earnings import Earnings, RideFacts, Share, by_ride
from app.statements.errors import PeriodNotReadable, PeriodTooLong, TooManyLines
from app.statements.lines import Line, add_up
from app.statements.periods import LONGEST, Period, Span, calendar_period, midnight

WAITING_CODE = "waiting"
MOST_LINES = 60_000  # ten lines each for 6,000 rides


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPeriod:
    """Which period somebody asks for: one of the calendar, or by its edges."""

    span: Span | None = None
    on: date | None = None
    since: datetime | date | None = None
    until: datetime | date | None = None


async def read_period(reader: Transaction, asked: AskedPeriod, *, now: datetime) -> Period:
    """Return which period is meant; without any word the week that it is.

    Dates are midnights in the cooperative's time zone.

    Raises:
        PeriodNotReadable: a span and edges, one edge alone, or edges in the wrong order.
        PeriodTooLong: more than a year.
    """
    time_zone = ZoneInfo(await queries.find_time_zone(reader))
    try:
        if asked.since is None and asked.until is None:
            today = now.astimezone(time_zone).date()
            span = asked.span or Span.WEEK
            return calendar_period(span, on=asked.on or today, time_zone=time_zone)
        if asked.since is None or asked.until is None or asked.span or asked.on:
            raise PeriodNotReadable
        first = _moment(asked.since, time_zone=time_zone)
        last = _moment(asked.until, time_zone=time_zone)
    except (ValueError, OverflowError):
        raise PeriodNotReadable from None
    # Moments of one time zone are compared by the clock on the wall, which goes back in autumn.
    lasts = last.astimezone(UTC) - first.astimezone(UTC)
    if lasts <= timedelta():
        raise PeriodNotReadable
    if lasts > LONGEST:
        raise PeriodTooLong
    return Period(since=first, until=last, name=f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}")


def _moment(edge: datetime | date, *, time_zone: ZoneInfo) -> datetime:
    if isinstance(edge, datetime):
        return edge.astimezone(time_zone)
    return midnight(edge, time_zone=time_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All that earnings are made of, as the database gave it."""

    driver: Any
    period: Period
    now: datetime
    lines: list[Any]
    opening_minor: int
    rides: list[Any]
    shares: tuple[Share, ...]
    shifts: list[Any]
    ride_times: list[Any]


async def gather_earnings(
    reader: Transaction, *, driver_id: UUID, period: Period, now: datetime
) -> Gathered:
    """Return what a driver's account says of a period, and what explains it, of one moment.

    Raises:
        NotFound: the member never was a driver.
        TooManyLines: more than a statement holds.
    """
    edges = {"since": period.since, "until": period.until}
    async with queries.one_moment(reader):
        driver = await queries.find_driver(reader, member_id=driver_id)
        if driver is None:
            raise NotFound
        account_id: UUID = driver["account_id"]
        lines = await queries.list_lines(
            reader, account_id=account_id, **edges, limit=MOST_LINES + 1
        )
        if len(lines) > MOST_LINES:
            raise TooManyLines
        rides = await queries.list_rides(
            reader, ride_ids={line["ride_id"] for line in lines if line["ride_id"]}
        )
        named = {row["policy_version_id"] for rows in (lines, rides) for row in rows}
        return Gathered(
            driver=driver,
            period=period,
            now=now,
            lines=lines,
            opening_minor=await queries.balance_before(
                reader, account_id=account_id, at=period.since
            ),
            rides=rides,
            shares=await read_shares(reader, version_ids=named - {None}),
            shifts=await queries.list_shifts(reader, driver_id=driver_id, **edges),
            ride_times=await queries.list_ride_times(reader, driver_id=driver_id, **edges),
        )


def assemble(gathered: Gathered) -> Earnings:
    """Return the earnings; a year of 6,000 rides keeps a processor busy, so not in the loop."""
    driver, period = gathered.driver, gathered.period
    lines = [Line(**row) for row in gathered.lines]
    facts = {row["ride_id"]: _fact(row) for row in gathered.rides}
    rides, other_lines = by_ride(lines, facts=facts)
    return Earnings(
        driver_name=driver["driver_name"],
        cooperative=driver["cooperative"],
        time_zone=driver["time_zone"],
        currency=driver["currency"],
        period=period,
        known_at=driver["known_at"],
        opening_minor=gathered.opening_minor,
        lines=tuple(lines),
        sums=add_up(lines),
        rides=rides,
        other_lines=other_lines,
        clocks=read_clocks(
            (ShiftTimes(**row) for row in gathered.shifts),
            (RideTimes(**row) for row in gathered.ride_times),
            since=period.since,
            until=period.until,
            now=gathered.now,
        ),
        shares=gathered.shares,
    )


async def read_shares(reader: Transaction, *, version_ids: Collection[UUID]) -> tuple[Share, ...]:
    """Return these shares of fares, each with the vote that set it, the oldest first."""
    rows = await queries.list_shares(reader, version_ids=version_ids)
    return tuple(
        Share(
            policy_version_id=row["policy_version_id"],
            commission_bp=int(row["value"]),
            effective_from=row["effective_from"],
            source=row["source"],
            proposal_id=row["proposal_id"],
            election_id=row["election_id"],
            title=row["title"],
            tallied_at=row["tallied_at"],
        )
        for row in rows
    )


def _fact(row: Any) -> RideFacts:
    return RideFacts(
        ride_id=row["ride_id"],
        state=row["state"],
        ended_at=row["ended_at"],
        distance_m=row["distance_m"],
        commission_bp=row["commission_bp"],
        policy_version_id=row["policy_version_id"],
        waiting_minor=sum(
            item["amount_minor"] for item in row["items"] if item["code"] == WAITING_CODE
        ),
        vat_minor=row["vat_minor"],
        vat_remitted_by=row["vat_remitted_by"],
    )
