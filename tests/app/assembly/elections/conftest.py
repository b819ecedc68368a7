"""A town in which a vote can be held from its proposal to its effect."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from fastapi import FastAPI

from app.settings import Settings
from tests.app.assembly.elections.town import ISSUERS, Town, open_town
from tests.conftest import StandingClock


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"issuers": ISSUERS, "ballot_batch": 3})


@pytest.fixture
async def town(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[Town]:
    async with open_town(app, owner, clock, tmp_path / "issuers") as town:
        yield town
