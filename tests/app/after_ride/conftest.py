"""People around a ride."""

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.members.roles import Role
from tests.app.after_ride.road import Road
from tests.conftest import StandingClock
from tests.factories import make_driver, make_member


@pytest.fixture
async def road(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> Road:
    now = clock.now()
    return Road(
        app=app,
        client=client,
        owner=owner,
        clock=clock,
        rider=await make_member(owner, now=now),
        driver=await make_driver(owner, now=now),
        first=await make_member(owner, Role.STAFF, now=now, name="First"),
        second=await make_member(owner, Role.STAFF, now=now, name="Second"),
    )
