"""Every statement of the dispatch room."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from matching.problem import Id

# Reads tables of the lower rooms by name: one statement gathers all that a tick needs. Who booked
# ahead counts as waiting only from the wished moment on.
_WAITING_RIDES = """
select r.id, greatest(r.requested_at, r.pickup_from) as requested_at, r.pickup_from,
  r.pickup_until, r.search_until, r.seats, r.is_shared, r.id as ride_id, r.state, r.started_at,
  q.pickup_lat, q.pickup_lng, q.dropoff_lat, q.dropoff_lng, q.duration_s, q.max_wait_s,
  q.max_delay_s
from ride r join quote q on q.id = r.quote_id
where r.state = 'requested' and r.search_until > $1
  and not exists (select from offer o where o.ride_id = r.id and o.state = 'open')
order by r.id
limit $2
"""

# Who may drive: on shift, a driver still, not suspended, with all papers.
MAY_DRIVE = """
  s.ended_at is null
  and exists (select from member_role m where m.member_id = s.driver_id and m.role = 'driver')
  and not exists (select from suspension u where u.member_id = s.driver_id and u.lifted_at is null)
  and (select count(distinct d.kind) from document d
       where d.member_id = s.driver_id and d.expires_on >= $1) = $2
"""

# A driver is free who may drive and has no open ride and no open offer.
_FREE_DRIVERS = f"""
select s.driver_id from shift s
where {MAY_DRIVE}
  and not exists (select from ride r where r.driver_id = s.driver_id
                  and r.state in ('assigned', 'arrived', 'under_way'))
  and not exists (select from offer o where o.driver_id = s.driver_id and o.state = 'open')
order by s.driver_id
"""

_BUSY_DRIVERS = f"""
select s.driver_id, r.state, q.duration_s, q.pickup_lat, q.pickup_lng, q.dropoff_lat, q.dropoff_lng
from ride r join shift s on s.driver_id = r.driver_id join quote q on q.id = r.quote_id
where r.state in ('assigned', 'arrived', 'under_way') and not r.is_shared and {MAY_DRIVE}
order by s.driver_id
"""

# Income is what rides completed since $1 left the driver; empty is the way to every rider whom she
# set out for, whether or not that rider was driven, but for who joins others on the way; a shift
# counts from $1 to $2.
_EARNINGS = """
with online as (
  select driver_id, sum(extract(epoch from least(coalesce(ended_at, $2), $2)
                                           - greatest(started_at, $1)))::float8 as online_s
  from (select driver_id, started_at, ended_at from shift where ended_at > $1 and started_at < $2
        union all
        select driver_id, started_at, ended_at from shift where ended_at is null
          and started_at < $2) as s
  group by driver_id),
driven as (
  select r.driver_id, count(*) as rides, sum(q.driver_net_minor)::bigint as net_minor
  from ride r join quote q on q.id = r.quote_id
  where r.state = 'completed' and r.ended_at > $1 and r.ended_at <= $2 group by r.driver_id),
empty as (
  select driver_id, sum(pickup_m)::bigint as empty_m from offer
  where state = 'accepted' and run is null and decided_at > $1 and decided_at <= $2
  group by driver_id)
select o.driver_id, o.online_s, coalesce(d.rides, 0) as rides,
  coalesce(d.net_minor, 0) as net_minor, coalesce(e.empty_m, 0) as empty_m
from online o left join driven d using (driver_id) left join empty e using (driver_id)
order by o.driver_id
"""

_CLOSE_OFFERS = """
update offer o set decided_at = $1,
  state = case when r.state = 'requested' then 'expired' else 'withdrawn' end
from ride r
where r.id = o.ride_id and o.state = 'open' and (o.expires_at <= $1 or r.state <> 'requested')
returning o.id, o.driver_id, o.ride_id, o.state
"""

# What changed since the tick read is left for the next tick: the join and the indexes refuse it.
_INSERT_OFFERS = """
insert into offer (id, tick_id, ride_id, driver_id, state, offered_at, expires_at, pickup_s,
                   pickup_m, explanation, run)
select x.id, $1, x.ride_id, x.driver_id, 'open', $2, $3, x.pickup_s, x.pickup_m, x.explanation,
  x.run
from unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::int[], $8::int[], $9::jsonb[], $10::jsonb[])
  as x(id, ride_id, driver_id, pickup_s, pickup_m, explanation, run)
