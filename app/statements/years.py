"""Gathers what a yearly statement is made of."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.foundation.database import Transaction
from app.statements import queries
from app.statements.periods import Span, calendar_period, quarters
from app.statements.service import Gathered, assemble, gather_earnings
from app.statements.year import AccountYear, SurplusRefund, YearStatement, reckon_quarters


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredYear:
    """All that a year is made of, as the database gave it."""

    year: int
    time_zone: ZoneInfo
    earnings: Gathered
    accounts: list[Any]
    refunds: list[Any]


async def gather_year(
    reader: Transaction, *, driver_id: UUID, year: int, now: datetime
) -> GatheredYear:
    """Return what a driver's year by the cooperative's calendar is made of, as of now.

    Raises:
        NotFound: the member never was a driver.
        TooManyLines: more than a statement holds.
    """
    time_zone = ZoneInfo(await queries.find_time_zone(reader))
    period = calendar_period(Span.YEAR, on=date(year, 1, 1), time_zone=time_zone)
    earnings = await gather_earnings(reader, driver_id=driver_id, period=period, now=now)
    async with queries.one_moment(reader):
        return GatheredYear(
            year=year,
            time_zone=time_zone,
            earnings=earnings,
            accounts=await queries.list_other_accounts(
                reader, member_id=driver_id, since=period.since, until=period.until
            ),
            refunds=await queries.list_refunds(
                reader, member_id=driver_id, since=period.since, until=period.until
            ),
        )


def assemble_year(gathered: GatheredYear) -> YearStatement:
    """Return the yearly statement."""
    earnings = assemble(gathered.earnings)
    parts = quarters(gathered.year, time_zone=gathered.time_zone)
    return YearStatement(
        year=gathered.year,
        earnings=earnings,
        quarters=reckon_quarters(earnings.lines, periods=parts),
        refunds=tuple(SurplusRefund(**row) for row in gathered.refunds),
        accounts=tuple(AccountYear(**row) for row in gathered.accounts),
    )
