"""Gives a cooperative a past month of a city's own demand, and times its forecast before a vote."""

import argparse
import asyncio
import math
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np

from app.city import City, load_city
from app.foundation.ids import new_id
from app.replay.last_month import EVERY, forecast_dispatch, show
from app.replay.plan import Stretch, make_shifts, read_stretch
from app.settings import BUILT_IN_CITY
from app.terminal import say
from load_tests.stage import open_stage
from matching.replay.day import Shifts

SEED = 4
MONTH = timedelta(days=31)
OFFER_TIME_S = 15.0
# Nobody recorded how drivers answer: most within seconds, and one in eight lets the offer pass.
MEAN_ANSWER_S, COMES_SHARE = 7.0, 0.92
QUOTE = [
    "id",
    "rider_id",
    "pickup_lat",
    "pickup_lng",
    "pickup_name",
    "dropoff_lat",
    "dropoff_lng",
    "dropoff_name",
    "distance_m",
    "duration_s",
    "is_estimate",
    "items",
    "currency",
    "fare_minor",
    "commission_bp",
    "commission_minor",
    "driver_net_minor",
    "policy_version_id",
    "tariff_version_id",
    "seats",
    "is_shared",
    "quoted_at",
    "expires_at",
]
RIDE = [
    "id",
    "rider_id",
    "quote_id",
    "hold_id",
    "state",
    "seats",
    "is_shared",
    "requested_at",
    "search_until",
    "ended_at",
]
OFFER = [
    "id",
    "tick_id",
    "ride_id",
    "driver_id",
    "state",
    "offered_at",
    "expires_at",
    "decided_at",
    "pickup_s",
    "pickup_m",
    "explanation",
]
SHIFT = ["id", "driver_id", "vehicle_id", "started_at", "ended_at"]


async def fill_last_month(
    owner: asyncpg.Connection, city: City, *, home: Path, share: float, drivers: int
) -> int:
    """Write the city's demand, so thinned, as the rides of the last month; return how many.

    Who drove what is left open: the forecast dispatches them anew. Keys and triggers are past by.
    """
    since, until = await _last_month(owner)
    stretch = await asyncio.to_thread(_stretch, city, home=home, share=share)
    shifts = make_shifts(stretch, kind="staggered", drivers=drivers, patience_s=600.0, seed=SEED)
    random = np.random.default_rng(SEED)
    quotes, rides, offers = [], [], []
    for trip in stretch.trips:
        asked = since + (trip.requested_at - stretch.start)
        if asked >= until:
            break
        ends = (*_place(trip.pickup), *_place(trip.dropoff))
        quote_id, ride_id, rider_id = new_id(), new_id(), new_id()
        duration_s, distance_m = round(trip.duration_s or 600), round(trip.trace_m or 3_000)
        soon = asked + timedelta(minutes=2)
        price = ("EUR", 1_500, 1_500, 225, 1_275, new_id(), new_id(), 1, False)
        about = (distance_m, duration_s, False, "[]")
        quotes.append((quote_id, rider_id, *ends, *about, *price, asked, soon))
        rides.append(
            (ride_id, rider_id, quote_id, new_id(), "no_driver", 1, False, asked, soon, soon)
        )
        answer_s = float(random.exponential(MEAN_ANSWER_S))
        state = "accepted" if random.random() < COMES_SHARE else "declined"
        if answer_s > OFFER_TIME_S:
            answer_s, state = OFFER_TIME_S, "expired"
        stood, until_s = timedelta(seconds=answer_s), timedelta(seconds=OFFER_TIME_S)
        times = (asked, asked + until_s, asked + stood)
        offers.append((new_id(), new_id(), ride_id, new_id(), state, *times, 120, 800, "{}"))
    async with owner.transaction():
        await owner.execute("set local session_replication_role = replica")
        for table, columns, rows in (
            ("quote", QUOTE, quotes),
            ("ride", RIDE, rides),
            ("offer", OFFER, offers),
            ("shift", SHIFT, _shift_rows(shifts, since=since, until=until)),
        ):
            await owner.copy_records_to_table(table, columns=columns, records=rows)
    return len(rides)


async def _last_month(owner: asyncpg.Connection) -> tuple[datetime, datetime]:
    row = await owner.fetchrow(
        "select (this - interval '1 month') at time zone time_zone as since,"
        " this at time zone time_zone as until from cooperative,"
        " lateral (select date_trunc('month', now() at time zone time_zone) as this) as month"
    )
    return row["since"], row["until"]


def _stretch(city: City, *, home: Path, share: float) -> Stretch:
    """All of the city's record, or a week, again and again, each time others of it."""
    whole = read_stretch(city, home=home, start=None, end=None)
    times = math.ceil(MONTH / (whole.end - whole.start))
    random = np.random.default_rng(SEED)
    trips = tuple(
        replace(trip, requested_at=trip.requested_at + number * (whole.end - whole.start))
        for number in range(times)
        for trip in whole.trips
        if random.random() < share
    )
    return replace(whole, end=whole.start + times * (whole.end - whole.start), trips=trips)


def _place(point: Any) -> tuple[float, float, str]:
    return point.lat, point.lng, "somewhere"


def _shift_rows(shifts: Shifts, *, since: datetime, until: datetime) -> list[tuple[Any, ...]]:
    drivers = [new_id() for _ in range(int(shifts.driver.max()) + 1)]
    rows = []
    for driver, start_s, end_s in zip(shifts.driver, shifts.start_s, shifts.end_s, strict=True):
        began = since + timedelta(seconds=float(start_s))
        if began < until:
            ended = since + timedelta(seconds=float(end_s))
            rows.append((new_id(), drivers[driver], new_id(), began, ended))
    return rows


async def main() -> None:
    """Fill a database of its own, replay the month as `meent forecast-dispatch` does, print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, default=BUILT_IN_CITY)
    parser.add_argument("--share", type=float, default=1.0, help="of the city's demand")
    parser.add_argument("--drivers", type=int, default=20, help="on the road at the busiest hour")
    parser.add_argument("--key", choices=list(EVERY), default="fairness_weight_s")
    asked = parser.parse_args()
    city = load_city(asked.city)
    async with open_stage(say=say, city=asked.city) as stage:
        many = await fill_last_month(
            stage.owner,
            city,
            home=stage.server_log.parent.parent,
            share=asked.share,
            drivers=asked.drivers,
        )
        say(f"{many:,} rides of {datetime.now(UTC) - timedelta(days=30):%Y-%m} and around it")
        began_s = time.perf_counter()
        at_value = await forecast_dispatch(stage.running.dsn, city=asked.city, key=asked.key)
        took_s = time.perf_counter() - began_s
    show(at_value, key=asked.key, as_json=False)
    say(f"{many:,} rides at {len(at_value)} values in {took_s:.0f} s")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