join ride r on r.id = x.ride_id and r.state = 'requested'
join shift s on s.driver_id = x.driver_id and s.ended_at is null
where not exists (select from ride d where d.driver_id = x.driver_id
                  and d.state in ('assigned', 'arrived', 'under_way')
                  and not (d.is_shared and x.run is not null))
order by x.driver_id
on conflict do nothing
returning id
"""

_VIEW = """
select o.id, o.ride_id, o.driver_id, o.state, o.offered_at, o.expires_at, o.decided_at, o.pickup_s,
  o.pickup_m, o.explanation, r.seats, r.is_shared, q.pickup_lat, q.pickup_lng, q.pickup_name,
  q.dropoff_lat, q.dropoff_lng, q.dropoff_name, q.distance_m, q.duration_s, q.currency,
  q.fare_minor, q.commission_bp, q.commission_minor, q.driver_net_minor, q.with_wheelchair,
  r.pickup_from,
  r.pickup_until, coalesce((select p.method from payment p where p.ride_id = r.id
    and p.kind = 'ride'), 'balance') as payment_method
from offer o join ride r on r.id = o.ride_id join quote q on q.id = r.quote_id
"""


# Walks back through the time on each shift, so it reads little but what the driver took part in.
_ROUNDS = """
select i.tick_id, i.at, t.riders, t.drivers, t.offers
from (select started_at, coalesce(ended_at, 'infinity') as ended_at from shift
      where driver_id = $1 order by started_at desc) as s
cross join lateral (
  select tick_id, at from dispatch_input
  where at >= s.started_at and at <= s.ended_at and $1 = any(passed_over)
    and ($2::uuid is null or (at, tick_id) < (select at, tick_id from dispatch_input
                                              where tick_id = $2))
  order by at desc, tick_id desc limit $3) as i
join dispatch_tick t on t.id = i.tick_id
order by i.at desc, i.tick_id desc limit $3
"""

_INPUTS = """
select i.tick_id, i.at, i.record, t.objective_ds, coalesce(
  (select jsonb_agg(jsonb_build_object('ride_id', o.ride_id, 'driver_id', o.driver_id,
                                       'explanation', o.explanation,
                                       'joins', o.run is not null))
   from offer o where o.tick_id = i.tick_id), '[]')::text as made
