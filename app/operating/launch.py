"""Starts a city's whole platform as one family of child processes, and stops all of it."""

import asyncio
import errno
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from pydantic import SecretStr

from app.assembly.founding import keep_demo_clock
from app.city import City, load_city
from app.foundation import embedded_postgres
from app.foundation.children import Command, Family
from app.foundation.clock import ScaledClock
from app.foundation.secret_file import keep_secret
from app.operating.database_setup import (
    connected,
    create_database,
    found_if_new,
    give_program_sign_in,
    migrate_database,
    require_careful_settings,
    require_demonstration,
    require_version,
)
from app.operating.local_issuers import run_local_issuers
from app.operating.prepare_roads import prepare_roads
from app.roads.osrm_data import OsrmData, OsrmNotInstalledError
from app.roads.port import Say
from app.settings import Profile, Settings

DATABASE_NAME = "meent"
PROGRAM_KEY_FILE = "program.key"
READY_TIMEOUT_S = 90.0
ROUTER_TIMEOUT_S = 120.0
# Below the numbers that systems give to outgoing connections, so that none takes ours meanwhile.
LOWEST_PORT, PORTS = 15_000, 15_000


class LaunchError(Exception):
    """The platform cannot be started; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A platform that answers: where, on which database (as its owner), by which processes."""

    base_url: str
    dsn: str
    router_url: str | None
    city: City
    family: Family
    names: tuple[str, ...]

    @property
    def pids(self) -> dict[str, int]:
        """The newest process of each child by its name: postgres, osrm, issuer-1, issuer-2, api."""
        return {name: self.family.child(name).pid for name in self.names}


@asynccontextmanager
async def run_platform(
    settings: Settings,
    *,
    say: Say,
    database_name: str = DATABASE_NAME,
    api_log: Path | None = None,
    founded: City | None = None,
) -> AsyncIterator[Running]:
    """Run database, road engine and API until the end of the block, then stop them in reverse.

    A child that dies is started again; the API keeps its port. A port of 0 takes a free one.
    ``say`` hears, in plain lines, what is being done. ``api_log`` takes the API's log instead of
    our standard error. ``founded`` is the city as a new cooperative is founded in it, where that is
    not as the settings' file says. The children do not outlive this process, however it ends.

    Raises:
        LaunchError, DatabaseSetupError, ClusterError, CityError, RoadsNotPreparedError,
        ChildFailedError: one line that says what to do; nothing is left running.
    """
    city = founded
    if city is None:
        city = await asyncio.to_thread(load_city, settings.city)
    port = free_port(settings.host) if settings.port == 0 else settings.port
    _require_free(settings.host, port=port)
    _make_home(settings.home)
    async with AsyncExitStack() as stack:
        dsn, family, names = await _database(stack, settings, say=say, name=database_name)
        await prepare_database(
            dsn, city, say=say, clock=demo_clock(settings), careful=_is_production(settings)
        )
        secret = await asyncio.to_thread(keep_secret, settings.home / PROGRAM_KEY_FILE)
        program_dsn = await give_program_sign_in(dsn, secret=secret, say=say)
        router_url = settings.router_url or await _router(family, names, city, settings, say=say)
        issuers = settings.issuers or await _issuers(family, names, settings, say=say)
        base_url = f"http://{_in_url(settings.host)}:{port}"
        given = {
            "port": port,
            "database_url": SecretStr(program_dsn),
            "router_url": router_url,
            "issuers": issuers,
            # The cooperative has no business with it.
            "issuer_passphrase": None,
        }
        await family.add(_api(settings.model_copy(update=given), log_path=api_log))
        names.append("api")
        await _ready(base_url)
        yield Running(
            base_url=base_url,
            dsn=dsn,
            router_url=router_url,
            city=city,
            family=family,
            names=tuple(names),
        )


