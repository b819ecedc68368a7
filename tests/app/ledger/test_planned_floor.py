"""Promises about the floor of a vote: what the platform costs, as a share of a year's fares."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from app.foundation.database import Database
from app.foundation.ids import new_id
from app.ledger import costs
from app.members.roles import Role
from tests.conftest import FRIDAY_EVENING
from tests.factories import Person, make_member

SERVERS = {
    "purpose": "servers",
    "amount_minor": 42_000,
    "day": "2026-05-01",
    "document": "Invoice 2026-118 of the data centre",
}
GRANT = SERVERS | {"kind": "other_income", "purpose": "grants", "amount_minor": 60_000}


@pytest.fixture
async def staff(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, Role.STAFF, now=FRIDAY_EVENING)


async def book(client: httpx.AsyncClient, staff: Person, **cost: Any) -> None:
    answer = await client.post("/v1/costs", json=SERVERS | cost, headers=staff.act)
    assert answer.status_code == 201, answer.text


async def drive(owner: asyncpg.Connection, *, fare_minor: int, at: datetime) -> int:
    """A fare in the books, its ride left out; return its journal's number."""
    driver = await make_member(owner, Role.RIDER, Role.DRIVER, now=FRIDAY_EVENING)
    ids = {
        row["kind"]: row["id"]
        for row in await owner.fetch("select kind, id from account where member_id = $1", driver.id)
    }
    await owner.execute(
        "update balance set lowest_minor = -1000000000 where account_id = $1", ids["rider"]
    )
    return int(
        await owner.fetchval(
            "select post_journal('ride_fare', $1::uuid::text, '', 'ride_fare', $1, null, $2,"
            " array[$3::uuid], array[$4::uuid], array[$5::bigint], null)",
            new_id(),
            at,
            ids["rider"],
            ids["driver"],
            fare_minor,
        )
    )


async def floor(database: Database, **asked: Any) -> int | None:
    async with database.reading() as reader:
        return await costs.planned_floor_bp(reader, at=FRIDAY_EVENING, **asked)


async def test_the_floor_pays_for_the_platform_rounded_up_to_the_grid(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database, staff: Person
) -> None:
    yesterday = FRIDAY_EVENING - timedelta(days=1)
    assert await floor(database) is None
    await drive(owner, fare_minor=12_000_000, at=yesterday)
    assert await floor(database) is None
    await book(client, staff, amount_minor=1_240_000)
    assert await floor(database) == 1050  # 1,240,000 are 10.33 % of the fares
    await book(client, staff, **GRANT)
    assert await floor(database) == 1000  # 9.83 %, the break-even of the worked year
    assert await floor(database, reserve_target_minor=20_000) == 1000
    assert await floor(database, reserve_target_minor=20_001) == 1050
    await book(client, staff, **(GRANT | {"amount_minor": 10_000_000}))
    assert await floor(database) == 0
    await book(client, staff, amount_minor=10**9)
    assert await floor(database) == 10_000


async def test_the_year_of_the_floor_ends_with_yesterday_and_leaves_out_what_was_reversed(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database, staff: Person
) -> None:
    # The city is two hours ahead: its 22 May begins at ten in the evening UTC.
    begins, ends = datetime(2025, 5, 21, 22, tzinfo=UTC), datetime(2026, 5, 21, 22, tzinfo=UTC)
    await drive(owner, fare_minor=1_000, at=begins - timedelta(seconds=1))
    await drive(owner, fare_minor=200, at=begins)
    await drive(owner, fare_minor=30, at=ends - timedelta(seconds=1))
    await drive(owner, fare_minor=4_000, at=ends)
    back = await drive(owner, fare_minor=50_000, at=begins)
    await owner.execute("select reverse_journal($1, 'not driven', null, $2)", back, ends)
    for day, amount in (("2025-05-21", 1), ("2025-05-22", 20), ("2026-05-21", 300)):
        await book(client, staff, day=day, amount_minor=amount)
    await book(client, staff, day="2026-05-22", amount_minor=4_000)

    async with database.reading() as reader:
        year = await costs.year_sums(reader, at=FRIDAY_EVENING)

    assert (year.since, year.until) == (begins, ends)
    assert (year.fares_minor, year.costs_minor, year.other_income_minor) == (230, 320, 0)
