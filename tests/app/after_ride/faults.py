"""What follows a ride in the audit's city, and how each promise about it may be broken."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.after_ride.rules import Burden, DisputeKind, Outcome
from app.after_ride.service import disputes, splits, tips
from app.foundation.database import Database
from app.pay_floor.service import fill_up
from governance.pay_floor import week_of
from tests.factories import Person

WEEK = timedelta(days=7)


async def care_after(
    database: Database,
    *,
    ride_id: UUID,
    rider: Person,
    driver: Person,
    staff_id: UUID,
    open_ride_id: UUID,
    booker: Person,
    now: datetime,
) -> None:
    """A tip, a refund, an accepted part of a fare that is still to come, and a reckoned week."""
    async with database.transaction() as tx:
        await tips.give_tip(tx, ride_id=ride_id, rider_id=rider.id, amount_minor=100, now=now)
        dispute_id = await disputes.open_dispute(
            tx,
            ride_id=ride_id,
            member_id=rider.id,
            kind=DisputeKind.WRONG_FARE,
            text="Too much.",
            now=now,
        )
    async with database.transaction() as tx:
        await disputes.decide(
            tx,
            dispute_id=dispute_id,
            outcome=Outcome.REFUND,
            burden=Burden(from_costs_minor=50),
            reason="The way was longer.",
            decided_by=staff_id,
            now=now,
        )
        await splits.propose_split(
            tx,
            ride_id=open_ride_id,
            rider_id=booker.id,
            member_ids=[rider.id],
            phones=[None],
            now=now,
        )
    async with database.transaction() as tx:
        await splits.answer_split(
            tx, ride_id=open_ride_id, member_id=rider.id, accepts=True, now=now
        )
        week = week_of(now, zone=ZoneInfo("Europe/Vaduz"))
        await fill_up(tx, driver_id=driver.id, week=week, now=now + WEEK)


AFTER_RIDE_FAULTS: dict[str, tuple[str, ...]] = {
    "tips reach drivers whole": ("update tip set amount_minor = amount_minor + 1",),
    "refunds stay within what was paid": (
        (
            "update transfer set amount_minor = 10000000"
            " where journal_id in (select id from journal where idem_scope = 'dispute')"
        ),
    ),
    "others decide on a ride": (
        "update dispute_decision set decided_by = (select opened_by from dispute)",
    ),
    "decisions are booked as decided": (
        (
            "update dispute_decision set amount_minor = amount_minor + 1,"
            " from_costs_minor = from_costs_minor + 1"
        ),
    ),
    "shared fares are booked as accepted": (
        (
            "update fare_split_part set state = 'paid', amount_minor = 1,"
            " journal_id = (select min(id) from journal)"
        ),
    ),
    "weeks are filled up once": (
        "update pay_floor_week set week_start = week_start + interval '1 hour'",
    ),
    "weeks come out again as reckoned": ("update pay_floor_week set distance_m = distance_m + 1",),
    "what follows a ride keeps its guard": (
        "alter table dispute disable trigger dispute_is_never_deleted",
    ),
}
