"""A draft is its author's alone until it is complete and submitted."""

from typing import Any

import asyncpg
import httpx
import pytest

from tests.app.assembly.proposals.stories import (
    NUMBER,
    TEXT,
    draft,
    join_register,
    read,
    submit,
)
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_member
from tests.steps import slug, take


@pytest.fixture
async def ada(owner: asyncpg.Connection) -> Person:
    return await join_register(owner)


@pytest.fixture
async def bo(owner: asyncpg.Connection) -> Person:
    return await join_register(owner, name="Bo")


async def edit(
    client: httpx.AsyncClient, person: Person, address: str, *, version: str | None, **more: Any
) -> httpx.Response:
    headers = person.act | ({"If-Match": version} if version else {})
    return await client.put(address, json=NUMBER | more, headers=headers)


async def test_a_draft_is_seen_by_its_author_alone(
    client: httpx.AsyncClient, ada: Person, bo: Person
) -> None:
    written = await draft(client, ada)
    address = f"/v1/proposals/{written['id']}"

    assert (await read(client, ada, address)) == written
    assert (await read(client, ada, "/v1/proposals?mine=true"))["items"][0]["id"] == written["id"]
    assert slug(await client.get(address, headers=bo.headers)) == "proposal-unknown"
    assert (await read(client, bo, "/v1/proposals"))["items"] == []
    for step in ("submit", "withdraw", "support", "comments"):
        body = {"body": "Hm."} if step == "comments" else {}
        assert slug(await take(client, bo, f"{address}/{step}", **body)) == "proposal-unknown"
    await take(client, ada, f"{address}/withdraw")
    assert slug(await client.get(address, headers=bo.headers)) == "proposal-unknown"


async def test_who_is_not_in_the_register_may_read_and_not_write(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person
) -> None:
    guest = await make_member(owner, now=FRIDAY_EVENING)
    address = await submit(client, ada)

    assert (await read(client, guest, address))["title"] == NUMBER["title"]
    answers = [
        await take(client, guest, "/v1/proposals", **NUMBER),
        await take(client, guest, f"{address}/support"),
        await take(client, guest, f"{address}/comments", body="Hm."),
    ]
    assert [slug(answer) for answer in answers] == ["not-in-the-register"] * 3


async def test_an_edit_names_the_version_it_was_made_from(
    client: httpx.AsyncClient, ada: Person, bo: Person
) -> None:
    address = f"/v1/proposals/{(await draft(client, ada))['id']}"
    etag = (await client.get(address, headers=ada.headers)).headers["etag"]

    edited = await edit(client, ada, address, version=etag, title="Less")
    late = await edit(client, ada, address, version=etag, title="More")

    assert (edited.status_code, edited.json()["title"]) == (200, "Less")
    assert (late.status_code, slug(late)) == (412, "version-changed")
    assert late.json()["version"] == edited.json()["version"]
    assert (await edit(client, ada, address, version=None)).status_code == 428
    assert (await edit(client, ada, address, version="W/2")).status_code == 412
    assert slug(await edit(client, bo, address, version='"2"')) == "proposal-unknown"


async def test_what_was_submitted_is_edited_no_more(
    client: httpx.AsyncClient, ada: Person, bo: Person
) -> None:
    address = await submit(client, ada)

    assert slug(await edit(client, ada, address, version='"2"')) == "proposal-step-refused"
    assert slug(await edit(client, bo, address, version='"2"')) == "not-the-author"
    assert slug(await take(client, ada, f"{address}/submit")) == "proposal-step-refused"


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (NUMBER | {"explanation": ""}, {"explanation_empty"}),
        (NUMBER | {"explanation": "CHF 5. " + "word " * 60}, {"explanation_too_long"}),
        (NUMBER | {"explanation": "It is 15 of 100."}, {"explanation_no_example_in_money"}),
        (NUMBER | {"title": " ", "question": ""}, {"title_empty", "question_empty"}),
        (TEXT | {"text": " \n"}, {"text_empty"}),
        (TEXT | {"kind": "choice", "text": None, "options": ["a"]}, {"options_too_few"}),
        (
            TEXT | {"kind": "choice", "text": None, "options": ["a", "A", "No change"]},
            {"options_not_different", "options_reserved"},
        ),
        (TEXT | {"kind": "budget", "text": None}, {"pots_too_few"}),
    ],
)
async def test_submitting_names_each_thing_that_is_missing(
    client: httpx.AsyncClient, ada: Person, content: dict[str, Any], codes: set[str]
) -> None:
    address = f"/v1/proposals/{(await draft(client, ada, **content))['id']}"

    answer = await take(client, ada, f"{address}/submit")

    assert slug(answer) == "proposal-incomplete"
    assert {fault["code"] for fault in answer.json()["faults"]} == codes
    assert (await read(client, ada, address))["stage"] == "draft"


