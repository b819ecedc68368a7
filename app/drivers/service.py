"""Shifts: a driver begins and ends the time in which the platform may ask and follow them."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.drivers import queries
from app.drivers.errors import NoOpenShift, NoSuchVehicle, RideUnderWay, ShiftAlreadyOpen
from app.foundation.database import Database, Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.members import service as members


def _shown(row: Any) -> dict[str, Any]:
    ended_at = row["ended_at"]
    return {
        "id": str(row["id"]),
        "vehicle_id": str(row["vehicle_id"]),
        "started_at": row["started_at"].isoformat(),
        "ended_at": ended_at.isoformat() if ended_at else None,
    }


async def start_shift(
    tx: Transaction, *, driver_id: UUID, vehicle_id: UUID | None, now: datetime
) -> dict[str, Any]:
    """The driver is on shift with that car, or the newest one; its event is told.

    Raises:
        DriverDocumentExpired: a paper does not hold today, by the cooperative's calendar.
        NoSuchVehicle: the car is not the driver's, or there is none.
        ShiftAlreadyOpen: the driver is on shift.
    """
    time_zone = ZoneInfo(await queries.find_time_zone(tx))
    await members.check_papers(tx, driver_id=driver_id, today=now.astimezone(time_zone).date())
    car = await queries.find_vehicle(tx, driver_id=driver_id, vehicle_id=vehicle_id)
    if car is None:
        raise NoSuchVehicle
    row = await queries.open_shift(
        tx, shift_id=new_id(), driver_id=driver_id, vehicle_id=car, now=now
    )
    if row is None:
        raise ShiftAlreadyOpen
    shift = _shown(row)
    tx.emit(Event("shift.started", (driver_id,), {"shift": shift}), at=now)
    return shift


async def end_shift(tx: Transaction, *, driver_id: UUID, now: datetime) -> dict[str, Any]:
    """The driver is off duty and the stored position is gone; its event is told.

    Raises:
        NoOpenShift: the driver is not on shift.
        RideUnderWay: a rider counts on this driver.
    """
    shift_id = await queries.lock_open_shift(tx, driver_id=driver_id)
    if shift_id is None:
        raise NoOpenShift
    if await queries.has_ride_under_way(tx, driver_id=driver_id):
        raise RideUnderWay
    shift = _shown(await queries.end_shift(tx, shift_id=shift_id, now=now))
    await queries.forget_position(tx, driver_id=driver_id)
    tx.emit(Event("shift.ended", (driver_id,), {"shift": shift}), at=now)
    return shift


async def get_current_shift(database: Database, *, driver_id: UUID) -> dict[str, Any]:
    """Return the driver's open shift.

    Raises:
        NoOpenShift: the driver is not on shift.
    """
    async with database.reading() as reader:
        row = await queries.find_open_shift(reader, driver_id=driver_id)
    if row is None:
        raise NoOpenShift
    return _shown(row)
