"""Every statement of the rides' room."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.rides.lifecycle import TRANSITIONS, Party, RideState, Step

CORE = (
    "id, rider_id, driver_id, quote_id, hold_id, state, is_shared, requested_at, search_until,"
    " pickup_from, pickup_until, assigned_at, arrived_at, started_at"
)

# What a step writes beside the state. $3 is now, $4 a reason, $5 the party, $6 the member.
_STAMPS: dict[Step, str] = {
    Step.RELEASE: "search_until = pickup_until",
    Step.ARRIVE: "arrived_at = $3",
    Step.START: "started_at = $3",
    Step.COMPLETE: "ended_at = $3",
    Step.CANCEL: "ended_at = $3, reason = $4, cancelled_by = $5",
    Step.WITHDRAW: "driver_id = null, vehicle_id = null, assigned_at = null, arrived_at = null",
    Step.UNPAID: "ended_at = $3, reason = $4, cancelled_by = $5",
    Step.LAPSE: "ended_at = $3, reason = $4, cancelled_by = $5",
    Step.GIVE_UP: "ended_at = $3",
    Step.NO_SHOW: "ended_at = $3",
}
# Whose ride it must be. A dispatcher or the platform may touch any.
_OWNERS: dict[Party, str] = {Party.RIDER: "rider_id = $6", Party.DRIVER: "driver_id = $6"}


async def insert_ride(
    tx: Transaction,
    *,
    ride_id: UUID,
    rider_id: UUID,
    quote_id: UUID,
    hold_id: UUID,
    state: RideState,
    now: datetime,
    search_until: datetime,
    pickup_from: datetime | None,
    pickup_until: datetime | None,
    seats: int,
    is_shared: bool,
) -> Any:
    """Store a new ride and return it; the table's unique indexes refuse a second one."""
    return await tx.row(
        "insert into ride (id, rider_id, quote_id, hold_id, state, requested_at, search_until,"
        " pickup_from, pickup_until, seats, is_shared)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        f" returning {CORE}",
        ride_id,
        rider_id,
        quote_id,
        hold_id,
        str(state),
        now,
        search_until,
        pickup_from,
        pickup_until,
        seats,
        is_shared,
    )


async def take_step(
    tx: Transaction,
    *,
    ride_id: UUID,
    step: Step,
    party: Party,
    member_id: UUID | None,
    now: datetime,
    reason: str | None = None,
) -> Any | None:
    """Take a step if the ride still stands where the step begins; else return None.

    The row's lock and the guard on the state decide between two who come at once. The ride's
    driver before the step comes back as ``was_driver_id``.
    """
    transition = TRANSITIONS[step]
    owner = _OWNERS.get(party, "true")
    sql = (  # Made of this module's own constants alone.
        # Every $n is used once, so that the database knows its type whatever the step.
        "with said as (select $3::timestamptz, $4::text, $5::text, $6::uuid)"
        f" update ride set state = '{transition.target}', {_STAMPS[step]}"
        f" where id = $1 and state = any($2::text[]) and {owner}"
        f" returning {CORE}, old.driver_id as was_driver_id"
    )
    return await tx.row(sql, ride_id, transition.source_names, now, reason, str(party), member_id)


async def assign(
    tx: Transaction, *, ride_id: UUID, driver_id: UUID, vehicle_id: UUID, now: datetime
) -> Any | None:
    """Give a ride that still waits to a driver; None where it does not wait any more."""
    return await tx.row(
        "update ride set state = 'assigned', driver_id = $2, vehicle_id = $3, assigned_at = $4"
        f" where id = $1 and state = 'requested' returning {CORE}",
        ride_id,
        driver_id,
        vehicle_id,
        now,
    )


async def rides_in_car(reader: Transaction, *, driver_id: UUID) -> list[Any]:
    """Return id and rider_id of the open rides of a driver, oldest first."""
    return await reader.rows(
        "select id, rider_id from ride where driver_id = $1"
        " and state in ('assigned', 'arrived', 'under_way') order by id",
        driver_id,
    )


async def extend_search(tx: Transaction, *, ride_id: UUID, until: datetime) -> None:
    """Let a ride look for a driver at least until then."""
    await tx.execute(
        "update ride set search_until = greatest(search_until, $2) where id = $1", ride_id, until
    )


