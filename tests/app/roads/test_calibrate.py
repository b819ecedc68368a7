"""Travel times are this city's own: fitted on its rides, kept over a restart, never edited."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import numpy as np
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from app.dispatch.solver import Solver
from app.fares.service import get_quote, give_quote
from app.fares.wishes import Wish
from app.foundation.database import Database, open_database
from app.foundation.hints import Hints
from app.foundation.ids import new_id
from app.main import create_app
from app.roads.calibrate import keep_calibrated, newest, refit, take_newest
from app.roads.places import Places
from app.roads.service import Roads, hour_of_week
from app.settings import Settings
from matching.travel import LEAST_RIDES_TO_FIT, Calibration, Point
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import make_member

VADUZ = Point(lat=47.1396, lng=9.5216)
BALZERS = Point(lat=47.0667, lng=9.5027)
ZONE = ZoneInfo("Europe/Vaduz")
THURSDAY_NIGHT = FRIDAY_EVENING - timedelta(hours=18)
FRIDAY_FIVE = 4 * 24 + 17
SLOWER = 1.3


@dataclass(frozen=True)
class Driven:
    """A ride as it went: when it began, what the engine had said, and how long it took."""

    started_at: datetime
    engine_s: float | None
    actual_s: float
    state: str = "completed"


def true_s(engine_s: float, *, at: datetime) -> float:
    """The truth of these tests: 60 + 1.5 t, and 1.3 times as long on Fridays from five to six."""
    slower = SLOWER if hour_of_week(at, time_zone=ZONE) == FRIDAY_FIVE else 1.0
    return (60 + 1.5 * engine_s) * slower


def ordinary_rides(count: int) -> list[Driven]:
    """Rides of the last seven weeks at any hour but Friday's rush, each up to 10 % off."""
    rng = np.random.default_rng(1)
    rides: list[Driven] = []
    while len(rides) < count:
        started_at = FRIDAY_EVENING - timedelta(hours=float(rng.uniform(5, 7 * 168)))
        if hour_of_week(started_at, time_zone=ZONE) != FRIDAY_FIVE:
            rides.append(_drive(started_at, rng))
    return rides


def friday_rides(count: int) -> list[Driven]:
    """Rides of the last seven Fridays' rush, each up to 10 % off."""
    rng = np.random.default_rng(2)
    return [
        _drive(FRIDAY_EVENING - timedelta(weeks=1 + n % 7, minutes=-(n % 60)), rng)
        for n in range(count)
    ]


def _drive(started_at: datetime, rng: np.random.Generator) -> Driven:
    engine_s = float(rng.uniform(100, 1500))
    off = float(rng.uniform(0.9, 1.1))
    return Driven(started_at, engine_s, off * true_s(engine_s, at=started_at))


async def insert_rides(owner: asyncpg.Connection, rides: Sequence[Driven]) -> None:
    """Put rides and their quotes into the tables; who rode and what was held concern nobody."""
    quote_ids = [new_id() for _ in rides]
    quoted_at = [ride.started_at - timedelta(minutes=5) for ride in rides]
    await owner.execute("set session_replication_role = replica")
    await owner.executemany(
        "insert into quote (id, rider_id, pickup_lat, pickup_lng, pickup_name, dropoff_lat,"
        " dropoff_lng, dropoff_name, distance_m, duration_s, engine_s, is_estimate, items,"
        " currency, fare_minor, commission_bp, commission_minor, driver_net_minor,"
        " policy_version_id, tariff_version_id, quoted_at, expires_at)"
        " values ($1, $1, 47.14, 9.52, '', 47.07, 9.50, '', 9000, 600, $2::float8, $2 is null,"
        " '[]', 'CHF', 1000, 1500, 150, 850, $1, $1, $3::timestamptz, $3 + interval '2 min')",
        [
            (quote_id, ride.engine_s, at)
            for quote_id, ride, at in zip(quote_ids, rides, quoted_at, strict=True)
        ],
    )
    await owner.executemany(
        "insert into ride (id, rider_id, driver_id, quote_id, hold_id, state, requested_at,"
        " search_until, started_at, ended_at) values ($1, $1, $1, $1, $1, $2, $3, $3, $4, $5)",
        [
            (
                quote_id,
                ride.state,
                at,
                ride.started_at,
                ride.started_at + timedelta(seconds=ride.actual_s),
            )
            for quote_id, ride, at in zip(quote_ids, rides, quoted_at, strict=True)
        ],
    )
    await owner.execute("set session_replication_role = origin")


@pytest.fixture
def city_roads(roads: Roads) -> Iterator[Roads]:
    """The built-in city's roads, by the file's values, and given back as they were lent."""
    by_the_file = roads.calibration
    yield roads
    roads.calibrate(by_the_file)


