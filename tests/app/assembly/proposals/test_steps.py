"""A proposal goes on by the table alone, once, and everybody hears of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from app.assembly.proposals import service
from app.assembly.proposals.errors import ProposalUnknown, StepRefused
from app.assembly.statutes import statutes_in_force
from app.assembly.stream import ASSEMBLY_STREAM
from app.foundation.database import Database
from app.foundation.ids import new_id
from governance.proposal import Stage, Step, VoidGround
from tests.app.assembly.proposals.stories import store_proposal
from tests.conftest import FRIDAY_EVENING


async def step(
    database: Database, proposal: service.Proposal, step: Step, at: datetime, **more: Any
) -> service.Proposal:
    async with database.transaction() as tx:
        statutes = await statutes_in_force(tx, at=at)
        return await service.take_step(
            tx, proposal=proposal, step=step, now=at, statutes=statutes, **more
        )


async def read(database: Database, proposal: service.Proposal) -> service.Proposal:
    async with database.reading() as reader:
        return await service.get_proposal(reader, proposal_id=proposal.id)


async def test_a_step_is_written_and_told_to_the_assembly_and_the_proposals_own_stream(
    database: Database, owner: asyncpg.Connection
) -> None:
    proposal = await store_proposal(owner, stage=Stage.SEEKING_SUPPORT)

    moved = await step(database, proposal, Step.SUPPORT, FRIDAY_EVENING)

    assert moved.stage is Stage.DELIBERATION
    assert await read(database, proposal) == moved
    told = await owner.fetch("select stream_id, type, data from event_log order by stream_id")
    assert {row["stream_id"] for row in told} == {ASSEMBLY_STREAM, proposal.id}
    assert {row["type"] for row in told} == {"proposal.deliberation_began"}


async def test_a_step_from_what_has_changed_since_is_refused_and_nothing_is_written(
    database: Database, owner: asyncpg.Connection
) -> None:
    proposal = await store_proposal(owner, stage=Stage.SEEKING_SUPPORT)
    moved = await step(database, proposal, Step.SUPPORT, FRIDAY_EVENING)

    with pytest.raises(StepRefused):
        await step(database, proposal, Step.WITHDRAW, FRIDAY_EVENING)

    assert await read(database, proposal) == moved


async def test_a_step_that_the_table_does_not_have_is_refused(
    database: Database, owner: asyncpg.Connection
) -> None:
    proposal = await store_proposal(owner, stage=Stage.SEEKING_SUPPORT)

    with pytest.raises(StepRefused, match="too early"):
        await step(database, proposal, Step.LAPSE, FRIDAY_EVENING)
    with pytest.raises(StepRefused, match="does not follow"):
        await step(database, proposal, Step.TALLY, FRIDAY_EVENING)


async def test_what_is_due_is_found_once_its_time_has_come_the_longest_overdue_first(
    database: Database, owner: asyncpg.Connection
) -> None:
    late = await store_proposal(owner, stage=Stage.SEEKING_SUPPORT, lasts=timedelta(days=2))
    early = await store_proposal(owner, stage=Stage.DELIBERATION, lasts=timedelta(days=1))
    await store_proposal(owner, stage=Stage.DRAFT)

    async def due(after: timedelta) -> list[service.Proposal]:
        async with database.reading() as reader:
            return await service.proposals_due(reader, at=FRIDAY_EVENING + after, limit=10)

    assert await due(timedelta(days=1) - timedelta.resolution) == []
    assert await due(timedelta(days=1)) == [early]
    assert await due(timedelta(days=2)) == [early, late]


async def test_freezing_a_number_fixes_its_rule_and_the_times_of_its_vote(
    database: Database, owner: asyncpg.Connection
) -> None:
    proposal = await store_proposal(owner, stage=Stage.DELIBERATION, lasts=timedelta(0))

    with pytest.raises(ValueError, match="not frozen"):
        service.manifest_terms(proposal)
    frozen = await step(database, proposal, Step.FREEZE, FRIDAY_EVENING)

    times = frozen.progress.times
    assert times is not None
    assert FRIDAY_EVENING < times.sign_by < times.opens_at < times.closes_at < times.count_by
    assert service.manifest_terms(frozen).rule == "two_houses"
    assert service.manifest_terms(frozen).explanation == proposal.explanation
    assert await read(database, proposal) == frozen


async def test_a_void_says_on_which_ground(database: Database, owner: asyncpg.Connection) -> None:
    proposal = await store_proposal(owner, stage=Stage.DELIBERATION, lasts=timedelta(0))
    frozen = await step(database, proposal, Step.FREEZE, FRIDAY_EVENING)

    void = await step(
        database, frozen, Step.VOID, FRIDAY_EVENING, void_ground=VoidGround.NOT_SIGNED
    )

    assert (void.stage, void.void_ground) == (Stage.VOID, VoidGround.NOT_SIGNED)
    data = await owner.fetchval("select data from event_log where type = 'proposal.voided' limit 1")
    assert '"ground": "not_signed"' in data


async def test_a_proposal_that_is_none_is_unknown(
    database: Database, owner: asyncpg.Connection
) -> None:
    proposal = replace(await store_proposal(owner, stage=Stage.DRAFT), id=new_id())

    with pytest.raises(ProposalUnknown):
        await read(database, proposal)
