"""Gathers what a yearly statement is made of."""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from app.foundation.database import Transaction
from app.statements import queries
from app.statements.periods import Span, calendar_period, quarters
from app.statements.service import read_earnings
from app.statements.year import AccountYear, SurplusRefund, YearStatement, reckon_quarters


async def read_year(
    reader: Transaction, *, driver_id: UUID, year: int, now: datetime
) -> YearStatement:
    """Return a driver's year by the cooperative's calendar, as the books stand now.

    Raises:
        NotFound: the member never was a driver.
        TooManyLines: more than a statement holds.
    """
    time_zone = ZoneInfo(await queries.find_time_zone(reader))
    period = calendar_period(Span.YEAR, on=date(year, 1, 1), time_zone=time_zone)
    earnings = await read_earnings(reader, driver_id=driver_id, period=period, now=now)
    async with queries.one_moment(reader):
        accounts = await queries.list_other_accounts(
            reader, member_id=driver_id, since=period.since, until=period.until
        )
        refunds = await queries.list_refunds(
            reader, member_id=driver_id, since=period.since, until=period.until
        )
    return YearStatement(
        year=year,
        earnings=earnings,
        quarters=reckon_quarters(earnings.lines, periods=quarters(year, time_zone=time_zone)),
        refunds=tuple(SurplusRefund(**row) for row in refunds),
        accounts=tuple(AccountYear(**row) for row in accounts),
    )
