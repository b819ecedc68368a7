"""A cooperative whose year is over."""

import asyncpg
import httpx
import pytest

from app.foundation.database import Database
from app.members.roles import Role
from tests.app.surplus.year import Town
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import make_member


@pytest.fixture
async def town(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
) -> Town:
    # Founded before the year began, as a cooperative is that closes one.
    await owner.execute(
        "set session_replication_role = replica;"
        " update cooperative set founded_at = '2025-01-01Z';"
        " update policy_version set effective_from = '2025-01-01Z';"
        " set session_replication_role = origin"
    )
    return Town(
        client=client,
        owner=owner,
        database=database,
        clock=clock,
        rider=await make_member(owner, now=FRIDAY_EVENING),
        first=await make_member(owner, Role.STAFF, now=FRIDAY_EVENING),
        second=await make_member(owner, Role.STAFF, now=FRIDAY_EVENING),
    )