@asynccontextmanager
async def lend_database(
    settings: Settings, *, say: Say, make: bool = False, database_name: str = DATABASE_NAME
) -> AsyncIterator[str]:
    """Lend the URL of the platform's database, whether the platform runs or not.

    Our own server is started for the length of the block where it does not run; with ``make``
    also made where there is none.

    Raises:
        LaunchError: nothing was ever started here, and it is not to be made.
        DatabaseSetupError, ClusterError, ChildFailedError: as they say.
    """
    home = settings.home / "postgres"
    if settings.database_url is None:
        if not make and not (home / "data").exists():
            raise LaunchError(f"there is no database in {home} yet: start once with `meent serve`")
        dsn = embedded_postgres.find_running_dsn(home, database=database_name)
        if dsn is not None:
            yield dsn
            return
        _make_home(settings.home)
    async with AsyncExitStack() as stack:
        dsn, _, _ = await _database(stack, settings, say=say, name=database_name)
        yield dsn


@asynccontextmanager
async def lend_router(city: City, settings: Settings, *, say: Say) -> AsyncIterator[str | None]:
    """Lend the URL of a road engine for a city; None where there is no program for it.

    It runs for the length of the block, and does not outlive this process, however that ends.

    Raises:
        LaunchError, RoadsNotPreparedError, ChildFailedError: one line that says what to do.
    """
    if settings.router_url is not None:
        yield settings.router_url
        return
    _make_home(settings.home)
    async with Family(on_restart=lambda child: say(f"{child} had ended and was started again")) as (
        family
    ):
        yield await _router(family, [], city, settings, say=say)


def demo_clock(settings: Settings) -> ScaledClock | None:
    """Return the scaled clock of a demonstration, None where time is the machine's."""
    if settings.clock_start is None or settings.clock_anchor_s is None:
        return None
    return ScaledClock(settings.clock_start, settings.clock_anchor_s, settings.clock_speed)


async def prepare_database(
    dsn: str, city: City, *, say: Say, clock: ScaledClock | None = None, careful: bool = False
) -> None:
    """The database is new enough, migrated, founded, and tells the time of ``clock``.

    Refused: what is not so. A demonstration is founded at its first moment.
    """
    async with connected(dsn) as connection:
        await require_version(connection)
        if careful:
            await require_careful_settings(connection)
    await migrate_database(dsn)
    async with connected(dsn) as connection:
        if clock is not None:
            await require_demonstration(connection)
        await keep_demo_clock(connection, clock)
    await found_if_new(dsn, city, at=clock.start if clock else datetime.now(UTC), say=say)


def free_port(host: str) -> int:
    """Return a port that nobody listens on now."""
    while True:
        port = LOWEST_PORT + secrets.randbelow(PORTS)
        if is_free(host, port=port):
            return port


def is_free(host: str, *, port: int) -> bool:
    """Return whether we could listen there; LaunchError where the host is not of this machine."""
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise LaunchError(
                    f"{host} is no address of this machine: correct MEENT_HOST"
                ) from None
            return False
    return True


def _require_free(host: str, *, port: int) -> None:
    if not is_free(host, port=port):
        raise LaunchError(
            f"port {port} of {host} cannot be had: stop the program that has it, or choose "
            "another with MEENT_PORT"
        )


