"""Looks at everything the program stands on and says, for each fault, what to do about it."""

import os
import resource
import shutil
import stat
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.util import find_spec
from typing import Any

from pydantic_core import PydanticUndefined

from app.city import CityError, load_city
from app.foundation import postgres_folder
from app.foundation.children import ChildFailedError
from app.foundation.migrate import newest_revision
from app.foundation.postgres_folder import ClusterError
from app.members.keys import KEY_FILE
from app.operating.database_setup import (
    OLDEST_VERSION,
    DatabaseSetupError,
    connected,
    unsafe_settings,
)
from app.operating.launch import LaunchError, is_free, lend_database
from app.settings import CardProviderName, Profile, Settings, SettingsError, load_settings

OLDEST_PYTHON = (3, 12)
LEAST_DISK_BYTES, EASY_DISK_BYTES = 200 * 2**20, 2 * 2**30
EASY_FILES = 4096
LARGEST_SKEW_S = 1.0
SHORTEST_SECRET = 32


class Level(StrEnum):
    """How bad it is; only an error makes the doctor's exit code 1."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was seen and, unless it is well, what to do."""

    name: str
    level: Level
    seen: str
    hint: str | None = None


def _finding(name: str, seen: str, *, good: bool, hint: str, bad: Level = Level.ERROR) -> Finding:
    return Finding(name, Level.OK if good else bad, seen, None if good else hint)


def _by_profile(settings: Settings) -> Level:
    """Return how bad carelessness is: an error where real people ride."""
    return Level.ERROR if settings.profile is Profile.PRODUCTION else Level.WARNING


def _python(_: Settings) -> Finding:
    return _finding(
        "Python",
        ".".join(map(str, sys.version_info[:3])),
        good=sys.version_info >= OLDEST_PYTHON,
        hint="install Python 3.12 or newer and run `make ready` again",
    )


def _home(settings: Settings) -> Finding:
    place = settings.home
    while not place.exists():
        place = place.parent
    hint = "choose a folder of your own with MEENT_HOME"
    if not os.access(place, os.W_OK | os.X_OK):
        return Finding("home", Level.ERROR, f"{settings.home} cannot be written", hint)
    try:
        postgres_folder.refuse_unreachable(place.resolve(), postgres_folder.server_account())
    except ClusterError as unreachable:
        return Finding("home", Level.ERROR, str(unreachable), hint)
    return Finding("home", Level.OK, str(settings.home))


def _disk(settings: Settings) -> Finding:
    place = settings.home
    while not place.exists():
        place = place.parent
    free_bytes = shutil.disk_usage(place).free
    return _finding(
        "disk space",
        f"{free_bytes / 2**30:.1f} GiB free",
        good=free_bytes >= EASY_DISK_BYTES,
        bad=Level.ERROR if free_bytes < LEAST_DISK_BYTES else Level.WARNING,
        hint="make room, or choose a folder on another disk with MEENT_HOME",
    )


def _city(settings: Settings) -> Finding:
    try:
        city = load_city(settings.city)
    except CityError as error:
        return Finding("city", Level.ERROR, str(error), "correct the folder, or set MEENT_CITY")
    return Finding("city", Level.OK, f"{city.name}, demand {city.demand_kind}")


def _postgres_programs(settings: Settings) -> Finding:
    if settings.database_url is not None:
        return Finding("PostgreSQL programs", Level.OK, "not needed: MEENT_DATABASE_URL is set")
    try:
        folder = postgres_folder.programs(settings.home, None, settings.pg_bin)
    except ClusterError as error:
        return Finding("PostgreSQL programs", Level.ERROR, str(error), "set MEENT_DATABASE_URL")
    return Finding("PostgreSQL programs", Level.OK, str(folder))


def _road_engine(settings: Settings) -> Finding:
    if settings.router_url is not None:
        return Finding("road engine", Level.OK, "MEENT_ROUTER_URL is set")
    return _finding(
        "road engine",
        "OSRM" if find_spec("osrm") else "our own road graph",
        good=find_spec("osrm") is not None,
        bad=Level.WARNING,
        hint="there is no OSRM wheel for this machine: set MEENT_ROUTER_URL for large cities",
    )


def _roads(settings: Settings) -> Finding:
    prepared = list((settings.home / "roads").glob("*-osrm"))
    return _finding(
        "roads",
        f"{len(prepared)} road network(s) prepared" if prepared else "not prepared yet",
        good=bool(prepared) or settings.router_url is not None,
        bad=Level.WARNING,
        hint="nothing to do: the first start prepares them",
    )


def _sms(settings: Settings) -> Finding:
    return _finding(
        "text messages",
        f"to {settings.sms_file}" if settings.sms_file else "written to the log, not sent",
        good=False,
        bad=Level.WARNING,
        hint="sign-in codes reach nobody's telephone: hand them out, or join a sender to app/"
        "members/sms.py",
    )


def _secret(settings: Settings) -> Finding:
    if settings.secret is not None:
        length = len(settings.secret.get_secret_value())
        return _finding(
            "secret",
            f"MEENT_SECRET, {length} characters",
            good=length >= SHORTEST_SECRET,
            bad=_by_profile(settings),
            hint=f"take {SHORTEST_SECRET} random characters or more, or unset MEENT_SECRET",
        )
    path = settings.home / KEY_FILE
    if not path.exists():
        return Finding("secret", Level.OK, "made at the first sign-in")
    return _finding(
        "secret",
        f"{path}, mode {stat.S_IMODE(path.stat().st_mode):o}",
        good=not path.stat().st_mode & 0o077,
        hint=f"others can read it: chmod 600 {path}",
    )


