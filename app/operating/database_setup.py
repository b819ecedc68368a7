"""Makes a PostgreSQL server fit for a cooperative: new enough, careful, migrated and founded."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from app.assembly.founding import found_cooperative, statutes_hash
from app.city import City
from app.foundation.database import APP_ROLE
from app.foundation.migrate import migrate
from app.roads.port import Say

OLDEST_VERSION = 18
CONNECT_TIMEOUT_S = 10
# With any of these off, a power cut or a rotten disk can lose what was acknowledged.
CAREFUL_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums")

_NO_URL = "MEENT_DATABASE_URL is not a URL like postgresql://user:password@host:5432/name"
_REFUSED_ACCESS = (
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidAuthorizationSpecificationError,
)


class DatabaseSetupError(Exception):
    """The database cannot be used; the message is one line that says what to do."""


def place_of(dsn: str) -> str:
    """Return host, port and database of a URL for people: never its password."""
    try:
        parts = urlsplit(dsn)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "MEENT_DATABASE_URL"
    if host is None:
        return f"the database {parts.path.strip('/') or 'postgres'}"
    return f"{host}:{port or 5432}{parts.path}"


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Any]:
    """Lend a connection as the user of the URL, which owns the tables.

    Raises:
        DatabaseSetupError: no such server, user, password or database, or not a URL.
    """
    if not dsn.startswith(("postgresql://", "postgres://")):
        raise DatabaseSetupError(_NO_URL)
    place = place_of(dsn)
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    except _REFUSED_ACCESS:
        raise DatabaseSetupError(
            f"{place} refuses the user or the password: correct MEENT_DATABASE_URL"
        ) from None
    except asyncpg.InvalidCatalogNameError:
        raise DatabaseSetupError(
            f"{place}: there is no such database: create it with createdb, or correct "
            "MEENT_DATABASE_URL"
        ) from None
    except (ValueError, asyncpg.InterfaceError):
        raise DatabaseSetupError(_NO_URL) from None
    except (OSError, asyncpg.PostgresError) as error:
        reason = _one_line(error) or "no answer in time"
        raise DatabaseSetupError(
            f"{place} does not answer ({reason}): start it, or correct MEENT_DATABASE_URL"
        ) from None
    try:
        yield connection
    finally:
        connection.terminate()


async def create_database(server_dsn: str, *, name: str) -> None:
    """The server has a database of that name."""
    async with connected(server_dsn) as connection:
        if not await connection.fetchval("select true from pg_database where datname = $1", name):
            await connection.execute(f'create database "{name}"')


async def require_version(connection: Any) -> None:
    """Refuse a server that is older than PostgreSQL 18."""
    version = connection.get_server_version()
    if version.major < OLDEST_VERSION:
        raise DatabaseSetupError(
            f"the database server is PostgreSQL {version.major}, and {OLDEST_VERSION} is needed: "
            "upgrade it, or unset MEENT_DATABASE_URL to use our own"
        )


async def unsafe_settings(connection: Any) -> list[str]:
    """Return the names of switched-off settings with which an acknowledged ride can be lost."""
    rows = await connection.fetch(
        "select name from pg_settings where name = any($1) and setting = 'off' order by name",
        list(CAREFUL_SETTINGS),
    )
    return [row["name"] for row in rows]


async def require_careful_settings(connection: Any) -> None:
    """Refuse a server that does not keep what it acknowledges."""
    unsafe = await unsafe_settings(connection)
    if unsafe:
        raise DatabaseSetupError(
            f"{unsafe[0]} is off in PostgreSQL, so acknowledged rides can be lost: switch it on "
            "(the production profile refuses this)"
        )


async def migrate_database(dsn: str) -> None:
    """The tables have their newest form, and the program may act as its own limited role.

    Raises:
        DatabaseSetupError: the user lacks a right, or the database is of a newer program.
    """
    try:
        await migrate(dsn)
    except CommandError as error:
        raise DatabaseSetupError(
            f"{place_of(dsn)} was made by another release ({_one_line(error)}): use that release"
        ) from None
    except DBAPIError as error:
        raise DatabaseSetupError(
            f"{place_of(dsn)} cannot be migrated ({_one_line(error.orig)}): use the owner of the "
            "database, with the right to create roles"
        ) from None
    async with connected(dsn) as connection:
        if await connection.fetchval("select pg_has_role($1, 'set')", APP_ROLE):
            return
        try:
            await connection.execute(f"grant {APP_ROLE} to current_user")
        except asyncpg.InsufficientPrivilegeError:
            raise DatabaseSetupError(
                f"{place_of(dsn)}: this user may not act as {APP_ROLE}: "
                f"let an administrator run: grant {APP_ROLE} to this user"
            ) from None


async def require_demonstration(connection: Any) -> None:
    """Refuse a cooperative that has lived by the true time: another's would cut its notices short.

    A demonstration is founded under its own clock, and goes on under one.
    """
    if await connection.fetchval(
        "select exists (select from cooperative) and not exists (select from demo_clock)"
    ):
        raise DatabaseSetupError(
            "this database is of a cooperative that goes by the true time, and a demonstration's "
            "clock would let votes take effect without their notice: unset MEENT_CLOCK_START, or "
            "choose another MEENT_HOME"
        )


async def give_program_sign_in(dsn: str, *, secret: bytes, say: Say) -> str:
    """Return a URL under which the program signs in as itself, and not as the owner of the tables.

    Who signs in as the owner can leave the program's limited role at any moment, and set a policy
    without a vote. The user is made, or made anew, from the secret of this home, so that several
    machines have one each. Where the owner may not create users, the owner's URL is returned and
    `say` hears what that means.
    """
    name = f"meent_program_{hashlib.sha256(b'name' + secret).hexdigest()[:12]}"
    password = hashlib.sha256(b"password" + secret).hexdigest()
    async with connected(dsn) as connection:
        known = await connection.fetchval("select true from pg_roles where rolname = $1", name)
        make = "alter" if known else "create"
        try:
            async with connection.transaction():
                await connection.execute(f"{make} role {name} login password '{password}'")
                await connection.execute(f"grant {APP_ROLE} to {name}")
        except asyncpg.InsufficientPrivilegeError:
            say(
                f"{place_of(dsn)}: this user may not create users, so the program signs in as the "
                "owner of the tables: whoever takes it over could set policies without a vote"
            )
            return dsn
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{name}:{password}@{host}"))


async def found_if_new(dsn: str, city: City, *, at: datetime, say: Say) -> None:
    """The database has a cooperative: founded now from the city's statutes, or long ago.

    Raises:
        DatabaseSetupError: it is the cooperative of another city.
    """
    async with connected(dsn) as connection:
        known = await connection.fetchrow("select name, statutes_hash from cooperative")
        if known is None:
            await found_cooperative(connection, city, at=at)
            say(f"the cooperative of {city.name} is founded")
        elif known["name"] != city.name:
            raise DatabaseSetupError(
                f"this database belongs to the cooperative of {known['name']}, the city folder to "
                f"{city.name}: choose another MEENT_HOME or MEENT_CITY"
            )
        elif known["statutes_hash"] != statutes_hash(city):
            say("the statutes file changed since the founding; the assembly decides now")


def _one_line(error: BaseException | None) -> str:
    return " ".join(str(error).split()).removeprefix("<class ")[:200]


async def require_founded(dsn: str) -> None:
    """Refuse a database that was not migrated and founded yet."""
    async with connected(dsn) as connection:
        ready = await connection.fetchval("select to_regclass('cooperative')")
        if not ready or not await connection.fetchval("select true from cooperative"):
            raise DatabaseSetupError("there is no cooperative here yet: start once: `meent serve`")
