"""Every statement of the roads' room."""

from datetime import datetime
from typing import Any

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from matching.travel import Calibration


async def completed_rides(
    reader: Transaction, *, since: datetime, until: datetime, limit: int
) -> list[Any]:
    """Return started_at, engine_s and actual_s of the rides completed between two moments.

    At most ``limit``, the last quoted first. Tables of other rooms are only read here, by name:
    the rooms that own them stand above this one, and a fit promises them nothing. The age is the
    quote's, minutes before its ride, as an index finds it however long the history has grown.
    Shared rides are left out: they may have gone another way.
    """
    return await reader.rows(
        "select r.started_at, q.engine_s,"
        " extract(epoch from r.ended_at - r.started_at)::float8 as actual_s"
        " from quote q join ride r on r.quote_id = q.id"
        " where q.quoted_at between $1 and $2 and q.engine_s is not null"
        " and r.state = 'completed' and not r.is_shared and r.started_at is not null"
        " and r.ended_at <= $2"
        " order by q.quoted_at desc limit $3",
        since,
        until,
        limit,
    )


async def insert_calibration(
    tx: Transaction,
    calibration: Calibration,
    *,
    fitted_at: datetime,
    rides: int,
    first_ride_at: datetime,
    last_ride_at: datetime,
) -> None:
    """Store a fit beside the older ones."""
    await tx.execute(
        "insert into calibration (id, fitted_at, constant_s, factor, hour_of_week, rides,"
        " first_ride_at, last_ride_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        new_id(),
        fitted_at,
        calibration.constant_s,
        calibration.factor,
        calibration.hour_of_week,
        rides,
        first_ride_at,
        last_ride_at,
    )


async def newest_calibration(reader: Transaction) -> Any | None:
    """Return the newest fit, or None."""
    return await reader.row(
        "select fitted_at, constant_s, factor, hour_of_week from calibration"
        " order by fitted_at desc, id desc limit 1"
    )
