"""The tables as the program describes them are the tables as migrations make them, and guarded."""

import subprocess
import sys
from pathlib import Path

import asyncpg
import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from fastapi import FastAPI
from sqlalchemy import Connection

from app.foundation.migrate import current_revision, engine, migrate, newest_revision
from app.tables import metadata
from tests.conftest import StandingClock
from tests.factories import make_driver, make_member
from tests.steps import assigned_ride, take

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
    emptied = await asyncpg.connect(empty)
    left = await emptied.fetch(
        "select tablename as name from pg_tables where schemaname = 'public' union all"
        " select proname from pg_proc where pronamespace = 'public'::regnamespace"
    )
    await emptied.close()
    await migrate(empty)

    assert [row["name"] for row in left] == ["alembic_version"]
    assert await current_revision(empty) == newest_revision()
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
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    table: str,
    way: str,
) -> None:
    rider = await make_member(owner, now=clock.now())
    driver = await make_driver(owner, now=clock.now())
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    for step in ("arrive", "start", "complete"):
        await take(client, driver, f"/v1/rides/{ride_id}/{step}")
    before = await owner.fetchval(f"select count(*) from {table}")
    column = await owner.fetchval(
        "select column_name from information_schema.columns where table_name = $1"
        " order by ordinal_position desc limit 1",
        table,
    )
    statement = {
        "update": f"update {table} set {column} = {column}",
        "delete": f"delete from {table}",
        "truncate": f"truncate {table} cascade",
    }[way]

    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await owner.execute(statement)

    assert before > 0
    assert await owner.fetchval(f"select count(*) from {table}") == before


@pytest.mark.parametrize(
    "table", [*BOOKS, "tariff_version", "cooperative", "balance", "cost_entry"]
)
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
        "book_cost",
        "expire_holds",
        "reverse_journal",
        "post_adjustment",
        "lock_period",
        "roll_up",
        "database_now",
        "statutory_end",
        "record_tally",
        "enact_tally",
        "lock_balances",
        "begin_seal_epoch",
        "erase_salts",
        "open_partner_account",
        "release_tariff",
        "cash_room",
        "let_driver_owe",
    }
