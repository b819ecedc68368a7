"""Rides booked ahead: their pickup window, the reminder, and the moment the search begins."""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from app.foundation.database import Database, Transaction
from app.ledger import service as ledger
from app.payments import service as payments
from app.rides import queries
from app.rides.errors import RideAlreadyBookedForThen, TooManyScheduledRides
from app.rides.lifecycle import Party, Step
from app.rides.steps import emit, take_step

WINDOW = timedelta(minutes=10)  # the car comes from the wished moment on, this late at most
# From then on dispatch knows of the ride, and keeps a driver for it once few are left who could
# come later (`matching.booked`). Nobody is farther away than 20 minutes, most are within 5, the
# window adds 10, and an offer may be declined a few times.
SEARCH_AHEAD = timedelta(minutes=15)
REMIND_AHEAD = timedelta(minutes=30)  # time enough to cancel before anybody drives
# Each holds its fare, and each may keep a driver from somebody else.
MOST_SCHEDULED = 10
BATCH = 100
WHY_LAPSED = "the search for a driver could not begin before the pickup window closed"


async def check_room(tx: Transaction, *, rider_id: UUID, pickup_from: datetime) -> None:
    """Refuse a ride that this rider cannot take, or one too many.

    The caller has placed the hold: it locks the rider's balance, so that of two bookings at once
    the second one comes here after the first is true.

    Raises:
        RideAlreadyBookedForThen, TooManyScheduledRides: as they say.
    """
    other = await queries.booked_for(
        tx, rider_id=rider_id, pickup_from=pickup_from, pickup_until=pickup_from + WINDOW
    )
    if other is not None:
        raise RideAlreadyBookedForThen(ride_id=str(other))
    if await queries.count_scheduled(tx, rider_id=rider_id) >= MOST_SCHEDULED:
        raise TooManyScheduledRides(most=MOST_SCHEDULED)


async def keep_schedule(database: Database, *, now: datetime) -> None:
    """Remind riders, begin searches and end what could not begin; safe in several processes."""
    await remind(database, now=now)
    await release(database, now=now)
    await lapse(database, now=now)


async def remind(database: Database, *, now: datetime) -> int:
    """Tell riders, each once, that their ride is near; return how many were told.

    The mark and the event are one transaction: a reminder is neither lost nor doubled.
    """
    async with database.transaction() as tx:
        rides = await queries.mark_reminded(
            tx, now=now, wanted_before=now + REMIND_AHEAD, limit=BATCH
        )
        for ride in rides:
            emit(tx, ride, "ride.reminder", now=now)
    return len(rides)


async def release(database: Database, *, now: datetime) -> int:
    """Begin the search for rides that are wanted soon; return how many it began for.

    A ride whose rider still has an open one waits for a later round.
    """
    for released in range(BATCH):
        try:
            async with database.transaction() as tx:
                ride_id = await queries.next_to_release(
                    tx, now=now, wanted_before=now + SEARCH_AHEAD
                )
                if ride_id is None:
                    return released
                await _platform_step(tx, ride_id, Step.RELEASE, now=now)
        except asyncpg.UniqueViolationError as busy:
            if busy.constraint_name != "one_open_ride_per_rider":
                raise
            return released  # The rider booked a ride for now in this very moment.
    return BATCH


async def lapse(database: Database, *, now: datetime) -> int:
    """Cancel rides whose window closed before their search began; their money is let go."""
    async with database.transaction() as tx:
        closed = await queries.closed_windows(tx, now=now, limit=BATCH)
        for ride_id in closed:
            hold_id = await _platform_step(tx, ride_id, Step.LAPSE, now=now, reason=WHY_LAPSED)
            await ledger.release_fare(tx, hold_id=hold_id, now=now)
            await payments.drop(tx, ride_id=ride_id, now=now)
    return len(closed)


async def _platform_step(
    tx: Transaction, ride_id: UUID, step: Step, *, now: datetime, reason: str | None = None
) -> UUID:
    """Take a step of a ride that is locked, and return its hold."""
    row = await take_step(
        tx,
        ride_id=ride_id,
        step=step,
        party=Party.PLATFORM,
        member_id=None,
        now=now,
        reason=reason,
    )
    hold_id: UUID = row["hold_id"]
    return hold_id
