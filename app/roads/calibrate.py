"""Keeps travel times this city's own: fitted on its completed rides, night after night."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from app.foundation.database import Database, Transaction
from app.roads import queries
from app.roads.service import Roads, hour_of_week
from matching.travel import Calibration, fit_calibration

REFIT_AFTER = timedelta(hours=24)
LOOK_BACK = timedelta(weeks=8)  # streets change: a detour of last year says nothing of today
AT_MOST_RIDES = 50_000
# Outside these a tap on the phone was forgotten or slipped; nobody rode for that long.
LEAST_RIDE_S = 30.0
MOST_RIDE_S = 4 * 3600.0

log = structlog.get_logger("calibration")


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibration and when it was fitted."""

    at: datetime
    calibration: Calibration


async def newest(reader: Transaction) -> Fitted | None:
    """Return the newest calibration, None in a city that has not fitted one yet."""
    row = await queries.newest_calibration(reader)
    if row is None:
        return None
    return Fitted(
        at=row["fitted_at"],
        calibration=Calibration(
            constant_s=row["constant_s"],
            factor=row["factor"],
            hour_of_week=tuple(row["hour_of_week"]),
        ),
    )


async def refit(
    database: Database, *, prior: Calibration, time_zone: ZoneInfo, now: datetime
) -> Calibration | None:
    """Fit the rides completed in the last eight weeks and store what they say.

    Rides of under 30 s or over 4 h are left out and counted in the log. None, and nothing stored,
    where fewer than 60 rides are left: the prior then goes on. Quotes already given stay as they
    are. Two programs that refit at once store a row each, and either is good.
    """
    async with database.reading() as reader:
        found = await queries.completed_rides(
            reader, since=now - LOOK_BACK, until=now, limit=AT_MOST_RIDES
        )
    rides = [row for row in found if LEAST_RIDE_S <= row["actual_s"] <= MOST_RIDE_S]
    counted = {"rides": len(rides), "absurd": len(found) - len(rides)}
    fitted = await asyncio.to_thread(_fit, rides, prior=prior, time_zone=time_zone)
    if fitted is prior:
        log.info("calibration.too_few_rides", **counted)
        return None
    async with database.transaction() as tx:
        await queries.insert_calibration(
            tx,
            fitted,
            fitted_at=now,
            rides=len(rides),
            first_ride_at=min(row["started_at"] for row in rides),
            last_ride_at=max(row["started_at"] for row in rides),
        )
    log.info("calibration.fitted", **counted, constant_s=fitted.constant_s, factor=fitted.factor)
    return fitted


def _fit(rides: Sequence[Any], *, prior: Calibration, time_zone: ZoneInfo) -> Calibration:
    """Return the fit, or the very prior where there are too few rides for one."""
    return fit_calibration(
        [row["engine_s"] for row in rides],
        actual_s=[row["actual_s"] for row in rides],
        hour_of_week=[hour_of_week(row["started_at"], time_zone=time_zone) for row in rides],
        prior=prior,
    )


async def take_newest(roads: Roads, database: Database) -> Fitted | None:
    """Let the roads answer by the newest calibration; where there is none they stay as they are."""
    async with database.reading() as reader:
        fitted = await newest(reader)
    if fitted is not None:
        roads.calibrate(fitted.calibration)
    return fitted


async def keep_calibrated(
    roads: Roads, database: Database, *, time_zone: ZoneInfo, now: datetime
) -> None:
    """Take over the newest calibration, and where that is a day old fit the next and take that.

    Another program on the same database may have fitted it: one fit a day serves all.
    """
    fitted = await take_newest(roads, database)
    if fitted is not None and now - fitted.at < REFIT_AFTER:
        return
    refitted = await refit(database, prior=roads.calibration, time_zone=time_zone, now=now)
    if refitted is not None:
        roads.calibrate(refitted)