def _in_url(host: str) -> str:
    """Return how this machine reaches an address that may mean all of its own."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared only
    return f"[{reached}]" if ":" in reached else reached


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LaunchError(
            f"{home} cannot be made ({error.strerror}): choose another folder with MEENT_HOME"
        ) from None
    if not os.access(home, os.W_OK | os.X_OK):
        raise LaunchError(f"{home} is not ours to write: choose another folder with MEENT_HOME")


def _is_production(settings: Settings) -> bool:
    return settings.profile is Profile.PRODUCTION


async def _database(
    stack: AsyncExitStack, settings: Settings, *, say: Say, name: str
) -> tuple[str, Family, list[str]]:
    """Return the database's URL, the family, and the names of its children so far."""

    def restarted(child: str) -> None:
        say(f"{child} had ended and was started again")

    if settings.database_url is not None:
        family = await stack.enter_async_context(Family(on_restart=restarted))
        return settings.database_url.get_secret_value(), family, []
    # The folder is left to the next program only after the server in it has ended.
    cluster = stack.enter_context(await _prepared(settings, say=say))
    family = await stack.enter_async_context(Family(on_restart=restarted))
    await family.add(cluster.command())
    try:
        await embedded_postgres.wait_ready(cluster)
    except TimeoutError as late:
        raise LaunchError(str(late)) from None
    await create_database(cluster.dsn(), name=name)
    return cluster.dsn(name), family, ["postgres"]


async def _prepared(settings: Settings, *, say: Say) -> embedded_postgres.Cluster:
    home = settings.home / "postgres"
    if not (home / "data").exists():
        say(f"making a database in {home}")
    return await asyncio.to_thread(embedded_postgres.prepare, home, binaries=settings.pg_bin)


async def _router(
    family: Family, names: list[str], city: City, settings: Settings, *, say: Say
) -> str | None:
    """Return the URL of our own road engine, or None where there is no program for it."""
    try:
        data = await prepare_roads(city.roads, home=settings.home, say=say)
    except OsrmNotInstalledError as missing:
        say(f"{missing}; our own road graph is used instead")
        return None
    port = free_port("127.0.0.1")
    await family.add(_osrm(data, port=port, log_path=settings.home / "osrm.log"))
    names.append("osrm")
    try:
        async with asyncio.timeout(ROUTER_TIMEOUT_S):
            while is_free("127.0.0.1", port=port):  # noqa: ASYNC110 -- another process, no event
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise LaunchError(
            f"the road engine gives no answer within {ROUTER_TIMEOUT_S:g} s: see "
            f"{settings.home / 'osrm.log'}"
        ) from None
    return f"http://127.0.0.1:{port}"


def _osrm(data: OsrmData, *, port: int, log_path: Path) -> Command:
    # It gets no variable of ours: no secret reaches a program that needs none.
    env = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return Command(
        name="osrm", argv=tuple(data.argv(port)), env=env, cwd=Path("/"), log_path=log_path
    )


async def _issuers(
    family: Family, names: list[str], settings: Settings, *, say: Say
) -> tuple[str, ...]:
    """Return the URLs of two issuers of our own, which run as children."""

    def choose_port(last: int | None) -> int:
        if last is not None and is_free("127.0.0.1", port=last):
            return last
        return free_port("127.0.0.1")

    running = await run_local_issuers(
        family, settings, environment=environment(settings), choose_port=choose_port, say=say
    )
    names += [name for name, _ in running]
    return tuple(url for _, url in running)


def _api(settings: Settings, *, log_path: Path | None) -> Command:
    return Command(
        name="api",
        # -P: a folder named app in the current directory is not our program.
        argv=(sys.executable, "-P", "-m", "app.operating.serve"),
        # The environment, as every user of the machine may read a command line.
        env=environment(settings),
        log_path=log_path,
    )


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables from which another process reads the same settings."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MEENT_")}
    for name, value in settings:
        if value is not None:
            ours[f"MEENT_{name.upper()}"] = _as_text(value)
    return ours


def _as_text(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Path():
            return str(value.resolve())
        case datetime():
            return value.isoformat()
        case tuple():
            return ",".join(value)
        case _:
            return str(value)


async def _ready(base_url: str) -> None:
    """The API has said that it can serve."""
    try:
        async with asyncio.timeout(READY_TIMEOUT_S), httpx.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    answer = await client.get(f"{base_url}/readyz", timeout=5)
                    if answer.status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise LaunchError(
            f"the API does not become ready within {READY_TIMEOUT_S:g} s: see its log"
        ) from None
