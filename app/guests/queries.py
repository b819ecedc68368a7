"""Every statement of the guests' room."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.guests.rules import MOST_TRIES, NEWS_LAST, PAUSE, RIDES_LAST, TOLD


async def insert_unnumbered(tx: Transaction, *, member_id: UUID, name: str, now: datetime) -> None:
    """Make a member without a telephone number, who can never sign in."""
    await tx.execute(
        "insert into member (id, name, joined_at) values ($1, $2, $3)", member_id, name, now
    )


async def name_who_never_came(tx: Transaction, *, member_id: UUID, name: str) -> None:
    """Give a member a name, unless they ever signed in: then it is theirs to say."""
    await tx.execute(
        "update member set name = $2 where id = $1"
        " and not exists (select from session s where s.member_id = $1)",
        member_id,
        name,
    )


async def keep_guest(
    tx: Transaction, *, guest_id: UUID, member_id: UUID, name: str, by: UUID, now: datetime
) -> Any:
    """Enter a guest, or the new name of one who telephoned before; return id, name and since."""
    return await tx.row(
        "insert into guest (id, member_id, name, registered_by, registered_at)"
        " values ($1, $2, $3, $4, $5) on conflict (member_id) do update set name = excluded.name"
        " returning id, name, registered_at",
        guest_id,
        member_id,
        name,
        by,
        now,
    )


async def find_guest(reader: Transaction, *, guest_id: UUID) -> Any | None:
    """Return member_id and is_suspended of a guest, or None."""
    return await reader.row(
        "select g.member_id, exists (select from suspension s where s.member_id = g.member_id"
        " and s.lifted_at is null) as is_suspended from guest g where g.id = $1",
        guest_id,
    )


async def insert_ride(
    tx: Transaction,
    *,
    ride_id: UUID,
    guest_id: UUID,
    client_id: UUID | None,
    reference: str | None,
    by: UUID,
    now: datetime,
) -> None:
    """Write down that a ride was booked for a guest."""
    await tx.execute(
        "insert into guest_ride (ride_id, guest_id, client_id, reference, booked_by, booked_at)"
        " values ($1, $2, $3, $4, $5, $6)",
        ride_id,
        guest_id,
        client_id,
        reference,
        by,
        now,
    )


# A driver of a ride booked ahead who could be there sooner comes when it begins.
_EXPECTED = "greatest(r.assigned_at + make_interval(secs => o.pickup_s), r.pickup_from)"
_CAR = (
    "left join member d on d.id = r.driver_id left join vehicle v on v.id = r.vehicle_id"
    " left join offer o on o.ride_id = r.id and o.driver_id = r.driver_id and o.state = 'accepted'"
)
_RIDES = (
    "select r.id, r.state, g.guest_id, guest.name as guest_name, q.pickup_name, q.dropoff_name,"
    " r.pickup_from, r.pickup_until, split_part(d.name, ' ', 1) as driver_name,"
    f" v.plate as car_plate, {_EXPECTED} as expected_at, q.fare_minor, q.currency,"
    " p.method as payment_method, c.name as client_name, g.reference, g.booked_by, g.booked_at"
    " from guest_ride g join ride r on r.id = g.ride_id join guest on guest.id = g.guest_id"
    " join quote q on q.id = r.quote_id join payment p on p.ride_id = r.id and p.kind = 'ride'"
    f" left join contract_client c on c.id = g.client_id {_CAR}"
)


async def list_rides(
    reader: Transaction, *, open_only: bool, before: UUID | None, limit: int
) -> list[Any]:
    """Return what was booked for guests, the newest first."""
    return await reader.rows(
        f"{_RIDES} where (not $1 or r.ended_at is null) and ($2::uuid is null or r.id < $2)"
        " order by r.id desc limit $3",
        open_only,
        before,
        limit,
    )


async def list_clients(reader: Transaction, *, before: UUID | None, limit: int) -> list[Any]:
    """Return id and name of the clients who can be invoiced, the newest first."""
    return await reader.rows(
        "select id, name from contract_client where ended_at is null"
        " and ($1::uuid is null or id < $1) order by id desc limit $2",
        before,
        limit,
    )


# When a ride came into the state it is in.
_HAPPENED = (
    "(case r.state when 'assigned' then r.assigned_at when 'arrived' then r.arrived_at"
    " else r.ended_at end)"
)


async def enter_news(tx: Transaction, *, now: datetime) -> None:
    """Enter what guests with a number are to be told, each thing once.

    Who called a ride off themselves is not told of it.
    """
    await tx.execute(
        "insert into guest_text (ride_id, state, happened_at, tries, next_try_at)"
        f" select r.id, r.state, {_HAPPENED}, 0, $1 from guest_ride g"
        " join ride r on r.id = g.ride_id join member m on m.id = r.rider_id"
        " where g.booked_at > $2 and m.phone is not null and r.state = any($3)"
        f" and r.cancelled_by is distinct from 'rider' and {_HAPPENED} > $4"
        " on conflict do nothing",
        now,
        now - RIDES_LAST,
        TOLD,
        now - NEWS_LAST,
    )


async def take_news(tx: Transaction, *, now: datetime, limit: int) -> list[Any]:
    """Return news that are due and still true, counted as tried; another worker takes others."""
    return await tx.rows(
        "with due as (select ride_id, state, happened_at from guest_text where sent_at is null"
        "  and tries < $2 and next_try_at <= $1 and happened_at > $3"
        "  order by next_try_at limit $5 for update skip locked),"
        " taken as (update guest_text t set tries = t.tries + 1, next_try_at = $4 from due"
        "  where (t.ride_id, t.state, t.happened_at) = (due.ride_id, due.state, due.happened_at)"
        "  returning t.ride_id, t.state, t.happened_at)"
        " select taken.*, m.phone, c.name as cooperative, c.time_zone,"
        "  split_part(d.name, ' ', 1) as driver_name,"
        "  v.colour || ' ' || v.make || ' ' || v.model || ', ' || v.plate as car,"
        f"  {_EXPECTED} as expected_at"
        " from taken join ride r on r.id = taken.ride_id and r.state = taken.state"
        f" join member m on m.id = r.rider_id cross join cooperative c {_CAR}"
        f" where taken.happened_at = {_HAPPENED} and m.phone is not null",
        now,
        MOST_TRIES,
        now - NEWS_LAST,
        now + PAUSE,
        limit,
    )


async def mark_sent(
    tx: Transaction, *, ride_id: UUID, state: str, happened_at: datetime, now: datetime
) -> None:
    """Write down that a text message left the house."""
    await tx.execute(
        "update guest_text set sent_at = $4 where ride_id = $1 and state = $2 and happened_at = $3",
        ride_id,
        state,
        happened_at,
        now,
    )
