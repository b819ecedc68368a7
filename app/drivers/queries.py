"""Every statement of the drivers' room."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction


async def find_time_zone(reader: Transaction) -> str:
    """Return the name of the cooperative's time zone, which says what day it is."""
    return str(await reader.value("select time_zone from cooperative"))


async def find_vehicle(
    reader: Transaction, *, driver_id: UUID, vehicle_id: UUID | None
) -> UUID | None:
    """Return the driver's car of this id; without an id the newest one; None if there is none."""
    found: UUID | None = await reader.value(
        "select id from vehicle where member_id = $1 and ($2::uuid is null or id = $2)"
        " order by id desc limit 1",
        driver_id,
        vehicle_id,
    )
    return found


async def open_shift(
    tx: Transaction, *, shift_id: UUID, driver_id: UUID, vehicle_id: UUID, now: datetime
) -> Any | None:
    """Open a shift and return its row; None if the driver has one open."""
    return await tx.row(
        "insert into shift (id, driver_id, vehicle_id, started_at) values ($1, $2, $3, $4)"
        " on conflict (driver_id) where ended_at is null do nothing"
        " returning id, vehicle_id, started_at, ended_at",
        shift_id,
        driver_id,
        vehicle_id,
        now,
    )


async def find_open_shift(reader: Transaction, *, driver_id: UUID) -> Any | None:
    """Return the driver's open shift, or None."""
    return await reader.row(
        "select id, vehicle_id, started_at, ended_at from shift"
        " where driver_id = $1 and ended_at is null",
        driver_id,
    )


async def lock_open_shift(tx: Transaction, *, driver_id: UUID) -> UUID | None:
    """Return the driver's open shift, locked, or None.

    Whoever gives a ride to this driver locks the same row FOR SHARE, so that a shift never ends
    between the look at the driver's rides and the commit.
    """
    found: UUID | None = await tx.value(
        "select id from shift where driver_id = $1 and ended_at is null for update", driver_id
    )
    return found


async def has_ride_under_way(reader: Transaction, *, driver_id: UUID) -> bool:
    """Return whether a rider counts on this driver now."""
    # The room of rides stands above this one and cannot be imported, but a shift must not end
    # under a rider: so the table is read by name. The states are those of its index ride_driven,
    # spelled out so that the index is used.
    return bool(
        await reader.value(
            "select exists(select from ride where driver_id = $1"
            " and state in ('assigned', 'arrived', 'under_way'))",
            driver_id,
        )
    )


async def end_shift(tx: Transaction, *, shift_id: UUID, now: datetime) -> Any:
    """End the shift and return its row."""
    row = await tx.row(
        # A clock that was set back must not keep a driver on duty.
        "update shift set ended_at = greatest(started_at, $2) where id = $1"
        " returning id, vehicle_id, started_at, ended_at",
        shift_id,
        now,
    )
    assert row is not None
    return row


async def forget_position(tx: Transaction, *, driver_id: UUID) -> None:
    """Delete the driver's position."""
    await tx.execute("delete from driver_position where driver_id = $1", driver_id)


async def list_drivers_on_shift(reader: Transaction) -> list[UUID]:
    """Return who has an open shift."""
    rows = await reader.rows("select driver_id from shift where ended_at is null")
    return [row["driver_id"] for row in rows]


async def list_positions(reader: Transaction, *, since: datetime) -> list[Any]:
    """Return driver_id, lat, lng and at of drivers on shift heard of since then."""
    return await reader.rows(
        "select p.driver_id, p.lat, p.lng, p.at from driver_position p join shift s"
        " on s.driver_id = p.driver_id and s.ended_at is null where p.at >= $1",
        since,
    )


async def store_positions(
    tx: Transaction,
    *,
    driver_ids: Sequence[UUID],
    lat: Sequence[float],
    lng: Sequence[float],
    at: Sequence[datetime],
) -> None:
    """Keep each position unless a newer one is kept, or the driver is no longer on shift.

    Rows are written in the order of their key, so two writers never wait in a circle.
    """
    await tx.execute(
        "insert into driver_position (driver_id, lat, lng, at)"
        " select new.driver_id, new.lat, new.lng, new.at"
        " from unnest($1::uuid[], $2::float8[], $3::float8[], $4::timestamptz[])"
        "   as new(driver_id, lat, lng, at)"
        " join shift s on s.driver_id = new.driver_id and s.ended_at is null"
        " order by new.driver_id"
        " on conflict (driver_id) do update"
        " set lat = excluded.lat, lng = excluded.lng, at = excluded.at"
        " where driver_position.at < excluded.at",
        driver_ids,
        lat,
        lng,
        at,
    )


async def forget_positions_off_shift(tx: Transaction, *, driver_ids: Iterable[UUID]) -> None:
    """Delete the positions of those among these drivers who are no longer on shift."""
    await tx.execute(
        "delete from driver_position p where p.driver_id = any($1::uuid[]) and not exists"
        " (select from shift s where s.driver_id = p.driver_id and s.ended_at is null)",
        sorted(driver_ids),
    )
