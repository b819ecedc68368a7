"""Tips: from the rider to the driver, whole."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.after_ride.errors import RideNotTaken, TipTooLarge, TooLateToTip
from app.after_ride.queries import tips as queries
from app.after_ride.rules import TIP_FOR
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.ledger import postings
from app.ledger import queries as books
from app.ledger import service as ledger
from app.payments import service as payments

_TIPS_TOO_LARGE = "MN141"


async def give_tip(
    tx: Transaction, *, ride_id: UUID, rider_id: UUID, amount_minor: int, now: datetime
) -> UUID:
    """Give the driver of a ride so much, nothing of it for anybody else; return the tip's id.

    It is taken as the fare was. Only a dispute gives it back.

    Raises:
        NotFound: the ride is not this rider's.
        RideNotTaken, TooLateToTip, TipTooLarge: as they say.
        BalanceTooLow: the rider's account does not reach.
    """
    ride = await queries.find_ride(tx, ride_id=ride_id, member_id=rider_id)
    if ride is None or ride["rider_id"] != rider_id:
        raise NotFound
    if ride["kind"] != "fare":
        raise RideNotTaken
    if now > ride["settled_at"] + TIP_FOR:
        raise TooLateToTip
    await queries.lock_money(tx, ride_id=ride_id)
    tip_id = new_id()
    accounts = await books.fare_accounts(tx, rider_id=rider_id, driver_id=ride["driver_id"])
    journal_id = await ledger.post(
        tx,
        postings.tip(
            rider_id=accounts["rider"], driver_id=accounts["driver"], amount_minor=amount_minor
        ),
        scope="tip",
        key=str(tip_id),
        subject_id=ride_id,
        now=now,
    )
    try:
        await queries.insert_tip(
            tx,
            tip_id=tip_id,
            ride_id=ride_id,
            rider_id=rider_id,
            driver_id=ride["driver_id"],
            amount_minor=amount_minor,
            journal_id=journal_id,
            now=now,
        )
    except asyncpg.PostgresError as refused:
        if refused.sqlstate != _TIPS_TOO_LARGE:
            raise
        raise TipTooLarge from refused
    await payments.charge(
        tx,
        ride_id=ride_id,
        rider_id=rider_id,
        key=f"tip:{tip_id}",
        amount_minor=amount_minor,
        now=now,
    )
    data = {"ride_id": str(ride_id), "tip_id": str(tip_id), "amount_minor": amount_minor}
    tx.emit(Event("ride.tipped", (ride_id, ride["driver_id"]), data), at=now)
    return tip_id


async def list_tips(reader: Transaction, *, ride_id: UUID, member_id: UUID) -> list[Any]:
    """Return a ride's tips to its rider or driver.

    Raises:
        NotFound: the member neither took nor drove it.
    """
    if await queries.find_ride(reader, ride_id=ride_id, member_id=member_id) is None:
        raise NotFound
    return await queries.list_tips(reader, ride_id=ride_id)
