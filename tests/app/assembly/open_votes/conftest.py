"""The ground of tests of open votes."""

import asyncpg
import pytest

from app.foundation.database import Database
from tests.app.assembly.open_votes.stories import Story
from tests.conftest import StandingClock


@pytest.fixture
def story(owner: asyncpg.Connection, database: Database, clock: StandingClock) -> Story:
    return Story(owner, database, clock)