async def overdue_searches(tx: Transaction, *, now: datetime, limit: int) -> list[UUID]:
    """Return rides that have looked long enough, locked; those that others hold are left out."""
    rows = await tx.rows(
        "select id from ride where state = 'requested' and search_until <= $1"
        " order by id limit $2 for update skip locked",
        now,
        limit,
    )
    return [row["id"] for row in rows]


async def booked_for(
    tx: Transaction, *, rider_id: UUID, pickup_from: datetime, pickup_until: datetime
) -> UUID | None:
    """Return a ride of this rider whose pickup window touches this one, or None."""
    ride_id: UUID | None = await tx.value(
        "select id from ride where rider_id = $1 and ended_at is null"
        " and pickup_from < $3 and pickup_until > $2 order by pickup_from limit 1",
        rider_id,
        pickup_from,
        pickup_until,
    )
    return ride_id


async def count_scheduled(tx: Transaction, *, rider_id: UUID) -> int:
    """Return how many rides this rider has booked ahead whose search has not begun."""
    return int(
        await tx.value(
            "select count(*) from ride where rider_id = $1 and state = 'scheduled'", rider_id
        )
    )


async def next_to_release(
    tx: Transaction, *, now: datetime, wanted_before: datetime
) -> UUID | None:
    """Return the next ride whose search may begin, locked; or None.

    A ride whose rider still has an open one is left out, and so is one that another process holds.
    """
    ride_id: UUID | None = await tx.value(
        "select r.id from ride r where r.state = 'scheduled' and r.pickup_from <= $2"
        " and r.pickup_until > $1 and not exists (select from ride o where o.rider_id = r.rider_id"
        " and o.state in ('requested', 'assigned', 'arrived', 'under_way'))"
        " order by r.pickup_from, r.id limit 1 for update of r skip locked",
        now,
        wanted_before,
    )
    return ride_id


async def closed_windows(tx: Transaction, *, now: datetime, limit: int) -> list[UUID]:
    """Return rides whose pickup window closed before their search began, locked."""
    rows = await tx.rows(
        "select id from ride where state = 'scheduled' and pickup_until <= $1"
        " order by pickup_from limit $2 for update skip locked",
        now,
        limit,
    )
    return [row["id"] for row in rows]


async def mark_reminded(
    tx: Transaction, *, now: datetime, wanted_before: datetime, limit: int
) -> list[Any]:
    """Mark rides booked ahead whose riders are to be reminded now, each once; return them."""
    return await tx.rows(
        "update ride set reminded_at = $1 where id in ("
        " select id from ride where state = 'scheduled' and reminded_at is null"
        " and pickup_from <= $2 and pickup_until > $1"
        f" order by pickup_from limit $3 for update skip locked) returning {CORE}",
        now,
        wanted_before,
        limit,
    )


async def unpaid(tx: Transaction, *, limit: int) -> list[UUID]:
    """Return rides whose payment failed before anybody came to the pickup, locked."""
    rows = await tx.rows(
        "select r.id from payment p join ride r on r.id = p.ride_id where p.state = 'failed'"
        " and p.kind = 'ride' and r.state = any($1) order by r.id limit $2"
        " for update of r skip locked",
        TRANSITIONS[Step.UNPAID].source_names,
        limit,
    )
    return [row["id"] for row in rows]


async def find_state(reader: Transaction, *, ride_id: UUID, member_id: UUID | None) -> str | None:
    """Return the state of a ride that concerns this member (None: any ride), or None."""
    state: str | None = await reader.value(
        "select state from ride where id = $1"
        " and ($2::uuid is null or rider_id = $2 or driver_id = $2)",
        ride_id,
        member_id,
    )
    return state


async def no_show_from(reader: Transaction, *, ride_id: UUID) -> datetime | None:
    """Return when the free waiting time of an arrived ride ends.

    Who came before the pickup window opened waits for it first.
    """
    row = await reader.row(
        "select r.arrived_at, greatest(r.arrived_at, r.pickup_from) as waits_from, t.free_wait_s"
        " from ride r join quote q on q.id = r.quote_id"
        " join tariff_version t on t.id = q.tariff_version_id where r.id = $1",
        ride_id,
    )
    if row is None or row["arrived_at"] is None:
        return None
    waits_from: datetime = row["waits_from"]
    return waits_from + timedelta(seconds=row["free_wait_s"])


