"""Members vote by name through the API; until the count nobody learns how others vote."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from app.foundation.ids import new_id
from governance.proposal import Kind, Stage, Step
from tests.app.assembly.open_votes.stories import Story, leave, seat
from tests.app.assembly.proposals.stories import store_proposal
from tests.factories import Person, suspend
from tests.steps import slug


async def vote(
    client: httpx.AsyncClient, person: Person, proposal_id: object, value: Any
) -> httpx.Response:
    path = f"/v1/proposals/{proposal_id}/vote"
    return await client.put(path, json={"value": value}, headers=person.act)


async def look(
    client: httpx.AsyncClient, person: Person, proposal_id: object, what: str = "vote"
) -> httpx.Response:
    return await client.get(f"/v1/proposals/{proposal_id}/{what}", headers=person.headers)


async def test_a_member_votes_and_changes_her_vote_and_every_word_stays_written(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ada, _ = await seat(owner, "Ada", "Bo")
    proposal = await story.open_text()

    answers = [await vote(client, ada, proposal.id, said) for said in ("yes", "yes", "no")]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.json()["sequence"] for answer in answers] == [1, 1, 2]
    assert (await look(client, ada, proposal.id)).json()["own"]["value"] == "no"
    written = await owner.fetch("select value from open_ballot order by sequence")
    assert [row["value"] for row in written] == ['"yes"', '"no"']
    assert (await story.count(proposal))["no"] == 1
    told = [data for event, data in await story.told(ada) if event == "open_vote.cast"]
    assert told == [{"proposal_id": str(proposal.id), "sequence": n} for n in (1, 2)]


async def test_a_suspended_member_votes_lends_her_voice_and_supports(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    proposal = await story.open_text()
    sought = await store_proposal(owner, stage=Stage.SEEKING_SUPPORT)
    await suspend(owner, ada, by=bo, at=story.clock.now())
    lent = {
        "taker_id": str(bo.id),
        "topic": "text",
        "expires_at": (story.clock.now() + timedelta(days=30)).isoformat(),
    }

    voted = await vote(client, ada, proposal.id, "yes")
    lending = await client.post("/v1/delegations", json=lent, headers=ada.act)
    support = await client.post(f"/v1/proposals/{sought.id}/support", headers=ada.act)
    read = await client.get(f"/v1/proposals/{sought.id}", headers=ada.headers)

    assert [voted.status_code, lending.status_code, support.status_code, read.status_code] == [
        200,
        201,
        200,
        200,
    ]


async def test_votes_are_taken_from_the_opening_until_the_close(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    [ada] = await seat(owner, "Ada")
    frozen = await story.freeze(await story.propose())
    times = frozen.progress.times
    assert times is not None

    too_early = await vote(client, ada, frozen.id, "yes")
    story.clock.moment = times.opens_at
    await story.step(frozen, Step.OPEN_VOTING)
    at_the_opening = await vote(client, ada, frozen.id, "yes")
    story.clock.moment = times.closes_at - timedelta(microseconds=1)
    at_the_last_moment = await vote(client, ada, frozen.id, "no")
    story.clock.moment = times.closes_at
    too_late = await vote(client, ada, frozen.id, "abstain")

    assert slug(too_early) == slug(too_late) == "not-voting-time"
    assert too_late.json()["closes_at"] == times.closes_at.isoformat()
    assert (at_the_opening.status_code, at_the_last_moment.status_code) == (200, 200)


async def test_a_secret_vote_takes_no_open_ones(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    [ada] = await seat(owner, "Ada")
    secret = await story.propose(is_secret=True)

    for answer in (await vote(client, ada, secret.id, "yes"), await look(client, ada, secret.id)):
        assert (answer.status_code, slug(answer)) == (409, "vote-is-secret")


async def test_before_the_freeze_there_is_no_vote_and_of_strangers_no_proposal(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    [ada] = await seat(owner, "Ada")
    deliberated = await story.propose()

    assert slug(await vote(client, ada, deliberated.id, "yes")) == "no-open-vote"
    assert slug(await look(client, ada, deliberated.id)) == "no-open-vote"
    assert slug(await vote(client, ada, new_id(), "yes")) == "proposal-unknown"


async def test_only_members_on_the_roll_who_have_not_left_vote(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    proposal = await story.open_text()
    [late] = await seat(owner, "Late", admitted_at=story.clock.now())
    await leave(owner, bo, at=story.clock.now())

    for person in (late, bo):
        assert slug(await vote(client, person, proposal.id, "yes")) == "not-on-the-open-roll"
    assert (await vote(client, ada, proposal.id, "yes")).status_code == 200


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TEXT, "maybe"),
        (Kind.TEXT, ["yes"]),
        (Kind.CHOICE, "a"),
        (Kind.CHOICE, ["a", "a"]),
        (Kind.CHOICE, ["c"]),
    ],
)
async def test_a_value_that_the_rule_does_not_know_is_refused(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection, kind: Kind, value: Any
) -> None:
    [ada] = await seat(owner, "Ada")
    options = ("a", "b") if kind is Kind.CHOICE else ()
    proposal = await story.open(await story.propose(kind=kind, options=options))

    answer = await vote(client, ada, proposal.id, value)

    assert (answer.status_code, slug(answer)) == (422, "value-not-admitted")
    assert await owner.fetchval("select count(*) from open_ballot") == 0


async def test_a_member_sees_for_whom_she_would_speak_and_names_of_those_who_lent_to_her_alone(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ada, bo, cem, dia = await seat(owner, "Ada", "Bo", "Cem", "Dia")
    await story.lend(ada, bo)
    await story.lend(bo, cem)
    await story.lend(dia, cem)
    proposal = await story.open_text()

    seen = (await look(client, cem, proposal.id)).json()
    assert seen["speaks_for"]["voices"] == 3
    assert {giver["name"] for giver in seen["speaks_for"]["directly"]} == {"Bo", "Dia"}
    assert (await look(client, ada, proposal.id)).json()["lent_to"]["name"] == "Bo"

    await vote(client, bo, proposal.id, "no")
    seen = (await look(client, cem, proposal.id)).json()
    assert (seen["speaks_for"]["voices"], len(seen["speaks_for"]["directly"])) == (1, 1)


async def test_nothing_of_others_votes_is_told_before_the_count(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    proposal = await story.open_text()
    before = (await look(client, bo, proposal.id)).json()
    await vote(client, ada, proposal.id, "yes")

    assert (await look(client, bo, proposal.id)).json() == before
    assert before["result"] is None
    assert slug(await look(client, bo, proposal.id, "votes")) == "result-not-out"


@pytest.mark.parametrize(("voters", "are_told"), [(8, False), (9, True)])
async def test_counts_are_told_from_ten_votes_on(
    story: Story,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    voters: int,
    are_told: bool,  # noqa: FBT001 - pytest names what it gives
) -> None:
    people = await seat(owner, *(f"Member {number}" for number in range(voters + 1)))
    await story.lend(people[-1], people[0])
    proposal = await story.open_text()
    for person in people[:-1]:
        await vote(client, person, proposal.id, "yes")
    await story.count(proposal)

    result = (await look(client, people[0], proposal.id)).json()["result"]
    listed = (await look(client, people[0], proposal.id, "votes?limit=100")).json()["items"]

    assert result["decided"]["carried"] is True
    assert ("yes" in result["decided"]) == are_told
    assert result["lent"] == (1 if are_told else None)
    assert (result["concentration"] is not None) == are_told
    assert {vote["name"] for vote in listed} == {f"Member {n}" for n in range(voters)}
    voices = {vote["name"]: vote["voices"] for vote in listed}
    assert voices["Member 0"] == (2 if are_told else None)
    assert voices["Member 1"] == (1 if are_told else None)


async def test_the_votes_by_name_add_up_to_the_result_and_never_name_a_giver(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    people = await seat(owner, *(f"Member {number}" for number in range(15)))
    for giver in people[10:]:
        await story.lend(giver, people[0])
    proposal = await story.open_text()
    for number, person in enumerate(people[:10]):
        await vote(client, person, proposal.id, ("yes", "no", "abstain")[number % 3])
    await story.count(proposal)

    votes: list[dict[str, Any]] = []
    pages, cursor = 0, ""
    while pages == 0 or cursor:
        query = "votes?limit=4" + (f"&cursor={cursor}" if cursor else "")
        page = (await look(client, people[12], proposal.id, query)).json()
        votes += page["items"]
        pages, cursor = pages + 1, page["next_cursor"]
    result = (await look(client, people[12], proposal.id)).json()["result"]

    assert pages == 3
    for said in ("yes", "no", "abstain"):
        counted = sum(each["voices"] for each in votes if each["value"] == said)
        assert counted == result["decided"][said]
    assert (result["own"], result["lent"]) == (10, 5)
    [holder] = result["concentration"]["holders"]
    assert (holder["name"], holder["voices"], holder["is_over_cap"]) == ("Member 0", 6, True)
    assert result["concentration"]["largest_share_bp"] == 4000
    assert not {str(giver.id) for giver in people[10:]} & {each["member_id"] for each in votes}


async def test_names_are_shown_to_members_alone(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    proposal = await story.open_text()
    await vote(client, ada, proposal.id, "yes")
    await story.count(proposal)
    await leave(owner, bo, at=story.clock.now())

    assert slug(await look(client, bo, proposal.id, "votes")) == "not-in-the-register"
    assert (await look(client, ada, proposal.id, "votes")).status_code == 200
