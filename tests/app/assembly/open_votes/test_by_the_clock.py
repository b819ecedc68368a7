"""The clock alone takes an open vote from the end of its deliberation to its effect."""

import asyncpg
import pytest
from fastapi import FastAPI

from app.assembly.deadlines import Deadlines
from governance.proposal import Stage
from tests.app.assembly.open_votes.stories import Story, leave, seat


@pytest.mark.parametrize(
    ("value", "end"), [("yes", Stage.ENACTED), ("no", Stage.UNCHANGED), (None, Stage.UNCHANGED)]
)
async def test_an_open_vote_goes_its_way_by_the_clock_alone(
    story: Story, app: FastAPI, owner: asyncpg.Connection, value: str | None, end: Stage
) -> None:
    deadlines: Deadlines = app.state.deadlines
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")
    await story.lend(ada, bo)
    await story.lend(cem, bo)
    proposal = await story.propose()

    await deadlines.run_once()
    assert (await story.read(proposal)).stage is Stage.CREDENTIALS_OPEN
    times = (await story.read(proposal)).progress.times
    assert times is not None
    story.clock.moment = times.opens_at
    await deadlines.run_once()
    if value is not None:
        await story.cast(proposal, bo, value)
    await leave(owner, cem, at=story.clock.now())
    story.clock.moment = times.closes_at
    await deadlines.run_once()
    published = await story.read(proposal)
    assert published.stage is Stage.OBJECTION_WINDOW
    assert published.progress.due_at is not None
    story.clock.moment = published.progress.due_at
    policies = await owner.fetchval("select count(*) from policy_version")
    await deadlines.run_once()

    assert (await story.read(proposal)).stage is end
    assert await owner.fetchval("select count(*) from policy_version") == policies
    assert ("delegation.ended", "giver_left") in [
        (event, data.get("ending")) for event, data in await story.told(bo)
    ]
    spoken = (await story.see(proposal, ada))["voice"]["spoken"]
    assert spoken == ("lent" if value else "nobody")
