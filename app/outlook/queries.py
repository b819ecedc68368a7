"""Every statement of the outlook's room."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

# Rooms below are read by name. A quote's age has an index and is at most minutes before its ride;
# who books ahead is found by dispatch itself. Rounded, so that no doorstep leaves the database.
_ASKED = """
select round(q.pickup_lat::numeric, 3)::float8 as lat, round(q.pickup_lng::numeric, 3)::float8
  as lng, r.rider_id, count(*)::int as many
from unnest($1::timestamptz[], $2::timestamptz[]) as week(starts_at, ends_at)
join quote q on q.quoted_at >= week.starts_at and q.quoted_at < week.ends_at
join ride r on r.quote_id = q.id
where q.pickup_at is null
group by 1, 2, 3
"""

_HAS_RIDE = """
exists (select from ride r where r.driver_id = {driver}
        and r.state in ('assigned', 'arrived', 'under_way'))
"""
_ON_SHIFT = "exists (select from shift s where s.driver_id = {driver} and s.ended_at is null)"

# Rides end here soon, and their drivers are then free.
_ENDINGS = """
select distinct on (r.driver_id) q.dropoff_lat as lat, q.dropoff_lng as lng
from ride r join quote q on q.id = r.quote_id
where r.state in ('assigned', 'arrived', 'under_way') order by r.driver_id, r.id desc
"""

_FORGET = f"""
delete from waiting_hint h
where not {_ON_SHIFT.format(driver="h.driver_id")} or {_HAS_RIDE.format(driver="h.driver_id")}
"""

# A hint that still holds stays: another program may have given it meanwhile.
_STORE = f"""
insert into waiting_hint (driver_id, cell, lat, lng, name, drive_s, expected_requests,
                          drivers_there, based_on, made_at, good_until)
select x.driver_id, x.cell, x.lat, x.lng, x.name, x.drive_s, x.expected_requests,
  x.drivers_there, x.based_on, $1, x.good_until
from unnest($2::uuid[], $3::bigint[], $4::float8[], $5::float8[], $6::text[], $7::int[],
            $8::float8[], $9::int[], $10::text[], $11::timestamptz[])
  as x(driver_id, cell, lat, lng, name, drive_s, expected_requests, drivers_there, based_on,
       good_until)
where {_ON_SHIFT.format(driver="x.driver_id")} and not {_HAS_RIDE.format(driver="x.driver_id")}
order by x.driver_id
on conflict (driver_id) do update
set cell = excluded.cell, lat = excluded.lat, lng = excluded.lng, name = excluded.name,
  drive_s = excluded.drive_s, expected_requests = excluded.expected_requests,
  drivers_there = excluded.drivers_there, based_on = excluded.based_on,
  made_at = excluded.made_at, good_until = excluded.good_until
where waiting_hint.good_until <= $1
returning new.driver_id, new.based_on, new.good_until,
  old.cell is distinct from new.cell as is_another
"""

_FIND = f"""
select {_ON_SHIFT.format(driver="$1")} as on_shift, {_HAS_RIDE.format(driver="$1")} as has_ride,
  h.lat, h.lng, h.name, h.drive_s, h.expected_requests, h.drivers_there, h.based_on, h.made_at,
  h.good_until
from (select) as one left join waiting_hint h on h.driver_id = $1 and h.good_until > $2
"""


async def find_first_quote(reader: Transaction) -> datetime | None:
    """Return since when there is a record, or None."""
    first: datetime | None = await reader.value("select min(quoted_at) from quote")
    return first


async def list_asked(
    reader: Transaction, *, starts: Sequence[datetime], ends: Sequence[datetime]
) -> list[Any]:
    """Return lat, lng, rider_id and many: who booked how often for at once, from about where."""
    return await reader.rows(_ASKED, starts, ends)


async def list_endings(reader: Transaction) -> list[Any]:
    """Return lat and lng of where each driver with a ride ends it."""
    return await reader.rows(_ENDINGS)


async def list_standing(reader: Transaction, *, now: datetime) -> list[Any]:
    """Return driver_id and cell of each hint that holds."""
    return await reader.rows(
        "select driver_id, cell from waiting_hint where good_until > $1 order by driver_id", now
    )


async def forget_hints(tx: Transaction) -> None:
    """Delete the hints of who has a ride or is not on shift."""
    await tx.execute(_FORGET)


async def store_hints(tx: Transaction, *, now: datetime, columns: Sequence[Sequence[Any]]) -> Any:
    """Store each driver's hint; return driver_id, based_on, good_until and is_another of each.

    `is_another` is false where the driver was told the same place before. Not stored: of who has a
    hint that holds, a ride or no shift.
    """
    return await tx.rows(_STORE, now, *columns)


async def find_hint(reader: Transaction, *, driver_id: UUID, now: datetime) -> Any:
    """Return on_shift, has_ride and the driver's hint that holds, its columns null without one."""
    row = await reader.row(_FIND, driver_id, now)
    assert row is not None
    return row
