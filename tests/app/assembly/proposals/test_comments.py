"""Members speak under their names, answer each other, and may take their words back."""

import asyncpg
import httpx
import pytest

from app.assembly.stream import ASSEMBLY_STREAM
from tests.app.assembly.proposals.stories import join_register, read, submit
from tests.conftest import StandingClock
from tests.factories import Person
from tests.steps import slug, take


@pytest.fixture
async def ada(owner: asyncpg.Connection) -> Person:
    return await join_register(owner)


@pytest.fixture
async def bo(owner: asyncpg.Connection) -> Person:
    return await join_register(owner, name="Bo")


async def say(client: httpx.AsyncClient, who: Person, address: str, **words: object) -> str:
    answer = await take(client, who, f"{address}/comments", **words)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_comments_come_in_order_and_answers_name_what_they_answer(
    client: httpx.AsyncClient, ada: Person, bo: Person
) -> None:
    address = await submit(client, ada)
    first = await say(client, bo, address, body="  Why?\r\nReally? ")
    second = await say(client, ada, address, body="Because.", answers=first)

    page = await read(client, bo, f"{address}/comments?limit=1")
    rest = await read(client, bo, f"{address}/comments?limit=1&cursor={page['next_cursor']}")

    [one], [two] = page["items"], rest["items"]
    assert (one["id"], one["author_name"], one["body"]) == (first, "Bo", "Why?\nReally?")
    assert (two["id"], two["answers"]) == (second, first)
    assert rest["next_cursor"] is None


async def test_words_taken_back_are_gone_and_their_place_stays(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person, bo: Person
) -> None:
    address = await submit(client, ada)
    comment = await say(client, bo, address, body="Something rash")
    path = f"{address}/comments/{comment}/withdraw"

    assert slug(await take(client, ada, path)) == "comment-unknown"
    answer = await take(client, bo, path)
    assert answer.json()["body"] == ""
    assert slug(await take(client, bo, path)) == "comment-unknown"

    [left] = (await read(client, ada, f"{address}/comments"))["items"]
    assert (left["id"], left["body"]) == (comment, "")
    assert left["withdrawn_at"] is not None
    assert await owner.fetchval("select count(*) from proposal_comment where body <> ''") == 0
    # The events say that something was said, never what; a repeat of the command neither.
    for column, table in (("data", "event_log"), ("body", "idempotency_key")):
        held = await owner.fetchval(f"select bool_or({column}::text like '%rash%') from {table}")
        assert held is False, table


async def test_the_author_and_who_is_answered_hear_of_a_comment_and_the_assembly_does_not(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person, bo: Person
) -> None:
    address = await submit(client, ada)
    first = await say(client, bo, address, body="Why?")
    cy = await join_register(owner, name="Cy")
    await say(client, cy, address, body="Indeed, why?", answers=first)

    heard = await owner.fetch(
        "select stream_id, count(*) from event_log where type = 'proposal.commented'"
        " group by stream_id"
    )

    counts = {row["stream_id"]: row["count"] for row in heard}
    assert (counts[ada.id], counts[bo.id]) == (2, 1)
    assert not {cy.id, ASSEMBLY_STREAM} & counts.keys()


async def test_an_answer_stands_on_the_same_proposal(
    client: httpx.AsyncClient, ada: Person
) -> None:
    one, other = await submit(client, ada), await submit(client, ada)
    comment = await say(client, ada, one, body="Here.")

    refused = await take(client, ada, f"{other}/comments", body="There?", answers=comment)

    assert slug(refused) == "comment-unknown"


async def test_nobody_says_more_than_twenty_things_an_hour(
    client: httpx.AsyncClient, ada: Person, bo: Person, clock: StandingClock
) -> None:
    address = await submit(client, ada)
    for number in range(20):
        await say(client, ada, address, body=f"{number}")

    refused = await take(client, ada, f"{address}/comments", body="And another thing")
    assert (refused.status_code, slug(refused)) == (429, "too-many-requests")
    await say(client, bo, address, body="My turn")
    clock.pass_time(3600)
    await say(client, ada, address, body="And another thing")


async def test_empty_and_endless_words_are_refused(client: httpx.AsyncClient, ada: Person) -> None:
    address = await submit(client, ada)

    for body in (" \n ", "x" * 2001, "bell \x07"):
        answer = await take(client, ada, f"{address}/comments", body=body)
        assert slug(answer) == "invalid-request"


async def test_what_is_over_is_discussed_no_more(client: httpx.AsyncClient, ada: Person) -> None:
    address = await submit(client, ada)
    await take(client, ada, f"{address}/withdraw")

    answer = await take(client, ada, f"{address}/comments", body="Too late?")

    assert slug(answer) == "proposal-step-refused"
