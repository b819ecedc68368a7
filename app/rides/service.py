"""Use cases of a ride: request, assign, arrive, start, complete, cancel, withdraw, give up."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.fares import service as fares
from app.foundation import metrics
from app.foundation.database import Database, Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.ledger import service as ledger
from app.rides import queries
from app.rides.errors import (
    DriverBusy,
    OpenRideExists,
    QuoteAlreadyBooked,
    QuoteExpired,
    TooEarlyForNoShow,
    WrongRideState,
)
from app.rides.lifecycle import TRANSITIONS, Party, RideState, Step
from app.rides.schemas import ride_view

GIVE_UP_BATCH = 100
_REFUSALS = {
    "a_quote_is_booked_once": QuoteAlreadyBooked,
    "one_open_ride_per_rider": OpenRideExists,
    "one_open_ride_per_driver": DriverBusy,
}


def _emit(
    tx: Transaction, row: Any, event: str, *, now: datetime, also: UUID | None = None, **more: Any
) -> None:
    """Tell the ride's own stream, its rider and its driver (and ``also``) what happened."""
    members = dict.fromkeys(m for m in (row["rider_id"], row["driver_id"], also) if m)
    data = {
        "ride_id": str(row["id"]),
        "state": row["state"],
        "rider_id": str(row["rider_id"]),
        "driver_id": str(row["driver_id"]) if row["driver_id"] else None,
        **more,
    }
    tx.emit(Event(event, (row["id"], *members), data), at=now)
    metrics.RIDES.labels(event.removeprefix("ride.")).inc()


async def request_ride(
    tx: Transaction, *, rider_id: UUID, quote_id: UUID, now: datetime, search_s: int
) -> dict[str, Any]:
    """Book a quote: its fare is set aside and the ride looks for a driver for ``search_s``.

    Raises:
        NotFound: the quote is not this rider's.
        QuoteExpired, QuoteAlreadyBooked, OpenRideExists, CreditLimitReached: as they say.
    """
    quote = await fares.get_quote(tx, quote_id=quote_id, rider_id=rider_id)
    if quote["expires_at"] <= now:
        raise QuoteExpired
    ride_id, hold_id = new_id(), new_id()
    await ledger.hold_fare(
        tx, hold_id=hold_id, rider_id=rider_id, fare_minor=quote["fare_minor"], now=now
    )
    try:
        await queries.insert_ride(
            tx,
            ride_id=ride_id,
            rider_id=rider_id,
            quote_id=quote_id,
            hold_id=hold_id,
            now=now,
            search_until=now + timedelta(seconds=search_s),
        )
    except asyncpg.UniqueViolationError as twice:
        raise _REFUSALS[twice.constraint_name] from twice
    row = {"id": ride_id, "rider_id": rider_id, "driver_id": None, "state": RideState.REQUESTED}
    _emit(tx, row, "ride.requested", now=now, fare_minor=quote["fare_minor"])
    return {"id": str(ride_id), "state": RideState.REQUESTED, "fare_minor": quote["fare_minor"]}


async def assign_driver(
    tx: Transaction, *, ride_id: UUID, driver_id: UUID, vehicle_id: UUID, now: datetime
) -> bool:
    """Give a waiting ride to a driver; False where somebody else has it or it is over.

    Raises:
        DriverBusy: the driver has an open ride.
    """
    try:
        row = await queries.assign(
            tx, ride_id=ride_id, driver_id=driver_id, vehicle_id=vehicle_id, now=now
        )
    except asyncpg.UniqueViolationError as busy:
        raise _REFUSALS[busy.constraint_name] from busy
    if row is None:
        return False
    _emit(tx, row, TRANSITIONS[Step.ASSIGN].event, now=now)
    return True


async def _step(
    tx: Transaction,
    *,
    ride_id: UUID,
    step: Step,
    party: Party,
    member_id: UUID | None,
    now: datetime,
    reason: str | None = None,
) -> Any:
    """Take one step of the table, or say why not; what belongs to it follows in the caller."""
    assert party in TRANSITIONS[step].parties
    row = await queries.take_step(
        tx, ride_id=ride_id, step=step, party=party, member_id=member_id, now=now, reason=reason
    )
    if row is None:
        anyone = party in (Party.DISPATCHER, Party.PLATFORM)
        state = await queries.find_state(
            tx, ride_id=ride_id, member_id=None if anyone else member_id
        )
        if state is None:
            raise NotFound
        raise WrongRideState(state=state)
    more = {"reason": reason} if reason else {}
    _emit(tx, row, TRANSITIONS[step].event, now=now, also=row["was_driver_id"], **more)
    return row


