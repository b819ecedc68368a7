"""A street of completed rides to be paid."""

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from tests.app.payments.street import Street, make_street
from tests.conftest import StandingClock


@pytest.fixture
async def street(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> Street:
    return await make_street(app, client, owner, clock)