@pytest.mark.parametrize(
    "content",
    [
        NUMBER | {"key": None},
        NUMBER | {"key": "the_weather"},
        NUMBER | {"options": ["a", "b"]},
        NUMBER | {"is_secret": False},
        TEXT | {"key": "commission_bp"},
        TEXT | {"text": "a\x00b"},
        NUMBER | {"title": "two\nlines"},
        NUMBER | {"title": "x" * 121},
        NUMBER | {"floor": 3},
    ],
)
async def test_what_cannot_be_a_proposal_is_refused_at_once(
    client: httpx.AsyncClient, ada: Person, content: dict[str, Any]
) -> None:
    assert slug(await take(client, ada, "/v1/proposals", **content)) == "invalid-request"


async def test_each_kind_can_be_submitted_when_it_is_complete(
    client: httpx.AsyncClient, ada: Person
) -> None:
    plain = {name: NUMBER[name] for name in ("title", "question", "explanation")}
    budget = await submit(client, ada, kind="budget", pots=["reserve", "dividend"], **plain)
    choice = await submit(client, ada, kind="choice", options=["blue", "green"], **plain)
    text = await submit(client, ada, **TEXT | {"text": "One.\r\nTwo.\n"})

    assert (await read(client, ada, budget))["pots"] == ["reserve", "dividend"]
    assert (await read(client, ada, choice))["options"] == ["blue", "green"]
    assert (await read(client, ada, text))["text"] == "One.\nTwo.\n"
    assert (await read(client, ada, text))["text_number"] == 1


async def test_nobody_has_many_drafts_or_many_proposals_that_seek_support(
    client: httpx.AsyncClient, ada: Person, clock: StandingClock
) -> None:
    drafts = [await draft(client, ada) for _ in range(5)]
    assert slug(await take(client, ada, "/v1/proposals", **NUMBER)) == "too-many-proposals"
    submitted = [await take(client, ada, f"/v1/proposals/{one['id']}/submit") for one in drafts]
    assert [answer.status_code for answer in submitted] == [200, 200, 200, 409, 409]


async def test_lists_come_in_pages_and_by_stage(client: httpx.AsyncClient, ada: Person) -> None:
    drafts = [await draft(client, ada) for _ in range(3)]
    await take(client, ada, f"/v1/proposals/{drafts[1]['id']}/submit")

    first = await read(client, ada, "/v1/proposals?limit=2")
    second = await read(client, ada, f"/v1/proposals?limit=2&cursor={first['next_cursor']}")
    seeking = await read(client, ada, "/v1/proposals?stage=seeking_support&stage=voting")

    listed = [item["id"] for item in first["items"] + second["items"]]
    assert listed == [each["id"] for each in reversed(drafts)]
    assert second["next_cursor"] is None
    assert [item["id"] for item in seeking["items"]] == [drafts[1]["id"]]


async def test_an_author_may_withdraw_before_others_carry_it_on(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person, bo: Person
) -> None:
    address = await submit(client, ada)

    assert slug(await take(client, bo, f"{address}/withdraw")) == "not-the-author"
    withdrawn = await take(client, ada, f"{address}/withdraw")

    assert withdrawn.json()["stage"] == "withdrawn"
    assert slug(await take(client, bo, f"{address}/support")) == "proposal-step-refused"
    types = [row["type"] for row in await owner.fetch("select type from event_log order by seq")]
    assert set(types) == {"proposal.submitted", "proposal.withdrawn"}
