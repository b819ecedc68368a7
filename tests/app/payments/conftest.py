"""A street of completed rides to be paid, and a road on which none was driven yet."""

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from tests.app.payments.street import Street, make_street
from tests.conftest import StandingClock
from tests.factories import make_driver, make_member


@pytest.fixture
async def street(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> Street:
    return await make_street(app, client, owner, clock)


@pytest.fixture
async def road(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> Street:
    """A rider and a driver who have not met yet."""
    rider = await make_member(owner, now=clock.now())
    driver = await make_driver(owner, now=clock.now())
    return Street(app, client, owner, clock, rider, driver, None)
