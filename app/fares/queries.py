"""Every statement of the fares' room."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

_QUOTE_COLUMNS = (
    "id, rider_id, pickup_lat, pickup_lng, pickup_name, dropoff_lat, dropoff_lng, dropoff_name,"
    " distance_m, duration_s, engine_s, is_estimate, pickup_eta_s, items, currency, fare_minor,"
    " pass_through_minor, remitted_minor, terms, surge_bp, surge_cap_bp, surge_policy_version_id,"
    " with_wheelchair, plain_fare_minor, changes_quote_id, commission_bp, commission_minor,"
    " driver_net_minor, policy_version_id, tariff_version_id, seats, is_shared, solo_fare_minor,"
    " max_wait_s, max_delay_s, arrival_eta_s, pickup_at, quoted_at, expires_at"
)
_QUOTE_PLACES = ", ".join(f"${n}" for n in range(1, 2 + _QUOTE_COLUMNS.count(",")))


async def tariff_in_force(reader: Transaction, *, at: datetime) -> Any:
    """Return the tariff in force at a moment, and the cooperative's currency and time zone."""
    return await reader.row(
        "select t.*, c.currency, c.time_zone from tariff_version t, cooperative c"
        " where t.effective_from <= $1 order by t.effective_from desc limit 1",
        at,
    )


async def find_tariff(reader: Transaction, *, tariff_id: UUID) -> Any:
    """Return a tariff that was released, and the cooperative's currency and time zone."""
    return await reader.row(
        "select t.*, c.currency, c.time_zone from tariff_version t, cooperative c where t.id = $1",
        tariff_id,
    )


async def list_tariffs(reader: Transaction, *, at: datetime, limit: int) -> list[Any]:
    """Return the tariffs to come, the one in force and those of before, the latest first."""
    return await reader.rows(
        "select t.*, c.currency, c.time_zone,"
        " t.effective_from <= $1 and not exists (select from tariff_version later"
        "   where later.effective_from > t.effective_from and later.effective_from <= $1)"
        " as is_in_force from tariff_version t, cooperative c"
        " order by t.effective_from desc limit $2",
        at,
        limit,
    )


_PROPOSAL_COLUMNS = (
    "id, document, reason, effective_from, proposed_by, proposed_at, released_by, released_at,"
    " withdrawn_by, withdrawn_at"
)


async def insert_proposal(
    tx: Transaction,
    *,
    proposal_id: UUID,
    document: dict[str, Any],
    reason: str,
    effective_from: datetime,
    proposed_by: UUID,
    now: datetime,
) -> None:
    """Store a tariff that somebody proposes."""
    await tx.execute(
        "insert into tariff_proposal (id, document, reason, effective_from, proposed_by,"
        " proposed_at) values ($1, $2, $3, $4, $5, $6)",
        proposal_id,
        document,
        reason,
        effective_from,
        proposed_by,
        now,
    )


async def find_proposal(reader: Transaction, *, proposal_id: UUID, lock: bool = False) -> Any:
    """Return a proposed tariff, locked if that is asked for; or None."""
    return await reader.row(
        f"select {_PROPOSAL_COLUMNS} from tariff_proposal where id = $1"
        f"{' for update' if lock else ''}",
        proposal_id,
    )


async def list_proposals(reader: Transaction, *, before: UUID, limit: int) -> list[Any]:
    """Return proposed tariffs, the newest first."""
    return await reader.rows(
        f"select {_PROPOSAL_COLUMNS} from tariff_proposal where id < $1 order by id desc limit $2",
        before,
        limit,
    )


async def release_tariff(
    tx: Transaction, *, proposal_id: UUID, released_by: UUID, now: datetime
) -> None:
    """Write a proposed tariff down as one that will be in force."""
    await tx.execute("select release_tariff($1, $2, $3)", proposal_id, released_by, now)


async def withdraw_proposal(
    tx: Transaction, *, proposal_id: UUID, withdrawn_by: UUID, now: datetime
) -> None:
    """Write down that a proposed tariff was given up."""
    await tx.execute(
        "update tariff_proposal set withdrawn_by = $2, withdrawn_at = $3 where id = $1",
        proposal_id,
        withdrawn_by,
        now,
    )


async def waiting_rides_near(
    reader: Transaction, *, lat: float, lng: float, limit: int
) -> list[Any]:
    """Return lat and lng of the pickups of rides that wait for a driver around a place.

    Tables of other rooms are only read here, by name.
    """
    return await reader.rows(
        "select q.pickup_lat as lat, q.pickup_lng as lng from ride r"
        " join quote q on q.id = r.quote_id where r.state = 'requested'"
        " and q.pickup_lat between $1 - 0.1 and $1 + 0.1"
        " and q.pickup_lng between $2 - 0.15 and $2 + 0.15 limit $3",
        lat,
        lng,
        limit,
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


async def has_wheelchair_car(reader: Transaction) -> bool:
    """Return whether anybody who may drive has a car that takes a wheelchair, on shift or not."""
    return bool(
        await reader.value(
            "select exists(select from vehicle v join member_role m"
            " on m.member_id = v.member_id and m.role = 'driver' where v.takes_wheelchair)"
        )
    )


async def free_drivers_near(
    reader: Transaction,
    *,
    lat: float,
    lng: float,
    since: datetime,
    limit: int,
    with_wheelchair: bool = False,
) -> list[Any]:
    """Return lat and lng of the nearest drivers without a ride, by last known position.

    With a wheelchair only of those whose car takes one.
    Tables of other rooms are only read here, by name, for an estimate that promises nothing.
    """
    return await reader.rows(
        "select p.lat, p.lng from driver_position p"
        " join shift s on s.driver_id = p.driver_id and s.ended_at is null"
        " where p.at > $3 and p.lat between $1 - 0.1 and $1 + 0.1"
        " and p.lng between $2 - 0.15 and $2 + 0.15"
        " and not exists (select from ride r where r.driver_id = p.driver_id"
        "   and r.state in ('assigned', 'arrived', 'under_way'))"
        " and (not $5 or exists (select from vehicle v where v.id = s.vehicle_id"
        "   and v.takes_wheelchair))"
        " order by (p.lat - $1)^2 + ((p.lng - $2) * cos(radians($1)))^2 limit $4",
        lat,
        lng,
        since,
        limit,
        with_wheelchair,
    )