type Start = Callable[[bool], AbstractAsyncContextManager[FastAPI]]


@pytest.fixture
def start(
    dsn: str,
    owner: asyncpg.Connection,
    settings: Settings,
    clock: StandingClock,
    city_roads: Roads,
    places: Places,
    solver: Solver,
) -> Start:
    """Starts the whole program anew, with or without its workers."""

    @asynccontextmanager
    async def start(workers: bool) -> Any:  # noqa: FBT001 - a fixture's own word
        app = create_app(
            settings,
            dsn=dsn,
            clock=clock,
            roads=city_roads,
            places=places,
            solver=solver,
            workers=workers,
        )
        async with app.router.lifespan_context(app):
            yield app

    return start


async def fit(database: Database, roads: Roads) -> Calibration | None:
    return await refit(database, prior=roads.calibration, time_zone=ZONE, now=FRIDAY_EVENING)


async def test_with_too_few_rides_the_files_values_stay(
    database: Database, owner: asyncpg.Connection, city_roads: Roads
) -> None:
    by_the_file = city_roads.calibration
    enough = ordinary_rides(LEAST_RIDES_TO_FIT)
    await insert_rides(owner, enough[:-1])
    await keep_calibrated(city_roads, database, time_zone=ZONE, now=FRIDAY_EVENING)
    assert city_roads.calibration is by_the_file
    assert await owner.fetchval("select count(*) from calibration") == 0

    await insert_rides(owner, enough[-1:])
    await keep_calibrated(city_roads, database, time_zone=ZONE, now=FRIDAY_EVENING)
    assert city_roads.calibration is not by_the_file
    assert await owner.fetchval("select rides from calibration") == LEAST_RIDES_TO_FIT


async def test_rides_that_say_nothing_of_the_roads_today_do_not_count(
    database: Database, owner: asyncpg.Connection, city_roads: Roads
) -> None:
    at = FRIDAY_EVENING - timedelta(days=1)
    await insert_rides(owner, ordinary_rides(LEAST_RIDES_TO_FIT - 1))
    await insert_rides(
        owner,
        [
            Driven(at, None, 500),  # guessed by the straight line
            Driven(at, 300, 500, state="no_show"),
            Driven(FRIDAY_EVENING - timedelta(weeks=9), 300, 500),
        ],
    )
    assert await fit(database, city_roads) is None


# An hour with few rides is drawn towards the rest of the week: more rides, better promises.
@pytest.mark.parametrize(("ordinary", "rush", "off"), [(300, 100, 0.1), (1200, 400, 0.05)])
async def test_promises_come_true_on_ordinary_days_and_in_the_fridays_rush(
    database: Database,
    owner: asyncpg.Connection,
    city_roads: Roads,
    ordinary: int,
    rush: int,
    off: float,
) -> None:
    rides = ordinary_rides(ordinary) + friday_rides(rush)
    await insert_rides(owner, rides)
    before = await city_roads.quote_route(VADUZ, dropoff=BALZERS, at=FRIDAY_EVENING)
    assert before.engine_s is not None
    await keep_calibrated(city_roads, database, time_zone=ZONE, now=FRIDAY_EVENING)

    for at in (THURSDAY_NIGHT, FRIDAY_EVENING):
        promised = await city_roads.quote_route(VADUZ, dropoff=BALZERS, at=at)
        truth_s = true_s(before.engine_s, at=at)
        assert promised.engine_s == before.engine_s
        assert promised.duration_s == pytest.approx(truth_s, rel=off)
        assert before.duration_s != pytest.approx(truth_s, rel=off)
    row = await owner.fetchrow("select * from calibration")
    assert row["rides"] == len(rides)
    assert row["first_ride_at"] == min(ride.started_at for ride in rides)
    assert row["last_ride_at"] == max(ride.started_at for ride in rides)


async def test_absurd_rides_are_left_out_and_counted(
    database: Database, owner: asyncpg.Connection, city_roads: Roads
) -> None:
    at = FRIDAY_EVENING - timedelta(days=1)
    await insert_rides(owner, ordinary_rides(100))
    alone = await fit(database, city_roads)
    slips, forgotten = Driven(at, 900, 29), Driven(at, 900, 4 * 3600 + 1)
    await insert_rides(owner, [slips] * 30 + [forgotten] * 40)
    with capture_logs() as logs:
        assert await fit(database, city_roads) == alone
    assert [(line["rides"], line["absurd"]) for line in logs] == [(100, 70)]


