"""The built-in city's streets, and a road engine of its own for the tests."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.roads.network import RoadNetwork, load_network
from app.roads.osrm import OsrmRouter
from app.roads.osrm_data import OsrmData, prepare_osrm
from app.roads.port import RouterUnavailable
from app.roads.snapping import SnapIndex
from matching.travel import Point

CHECKOUT = Path(__file__).parents[3]
LIECHTENSTEIN = CHECKOUT / "app" / "demo" / "cities" / "liechtenstein"
VADUZ = Point(lat=47.1396, lng=9.5216)
START_TIMEOUT_S = 20


class Engine:
    """One `osrm-routed` on a port of its own, which a test may kill and start again."""

    def __init__(self, data: OsrmData) -> None:
        self._data = data
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self._process: asyncio.subprocess.Process | None = None
        self.base_url = f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        assert self._process is None
        self._process = await asyncio.create_subprocess_exec(
            *self._data.argv(self._port),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(START_TIMEOUT_S), OsrmRouter(self.base_url) as router:
            while True:
                try:
                    await router.nearest(VADUZ)
                except RouterUnavailable:
                    assert self._process.returncode is None
                    await asyncio.sleep(0.02)
                else:
                    return

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await asyncio.wait_for(self._process.wait(), START_TIMEOUT_S)
            self._process = None


@asynccontextmanager
async def running(data: OsrmData) -> AsyncIterator[Engine]:
    engine = Engine(data)
    try:
        await engine.start()
        yield engine
    finally:
        await engine.kill()


@pytest.fixture(scope="session")
def road_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def pbf() -> Path:
    return LIECHTENSTEIN / "roads.osm.pbf"


@pytest.fixture(scope="session")
def network(pbf: Path, road_home: Path) -> RoadNetwork:
    return load_network(pbf, home=road_home)


@pytest.fixture(scope="session")
def snap_index(network: RoadNetwork) -> SnapIndex:
    return SnapIndex(network)


@pytest.fixture(scope="session")
def osrm_data(pbf: Path, road_home: Path) -> OsrmData:
    return prepare_osrm(pbf, home=road_home, say=lambda _line: None)


@pytest.fixture(scope="session")
async def osrm_engine(osrm_data: OsrmData) -> AsyncIterator[Engine]:
    async with running(osrm_data) as engine:
        yield engine


@pytest.fixture
async def own_engine(osrm_data: OsrmData) -> AsyncIterator[Engine]:
    """An engine that this one test may kill."""
    async with running(osrm_data) as engine:
        yield engine


@pytest.fixture(scope="session")
async def osrm(osrm_engine: Engine) -> AsyncIterator[OsrmRouter]:
    async with OsrmRouter(osrm_engine.base_url) as router:
        yield router