from dispatch_input i join dispatch_tick t on t.id = i.tick_id
where i.tick_id in ($1, (select tick_id from offer where id = $1))
"""


async def waiting_rides(reader: Transaction, *, now: datetime, limit: int) -> list[Any]:
    """Return the rides that look for a driver and are not on offer, the oldest first."""
    return await reader.rows(_WAITING_RIDES, now, limit)


async def free_drivers(reader: Transaction, *, today: date, papers: int) -> list[UUID]:
    """Return the drivers who may be offered a ride now; ``papers`` is how many kinds they need."""
    return [row["driver_id"] for row in await reader.rows(_FREE_DRIVERS, today, papers)]


async def busy_drivers(reader: Transaction, *, today: date, papers: int) -> list[Any]:
    """Return who has a ride and may drive on after it, with where and how long that ride goes.

    Who shares is not among them: others may still join, so nobody knows when that car is free.
    """
    return await reader.rows(_BUSY_DRIVERS, today, papers)


async def earnings(reader: Transaction, *, since: datetime, until: datetime) -> list[Any]:
    """Return online_s, rides, net_minor and empty_m of each driver who was online in between."""
    return await reader.rows(_EARNINGS, since, until)


async def asked_before(reader: Transaction, *, ride_ids: list[UUID]) -> list[Any]:
    """Return the pairs ride_id, driver_id that must not be offered.

    Nobody is asked twice, nor for cash that they may not take: what they owe of it is limited. Nor
    for a wheelchair that their car does not take.
    """
    return await reader.rows(
        "select ride_id, driver_id from offer where ride_id = any($1)"
        " union select p.ride_id, s.driver_id from payment p join shift s on s.ended_at is null"
        " where p.ride_id = any($1) and p.kind = 'ride' and p.method = 'cash'"
        " and cash_room(s.driver_id) < p.amount_minor"
        " union select r.id, s.driver_id from ride r"
        " join quote q on q.id = r.quote_id and q.with_wheelchair"
        " join shift s on s.ended_at is null"
        " join vehicle v on v.id = s.vehicle_id and not v.takes_wheelchair"
        " where r.id = any($1)",
        ride_ids,
    )


async def close_offers(tx: Transaction, *, now: datetime) -> list[Any]:
    """End the offers whose time is over or whose ride does not wait any more."""
    return await tx.rows(_CLOSE_OFFERS, now)


async def insert_tick(tx: Transaction, values: list[Any]) -> None:
    """Store what a tick saw and how it was solved."""
    await tx.execute(
        "insert into dispatch_tick (id, at, riders, drivers, soon_free, candidates, offers, held,"
        " fairness_weight_s, solver, objective_ds, gap, solve_ms, tick_ms)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        *values,
    )


async def insert_input(
    tx: Transaction, *, tick_id: UUID, now: datetime, record: bytes, passed_over: Sequence[Id]
) -> None:
    """Store what a tick decided from, and who could have been asked and was not."""
    await tx.execute(
        "insert into dispatch_input (tick_id, at, record, passed_over) values ($1, $2, $3, $4)",
        tick_id,
        now,
        record,
        passed_over,
    )


async def delete_inputs(tx: Transaction, *, before: datetime, at_most: int) -> int:
    """Forget what ticks before a moment decided from, the oldest first; return how many went."""
    gone: int = await tx.value(
        "with gone as (delete from dispatch_input where tick_id in"
        " (select tick_id from dispatch_input where at < $1 order by at limit $2)"
        " returning tick_id) select count(*) from gone",
        before,
        at_most,
    )
    return gone


async def find_input(reader: Transaction, *, tick_id: UUID, driver_id: UUID) -> Any | None:
    """Return time and record of a tick that passed this driver over, or None."""
    return await reader.row(
        "select at, record from dispatch_input where tick_id = $1 and $2 = any(passed_over)",
        tick_id,
        driver_id,
    )


async def find_round(reader: Transaction, *, either_id: UUID) -> Any | None:
    """Return what a tick decided from, with its offers, by the tick's id or an offer's; or None."""
    return await reader.row(_INPUTS, either_id)


async def list_inputs(reader: Transaction, *, newest: int) -> list[UUID]:
    """Return the ids of the newest ticks whose inputs are stored, the newest first."""
    rows = await reader.rows(
        "select tick_id from dispatch_input order by at desc, tick_id desc limit $1", newest
    )
    return [row["tick_id"] for row in rows]


async def list_rounds(
    reader: Transaction, *, driver_id: UUID, before: UUID | None, limit: int
) -> list[Any]:
    """Return the ticks that passed this driver over, the newest first, those before a tick."""
    return await reader.rows(_ROUNDS, driver_id, before, limit)


async def insert_offers(
    tx: Transaction, *, tick_id: UUID, now: datetime, expires_at: datetime, columns: list[list[Any]]
) -> set[UUID]:
    """Store the offers that still make sense; return their ids."""
    rows = await tx.rows(_INSERT_OFFERS, tick_id, now, expires_at, *columns)
    return {row["id"] for row in rows}


async def close_offer(
    tx: Transaction, *, offer_id: UUID, driver_id: UUID, state: str, now: datetime
) -> UUID | None:
    """Accept or decline an open offer of this driver in time; return its ride, or None."""
    ride_id: UUID | None = await tx.value(
        "update offer set state = $3, decided_at = $4 where id = $1 and driver_id = $2"
        " and state = 'open' and expires_at > $4 returning ride_id",
        offer_id,
        driver_id,
        state,
        now,
    )
    return ride_id


async def find_shift_vehicle(tx: Transaction, *, driver_id: UUID) -> UUID | None:
    """Return the car of the driver's open shift, which cannot end before this is over; or None."""
    vehicle_id: UUID | None = await tx.value(
        "select vehicle_id from shift where driver_id = $1 and ended_at is null for share",
        driver_id,
    )
    return vehicle_id


async def find_offer(reader: Transaction, *, offer_id: UUID, driver_id: UUID) -> Any | None:
    """Return an offer of this driver with all that its card shows, or None."""
    return await reader.row(f"{_VIEW} where o.id = $1 and o.driver_id = $2", offer_id, driver_id)


async def list_offers(
    reader: Transaction, *, offer_ids: list[UUID] | None, driver_id: UUID | None
) -> list[Any]:
    """Return offers by id, or the open ones of a driver."""
    return await reader.rows(
        f"{_VIEW} where ($1::uuid[] is null or o.id = any($1))"
        " and ($2::uuid is null or (o.driver_id = $2 and o.state = 'open')) order by o.id",
        offer_ids,
        driver_id,
    )
