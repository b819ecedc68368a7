"""A street with a driver on shift and a rider."""

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.foundation.database import Database
from tests.app.statements.month import Street
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import make_driver, make_member


@pytest.fixture
async def street(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
) -> Street:
    return Street(
        app=app,
        client=client,
        owner=owner,
        database=database,
        clock=clock,
        rider=await make_member(owner, now=FRIDAY_EVENING, name="Łucja Weiß"),
        driver=await make_driver(owner, now=FRIDAY_EVENING),
    )
