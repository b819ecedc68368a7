"""Fills drivers' weeks up to the floor, once each, when they are over."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.foundation.database import Database, Transaction
from app.foundation.events import Event
from app.foundation.no_order import in_no_order
from app.ledger import postings
from app.ledger import service as ledger
from app.ledger.cost_queries import patiently
from app.pay_floor import queries
from governance.pay_floor import EngagedRide, Week, WeekPay, week_of, week_pay

# Whoever ends a ride in a week's last second has committed by then.
SETTLING = timedelta(minutes=10)
# A program that stood still for longer leaves older weeks to people, who book a correction.
WEEKS_BACK = 8
DRIVERS_PER_ROUND = 200


async def fill_up_weeks(database: Database, *, now: datetime) -> int:
    """Reckon the weeks that are over, the oldest first, and return how many were reckoned.

    Each driver of a week gets one row, and one journal where something is missing to the floor;
    several workers at once, or one that died on the way, change nothing about that.
    """
    async with database.reading() as reader:
        weeks = await _weeks_due(reader, now=now)
    reckoned = 0
    for week in weeks:
        async with database.transaction() as tx, patiently(tx):
            drivers = await queries.list_drivers(tx, week=week, limit=DRIVERS_PER_ROUND)
            if not drivers:
                await queries.mark_done(tx, week=week, now=now)
        # Everybody may see in which order top-ups were booked: it tells nobody's.
        for driver_id in in_no_order(drivers):
            async with database.transaction() as tx:
                reckoned += await fill_up(tx, driver_id=driver_id, week=week, now=now)
    return reckoned


async def fill_up(tx: Transaction, *, driver_id: UUID, week: Week, now: datetime) -> bool:
    """Reckon one driver's week that is over and pay what is missing; False if it was done before.

    It concerns the moment it is booked at: the books of the week may be closed by then.
    """
    pay = await reckon(tx, driver_id=driver_id, week=week)
    journal_id = None
    if pay.top_up_minor:
        accounts = await queries.accounts(tx, driver_id=driver_id)
        recipe = postings.pay_floor(
            platform_costs_id=accounts["costs"],
            driver_id=accounts["driver"],
            amount_minor=pay.top_up_minor,
        )
        journal_id = await ledger.post(
            tx,
            recipe,
            scope="pay_floor",
            key=f"{driver_id}:{week.start.isoformat()}",
            subject_id=driver_id,
            now=now,
        )
    is_first = await queries.insert_week(
        tx, driver_id=driver_id, week=week, pay=pay, journal_id=journal_id, now=now
    )
    if is_first and pay.top_up_minor:
        data = {
            "week_start": week.start.isoformat(),
            "week_end": week.end.isoformat(),
            "floor_minor": pay.floor_minor,
            "earned_minor": pay.earned_minor,
            "top_up_minor": pay.top_up_minor,
        }
        tx.emit(Event("pay_floor.topped_up", (driver_id,), data), at=now)
    return is_first


async def reckon(reader: Transaction, *, driver_id: UUID, week: Week) -> WeekPay:
    """Return what a driver's week has come to so far, against the floor."""
    rows = await queries.list_rides(reader, week=week, driver_id=driver_id)
    return week_pay([EngagedRide(**dict(row)) for row in rows])


async def _weeks_due(reader: Transaction, *, now: datetime) -> list[Week]:
    """Return the weeks that are over, not done and not too long ago, the oldest first."""
    cooperative = await queries.cooperative(reader)
    if cooperative is None:
        return []
    zone = ZoneInfo(cooperative["time_zone"])
    due: list[Week] = []
    week = week_of(now - SETTLING, zone=zone)
    for _ in range(WEEKS_BACK):
        week = week_of(week.start - timedelta(microseconds=1), zone=zone)
        if week.end <= cooperative["founded_at"]:
            break
        if not await queries.is_done(reader, week=week):
            due.append(week)
    return due[::-1]
