"""Brings a database to the newest form of the tables, or says how far it is from it."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_PROJECT = Path(__file__).parents[2]


def _config(**attributes: Any) -> Config:
    config = Config(toml_file=str(_PROJECT / "pyproject.toml"))
    config.attributes.update(attributes)
    return config


def engine(dsn: str) -> AsyncEngine:
    """Return an engine for schema work; the running program uses asyncpg without one."""
    return create_async_engine(make_url(dsn).set(drivername="postgresql+asyncpg"))


def newest_revision() -> str:
    """Return the revision that this program expects."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


async def current_revision(dsn: str) -> str | None:
    """Return the revision the database is at; None where nothing was migrated yet."""

    def read(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    schema = engine(dsn)
    try:
        async with schema.connect() as connection:
            return await connection.run_sync(read)
    finally:
        await schema.dispose()


async def migrate(dsn: str, *, to: str = "head") -> None:
    """Bring the database to revision ``to``; each migration is a transaction of its own."""

    def run(connection: Connection) -> None:
        move = command.downgrade if to == "base" else command.upgrade
        move(_config(connection=connection), to)

    schema = engine(dsn)
    try:
        async with schema.connect() as connection:
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await schema.dispose()
