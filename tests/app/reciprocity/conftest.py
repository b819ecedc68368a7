"""Two cooperatives: two databases, two programs, each on a port of its own."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from app.assembly.founding import found_cooperative
from app.city import load_city
from app.dispatch.solver import Solver
from app.foundation.migrate import migrate
from app.main import create_app
from app.reciprocity.papers import load_own_key, public_half
from app.roads.places import Places
from app.roads.service import Roads
from app.settings import BUILT_IN_CITY, Settings
from app.tables import metadata
from tests.app.realtime.phones import until
from tests.app.reciprocity.cities import City, Weather
from tests.app.reciprocity.sisters import own_id, register
from tests.conftest import FRIDAY_EVENING, StandingClock

LIMIT_MINOR = 400_000


@pytest.fixture(scope="session")
async def sister_dsn(dsn: str) -> str:
    """The URL of a second migrated database on the same server."""
    admin = await asyncpg.connect(dsn)
    await admin.execute("drop database if exists meent_sister with (force)")
    await admin.execute("create database meent_sister")
    await admin.close()
    second = dsn.replace("/meent_test?", "/meent_sister?")
    await migrate(second)
    return second


@pytest.fixture
async def sister_owner(sister_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """The second database's owner, on empty tables of a cooperative that was just founded."""
    owner = await asyncpg.connect(sister_dsn)
    emptied = "; ".join(f"delete from {table.name}" for table in metadata.sorted_tables)
    await owner.execute(
        f"set session_replication_role = replica; {emptied}; set session_replication_role = origin"
    )
    await found_cooperative(owner, load_city(BUILT_IN_CITY), at=FRIDAY_EVENING)
    yield owner
    await owner.close()


@asynccontextmanager
async def _served(app: FastAPI) -> AsyncIterator[str]:
    """The program on a real port, its lifespan opened by somebody else; yields its address."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=2)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True


@asynccontextmanager
async def _city(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock
) -> AsyncIterator[City]:
    async with (
        _served(app) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
        httpx.AsyncClient(transport=Weather()) as outside,
    ):
        yield City(app=app, owner=owner, clock=clock, url=url, client=client, outside=outside)


@pytest.fixture
async def cities(
    app: FastAPI,
    owner: asyncpg.Connection,
    sister_dsn: str,
    sister_owner: asyncpg.Connection,
    clock: StandingClock,
    roads: Roads,
    places: Places,
    solver: Solver,
    tmp_path: Path,
) -> AsyncIterator[tuple[City, City]]:
    """Vaduz and its sister, which know each other."""
    settings = Settings(home=tmp_path / "sister", secret="another secret of tests")
    other = create_app(
        settings,
        dsn=sister_dsn,
        clock=clock,
        roads=roads,
        places=places,
        solver=solver,
        workers=False,
    )
    async with (
        other.router.lifespan_context(other),
        _city(app, owner, clock) as first,
        _city(other, sister_owner, clock) as second,
    ):
        for here, there in ((first, second), (second, first)):
            here.id = await own_id(here.client)
            here.peer_path = await register(
                here.client,
                here.owner,
                public_key=public_half(load_own_key(there.app.state.settings.home)),
                base_url=there.url,
                they_may_owe_minor=LIMIT_MINOR,
                we_may_owe_minor=LIMIT_MINOR,
            )
        yield first, second
