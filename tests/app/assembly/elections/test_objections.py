"""Promises of the objection window: a receipt of a ballot that was dropped stops the count."""

import asyncio
import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.assembly.stream import ASSEMBLY_STREAM
from app.voting.checking import check, object_to_count
from app.voting.errors import VotingError
from governance.electorate import House
from tests.app.assembly.elections.town import SERVER, Town
from tests.factories import Person
from tests.steps import slug


async def drop_a_ballot(town: Town) -> tuple[UUID, str, Person, dict[str, Any]]:
    """Three ballots are counted, and another rider's was thrown away while it waited."""
    await town.settle(drivers=2, riders=2)
    proposal_id = await town.propose()
    election = await town.open_voting(proposal_id)
    other, rider = town.members[House.RIDERS]
    for person in (*town.members[House.DRIVERS], other):
        await town.vote(election, person, 1200)
    await town.round()
    receipt = await town.vote(election, rider, 1300)
    await town.owner.execute("delete from pending_ballot")
    return proposal_id, election, rider, receipt


async def show(town: Town, election: str, receipt: dict[str, Any], **how: Any) -> httpx.Response:
    path = f"{SERVER}/v1/elections/{election}/objections"
    return await town.http.post(path, json={"receipt": receipt}, **how)


async def test_the_receipt_of_a_dropped_ballot_voids_the_vote_and_is_published(town: Town) -> None:
    proposal_id, election, _, receipt = await drop_a_ballot(town)
    await town.close(proposal_id)
    # The count itself is in order: only who holds the receipt can know.
    assert await town.stage(proposal_id) == "objection_window"

    answer = await show(town, election, receipt)
    await town.pass_time(days=8)
    await town.round()

    shown = await town.get(f"/v1/elections/{election}")
    assert answer.status_code == 201, answer.text
    assert await town.stage(proposal_id) == "void"
    assert [fault["kind"] for fault in shown["faults"]] == [
        "a receipted ballot is missing from the box"
    ]
    assert shown["objections"] == [receipt]
    ground = await town.owner.fetchval(
        "select void_ground from proposal where id = $1", proposal_id
    )
    assert ground == "proof_failed"
    voted = await town.owner.fetchval("select count(*) from policy_version where source = 'tally'")
    assert voted == 0
    told = await town.owner.fetch(
        "select data::text as data from event_log where stream_id = $1"
        " and type = 'election.proof_failed'",
        ASSEMBLY_STREAM,
    )
    assert [json.loads(row["data"])["election_id"] for row in told] == [election]


async def test_many_who_object_at_once_void_the_vote_once_and_hear_the_same(town: Town) -> None:
    proposal_id, election, _, receipt = await drop_a_ballot(town)
    await town.close(proposal_id)

    answers = await asyncio.gather(*(show(town, election, receipt) for _ in range(4)))
    later = await show(town, election, receipt)

    assert [answer.status_code for answer in (*answers, later)] == [201] * 5
    assert len({answer.content for answer in (*answers, later)}) == 1
    assert await town.owner.fetchval("select count(*) from election_fault") == 1
    voided = await town.owner.fetchval(
        "select count(*) from event_log where type = 'proposal.voided' and stream_id = $1",
        proposal_id,
    )
    assert voided == 1


async def test_a_receipt_that_proves_nothing_stops_nothing(town: Town) -> None:
    proposal_id, election, _, dropped = await drop_a_ballot(town)
    driver = town.members[House.DRIVERS][0]
    await town.close(proposal_id)
    vote = town.voters[driver.id].wallet.votes[election]
    there = vote.ballots[0].receipt
    assert there is not None

    answers = {
        "there": await show(town, election, there),
        "another leaf": await show(town, election, there | {"leaf": "ab" * 32}),
        "another vote": await show(town, election, dropped | {"manifest": "cd" * 32}),
        "another moment": await show(town, election, dropped | {"due_at": "2020-01-01T00:00:00Z"}),
        "no receipt": await show(town, election, {"leaf": dropped["leaf"]}),
        "named": await show(town, election, dropped, headers=driver.headers),
    }

    assert {name: slug(answer) for name, answer in answers.items()} == {
        "there": "ballot-is-there",
        "another leaf": "receipt-refused",
        "another vote": "receipt-refused",
        "another moment": "receipt-refused",
        "no receipt": "invalid-request",
        "named": "ballot-names-its-voter",
    }
    assert await town.stage(proposal_id) == "objection_window"
    await town.finish(proposal_id)
    assert await town.stage(proposal_id) == "enacted"


async def test_one_objects_from_the_count_until_the_window_ends(town: Town) -> None:
    proposal_id, election, _, receipt = await drop_a_ballot(town)
    before = await show(town, election, receipt)
    await town.close(proposal_id)
    due_at = await town.owner.fetchval("select due_at from proposal where id = $1", proposal_id)
    await town.go_to(due_at)
    as_it_ends = await show(town, election, receipt)
    await town.pass_time(seconds=1)
    await town.round()
    after = await show(town, election, receipt)

    slugs = [slug(answer) for answer in (before, as_it_ends, after)]
    assert slugs == ["not-counted-yet", "objections-closed", "objections-closed"]
    assert await town.stage(proposal_id) == "enacted"


async def test_the_members_own_device_notices_and_objects(town: Town) -> None:
    proposal_id, election, rider, _ = await drop_a_ballot(town)
    driver = town.members[House.DRIVERS][0]
    await town.close(proposal_id)
    await town.pass_time(hours=47)
    hints = [one.sentence for one in await check(town.voters[rider.id], election)]

    with pytest.raises(VotingError, match="Every ballot that you have a receipt for is in the box"):
        await object_to_count(town.voters[driver.id], election)
    missing = await object_to_count(town.voters[rider.id], election)

    assert any(f"meent vote object {election}" in hint for hint in hints)
    assert len(missing) == 1
    assert await town.stage(proposal_id) == "void"
    with pytest.raises(VotingError, match="no receipt"):
        await object_to_count(town.voters[rider.id], "another vote")


async def test_nobody_takes_an_objection_back(town: Town) -> None:
    proposal_id, election, _, receipt = await drop_a_ballot(town)
    await town.close(proposal_id)
    await show(town, election, receipt)

    for statement in ("update objection set receipt = '{}'", "delete from objection"):
        with pytest.raises(Exception, match="append-only"):
            await town.owner.execute(statement)
    assert await town.owner.fetchval("select count(*) from objection") == 1
