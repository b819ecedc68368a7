"""Every statement of the forecast's room: fares as booked, and the time that drivers gave."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.ledger.cost_queries import PATIENCE_S

# A fare stands in the first line of its journal; one that was taken back is none.
_FARES = (
    "journal j join transfer t on t.journal_id = j.id and t.line = 1"
    " where j.kind = 'ride_fare' and j.effective_at >= $1 and j.effective_at < $2"
    " and not exists (select from journal undoing where undoing.reverses = j.id)"
)


async def list_worked(reader: Transaction, *, since: datetime, until: datetime) -> list[Any]:
    """Return driver_id, fares_minor and engaged_s of everybody who drove in [since, until).

    Engaged is a driver from the assignment of a ride to its end; time of several rides at once,
    which are shared ones, counts once. Call it patiently.
    """
    rows = await reader.connection.fetch(
        "select driver_id, fares_minor, coalesce((select sum(extract(epoch from upper(engaged)"
        " - lower(engaged))) from unnest(times) as engaged), 0)::bigint as engaged_s"
        " from (select a.member_id as driver_id, array_agg(t.amount_minor) as fares_minor,"
        " range_agg(tstzrange(r.assigned_at, r.ended_at))"
        " filter (where r.assigned_at < r.ended_at) as times"
        " from (select j.subject_id, t.credit_id, t.amount_minor"
        f" from {_FARES}) as t join account a on a.id = t.credit_id"
        " left join ride r on r.id = t.subject_id group by a.member_id) as driven",
        since,
        until,
        timeout=PATIENCE_S,
    )
    return list(rows)


async def own_fares(
    reader: Transaction, *, member_id: UUID, since: datetime, until: datetime
) -> Any:
    """Return what a member drove and rode in [since, until): fares of each, and the first moment.

    Each is null where there was none.
    """
    return await reader.row(
        "select array_agg(amount_minor) filter (where is_mine_as = 'driver') as driven_minor,"
        " array_agg(amount_minor) filter (where is_mine_as = 'rider') as ridden_minor,"
        " min(effective_at) as first_at from (select a.kind as is_mine_as, f.*"
        " from account a cross join lateral (select j.effective_at, t.amount_minor"
        f" from {_FARES} and t.credit_id = a.id and a.kind = 'driver'"
        f" union all select j.effective_at, t.amount_minor from {_FARES}"
        " and t.debit_id = a.id and a.kind = 'rider') as f where a.member_id = $3) as own",
        since,
        until,
        member_id,
    )
