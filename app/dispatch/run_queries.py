"""The statements about shared runs."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.dispatch.queries import MAY_DRIVE
from app.foundation.database import Transaction

_RIDE = """
select r.id as ride_id, r.state, r.seats, r.requested_at, r.started_at, q.pickup_lat, q.pickup_lng,
  q.dropoff_lat, q.dropoff_lng, q.duration_s, q.max_wait_s, q.max_delay_s"""

# Who drives shared rides or is being asked for one, and may drive on; a row for each such ride.
_RUNS = f"""
{_RIDE}, s.driver_id, v.seats as car_seats, false as is_asked
from ride r join quote q on q.id = r.quote_id join shift s on s.driver_id = r.driver_id
join vehicle v on v.id = r.vehicle_id
where r.is_shared and r.state in ('assigned', 'arrived', 'under_way') and {MAY_DRIVE}
union all
{_RIDE}, s.driver_id, v.seats, true
from offer o join ride r on r.id = o.ride_id join quote q on q.id = r.quote_id
join shift s on s.driver_id = o.driver_id join vehicle v on v.id = s.vehicle_id
where o.state = 'open' and r.is_shared and r.state = 'requested' and {MAY_DRIVE}
order by driver_id, ride_id
"""

# Nothing offered before the oldest of a driver's open rides was booked can speak of them.
_PLANS = """
select asked.driver_id, newest.run
from unnest($1::uuid[], $2::uuid[]) as asked(driver_id, oldest_ride_id)
cross join lateral (
  select run from offer where driver_id = asked.driver_id and id > asked.oldest_ride_id
    and run is not null and state in ('open', 'accepted') order by id desc limit 1) as newest
"""

_DRIVEN = """
select r.id as ride_id, r.state, r.seats, r.is_shared, split_part(m.name, ' ', 1) as rider_name,
  q.pickup_lat, q.pickup_lng, q.pickup_name, q.dropoff_lat, q.dropoff_lng, q.dropoff_name
from ride r join quote q on q.id = r.quote_id join member m on m.id = r.rider_id
where r.driver_id = $1 and r.state in ('assigned', 'arrived', 'under_way')
order by r.id
"""


async def list_runs(reader: Transaction, *, today: date, papers: int) -> list[Any]:
    """Return each shared ride that is driven or on offer, with its driver, ordered by driver."""
    return await reader.rows(_RUNS, today, papers)


async def list_plans(
    reader: Transaction, *, driver_ids: list[UUID], oldest_ride_ids: list[UUID]
) -> list[Any]:
    """Return driver_id and the stops that were last offered and not declined, as stored."""
    return await reader.rows(_PLANS, driver_ids, oldest_ride_ids)


async def list_driven(reader: Transaction, *, driver_id: UUID) -> list[Any]:
    """Return the open rides of a driver with their stops and first names, the oldest first."""
    return await reader.rows(_DRIVEN, driver_id)


async def car_seats(reader: Transaction, *, driver_ids: list[UUID]) -> dict[UUID, int]:
    """Return how many seats the car of each of these drivers on shift has."""
    rows = await reader.rows(
        "select s.driver_id, v.seats from shift s join vehicle v on v.id = s.vehicle_id"
        " where s.ended_at is null and s.driver_id = any($1)",
        driver_ids,
    )
    return {row["driver_id"]: row["seats"] for row in rows}


async def small_cars(reader: Transaction, *, below: int) -> list[Any]:
    """Return driver_id and seats of those on shift whose car has fewer seats than that."""
    return await reader.rows(
        "select s.driver_id, v.seats from shift s join vehicle v on v.id = s.vehicle_id"
        " where s.ended_at is null and v.seats < $1",
        below,
    )


async def insert_pool(tx: Transaction, *, tick_id: UUID, now: datetime, record: bytes) -> None:
    """Store what a tick's offers to join shared runs were decided from."""
    await tx.execute(
        "insert into dispatch_pool (tick_id, at, record) values ($1, $2, $3)", tick_id, now, record
    )


async def delete_pools(tx: Transaction, *, before: datetime, at_most: int) -> int:
    """Forget what ticks before a moment decided from, the oldest first; return how many went."""
    gone: int = await tx.value(
        "with gone as (delete from dispatch_pool where tick_id in"
        " (select tick_id from dispatch_pool where at < $1 order by at limit $2)"
        " returning tick_id) select count(*) from gone",
        before,
        at_most,
    )
    return gone


async def list_pools(reader: Transaction, *, newest: int) -> list[UUID]:
    """Return the newest ticks whose pool is stored, the newest first."""
    rows = await reader.rows(
        "select tick_id from dispatch_pool order by at desc, tick_id desc limit $1", newest
    )
    return [row["tick_id"] for row in rows]


async def find_pool(reader: Transaction, *, tick_id: UUID) -> Any:
    """Return what a tick's offers to join were decided from, and those offers as JSON."""
    return await reader.row(
        "select p.record, coalesce((select jsonb_agg(jsonb_build_object("
        "   'ride_id', o.ride_id, 'driver_id', o.driver_id, 'explanation', o.explanation,"
        "   'run', o.run)) from offer o where o.tick_id = p.tick_id and o.run is not null), '[]')"
        "  ::text as made from dispatch_pool p where p.tick_id = $1",
        tick_id,
    )