# A driver of a ride booked ahead is to be there in its window, of a ride for now as soon as the
# offer said that she took. The offer is another room's and only read here.
_PROMISED = (
    "coalesce(r.pickup_until, r.assigned_at + make_interval(secs => o.pickup_s)) as promised_at"
)
_ITS_OFFER = (
    "left join offer o on o.ride_id = r.id and o.driver_id = r.driver_id and o.state = 'accepted'"
)


async def find_course(reader: Transaction, *, ride_id: UUID) -> Any | None:
    """Return how far a ride had come, when its driver was to be there and the free waiting ends."""
    return await reader.row(
        f"select r.state, r.rider_id, r.quote_id, r.assigned_at, r.arrived_at, {_PROMISED},"
        " greatest(r.arrived_at, r.pickup_from) + make_interval(secs => t.free_wait_s)"
        " as no_show_from"
        " from ride r join quote q on q.id = r.quote_id"
        f" join tariff_version t on t.id = q.tariff_version_id {_ITS_OFFER} where r.id = $1",
        ride_id,
    )


_SETTLEMENT_COLUMNS = (
    "ride_id, kind, items, fare_minor, pass_through_minor, remitted_minor, commission_bp,"
    " commission_minor, driver_net_minor, vat_bp, vat_minor, vat_remitted_by, policy_version_id,"
    " journal_id, settled_at"
)


async def insert_settlement(tx: Transaction, values: dict[str, Any]) -> None:
    """Store how a ride was settled; the table's key refuses a second time."""
    names = [name.strip() for name in _SETTLEMENT_COLUMNS.split(",")]
    places = ", ".join(f"${n}" for n in range(1, 1 + len(names)))
    await tx.execute(
        f"insert into ride_settlement ({_SETTLEMENT_COLUMNS}) values ({places})",
        *(values[name] for name in names),
    )


_VIEW = (
    "select r.*, q.pickup_lat, q.pickup_lng, q.pickup_name, q.dropoff_lat, q.dropoff_lng,"
    " q.dropoff_name, q.distance_m, q.duration_s, q.currency, q.fare_minor, q.commission_bp,"
    " q.commission_minor, q.driver_net_minor, q.policy_version_id, q.with_wheelchair,"
    " split_part(driver.name, ' ', 1) as driver_name, split_part(rider.name, ' ', 1) as rider_name,"
    " v.make, v.model, v.colour, v.plate, coalesce(paid.method, 'balance') as payment_method, "
    # Others in the same car, or on its way to be: how many, and nothing else about them.
    " case when r.is_shared and r.state in ('assigned', 'arrived', 'under_way') then"
    "   (select count(*) from ride o where o.driver_id = r.driver_id and o.id <> r.id"
    "    and o.state in ('assigned', 'arrived', 'under_way')) else 0 end as sharing_with,"
    " case when s.ride_id is not null then to_jsonb(s) end as settlement,"
    f" {_PROMISED}"
    " from ride r join quote q on q.id = r.quote_id join member rider on rider.id = r.rider_id"
    " left join member driver on driver.id = r.driver_id left join vehicle v on v.id = r.vehicle_id"
    " left join payment paid on paid.ride_id = r.id and paid.kind = 'ride'"
    f" left join ride_settlement s on s.ride_id = r.id {_ITS_OFFER}"
)


async def find_view(reader: Transaction, *, ride_id: UUID, member_id: UUID | None) -> Any | None:
    """Return all that a ride's page shows, if the ride concerns this member (None: any)."""
    return await reader.row(
        f"{_VIEW} where r.id = $1 and ($2::uuid is null or r.rider_id = $2 or r.driver_id = $2)",
        ride_id,
        member_id,
    )


async def list_views(
    reader: Transaction, *, member_id: UUID | None, open_only: bool, before: UUID, limit: int
) -> list[Any]:
    """Return the rides that concern this member (None: all), newest first."""
    return await reader.rows(
        f"{_VIEW} where ($1::uuid is null or r.rider_id = $1 or r.driver_id = $1)"
        " and (not $2 or r.ended_at is null) and r.id < $3 order by r.id desc limit $4",
        member_id,
        open_only,
        before,
        limit,
    )
