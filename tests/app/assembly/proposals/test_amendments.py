"""A text changes by accepted amendments alone; what is not accepted may be voted on beside it."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from app.assembly.proposals import service
from app.assembly.proposals.rules import AmendmentState
from app.assembly.statutes import statutes_in_force
from app.foundation.database import Database
from governance.amendment import version_of
from governance.ballot_rule import BALLOT_RULES
from governance.proposal import Step
from tests.app.assembly.proposals.stories import TEXT, deliberate, join_register, read, submit
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person
from tests.steps import slug, take

LONGER = "Notice is given 21 days ahead.\nIt is given in writing.\n"
LOUDER = "Notice is given 14 days ahead.\nIt is given by telephone.\n"


@pytest.fixture
async def ada(owner: asyncpg.Connection) -> Person:
    return await join_register(owner)


@pytest.fixture
async def text(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person
) -> tuple[str, list[Person]]:
    """Ada's text under deliberation: its address, and five other members."""
    return await deliberate(client, owner, ada, **TEXT)


async def amend(
    client: httpx.AsyncClient, who: Person, address: str, text: str, *, base_number: int = 1
) -> httpx.Response:
    body = {"text": text, "base_number": base_number, "reason": "It is fairer."}
    return await take(client, who, f"{address}/amendments", **body)


async def amended(client: httpx.AsyncClient, who: Person, address: str, text: str) -> str:
    answer = await amend(client, who, address, text)
    assert answer.status_code == 201, answer.text
    return f"{address}/amendments/{answer.json()['id']}"


async def freeze(database: Database, owner: asyncpg.Connection, at: Any) -> service.Proposal:
    proposal_id = await owner.fetchval("select id from proposal")
    async with database.transaction() as tx:
        return await service.take_step(
            tx,
            proposal=await service.get_proposal(tx, proposal_id=proposal_id),
            step=Step.FREEZE,
            now=at,
            statutes=await statutes_in_force(tx, at=at),
        )


async def test_an_accepted_amendment_is_the_next_version_of_the_text(
    client: httpx.AsyncClient, text: tuple[str, list[Person]], ada: Person
) -> None:
    address, (bo, *_) = text
    amendment = await amended(client, bo, address, LONGER)

    read_first = await read(client, ada, amendment)
    answer = await take(client, ada, f"{amendment}/accept")

    assert read_first["changes"] == [
        {"first": 0, "last": 1, "lines": ["Notice is given 21 days ahead.\n"]}
    ]
    assert (read_first["text"], read_first["sha256"]) == (LONGER, version_of(LONGER))
    assert answer.json()["state"] == "accepted"
    assert (await read(client, bo, address))["text"] == LONGER
    versions = (await read(client, bo, f"{address}/texts"))["items"]
    assert [each["number"] for each in versions] == [1, 2]
    assert versions[1]["sha256"] == version_of(LONGER)
    assert (await read(client, bo, f"{address}/texts/1"))["body"] == TEXT["text"]
    missing = await client.get(f"{address}/texts/3", headers=bo.headers)
    assert slug(missing) == "text-unknown"


async def test_an_amendment_of_an_older_version_is_stale_and_says_which_version_stands(
    client: httpx.AsyncClient, text: tuple[str, list[Person]], ada: Person
) -> None:
    address, (bo, cy, *_) = text
    first = await amended(client, bo, address, LONGER)
    second = await amended(client, cy, address, LOUDER)
    await take(client, ada, f"{first}/accept")

    for refused in (
        await take(client, ada, f"{second}/accept"),
        await amend(client, cy, address, LOUDER, base_number=1),
    ):
        assert (refused.status_code, slug(refused)) == (409, "amendment-stale")
        assert refused.json()["text_number"] == 2
    assert (await read(client, ada, address))["text"] == LONGER
    assert slug(await take(client, ada, f"{first}/accept")) == "amendment-decided"


async def test_the_author_alone_decides_about_amendments(
    client: httpx.AsyncClient, text: tuple[str, list[Person]], ada: Person
) -> None:
    address, (bo, *_) = text
    amendment = await amended(client, bo, address, LONGER)

    for step in ("accept", "decline"):
        assert slug(await take(client, bo, f"{amendment}/{step}")) == "not-the-author"
    declined = await take(client, ada, f"{amendment}/decline")
    assert declined.json()["state"] == "declined"
    assert slug(await take(client, ada, f"{amendment}/decline")) == "amendment-decided"


async def test_amendments_that_change_nothing_or_are_too_many_are_refused(
    client: httpx.AsyncClient, text: tuple[str, list[Person]]
) -> None:
    address, (bo, *_) = text

    assert slug(await amend(client, bo, address, TEXT["text"])) == "amendment-empty"
    for number in range(5):
        await amended(client, bo, address, f"{number}\n")
    assert slug(await amend(client, bo, address, "6\n")) == "too-many-amendments"
    page = await read(client, bo, f"{address}/amendments?limit=3")
    rest = await read(client, bo, f"{address}/amendments?limit=3&cursor={page['next_cursor']}")
    assert [item["number"] for item in page["items"] + rest["items"]] == [1, 2, 3, 4, 5]


