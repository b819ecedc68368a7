"""A cooperative whose year is over."""

import asyncpg
import httpx
import pytest

from app.foundation.database import Database
from app.members.roles import Role
from tests.app.surplus.year import Town, found_before
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import make_member


@pytest.fixture
async def town(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
) -> Town:
    await found_before(owner)
    return Town(
        client=client,
        owner=owner,
        database=database,
        clock=clock,
        rider=await make_member(owner, now=FRIDAY_EVENING),
        first=await make_member(owner, Role.STAFF, now=FRIDAY_EVENING),
        second=await make_member(owner, Role.STAFF, now=FRIDAY_EVENING),
    )
