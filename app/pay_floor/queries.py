"""Every statement of the pay floor."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.ledger.cost_queries import PATIENCE_S
from governance.pay_floor import Week, WeekPay

# Rides on which a driver was engaged and that ended in [$1, $2): whoever called them off, and
# whether or not they cost anything. A driver who withdrew is no longer the ride's.
_ENDED = (
    "r.driver_id is not null and r.assigned_at <= r.ended_at"
    " and r.ended_at >= $1 and r.ended_at < $2"
)

_RIDES = f"""
select r.assigned_at as accepted_at, r.ended_at,
  coalesce((select o.pickup_m from offer o where o.ride_id = r.id and o.driver_id = r.driver_id
            and o.state = 'accepted' and o.run is null and r.arrived_at is not null limit 1), 0)
    + case when r.state = 'completed' then q.distance_m else 0 end as distance_m,
  coalesce(s.driver_net_minor - (s.pass_through_minor - s.remitted_minor), 0) as earned_minor,
  coalesce((select value::bigint from policy_version where key = 'pay_floor_per_hour_minor'
   and effective_from <= q.quoted_at order by effective_from desc limit 1), 0) as per_hour_minor,
  coalesce((select value::bigint from policy_version where key = 'pay_floor_per_km_minor'
   and effective_from <= q.quoted_at order by effective_from desc limit 1), 0) as per_km_minor
from ride r join quote q on q.id = r.quote_id
left join ride_settlement s on s.ride_id = r.id
where {_ENDED} and r.driver_id = $3 order by r.ended_at
"""


async def list_rides(reader: Transaction, *, week: Week, driver_id: UUID) -> list[Any]:
    """Return a driver's rides that ended in a week, as the floor reckons them.

    What the driver laid out for tolls is no earning, though it is in the driver's net.
    """
    return await reader.rows(_RIDES, week.start, week.end, driver_id)


async def list_drivers(reader: Transaction, *, week: Week, limit: int) -> list[UUID]:
    """Return drivers with rides that ended in a week and whose week is not reckoned yet."""
    rows = await reader.connection.fetch(
        f"select distinct r.driver_id from ride r where {_ENDED} and not exists (select from"
        " pay_floor_week w where w.driver_id = r.driver_id and w.week_start = $1)"
        " order by r.driver_id limit $3",
        week.start,
        week.end,
        limit,
        timeout=PATIENCE_S,
    )
    return [row["driver_id"] for row in rows]


async def is_done(reader: Transaction, *, week: Week) -> bool:
    """Return whether every driver's pay of a week was looked at."""
    done: bool = await reader.value(
        "select exists (select from pay_floor_round where week_start = $1)", week.start
    )
    return done


async def mark_done(tx: Transaction, *, week: Week, now: datetime) -> None:
    """Write down that every driver's pay of a week was looked at."""
    await tx.execute(
        "insert into pay_floor_round (week_start, done_at) values ($1, $2) on conflict do nothing",
        week.start,
        now,
    )


async def insert_week(
    tx: Transaction,
    *,
    driver_id: UUID,
    week: Week,
    pay: WeekPay,
    journal_id: int | None,
    now: datetime,
) -> bool:
    """Keep a driver's week; False where somebody else was first."""
    kept = await tx.value(
        "insert into pay_floor_week (driver_id, week_start, week_end, engaged_s, distance_m,"
        " earned_minor, floor_minor, top_up_minor, journal_id, reckoned_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing returning true",
        driver_id,
        week.start,
        week.end,
        pay.engaged_s,
        pay.distance_m,
        pay.earned_minor,
        pay.floor_minor,
        pay.top_up_minor,
        journal_id,
        now,
    )
    return bool(kept)


async def accounts(reader: Transaction, *, driver_id: UUID) -> Any:
    """Return the ids costs and driver of the two accounts of a top-up."""
    return await reader.row(
        "select (select id from account where kind = 'platform_costs' and member_id is null) as"
        " costs, (select id from account where kind = 'driver' and member_id = $1) as driver",
        driver_id,
    )


async def cooperative(reader: Transaction) -> Any:
    """Return time_zone, currency and founded_at of the cooperative; None before its founding."""
    return await reader.row("select time_zone, currency, founded_at from cooperative")


async def list_weeks(reader: Transaction, *, driver_id: UUID, limit: int) -> list[Any]:
    """Return a driver's reckoned weeks, the newest first."""
    return await reader.rows(
        "select week_start, week_end, engaged_s, distance_m, earned_minor, floor_minor,"
        " top_up_minor from pay_floor_week where driver_id = $1 order by week_start desc limit $2",
        driver_id,
        limit,
    )


async def rates(reader: Transaction, *, at: datetime) -> Any:
    """Return per_hour_minor and per_km_minor as voted and in force at a moment."""
    return await reader.row(
        "select coalesce((select value::bigint from policy_version where key ="
        " 'pay_floor_per_hour_minor' and effective_from <= $1 order by effective_from desc limit 1)"
        ", 0) as per_hour_minor, coalesce((select value::bigint from policy_version where key ="
        " 'pay_floor_per_km_minor' and effective_from <= $1 order by effective_from desc limit 1)"
        ", 0) as per_km_minor",
        at,
    )