async def test_only_a_text_under_deliberation_is_amended(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    ada: Person,
    text: tuple[str, list[Person]],
    clock: StandingClock,
) -> None:
    address, (bo, *_) = text
    seeking = await submit(client, ada, **TEXT)
    number, _ = await deliberate(client, owner, bo)

    assert slug(await amend(client, bo, seeking, LONGER)) == "proposal-step-refused"
    assert slug(await amend(client, bo, number, LONGER)) == "not-a-text"
    await owner.execute("update proposal set due_at = $1", clock.now())
    assert slug(await amend(client, bo, address, LONGER)) == "proposal-step-refused"


async def test_a_text_without_rivals_is_voted_by_yes_or_no_with_the_statutes_majority(
    client: httpx.AsyncClient,
    database: Database,
    owner: asyncpg.Connection,
    ada: Person,
    text: tuple[str, list[Person]],
) -> None:
    address, members = text
    amendment = await amended(client, members[0], address, LONGER)
    for member in members[:4]:  # One fewer than a proposal needs.
        await take(client, member, f"{amendment}/support")

    frozen = await freeze(database, owner, FRIDAY_EVENING + timedelta(days=60))

    terms = service.manifest_terms(frozen)
    assert terms.rule == "text"
    assert terms.parameters == {"majority": [2, 3, False], "text": version_of(TEXT["text"])}
    assert (await read(client, ada, amendment))["state"] == AmendmentState.DROPPED
    no = BALLOT_RULES["text"].decide([[]], {**terms.parameters, "quorums": [3]})
    assert no["carried"] is False


async def test_an_amendment_that_enough_members_want_is_voted_on_beside_the_text(
    client: httpx.AsyncClient,
    database: Database,
    owner: asyncpg.Connection,
    ada: Person,
    text: tuple[str, list[Person]],
) -> None:
    address, members = text
    declined = await amended(client, members[0], address, LONGER)
    stale = await amended(client, members[1], address, LOUDER)
    merged = await amended(client, members[2], address, TEXT["text"] + "Nobody is left out.\n")
    await take(client, ada, f"{declined}/decline")
    for member in members:
        for wanted in (declined, stale):
            assert (await take(client, member, f"{wanted}/support")).status_code == 200
    await take(client, ada, f"{merged}/accept")
    assert slug(await take(client, ada, f"{merged}/support")) == "amendment-decided"
    assert slug(await take(client, ada, f"{merged}/support/withdraw")) == "not-supported"

    frozen = await freeze(database, owner, FRIDAY_EVENING + timedelta(days=60))

    terms = service.manifest_terms(frozen)
    assert terms.rule == "choice"
    assert terms.options == ("as_proposed", "amendment_1", "amendment_2")
    assert terms.parameters["texts"] == {
        "as_proposed": version_of(TEXT["text"] + "Nobody is left out.\n"),
        "amendment_1": version_of(LONGER),
        "amendment_2": version_of(LOUDER),
    }
    assert terms.parameters["options"] == list(terms.options)
    # A friendly rival does not spare a text the majority that the statutes ask for.
    ballots = [["as_proposed"]] * 3 + [["no_change"]] * 2
    decided = BALLOT_RULES["choice"].decide([ballots], {**terms.parameters, "quorums": [0]})
    assert decided == {"winner": "no_change"}
    states = [item["state"] for item in (await read(client, ada, f"{address}/amendments"))["items"]]
    assert states == ["rival", "rival", "accepted"]
    assert slug(await take(client, ada, f"{declined}/accept")) == "proposal-step-refused"


async def test_wanting_a_vote_counts_once_can_be_taken_back_and_is_shown_as_a_number(
    client: httpx.AsyncClient, text: tuple[str, list[Person]], ada: Person
) -> None:
    address, (bo, cy, *_) = text
    amendment = await amended(client, bo, address, LONGER)

    assert (await take(client, cy, f"{amendment}/support")).json()["i_support"] is True
    assert slug(await take(client, cy, f"{amendment}/support")) == "already-supported"
    seen = await client.get(f"{address}/amendments", headers=ada.headers)
    assert seen.json()["items"][0]["supporters"] == 1
    assert str(cy.id) not in seen.text
    assert (await take(client, cy, f"{amendment}/support/withdraw")).json()["supporters"] == 0


async def test_a_version_is_never_edited(
    owner: asyncpg.Connection, text: tuple[str, list[Person]]
) -> None:
    for statement in (
        "update proposal_text set body = 'x'",
        "delete from proposal_text",
        "truncate proposal_text",
    ):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await owner.execute(statement)
