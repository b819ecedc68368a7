"""Nobody has a way to set a policy but the founding statutes and, later, a tally."""

import asyncpg
import pytest

from app.assembly.founding import AlreadyFounded, found_cooperative
from app.city import load_city
from app.foundation.database import Database
from app.main import create_app
from app.settings import BUILT_IN_CITY, Settings
from tests.conftest import FRIDAY_EVENING

INSERT = (
    "insert into policy_version (id, key, value, effective_from, source, tally_id)"
    " values (uuidv7(), 'commission_bp', '2500', now(), {source}, {tally})"
)


@pytest.mark.parametrize(
    "statement",
    [
        INSERT.format(source="'founding'", tally="null"),
        INSERT.format(source="'tally'", tally="uuidv7()"),
        "update policy_version set value = '2500' where key = 'commission_bp'",
        "delete from policy_version where key = 'commission_bp'",
        "truncate policy_version",
        "alter table policy_version disable trigger all",
        "drop table policy_version",
        "create or replace function refuse_change() returns trigger language sql as 'select 1'",
        "select found_cooperative('x', 'CHF', 'UTC', '{}', '{}', uuidv7(), '{}', '', now())",
        "reset role; update policy_version set value = '2500'",
    ],
)
async def test_the_program_cannot_set_a_policy_by_sql(
    database: Database, owner: asyncpg.Connection, statement: str
) -> None:
    with pytest.raises(asyncpg.PostgresError):
        async with database.transaction() as tx:
            await tx.execute(statement)

    share = await owner.fetchval("select value from policy_version where key = 'commission_bp'")
    assert share == "1500"


async def test_a_cooperative_is_founded_once(owner: asyncpg.Connection) -> None:
    with pytest.raises(AlreadyFounded):
        await found_cooperative(owner, load_city(BUILT_IN_CITY), at=FRIDAY_EVENING)


async def test_even_the_owner_cannot_invent_a_source(owner: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(INSERT.format(source="'admin'", tally="null"))
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(INSERT.format(source="'tally'", tally="null"))


def test_no_operation_writes_a_policy(settings: Settings) -> None:
    document = create_app(settings, dsn="postgresql://nowhere").openapi()

    writing = [
        path
        for path, operations in document["paths"].items()
        for method in operations
        if method != "get" and ("polic" in path or "tariff" in path or "commission" in path)
    ]
    # Prices are not voted on: two people set them. The share and the cap of surge are.
    assert writing == [
        "/v1/tariffs/proposals",
        "/v1/tariffs/proposals/{proposal_id}/release",
        "/v1/tariffs/proposals/{proposal_id}/withdraw",
    ]


def test_no_setting_is_named_like_a_policy(settings: Settings) -> None:
    keys = set(load_city(BUILT_IN_CITY).statutes.model_dump())

    assert keys.isdisjoint(Settings.model_fields)
