"""What members do in the same moment is counted wholly or not at all."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from app.assembly.open_votes import service
from app.assembly.open_votes.errors import NotVotingTime, VoiceAlreadyLent
from app.foundation.database import Database
from tests.app.assembly.open_votes.stories import Story, said, seat

LOCKS = "select count(*) from pg_locks where locktype = 'advisory' and not granted"


async def until_waiting(owner: asyncpg.Connection, *, waiting: int) -> None:
    async with asyncio.timeout(5):
        while await owner.fetchval(LOCKS) < waiting:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.005)


async def test_a_giver_who_votes_and_revokes_at_once_is_counted_once_by_her_own_vote(
    story: Story, owner: asyncpg.Connection
) -> None:
    bo, *givers = await seat(owner, *(f"Member {number}" for number in range(9)))
    lent = [await story.lend(giver, bo) for giver in givers]
    proposal = await story.open_text()
    await story.cast(proposal, bo, "yes")

    async with asyncio.TaskGroup() as tasks:
        for giver, delegation_id in zip(givers, lent, strict=True):
            tasks.create_task(story.revoke(delegation_id, giver))
            tasks.create_task(story.cast(proposal, giver, "no"))

    assert said(await story.count(proposal)) == (1, 8, 0)


async def test_two_devices_of_one_member_write_one_after_the_other(
    story: Story, owner: asyncpg.Connection
) -> None:
    [ada] = await seat(owner, "Ada")
    proposal = await story.open_text()

    values = ("yes", "no", "abstain") * 3
    done = await asyncio.gather(*(story.cast(proposal, ada, value) for value in values))

    rows = await owner.fetch("select sequence, value from open_ballot order by sequence")
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    assert max(each["sequence"] for each in done) == len(rows)
    assert sum(said(await story.count(proposal))) == 1


async def test_of_two_who_lend_one_voice_at_once_one_wins(
    story: Story, owner: asyncpg.Connection
) -> None:
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")

    done = await asyncio.gather(story.lend(ada, bo), story.lend(ada, cem), return_exceptions=True)

    assert sum(isinstance(each, VoiceAlreadyLent) for each in done) == 1
    assert await owner.fetchval("select count(*) from delegation") == 1


async def test_who_comes_while_it_is_counted_waits_and_changes_nothing_that_was_counted(
    story: Story, database: Database, owner: asyncpg.Connection
) -> None:
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")
    lent = await story.lend(ada, bo)
    proposal = await story.open_text()
    await story.cast(proposal, bo, "yes")
    times = proposal.progress.times
    assert times is not None
    # Their requests were served just in time; the count began before they reached the database.
    story.clock.moment = times.closes_at - timedelta(microseconds=1)

    async with database.transaction() as tx:
        result = await service.tally_open_vote(tx, proposal=proposal, now=times.closes_at)
        late_vote = asyncio.create_task(story.cast(proposal, cem, "no"))
        late_end = asyncio.create_task(story.revoke(lent, ada))
        await until_waiting(owner, waiting=2)
    with pytest.raises(NotVotingTime):
        await late_vote
    ended = await late_end

    assert said(result) == (2, 0, 0)
    assert ended["ended_at"] > times.closes_at
    assert await owner.fetchval("select count(*) from open_ballot") == 1


async def test_a_count_waits_for_votes_that_are_being_written(
    story: Story, database: Database, owner: asyncpg.Connection
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    proposal = await story.open_text()
    times = proposal.progress.times
    assert times is not None

    async with database.transaction() as tx:
        await service.cast_open_vote(
            tx, proposal_id=proposal.id, member_id=ada.id, value="no", now=story.clock.now()
        )
        count = asyncio.create_task(story.count(proposal))
        await until_waiting(owner, waiting=1)

    assert said(await count) == (0, 1, 0)
    assert (await story.see(proposal, bo))["voice"] == {"spoken": "nobody", "value": None}