async def _driver_step(
    tx: Transaction, step: Step, ride_id: UUID, driver_id: UUID, now: datetime
) -> Any:
    return await _step(
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


async def complete(
    tx: Transaction, *, ride_id: UUID, driver_id: UUID, now: datetime
) -> dict[str, Any]:
    """Finish a ride and book its fare, split by the share stored on its quote. Both or neither."""
    row = await _driver_step(tx, Step.COMPLETE, ride_id, driver_id, now)
    quote = await fares.get_quote(tx, quote_id=row["quote_id"], rider_id=row["rider_id"])
    await ledger.post_ride_fare(
        tx,
        ride_id=ride_id,
        rider_id=row["rider_id"],
        driver_id=driver_id,
        fare_minor=quote["fare_minor"],
        commission_minor=quote["commission_minor"],
        policy_version_id=quote["policy_version_id"],
        hold_id=row["hold_id"],
        now=now,
    )
    return _answer(row) | {
        "fare_minor": quote["fare_minor"],
        "commission_minor": quote["commission_minor"],
        "driver_net_minor": quote["driver_net_minor"],
    }


async def cancel(
    tx: Transaction, *, ride_id: UUID, party: Party, member_id: UUID, now: datetime, reason: str
) -> dict[str, Any]:
    """The rider (or a dispatcher for them) calls the ride off; the money is let go."""
    row = await _step(
        tx,
        ride_id=ride_id,
        step=Step.CANCEL,
        party=party,
        member_id=member_id,
        now=now,
        reason=reason,
    )
    await ledger.release_fare(tx, hold_id=row["hold_id"], now=now)
    return _answer(row)


async def withdraw(
    tx: Transaction, *, ride_id: UUID, driver_id: UUID, now: datetime, reason: str, search_s: int
) -> dict[str, Any]:
    """The driver cannot come after all; the ride looks for another driver."""
    row = await _step(
        tx,
        ride_id=ride_id,
        step=Step.WITHDRAW,
        party=Party.DRIVER,
        member_id=driver_id,
        now=now,
        reason=reason,
    )
    await queries.extend_search(tx, ride_id=ride_id, until=now + timedelta(seconds=search_s))
    return _answer(row)


async def report_no_show(
    tx: Transaction, *, ride_id: UUID, driver_id: UUID, now: datetime
) -> dict[str, Any]:
    """The rider did not come within the free waiting time; the money is let go.

    Raises:
        TooEarlyForNoShow: the free waiting time is not over.
    """
    if await queries.find_state(tx, ride_id=ride_id, member_id=driver_id) is None:
        raise NotFound
    earliest = await queries.no_show_from(tx, ride_id=ride_id)
    if earliest is not None and now < earliest:
        raise TooEarlyForNoShow(earliest=earliest.isoformat())
    row = await _driver_step(tx, Step.NO_SHOW, ride_id, driver_id, now)
    await ledger.release_fare(tx, hold_id=row["hold_id"], now=now)
    return _answer(row)


async def give_up_searches(database: Database, *, now: datetime) -> int:
    """End the rides that looked long enough; return how many. Safe to run in several processes."""
    async with database.transaction() as tx:
        overdue = await queries.overdue_searches(tx, now=now, limit=GIVE_UP_BATCH)
        for ride_id in overdue:
            row = await _step(
                tx,
                ride_id=ride_id,
                step=Step.GIVE_UP,
                party=Party.PLATFORM,
                member_id=None,
                now=now,
            )
            await ledger.release_fare(tx, hold_id=row["hold_id"], now=now)
    return len(overdue)


async def get_view(reader: Transaction, *, ride_id: UUID, member_id: UUID | None) -> dict[str, Any]:
    """Return a ride as one of its parties (None: a dispatcher) may see it."""
    row = await queries.find_view(reader, ride_id=ride_id, member_id=member_id)
    if row is None:
        raise NotFound
    return ride_view(row)
