"""Use cases of a ride until it ends: request, assign, arrive, start, withdraw, give up."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.fares import service as fares
from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.ledger import service as ledger
from app.payments import service as payments
from app.payments.rules import Method
from app.rides import change_queries, queries, scheduled
from app.rides.errors import (
    CarFull,
    CarTakesNoWheelchair,
    DriverBusy,
    OpenRideExists,
    QuoteAlreadyBooked,
    QuoteExpired,
    VisitOver,
)
from app.rides.lifecycle import FIRST_EVENTS, TRANSITIONS, Party, RideState, Step
from app.rides.schemas import RideRequested, ride_view
from app.rides.steps import emit, take_step, tell_company

GIVE_UP_BATCH = 100
WHY_UNPAID = "the card that was to pay was not accepted"
_REFUSALS = {
    "a_quote_is_booked_once": QuoteAlreadyBooked,
    "one_open_ride_per_rider": OpenRideExists,
    "visitors_ride_while_their_letter_holds": VisitOver,
    "one_open_solo_ride_per_driver": DriverBusy,
    "nobody_drives_alone_and_shared": DriverBusy,
    "three_shared_rides_at_most": CarFull,
    "a_car_holds_its_seats": CarFull,
    "wheelchairs_ride_in_cars_that_take_them": CarTakesNoWheelchair,
}


async def request_ride(
    tx: Transaction,
    *,
    rider_id: UUID,
    quote_id: UUID,
    now: datetime,
    search_s: int,
    payment_method: Method = Method.BALANCE,
    client_id: UUID | None = None,
) -> dict[str, Any]:
    """Book a quote: its fare is set aside, and the ride looks for a driver for ``search_s``.

    A quote for later makes a scheduled ride, whose search begins when its pickup window is near.
    ``client_id`` names who is invoiced where a dispatcher chose; left out: who pays for the rider.

    Raises:
        NotFound: the quote is not this rider's.
        QuoteExpired, QuoteAlreadyBooked, CreditLimitReached: as they say.
        OpenRideExists: for a ride now.
        RideAlreadyBookedForThen, TooManyScheduledRides: for a ride later.
        NoCard, FundOwed, NoClient, ClientLimitReached: by the way it is to be paid.
    """
    quote = await fares.get_quote(tx, quote_id=quote_id, rider_id=rider_id)
    is_of_a_change = quote["changes_quote_id"] is not None
    if is_of_a_change or await change_queries.was_changed(tx, quote_id=quote_id):
        raise QuoteAlreadyBooked
    if quote["expires_at"] <= now:
        raise QuoteExpired
    hold_id = new_id()
    await ledger.hold_fare(
        tx, hold_id=hold_id, rider_id=rider_id, fare_minor=quote["fare_minor"], now=now
    )
    state, search_until = RideState.REQUESTED, now + timedelta(seconds=search_s)
    pickup_from, pickup_until = quote["pickup_at"], None
    if pickup_from is not None:
        await scheduled.check_room(tx, rider_id=rider_id, pickup_from=pickup_from)
        pickup_until = pickup_from + scheduled.WINDOW
        state, search_until = RideState.SCHEDULED, pickup_until
    try:
        row = await queries.insert_ride(
            tx,
            ride_id=new_id(),
            rider_id=rider_id,
            quote_id=quote_id,
            hold_id=hold_id,
            state=state,
            now=now,
            search_until=search_until,
            pickup_from=pickup_from,
            pickup_until=pickup_until,
            seats=quote["seats"],
            is_shared=quote["is_shared"],
        )
    except asyncpg.UniqueViolationError as twice:
        raise _REFUSALS[twice.constraint_name] from twice
    await payments.begin(
        tx,
        ride_id=row["id"],
        rider_id=rider_id,
        method=payment_method,
        amount_minor=quote["fare_minor"],
        client_id=client_id,
        now=now,
    )
    emit(tx, row, FIRST_EVENTS[state], now=now, fare_minor=quote["fare_minor"])
    booked = RideRequested(**row, fare_minor=quote["fare_minor"], shared=row["is_shared"])
    return booked.model_dump(mode="json")


async def assign_driver(
    tx: Transaction, *, ride_id: UUID, driver_id: UUID, vehicle_id: UUID, now: datetime
) -> bool:
    """Give a waiting ride to a driver; False where somebody else has it or it is over.

    Raises:
        DriverBusy: the driver has an open ride, and not both are shared.
        CarFull: the party does not fit in beside the others.
        CarTakesNoWheelchair: one comes along, and the car takes none.
        CashLimitReached: the ride is paid in cash, and the driver may take no more.
    """
    try:
        row = await queries.assign(
            tx, ride_id=ride_id, driver_id=driver_id, vehicle_id=vehicle_id, now=now
        )
    except (asyncpg.UniqueViolationError, asyncpg.CheckViolationError) as busy:
        raise _REFUSALS[busy.constraint_name] from busy
    if row is None:
        return False
    await payments.reserve(tx, ride_id=ride_id, driver_id=driver_id, now=now)
    emit(tx, row, TRANSITIONS[Step.ASSIGN].event, now=now)
    await tell_company(tx, row, driver_id=driver_id, now=now)
    return True


async def _driver_step(
    tx: Transaction, step: Step, ride_id: UUID, driver_id: UUID, now: datetime
) -> Any:
    return await take_step(
        tx, ride_id=ride_id, step=step, party=Party.DRIVER, member_id=driver_id, now=now
    )


def _answer(row: Any) -> dict[str, Any]:
    return {"id": str(row["id"]), "state": row["state"]}


async def arrive(
    tx: Transaction, *, ride_id: UUID, driver_id: UUID, now: datetime
) -> dict[str, Any]:
    """The driver stands at the pickup; the free waiting time begins."""
    return _answer(await _driver_step(tx, Step.ARRIVE, ride_id, driver_id, now))


async def start(
    tx: Transaction, *, ride_id: UUID, driver_id: UUID, now: datetime
) -> dict[str, Any]:
    """The rider is in the car."""
    return _answer(await _driver_step(tx, Step.START, ride_id, driver_id, now))


async def withdraw(
    tx: Transaction, *, ride_id: UUID, driver_id: UUID, now: datetime, reason: str, search_s: int
) -> dict[str, Any]:
    """The driver cannot come after all; the ride looks for another driver."""
    row = await take_step(
        tx,
        ride_id=ride_id,
        step=Step.WITHDRAW,
        party=Party.DRIVER,
        member_id=driver_id,
        now=now,
        reason=reason,
    )
    await payments.release_reserve(tx, ride_id=ride_id, now=now)
    await queries.extend_search(tx, ride_id=ride_id, until=now + timedelta(seconds=search_s))
    return _answer(row)


async def give_up_searches(database: Database, *, now: datetime) -> int:
    """End the rides that looked long enough; return how many. Safe to run in several processes."""
    async with database.transaction() as tx:
        overdue = await queries.overdue_searches(tx, now=now, limit=GIVE_UP_BATCH)
        for ride_id in overdue:
            row = await take_step(
                tx,
                ride_id=ride_id,
                step=Step.GIVE_UP,
                party=Party.PLATFORM,
                member_id=None,
                now=now,
            )
            await ledger.release_fare(tx, hold_id=row["hold_id"], now=now)
            await payments.drop(tx, ride_id=ride_id, now=now)
    return len(overdue)


async def cancel_unpaid(database: Database, *, now: datetime) -> int:
    """Call off rides whose card gave nothing before a driver came; return how many.

    Rider and driver are told. Who has arrived by then drives, and is paid all the same: the fare
    is the rider's debt.
    """
    async with database.transaction() as tx:
        unpaid = await queries.unpaid(tx, limit=GIVE_UP_BATCH)
        for ride_id in unpaid:
            row = await take_step(
                tx,
                ride_id=ride_id,
                step=Step.UNPAID,
                party=Party.PLATFORM,
                member_id=None,
                now=now,
                reason=WHY_UNPAID,
            )
            await ledger.release_fare(tx, hold_id=row["hold_id"], now=now)
            await payments.drop(tx, ride_id=ride_id, now=now)
    return len(unpaid)


async def get_view(reader: Transaction, *, ride_id: UUID, member_id: UUID | None) -> dict[str, Any]:
    """Return a ride as one of its parties (None: a dispatcher) may see it."""
    row = await queries.find_view(reader, ride_id=ride_id, member_id=member_id)
    if row is None:
        raise NotFound
    return ride_view(row)
