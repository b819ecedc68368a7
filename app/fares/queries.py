"""Every statement of the fares' room."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

_QUOTE_COLUMNS = (
    "id, rider_id, pickup_lat, pickup_lng, pickup_name, dropoff_lat, dropoff_lng, dropoff_name,"
    " distance_m, duration_s, engine_s, is_estimate, pickup_eta_s, items, currency, fare_minor,"
    " pass_through_minor, remitted_minor, commission_bp, commission_minor, driver_net_minor,"
    " policy_version_id, tariff_version_id, seats, is_shared, solo_fare_minor, max_wait_s, max_delay_s, arrival_eta_s, pickup_at,"
    " quoted_at, expires_at"
)
_QUOTE_PLACES = ", ".join(f"${n}" for n in range(1, 2 + _QUOTE_COLUMNS.count(",")))


async def tariff_in_force(reader: Transaction, *, at: datetime) -> Any:
    """Return the tariff in force at a moment, and the cooperative's currency."""
    return await reader.row(
        "select t.*, c.currency from tariff_version t, cooperative c"
        " where t.effective_from <= $1 order by t.effective_from desc limit 1",
        at,
    )


async def insert_quote(tx: Transaction, values: dict[str, Any]) -> None:
    """Store a quote."""
    await tx.execute(
        f"insert into quote ({_QUOTE_COLUMNS}) values ({_QUOTE_PLACES})",
        *(values[name.strip()] for name in _QUOTE_COLUMNS.split(",")),
    )


async def find_quote(reader: Transaction, *, quote_id: UUID, rider_id: UUID) -> Any | None:
    """Return a rider's own quote, or None."""
    return await reader.row(
        f"select {_QUOTE_COLUMNS} from quote where id = $1 and rider_id = $2",
        quote_id,
        rider_id,
    )


async def free_drivers_near(
    reader: Transaction, *, lat: float, lng: float, since: datetime, limit: int
) -> list[Any]:
    """Return lat and lng of the nearest drivers without a ride, by last known position.

    Tables of other rooms are only read here, by name, for an estimate that promises nothing.
    """
    return await reader.rows(
        "select p.lat, p.lng from driver_position p"
        " join shift s on s.driver_id = p.driver_id and s.ended_at is null"
        " where p.at > $3 and p.lat between $1 - 0.1 and $1 + 0.1"
        " and p.lng between $2 - 0.15 and $2 + 0.15"
        " and not exists (select from ride r where r.driver_id = p.driver_id"
        "   and r.state in ('assigned', 'arrived', 'under_way'))"
        " order by (p.lat - $1)^2 + ((p.lng - $2) * cos(radians($1)))^2 limit $4",
        lat,
        lng,
        since,
        limit,
    )
