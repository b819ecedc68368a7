"""A town that votes, for every test of the voters' client."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from fastapi import FastAPI

from tests.app.voting.town import Town, open_town
from tests.conftest import StandingClock


@pytest.fixture
async def town(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[Town]:
    async with open_town(app, owner, clock, folder=tmp_path / "issuers") as town:
        yield town
