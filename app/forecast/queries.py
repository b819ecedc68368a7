"""Every statement of the forecast's room: fares as booked, and the time that drivers gave."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.ledger.cost_queries import PATIENCE_S

# A fare stands in the first line of its journal; one that was taken back is none. A fee for a ride
# that did not take place is divided by the same share, and is no ride. What passes
# through, tolls and tax that we remit, bears no share, so it would make every share look larger.
_FARES = (
    "(select j.subject_id, j.effective_at, j.kind = 'ride_fare' as is_ride, t.debit_id,"
    " t.credit_id, t.amount_minor - coalesce(s.pass_through_minor, 0) as amount_minor"
    " from journal j join transfer t on t.journal_id = j.id and t.line = 1"
    " left join ride_settlement s on s.journal_id = j.id"
    " where j.kind in ('ride_fare', 'ride_fee') and j.effective_at >= $1 and j.effective_at < $2"
    " and not exists (select from journal undoing where undoing.reverses = j.id))"
)


async def list_worked(reader: Transaction, *, since: datetime, until: datetime) -> list[Any]:
    """Return driver_id, fares_minor and engaged_s of everybody who drove in [since, until).

    Of each fare it is the part that the voted share is taken of.

    Engaged is a driver from the assignment of a ride to its end; time of several rides at once,
    which are shared ones, counts once. Call it patiently.
    """
    rows = await reader.connection.fetch(
        "select driver_id, fares_minor, coalesce((select sum(extract(epoch from upper(engaged)"
        " - lower(engaged))) from unnest(times) as engaged), 0)::bigint as engaged_s"
        " from (select a.member_id as driver_id, array_agg(f.amount_minor) as fares_minor,"
        " range_agg(tstzrange(r.assigned_at, r.ended_at))"
        " filter (where f.is_ride and r.assigned_at < r.ended_at) as times"
        f" from {_FARES} as f join account a on a.id = f.credit_id"
        " left join ride r on r.id = f.subject_id group by a.member_id) as driven",
        since,
        until,
        timeout=PATIENCE_S,
    )
    return list(rows)


async def own_fares(
    reader: Transaction, *, member_id: UUID, since: datetime, until: datetime
) -> Any:
    """Return what a member drove and rode in [since, until): fares, rides, and the first moment.

    Fares are null where there were none; of each it is the part that the voted share is taken of.
    """
    return await reader.row(
        "select array_agg(amount_minor) filter (where is_mine_as = 'driver') as driven_minor,"
        " array_agg(amount_minor) filter (where is_mine_as = 'rider') as ridden_minor,"
        " count(*) filter (where is_ride and is_mine_as = 'driver') as rides_driven,"
        " count(*) filter (where is_ride and is_mine_as = 'rider') as rides_taken,"
        " min(effective_at) as first_at from (select a.kind as is_mine_as, f.*"
        " from account a cross join lateral (select b.*"
        f" from {_FARES} as b where b.credit_id = a.id and a.kind = 'driver'"
        f" union all select b.* from {_FARES} as b"
        " where b.debit_id = a.id and a.kind = 'rider') as f where a.member_id = $3) as own",
        since,
        until,
        member_id,
    )


async def list_asked(reader: Transaction, *, since: datetime, until: datetime) -> list[Any]:
    """Return every ride that was asked for in [since, until), driven or not, in order of time.

    Who booked ahead asked for the time of the pickup. `ride_s` is null where nobody drove it.
    """
    rows = await reader.connection.fetch(
        "select coalesce(r.pickup_from, r.requested_at) as asked_at, q.pickup_lat, q.pickup_lng,"
        " q.dropoff_lat, q.dropoff_lng, q.distance_m, q.duration_s, q.driver_net_minor,"
        " r.pickup_from is not null as is_ahead, case when r.state = 'completed'"
        " then nullif(extract(epoch from r.ended_at - r.started_at), 0)::float end as ride_s"
        " from ride r join quote q on q.id = r.quote_id"
        " where coalesce(r.pickup_from, r.requested_at) >= $1"
        " and coalesce(r.pickup_from, r.requested_at) < $2 order by 1, r.id",
        since,
        until,
        timeout=PATIENCE_S,
    )
    return list(rows)


async def list_shifts(
    reader: Transaction, *, since: datetime, until: datetime, now: datetime
) -> list[Any]:
    """Return driver_id, started_at and ended_at of every shift in [since, until), cut to it."""
    rows = await reader.connection.fetch(
        "select driver_id, greatest(started_at, $1) as started_at,"
        " least(coalesce(ended_at, $3), $2) as ended_at from shift"
        " where started_at < $2 and coalesce(ended_at, $3) > $1 order by driver_id, started_at",
        since,
        until,
        now,
        timeout=PATIENCE_S,
    )
    return list(rows)


async def list_answers(reader: Transaction, *, since: datetime, until: datetime) -> list[Any]:
    """Return what became of each offer in [since, until): state, stood_s and offer_time_s.

    `stood_s` is how long it stood until it was answered or over. Offers that were taken back, as
    the rider had cancelled, say nothing of the driver and are left out.
    """
    rows = await reader.connection.fetch(
        "select state, extract(epoch from decided_at - offered_at)::float as stood_s,"
        " extract(epoch from expires_at - offered_at)::float as offer_time_s from offer"
        " where offered_at >= $1 and offered_at < $2"
        " and state in ('accepted', 'declined', 'expired') order by id",
        since,
        until,
        timeout=PATIENCE_S,
    )
    return list(rows)


async def month_before(reader: Transaction, *, at: datetime) -> Any:
    """Return since and until of the last whole month, by the cooperative's time zone."""
    return await reader.row(
        "select (date_trunc('month', $1::timestamptz at time zone time_zone)"
        " - interval '1 month') at time zone time_zone as since,"
        " date_trunc('month', $1::timestamptz at time zone time_zone) at time zone time_zone"
        " as until from cooperative",
        at,
    )


async def store_replay(
    tx: Transaction,
    *,
    key: str,
    since: datetime,
    until: datetime,
    figures: dict[int, dict[str, Any]],
    now: datetime,
) -> None:
    """Keep what a month came to at each value."""
    await tx.execute(
        "insert into forecast_replay (key, computed_at, value, since, until, figures)"
        " select $1, $2, value, $3, $4, figures"
        " from unnest($5::bigint[], $6::jsonb[]) as at_value(value, figures)",
        key,
        now,
        since,
        until,
        list(figures),
        list(figures.values()),
    )


async def newest_replay(reader: Transaction, *, key: str) -> list[Any]:
    """Return value, figures, since, until and computed_at of the newest replay, by value."""
    return await reader.rows(
        "select value, figures, since, until, computed_at from forecast_replay where key = $1"
        " and computed_at = (select max(computed_at) from forecast_replay where key = $1)"
        " order by value",
        key,
    )
