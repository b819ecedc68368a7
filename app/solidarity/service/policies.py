"""The rules of solidarity in force: every figure is a policy that only a vote changes."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.assembly.policies import Policy, policy_in_force
from app.foundation.database import Transaction
from app.solidarity.queries import fund as queries
from governance.solidarity.rules import SolidarityRules


async def rules_in_force(reader: Transaction, *, at: datetime) -> SolidarityRules:
    """Return what was voted about contributions and is in force at a moment."""
    base = await policy_in_force(reader, key="solidarity_contribution_bp", at=at)
    most = await policy_in_force(reader, key="solidarity_most_bp", at=at)
    return SolidarityRules(contribution_bp=base.value, contribution_most_bp=most.value)


async def cap_in_force(reader: Transaction, *, at: datetime) -> Policy:
    """Return up to how much per ride the fund takes over, at a moment."""
    return await policy_in_force(reader, key="guarantee_cap_minor", at=at)


async def waiting_days(reader: Transaction, *, at: datetime) -> int:
    """Return after how many days of illness gifts begin, at a moment."""
    return (await policy_in_force(reader, key="gift_waiting_days", at=at)).value


async def longest_months(reader: Transaction, *, at: datetime) -> int:
    """Return how many months gifts go on at most, at a moment."""
    return (await policy_in_force(reader, key="gift_longest_months", at=at)).value


async def today(reader: Transaction, *, now: datetime) -> date:
    """Return which day it is by the cooperative's calendar."""
    return now.astimezone(ZoneInfo(await queries.time_zone(reader))).date()


async def begin_of(reader: Transaction, *, day: date) -> datetime:
    """Return the moment at which a day begins by the cooperative's calendar."""
    zone = ZoneInfo(await queries.time_zone(reader))
    return datetime(day.year, day.month, day.day, tzinfo=zone)
