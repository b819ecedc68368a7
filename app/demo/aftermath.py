"""What an earlier run of the demo left behind: looked at, and then cleared away."""

from urllib.parse import urlsplit, urlunsplit

import asyncpg
from pydantic import SecretStr

from app.audit.report import audit
from app.foundation import embedded_postgres
from app.foundation.migrate import newest_revision
from app.operating.database_setup import connected, create_database
from app.operating.launch import LaunchError, lend_database
from app.roads.port import Say
from app.settings import Settings

DATABASE_NAME = "meent_demo"


async def clear_last_run(settings: Settings, *, say: Say) -> Settings:
    """The server runs nowhere and has no demo database; what an earlier run left was audited.

    Returns the settings, naming the demo's own database where the server is somebody's own.

    Raises:
        LaunchError: a demo runs here now, or the last one broke a promise: its books are evidence
            and stay where they are.
    """
    if settings.database_url is not None:
        given = settings.database_url.get_secret_value()
        ours = _sibling(given, DATABASE_NAME)
        await _clear(given, ours, say=say)
        await create_database(given, name=DATABASE_NAME)
        return settings.model_copy(update={"database_url": SecretStr(ours)})
    home = settings.home / "postgres"
    if embedded_postgres.find_running_dsn(home, database=DATABASE_NAME) is not None:
        raise LaunchError(f"a demo runs in {settings.home} already: stop it, or wait for its end")
    # Making a new server takes seconds; here they are not yet the demo's.
    async with lend_database(settings, say=say, database_name=DATABASE_NAME, make=True) as dsn:
        await _clear(_sibling(dsn, "postgres"), dsn, say=say)
    return settings


async def _clear(server: str, ours: str, *, say: Say) -> None:
    async with connected(server) as connection:
        there = await connection.fetchval(
            "select true from pg_database where datname = $1", DATABASE_NAME
        )
        if not there:
            return
        await _look_at(ours, say=say)
        try:
            await connection.execute(f'drop database "{DATABASE_NAME}"')
        except asyncpg.ObjectInUseError:
            raise LaunchError(
                f"somebody is connected to the database {DATABASE_NAME}: a demo, or a console; "
                "end that first"
            ) from None


async def _look_at(ours: str, *, say: Say) -> None:
    async with connected(ours) as connection:
        if not await connection.fetchval("select to_regclass('public.ride') is not null"):
            return
        if await connection.fetchval("select version_num from alembic_version") != (
            newest_revision()
        ):
            # What this release promises of its tables, an older one's were never asked to keep.
            say("the run before was of another release and is not audited")
            return
        try:
            report = await audit(connection)
            rides = await connection.fetchval("select count(*) from ride")
        except asyncpg.PostgresError as error:
            say(f"the run before was of another release and cannot be audited ({error})")
            return
    if report.violations:
        raise LaunchError(
            f"the run before broke a promise: {report.first_violation}; its database "
            f"{DATABASE_NAME} is kept as evidence: drop it, or choose another MEENT_HOME, to go on"
        )
    say(f"the run before left {rides} rides; audit: {len(report.checks)} checks, 0 broken")


def _sibling(dsn: str, database: str) -> str:
    """Return the URL of another database on the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))