def _cards(settings: Settings) -> Finding:
    is_double = settings.payment_provider is CardProviderName.LOCAL
    return _finding(
        "card provider",
        "our own double, which moves no money" if is_double else str(settings.payment_provider),
        good=not is_double or settings.profile is not Profile.PRODUCTION,
        bad=Level.WARNING,
        hint="rides by card are paid in play money: set MEENT_PAYMENT_PROVIDER=stripe and its keys",
    )


def _files(_: Settings) -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = soft == resource.RLIM_INFINITY
    return _finding(
        "open files",
        "no limit" if unlimited else f"{soft} (may be raised to {hard})",
        good=unlimited or soft >= EASY_FILES,
        bad=Level.WARNING,
        hint=f"every socket is an open file: ulimit -n {EASY_FILES} before the start",
    )


def _port(settings: Settings) -> Finding:
    return _finding(
        "port",
        f"{settings.host}:{settings.port}",
        good=is_free(settings.host, port=settings.port),
        bad=Level.WARNING,
        hint="somebody listens there: that is fine if it is this platform; else set MEENT_PORT",
    )


async def _version(connection: Any, _: Settings) -> Finding:
    version = connection.get_server_version()
    return _finding(
        "PostgreSQL version",
        f"{version.major}.{version.minor}",
        good=version.major >= OLDEST_VERSION,
        hint=f"upgrade the server to {OLDEST_VERSION}, or unset MEENT_DATABASE_URL",
    )


async def _careful(connection: Any, settings: Settings) -> Finding:
    unsafe = await unsafe_settings(connection)
    return _finding(
        "durability",
        f"off: {', '.join(unsafe)}" if unsafe else "an acknowledged ride survives a power cut",
        good=not unsafe,
        bad=_by_profile(settings),
        hint="switch these settings of PostgreSQL on (data_checksums: pg_checksums --enable)",
    )


async def _migrated(connection: Any, _: Settings) -> Finding:
    found = None
    if await connection.fetchval("select to_regclass('alembic_version')"):
        found = await connection.fetchval("select version_num from alembic_version")
    return _finding(
        "migrations",
        str(found or "none"),
        good=found == newest_revision(),
        hint=f"run `meent migrate` (this release wants {newest_revision()})",
    )


async def _founded(connection: Any, settings: Settings) -> Finding:
    name = None
    if await connection.fetchval("select to_regclass('cooperative')"):
        name = await connection.fetchval("select name from cooperative")
    if name is None:
        hint = "nothing to do: `meent serve` founds it from the city folder's statutes"
        return Finding("cooperative", Level.WARNING, "not founded yet", hint)
    try:
        same = load_city(settings.city).name == name
    except CityError:
        same = True  # The city folder has its own line.
    return _finding(
        "cooperative",
        f"{name}",
        good=same,
        hint="the city folder is of another city: set MEENT_CITY or MEENT_HOME",
    )


async def _clock(connection: Any, _: Settings) -> Finding:
    theirs = await connection.fetchval("select clock_timestamp()")
    skew_s = abs((theirs - datetime.now(UTC)).total_seconds())
    return _finding(
        "clock",
        f"{skew_s:.3f} s apart from the database's",
        good=skew_s <= LARGEST_SKEW_S,
        bad=Level.WARNING,
        hint="keep both machines' clocks right with NTP",
    )


OF_THE_MACHINE: tuple[Callable[[Settings], Finding], ...] = (
    _python,
    _home,
    _disk,
    _files,
    _port,
    _city,
    _road_engine,
    _roads,
    _sms,
    _secret,
    _cards,
    _postgres_programs,
)
OF_THE_DATABASE: tuple[Callable[[Any, Settings], Awaitable[Finding]], ...] = (
    _version,
    _careful,
    _migrated,
    _founded,
    _clock,
)


async def examine(**given: object) -> list[Finding]:
    """Return every finding, the settings first; ``given`` are settings that win.

    A database of our own that does not run is started for as long as it is looked at.
    """
    try:
        settings = load_settings(**given)
    except SettingsError as error:
        return [Finding("settings", Level.ERROR, str(error), "correct or unset that variable")]
    findings = [Finding("settings", Level.OK, f"profile {settings.profile}")]
    findings += [look(settings) for look in OF_THE_MACHINE]
    return findings + await _database_findings(settings)


async def _database_findings(settings: Settings) -> list[Finding]:
    hint = "start PostgreSQL, or correct MEENT_DATABASE_URL"
    async with AsyncExitStack() as stack:
        try:
            dsn = await stack.enter_async_context(lend_database(settings, say=lambda _: None))
            connection = await stack.enter_async_context(connected(dsn))
        except LaunchError:
            hint = "nothing to do: `meent serve` makes it"
            return [Finding("database", Level.WARNING, "not made yet", hint)]
        except (DatabaseSetupError, ClusterError, ChildFailedError) as error:
            return [Finding("database", Level.ERROR, str(error), hint)]
        findings = [Finding("database", Level.OK, "answers")]
        for look in OF_THE_DATABASE:
            findings.append(await look(connection, settings))  # noqa: PERF401 - reads better
        return findings


def known_settings() -> list[tuple[str, str, str]]:
    """Return each setting's variable, its default and what it is."""
    return [
        (
            f"MEENT_{name.upper()}",
            "" if field.default in (None, (), PydanticUndefined) else str(field.default),
            field.description or name.replace("_", " "),
        )
        for name, field in Settings.model_fields.items()
    ]