async def test_a_quote_already_given_stays_as_it_is(
    database: Database, owner: asyncpg.Connection, city_roads: Roads
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)

    async def quote() -> Any:
        route = await city_roads.quote_route(VADUZ, dropoff=BALZERS, at=FRIDAY_EVENING)
        async with database.transaction() as tx:
            return await give_quote(
                tx,
                rider_id=rider.id,
                wish=Wish(route=route),
                now=FRIDAY_EVENING,
                lasts_s=120,
            )

    given = await quote()
    await insert_rides(owner, friday_rides(400))
    await keep_calibrated(city_roads, database, time_zone=ZONE, now=FRIDAY_EVENING)
    later = await quote()
    assert later["duration_s"] > given["duration_s"]
    async with database.reading() as reader:
        kept = await get_quote(reader, quote_id=given["id"], rider_id=rider.id)
        again = await get_quote(reader, quote_id=later["id"], rider_id=rider.id)
    assert (kept["duration_s"], kept["fare_minor"]) == (given["duration_s"], given["fare_minor"])
    assert kept["engine_s"] == again["engine_s"] > 0


async def test_a_restart_takes_the_newest_row(
    database: Database, owner: asyncpg.Connection, city_roads: Roads, start: Start
) -> None:
    by_the_file = city_roads.calibration
    async with start(False) as app:
        assert app.state.roads.calibration is by_the_file
    await insert_rides(owner, ordinary_rides(100))
    older = await fit(database, city_roads)
    await insert_rides(owner, friday_rides(200))
    newer = await refit(
        database, prior=by_the_file, time_zone=ZONE, now=FRIDAY_EVENING + timedelta(hours=24)
    )
    assert newer != older
    async with start(False) as app:
        assert app.state.roads.calibration == newer


async def test_the_running_program_fits_by_itself(
    owner: asyncpg.Connection, city_roads: Roads, start: Start
) -> None:
    by_the_file = city_roads.calibration
    await insert_rides(owner, ordinary_rides(100))
    async with start(True), asyncio.timeout(20):
        while city_roads.calibration is by_the_file:  # noqa: ASYNC110 - a swap rings no bell
            await asyncio.sleep(0.02)
    assert city_roads.calibration.factor == pytest.approx(1.5, rel=0.1)


async def test_the_next_fit_waits_until_the_newest_is_a_day_old(
    database: Database, owner: asyncpg.Connection, city_roads: Roads
) -> None:
    await insert_rides(owner, ordinary_rides(100))
    for hours, fits in ((0, 1), (23.9, 1), (24, 2), (25, 2)):
        now = FRIDAY_EVENING + timedelta(hours=hours)
        await keep_calibrated(city_roads, database, time_zone=ZONE, now=now)
        assert await owner.fetchval("select count(*) from calibration") == fits


async def test_two_programs_that_refit_at_once_leave_a_usable_newest_row(
    database: Database, dsn: str, owner: asyncpg.Connection, city_roads: Roads
) -> None:
    await insert_rides(owner, ordinary_rides(100))
    async with open_database(dsn, hints=Hints()) as other:
        one, two = await asyncio.gather(fit(database, city_roads), fit(other, city_roads))
    assert await owner.fetchval("select count(*) from calibration") == 2
    taken = await take_newest(city_roads, database)
    assert taken is not None
    assert one == two == taken.calibration == city_roads.calibration
    assert taken.at == FRIDAY_EVENING


@pytest.mark.parametrize(
    "change",
    ["update calibration set factor = 9", "delete from calibration", "truncate calibration"],
)
async def test_a_fit_is_never_edited(
    database: Database, owner: asyncpg.Connection, city_roads: Roads, change: str
) -> None:
    await insert_rides(owner, ordinary_rides(60))
    fitted = await fit(database, city_roads)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction() as tx:
            await tx.execute(change)
    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await owner.execute(change)
    async with database.reading() as reader:
        kept = await newest(reader)
    assert kept is not None
    assert kept.calibration == fitted


@pytest.mark.parametrize(
    "week", [[], [1.0] * 167, [1.0] * 169, [1.0] * 167 + [0.0], [1.0] * 167 + [None]]
)
async def test_a_week_that_is_none_is_refused(
    owner: asyncpg.Connection, week: list[float | None]
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            "insert into calibration (id, fitted_at, constant_s, factor, hour_of_week, rides,"
            " first_ride_at, last_ride_at) values ($1, $2, 60, 1.5, $3, 60, $2, $2)",
            new_id(),
            FRIDAY_EVENING,
            week,
        )


def test_the_hour_is_the_citys_own_in_summer_and_in_winter() -> None:
    summer, winter = datetime(2026, 5, 22, 15, tzinfo=UTC), datetime(2026, 1, 23, 16, tzinfo=UTC)
    assert hour_of_week(summer, time_zone=ZONE) == FRIDAY_FIVE
    assert hour_of_week(winter, time_zone=ZONE) == FRIDAY_FIVE
