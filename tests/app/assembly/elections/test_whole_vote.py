"""A vote from its proposal to its effect, by the API and the members' own client."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from governance.electorate import House
from governance.manifest import manifest_from
from governance.proposal import Kind, Stage
from governance.verify import recount
from tests.app.assembly.elections.town import SERVER, Town
from tests.app.assembly.proposals.stories import store_proposal
from tests.factories import suspend
from tests.steps import ask_price, slug


async def hold_commission_vote(town: Town, *, value: int = 1200) -> tuple[UUID, str]:
    """Three drivers and two riders vote for one share; return proposal and election."""
    if not town.members:
        await town.settle(drivers=3, riders=2)
    proposal_id = await town.propose()
    people = [*town.members[House.DRIVERS], *town.members[House.RIDERS]]
    return proposal_id, await town.hold(proposal_id, [(person, value) for person in people])


async def test_a_vote_goes_from_its_freeze_to_its_effect_by_itself(
    town: Town, client: httpx.AsyncClient
) -> None:
    await town.settle(drivers=3, riders=2)
    rider = town.members[House.RIDERS][0]
    before = await ask_price(client, rider)

    proposal_id, election = await hold_commission_vote(town, value=1200)

    result = await town.get(f"/v1/elections/{election}/result")
    assert await town.stage(proposal_id) == "enacted"
    assert result["result"] == {"value": 1200}
    assert result["counted"] == [None, None], "three and two ballots are not told apart"
    assert result["turnout"] == 5
    assert result["enacted"]["value"] == 1200
    notice = timedelta(days=14)
    begins = await town.owner.fetchval("select max(effective_from) from policy_version")
    assert begins >= town.clock.now() + notice

    await town.go_to(begins - timedelta(seconds=1))
    still = await ask_price(client, rider)
    await town.go_to(begins)
    after = await ask_price(client, rider)
    shares = [quote["commission_bp"] for quote in (before, still, after)]
    assert shares == [1500, 1500, 1200]


async def test_a_suspended_member_fetches_her_stamps_and_votes(town: Town) -> None:
    """Else one of staff could take a vote from whoever they like, a day before it opens."""
    await town.settle(drivers=2, riders=1)
    suspended, other = town.members[House.DRIVERS]
    await suspend(town.owner, suspended, by=other, at=town.clock.now())
    election = await town.open_voting(await town.propose())

    seat = await town.get(f"/v1/elections/{election}/me", suspended)
    receipt = await town.vote(election, suspended, 1200)

    assert seat["on_roll"]
    assert receipt["leaf"]


async def test_everybody_recounts_the_published_package_to_the_announced_result(
    town: Town,
) -> None:
    _, election = await hold_commission_vote(town)

    answer = await town.http.get(f"{SERVER}/v1/elections/{election}/package")
    package = json.loads(answer.content)
    receipts = [
        ballot.receipt
        for voter in town.voters.values()
        for ballot in voter.wallet.votes[election].ballots
        if ballot.receipt is not None
    ]
    found = recount(package, receipts=receipts, roots=package["roots"])
    shown = await town.get(f"/v1/elections/{election}/result")

    assert found.faults == []
    assert found.counted == [3, 2]
    assert found.result == shown["result"]
    assert answer.headers["ETag"] == f'"{shown["package_hash"]}"'


async def test_the_manifest_holds_the_policy_in_force_the_statutes_and_the_roll(
    town: Town,
) -> None:
    await town.settle(drivers=3, riders=2)
    election = await town.freeze(await town.propose())

    shown = await town.get(f"/v1/elections/{election}")
    manifest = manifest_from(shown["manifest"])
    rolls = (await town.get(f"/v1/elections/{election}/rolls"))["rolls"]

    assert shown["stage"] == "credentials_open"
    assert manifest.rule == "two_houses"
    assert [house.name for house in manifest.houses] == ["drivers", "riders"]
    assert [len(roll) for roll in rolls] == [3, 2]
    figures = dict(manifest.parameters)
    assert (figures["key"], figures["status_quo"]) == ("commission_bp", 1500)
    assert (figures["floor"], figures["ceiling"], figures["largest_step"]) == (0, 2000, 300)
    assert figures["quorums"] == [1, 1]
    assert shown["manifest_hash"] == manifest.hash().hex()
    assert len(shown["seals"]) == 2


async def test_nothing_is_told_of_a_result_while_ballots_come_in(town: Town) -> None:
    await town.settle(drivers=3, riders=2)
    election = await town.open_voting(await town.propose())
    for person in town.members[House.DRIVERS]:
        await town.vote(election, person, 1200)
    await town.round()

    for page in ("result", "package"):
        answer = await town.http.get(f"{SERVER}/v1/elections/{election}/{page}")
        assert answer.status_code == 409
        assert slug(answer) == "not-counted-yet"
    assert (await town.get(f"/v1/elections/{election}"))["box_size"] == 3


async def test_a_later_vote_on_the_same_policy_supersedes_the_earlier_one(town: Town) -> None:
    first, _ = await hold_commission_vote(town, value=1200)

    second, _ = await hold_commission_vote(town, value=1250)

    assert await town.stage(first) == "superseded"
    assert await town.stage(second) == "enacted"
    values = await town.owner.fetch(
        "select value::text from policy_version where source = 'tally' order by effective_from"
    )
    assert [row["value"] for row in values] == ["1200", "1250"]


async def test_a_vote_for_no_change_leaves_all_as_it_is(town: Town) -> None:
    proposal_id, election = await hold_commission_vote(town, value=1500)

    assert await town.stage(proposal_id) == "unchanged"
    shown = await town.get(f"/v1/elections/{election}/result")
    assert (shown["changes"], shown["enacted"]) == (False, None)


async def test_a_changed_mind_counts_once(town: Town) -> None:
    await town.settle(drivers=1, riders=1)
    proposal_id = await town.propose()
    election = await town.open_voting(proposal_id)
    driver, rider = town.members[House.DRIVERS][0], town.members[House.RIDERS][0]
    await town.vote(election, driver, 1300)
    await town.vote(election, driver, 1400)
    await town.vote(election, rider, 1400)
    await town.close(proposal_id)

    shown = await town.get(f"/v1/elections/{election}/result")

    assert shown["result"] == {"value": 1400}
    assert (await town.get(f"/v1/elections/{election}"))["box_size"] == 3


@pytest.mark.parametrize(
    ("content", "values", "result"),
    [
        (
            {"kind": Kind.TEXT, "text": "Notice is given 14 days ahead.\n"},
            ["yes", "yes", "no"],
            {"carried": True},
        ),
        (
            {"kind": Kind.CHOICE, "options": ("blue", "green")},
            [["green", "blue"], ["green"], ["blue"]],
            {"winner": "green"},
        ),
        (
            {"kind": Kind.BUDGET, "parameters": {"pots": ["reserve", "dividend"]}},
            [[10, 0], [10, 0], [0, 10]],
            {"shares": [[2, 3], [1, 3]]},
        ),
    ],
)
async def test_texts_choices_and_budgets_are_voted_on_by_all_members_together(
    town: Town, content: dict[str, Any], values: list[Any], result: dict[str, Any]
) -> None:
    await town.settle(drivers=2, riders=1)
    proposal_id = await town.propose(**content)
    people = [*town.members[House.DRIVERS], *town.members[House.RIDERS]]

    election = await town.hold(proposal_id, list(zip(people, values, strict=True)))

    shown = await town.get(f"/v1/elections/{election}/result")
    assert shown["result"] == result
    assert shown["roll_sizes"] == [3]
    assert await town.stage(proposal_id) == "enacted"


async def test_a_voted_budget_is_the_present_one_of_the_next_vote(town: Town) -> None:
    await town.settle(drivers=2, riders=1)
    pots = {"kind": Kind.BUDGET, "parameters": {"pots": ["reserve", "dividend"]}}
    people = [*town.members[House.DRIVERS], *town.members[House.RIDERS]]
    await town.hold(await town.propose(**pots), [(person, [8, 2]) for person in people])
    await town.pass_time(days=30)

    election = await town.freeze(await town.propose(**pots))

    manifest = (await town.get(f"/v1/elections/{election}"))["manifest"]
    assert manifest["parameters"]["present"] == [8, 2]


async def test_two_processes_that_run_the_same_deadlines_at_once_do_everything_once(
    town: Town,
) -> None:
    await town.settle(drivers=2, riders=1)
    proposal_id = await town.propose()
    one = town.deadlines
    town.new_process()
    other = town.deadlines

    async def both() -> None:
        await asyncio.gather(one.run_once(), other.run_once())

    async def due() -> None:
        await town.go_to(
            await town.owner.fetchval("select due_at from proposal where id = $1", proposal_id)
        )

    for _ in range(2):
        await both()
    await due()
    for _ in range(3):
        await both()
    await due()
    await both()
    election = str(await town.owner.fetchval("select id from election"))
    for person in [*town.members[House.DRIVERS], *town.members[House.RIDERS]]:
        await town.vote(election, person, 1200)
    await town.go_to(await town.owner.fetchval("select closes_at from proposal"))
    for _ in range(2):
        await both()
    await due()
    await town.pass_time(seconds=1)
    for _ in range(2):
        await both()

    assert await town.stage(proposal_id) == "enacted"
    voted = await town.owner.fetchval("select count(*) from policy_version where source = 'tally'")
    assert voted == 1
    for person in town.members[House.DRIVERS]:
        kinds = [kind for kind, _ in await town.told(person)]
        assert kinds.count("election.on_roll") == 1
        assert kinds.count("credential.issued") == 2


async def test_an_open_vote_goes_its_way_by_the_same_clock(town: Town) -> None:
    await town.settle(drivers=2, riders=1)
    proposal_id = await town.propose(kind=Kind.TEXT, text="Notice is given 14 days ahead.\n")
    await town.owner.execute("update proposal set is_secret = false where id = $1", proposal_id)
    times = "select {} from proposal where id = $1"
    await town.go_to(await town.owner.fetchval(times.format("due_at"), proposal_id))
    await town.round()
    assert await town.stage(proposal_id) == "credentials_open"
    await town.go_to(await town.owner.fetchval(times.format("due_at"), proposal_id))
    await town.round()
    for person in [*town.members[House.DRIVERS], *town.members[House.RIDERS]]:
        answer = await town.http.put(
            f"{SERVER}/v1/proposals/{proposal_id}/vote", json={"value": "yes"}, headers=person.act
        )
        assert answer.status_code == 200, answer.text
    await town.close(proposal_id)
    assert await town.stage(proposal_id) == "objection_window"

    await town.finish(proposal_id)

    assert await town.stage(proposal_id) == "enacted"
    assert await town.owner.fetchval("select count(*) from election") == 0


@pytest.mark.parametrize(
    ("stage", "after"), [("seeking_support", "lapsed"), ("deliberation", "credentials_open")]
)
async def test_a_proposal_that_is_due_is_moved_by_the_clock_alone(
    town: Town, stage: str, after: str
) -> None:
    await town.settle(drivers=1, riders=1)
    proposal = await store_proposal(town.owner, stage=Stage(stage), lasts=timedelta(days=1))
    await town.pass_time(days=1, seconds=-1)
    await town.round(2)
    assert await town.stage(proposal.id) == stage

    await town.pass_time(seconds=1)
    await town.round(2)

    assert await town.stage(proposal.id) == after


async def test_a_vote_whose_terms_no_rule_can_decide_is_void_and_holds_up_no_other(
    town: Town,
) -> None:
    await town.settle(drivers=1, riders=1)
    impossible = await town.propose(kind=Kind.BUDGET, parameters={"pots": ["only one"]})
    good = await town.propose()

    await town.freeze(good)

    assert await town.stage(impossible) == "void"
    assert await town.stage(good) == "credentials_open"
