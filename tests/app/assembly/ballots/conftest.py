"""A vote that takes ballots, for every test of the box."""

import asyncpg
import pytest

from app.foundation.database import Database
from app.settings import Settings
from tests.app.assembly.ballots.scene import Vote, hold_vote


@pytest.fixture
async def vote(owner: asyncpg.Connection, database: Database, settings: Settings) -> Vote:
    """A vote whose box takes batches of three."""
    small = settings.model_copy(update={"ballot_batch": 3})
    return await hold_vote(owner, database, small)
