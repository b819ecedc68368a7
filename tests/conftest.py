"""The ground of every test: a real database, the program on it, a clock that stands still."""

import asyncio
import hashlib
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.assembly.founding import found_cooperative
from app.city import load_city
from app.dispatch.solver import Solver
from app.foundation import embedded_postgres
from app.foundation.children import Family
from app.foundation.database import Database, open_database
from app.foundation.hints import Hints
from app.foundation.migrate import migrate
from app.main import create_app
from app.roads.open import open_places, open_roads
from app.roads.places import Places
from app.roads.service import Roads
from app.settings import BUILT_IN_CITY, Settings, default_home
from app.tables import metadata

# A shell that runs the tests in the background lets them ignore Ctrl-C, and every program that a
# test starts and stops by it would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

PROJECT = Path(__file__).parents[1]
FRIDAY_EVENING = datetime(2026, 5, 22, 15, 0, tzinfo=UTC)


@dataclass
class StandingClock:
    """A clock that moves only when a test moves it."""

    moment: datetime = FRIDAY_EVENING
    speed: float = 1.0

    def now(self) -> datetime:
        return self.moment

    def pass_time(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.pass_time(seconds)
        await asyncio.sleep(0)


def _home() -> Path:
    """Where this checkout's test servers live, kept: a second run starts at once."""
    checkout = hashlib.sha256(str(PROJECT).encode()).hexdigest()[:12]
    return default_home() / f"tests-{checkout}"


def _free_cluster() -> embedded_postgres.Cluster:
    """Return the first server that no other test process of this checkout uses now."""
    for number in range(16):
        try:
            return embedded_postgres.prepare(_home() / str(number), durable=False)
        except embedded_postgres.ClusterBusy:
            continue
    raise RuntimeError("16 test runs are under way in this checkout already")


async def _fresh_database(cluster: embedded_postgres.Cluster) -> str:
    """Migrate a template once for each state of the migrations, and copy it for this run."""
    digest = hashlib.sha256()
    for path in sorted((PROJECT / "migrations" / "versions").glob("*.py")):
        digest.update(path.read_bytes())
    template = f"template_{digest.hexdigest()[:12]}"
    admin = await asyncpg.connect(cluster.dsn())
    try:
        known = await admin.fetchval(
            "select datistemplate from pg_database where datname = $1", template
        )
        if not known:
            await admin.execute(f"drop database if exists {template}")
            await admin.execute(f"create database {template}")
            await migrate(cluster.dsn(template))
            await admin.execute(f"alter database {template} is_template true")
        await admin.execute("drop database if exists meent_test with (force)")
        await admin.execute(f"create database meent_test template {template} strategy file_copy")
    finally:
        await admin.close()
    return cluster.dsn("meent_test")


@pytest.fixture(scope="session")
async def dsn() -> AsyncIterator[str]:
    """The URL of a migrated database on a real server, as the owner of its tables."""
    with _free_cluster() as cluster:
        async with Family() as family:
            await family.add(cluster.command())
            await embedded_postgres.wait_ready(cluster)
            yield await _fresh_database(cluster)


@pytest.fixture(scope="session")
async def owner_of_tables(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may do what the program may not: empty tables, look everywhere."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def owner(owner_of_tables: asyncpg.Connection) -> asyncpg.Connection:
    """The owner's connection, on empty tables of a cooperative that was just founded."""
    emptied = "; ".join(f"delete from {table.name}" for table in metadata.sorted_tables)
    # Books refuse DELETE by a trigger; only a replica's session passes it, and only an owner's.
    await owner_of_tables.execute(
        f"set session_replication_role = replica; {emptied}; set session_replication_role = origin"
    )
    await found_cooperative(owner_of_tables, load_city(BUILT_IN_CITY), at=FRIDAY_EVENING)
    return owner_of_tables


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, sms_file=tmp_path / "texts.jsonl", secret="a secret of tests")


@pytest.fixture
def hints() -> Hints:
    return Hints()


@pytest.fixture
async def database(dsn: str, owner: asyncpg.Connection, hints: Hints) -> AsyncIterator[Database]:
    """The database as the program sees it, with the program's own few rights."""
    async with open_database(dsn, hints=hints) as database:
        yield database


@pytest.fixture(scope="session")
async def roads() -> AsyncIterator[Roads]:
    """The built-in city's roads, travel times by our own graph: the same each time."""
    async with open_roads(load_city(BUILT_IN_CITY), home=_home(), router_url=None) as roads:
        yield roads


@pytest.fixture(scope="session")
async def places() -> Places:
    return await open_places(load_city(BUILT_IN_CITY), home=_home())


@pytest.fixture(scope="session")
async def solver() -> AsyncIterator[Solver]:
    """The solver's own process, started once."""
    with Solver() as solver:
        await solver.warm_up()
        yield solver


@pytest.fixture
async def app(
    dsn: str,
    owner: asyncpg.Connection,
    settings: Settings,
    clock: StandingClock,
    roads: Roads,
    places: Places,
    solver: Solver,
) -> AsyncIterator[FastAPI]:
    """The whole program, its workers at rest: a test calls their rounds itself."""
    app = create_app(
        settings, dsn=dsn, clock=clock, roads=roads, places=places, solver=solver, workers=False
    )
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole program, without a network between."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://meent.test") as client:
        yield client
