"""The tables as the program describes them are the tables as migrations make them, and guarded."""

import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from app.foundation.migrate import current_revision, engine, migrate, newest_revision
from app.tables import metadata

PROJECT = Path(__file__).parents[2]
BOOKS = ("account", "journal", "transfer", "hold", "hold_end", "event_log", "policy_version")


async def test_models_and_migrations_agree(dsn: str) -> None:
    def difference(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    schema = engine(dsn)
    async with schema.connect() as connection:
        found = await connection.run_sync(difference)
    await schema.dispose()

    assert found == []


async def test_migrations_lead_from_nothing_to_the_newest_form_and_back(dsn: str) -> None:
    admin = await asyncpg.connect(dsn)
    await admin.execute("drop database if exists meent_empty")
    await admin.execute("create database meent_empty")
    empty = dsn.replace("/meent_test?", "/meent_empty?")

    assert await current_revision(empty) is None
    await migrate(empty)
    assert await current_revision(empty) == newest_revision()
    await migrate(empty, to="base")
    left = await admin.fetch(
        "select tablename from pg_tables where schemaname = 'public' and tablename = 'ride'"
    )
    await migrate(empty)

    assert await current_revision(empty) == newest_revision()
    assert len(left) == 1  # in the test's own database, not in the empty one
    await admin.execute("drop database meent_empty with (force)")
    await admin.close()


def test_migrations_lock_and_rewrite_nothing_by_surprise(tmp_path: Path) -> None:
    statements = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    script = tmp_path / "migrations.sql"
    script.write_text(statements)

    done = subprocess.run(
        [Path(sys.executable).parent / "squawk", "--config", PROJECT / ".squawk.toml", script],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("table", BOOKS)
@pytest.mark.parametrize("way", ["update", "delete", "truncate"])
async def test_the_books_are_never_edited_not_even_by_their_owner(
    owner: asyncpg.Connection, table: str, way: str
) -> None:
    statement = {
        "update": f"update {table} set {await _first_column(owner, table)} = default",
        "delete": f"delete from {table}",
        "truncate": f"truncate {table} cascade",
    }[way]
    filled = await owner.fetchval(f"select exists(select from {table})")
    if way != "truncate" and not filled:
        trigger = await owner.fetchval(
            "select tgenabled from pg_trigger where tgname = $1", f"{table}_is_append_only"
        )
        assert trigger == b"O"  # a row trigger on an empty table has nothing to refuse
        return

    with pytest.raises(asyncpg.PostgresError, match=r"append-only|generated|identity"):
        await owner.execute(statement)


async def _first_column(owner: asyncpg.Connection, table: str) -> str:
    column: str = await owner.fetchval(
        "select column_name from information_schema.columns where table_name = $1"
        " order by ordinal_position limit 1",
        table,
    )
    return column


@pytest.mark.parametrize("table", [*BOOKS, "tariff_version", "cooperative", "balance"])
async def test_the_program_itself_may_only_read_the_books(
    owner: asyncpg.Connection, table: str
) -> None:
    rights = await owner.fetch(
        "select privilege_type from information_schema.role_table_grants"
        " where grantee = 'meent_app' and table_name = $1",
        table,
    )

    assert [row["privilege_type"] for row in rights] == ["SELECT"]


async def test_the_program_can_neither_found_nor_enact_nor_release_money_freely(
    owner: asyncpg.Connection,
) -> None:
    callable_ = await owner.fetch(
        "select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname = 'public' and p.prokind = 'f'"
        " and has_function_privilege('meent_app', p.oid, 'execute')"
    )

    assert {row["proname"] for row in callable_} == {
        "append_events",
        "open_account",
        "place_hold",
        "void_hold",
        "post_journal",
    }
