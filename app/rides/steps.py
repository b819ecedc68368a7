"""Takes one step of the table and tells everybody whom it concerns."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation import metrics
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.problems import NotFound
from app.rides import queries
from app.rides.errors import WrongRideState
from app.rides.lifecycle import DRIVING_STATES, TRANSITIONS, Party, Step


def emit(
    tx: Transaction, row: Any, event: str, *, now: datetime, also: UUID | None = None, **more: Any
) -> None:
    """Tell the ride's own stream, its rider and its driver (and ``also``) what happened."""
    members = dict.fromkeys(m for m in (row["rider_id"], row["driver_id"], also) if m)
    data = {
        "ride_id": str(row["id"]),
        "state": row["state"],
        "rider_id": str(row["rider_id"]),
        "driver_id": str(row["driver_id"]) if row["driver_id"] else None,
        "shared": row["is_shared"],
        **_window(row),
        **more,
    }
    tx.emit(Event(event, (row["id"], *members), data), at=now)
    metrics.RIDES.labels(event.removeprefix("ride.")).inc()


async def tell_company(tx: Transaction, row: Any, *, driver_id: UUID, now: datetime) -> None:
    """Tell the others in the car of a shared ride how many parties ride beside theirs; never who.

    Nobody is told of a ride that is not shared.
    """
    if not row["is_shared"]:
        return
    rides = await queries.rides_in_car(tx, driver_id=driver_id)
    for other in rides:
        if other["id"] != row["id"]:
            data = {"ride_id": str(other["id"]), "sharing_with": len(rides) - 1}
            company = Event("ride.company_changed", (other["id"], other["rider_id"]), data)
            tx.emit(company, at=now)


def _window(row: Any) -> dict[str, str]:
    """Return the pickup window of a ride that was booked ahead, nothing for others."""
    if row["pickup_from"] is None:
        return {}
    return {name: row[name].isoformat() for name in ("pickup_from", "pickup_until")}


async def take_step(
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
    emit(tx, row, TRANSITIONS[step].event, now=now, also=row["was_driver_id"], **more)
    if row["was_driver_id"] and TRANSITIONS[step].target not in DRIVING_STATES:
        await tell_company(tx, row, driver_id=row["was_driver_id"], now=now)
    return row
