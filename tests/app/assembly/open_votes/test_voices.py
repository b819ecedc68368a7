"""A voice is lent to a member of one's house, for a time, and comes back when it should."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from app.assembly.open_votes import service
from app.foundation.ids import new_id
from governance.electorate import House
from tests.app.assembly.open_votes.stories import DAY, Story, leave, said, seat
from tests.factories import Person, make_member
from tests.steps import slug, take

HALF_A_YEAR = 182 * DAY


async def lend(
    client: httpx.AsyncClient, story: Story, giver: Person, taker_id: object, **changed: Any
) -> httpx.Response:
    body = {
        "taker_id": str(taker_id),
        "topic": "text",
        "expires_at": (story.clock.now() + HALF_A_YEAR).isoformat(),
    }
    return await take(client, giver, "/v1/delegations", **body | changed)


async def return_voices(story: Story) -> int:
    return await story.act(lambda tx: service.return_voices(tx, now=story.clock.now()))


async def test_a_lent_voice_is_told_to_giver_and_taker_and_so_is_its_end(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")

    lent = await lend(client, story, ada, bo.id)
    story.clock.pass_time(60)
    ended = await take(client, ada, f"/v1/delegations/{lent.json()['id']}/revoke")

    assert (lent.status_code, ended.status_code) == (201, 200)
    assert (lent.json()["ending"], ended.json()["ending"]) == (None, "revoked")
    for person in (ada, bo):
        [(first, given), (second, gone)] = await story.told(person)
        assert (first, second) == ("delegation.given", "delegation.ended")
        assert (given["giver_id"], given["taker_id"]) == (str(ada.id), str(bo.id))
        assert gone["ending"] == "revoked"
    assert await story.told(cem) == []


async def test_a_voice_goes_to_another_member_of_the_same_house_only(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ada, gone = await seat(owner, "Ada", "Gone")
    [rider] = await seat(owner, "Rita", house=House.RIDERS)
    stranger = await make_member(owner, now=story.clock.now())
    await leave(owner, gone, at=story.clock.now())

    for taker_id in (ada.id, rider.id, stranger.id, gone.id, new_id()):
        answer = await lend(client, story, ada, taker_id)
        assert (answer.status_code, slug(answer)) == (409, "taker-not-eligible")
    assert slug(await lend(client, story, stranger, ada.id)) == "not-in-the-register"
    assert await owner.fetchval("select count(*) from delegation") == 0


@pytest.mark.parametrize(
    ("lasts", "status"),
    [
        (timedelta(0), 422),
        (timedelta(seconds=1), 201),
        (365 * DAY, 201),
        (365 * DAY + timedelta(seconds=1), 422),
    ],
)
async def test_a_voice_is_lent_for_a_year_at_most(
    story: Story,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    lasts: timedelta,
    status: int,
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")

    until = (story.clock.now() + lasts).isoformat()
    answer = await lend(client, story, ada, bo.id, expires_at=until)

    assert answer.status_code == status
    assert status == 201 or slug(answer) == "lent-too-long"


@pytest.mark.parametrize(
    "changed", [{"topic": "number"}, {"expires_at": "2026-11-22T12:00:00"}, {"more": 1}]
)
async def test_numbers_cannot_be_lent_and_moments_have_a_time_zone(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection, changed: dict[str, Any]
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")

    answer = await lend(client, story, ada, bo.id, **changed)

    assert slug(answer) == "invalid-request"


async def test_a_voice_is_lent_once_on_a_topic_and_again_when_it_is_back(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")
    soon = (story.clock.now() + timedelta(hours=1)).isoformat()
    await lend(client, story, ada, bo.id, expires_at=soon)

    assert slug(await lend(client, story, ada, cem.id)) == "voice-already-lent"
    assert (await lend(client, story, ada, cem.id, topic="choice")).status_code == 201
    story.clock.pass_time(3600)
    assert (await lend(client, story, ada, cem.id)).status_code == 201
    assert ("delegation.ended", "expired") in [
        (event, data.get("ending")) for event, data in await story.told(bo)
    ]


async def test_the_taker_may_give_a_voice_back_and_nobody_else_ends_it(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")
    delegation_id = (await lend(client, story, ada, bo.id)).json()["id"]
    path = f"/v1/delegations/{delegation_id}/revoke"

    assert slug(await take(client, cem, path)) == "no-such-delegation"
    assert (await take(client, bo, path)).json()["ending"] == "returned"
    assert slug(await take(client, ada, path)) == "no-such-delegation"
    assert slug(await take(client, ada, f"/v1/delegations/{new_id()}/revoke")) == (
        "no-such-delegation"
    )


async def test_a_voice_comes_back_when_it_expires_or_one_of_the_two_leaves_and_both_are_told(
    story: Story, owner: asyncpg.Connection
) -> None:
    ada, bo, cem, dia, eli = await seat(owner, "Ada", "Bo", "Cem", "Dia", "Eli")
    await story.lend(ada, eli, lasts=timedelta(hours=1))
    await story.lend(bo, dia)
    await story.lend(cem, eli)
    await story.lend(eli, bo)
    story.clock.pass_time(3600)
    await leave(owner, dia, at=story.clock.now())
    await leave(owner, cem, at=story.clock.now())

    assert await return_voices(story) == 3
    assert await return_voices(story) == 0
    for giver, taker, ending in (
        (ada, eli, "expired"),
        (bo, dia, "taker_left"),
        (cem, eli, "giver_left"),
    ):
        for person in (giver, taker):
            told = [(event, data.get("ending")) for event, data in await story.told(person)]
            assert ("delegation.ended", ending) in told


async def test_a_voice_comes_back_to_a_giver_whose_taker_left_so_that_she_can_vote(
    story: Story, owner: asyncpg.Connection
) -> None:
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")
    await story.lend(ada, bo)
    proposal = await story.open_text()
    await leave(owner, bo, at=story.clock.now())
    await return_voices(story)
    await story.lend(ada, cem)
    await story.cast(proposal, cem, "yes")

    assert said(await story.count(proposal)) == (2, 0, 0)


async def test_my_delegations_are_those_i_gave_and_took_with_names_in_pages(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")
    await story.lend(ada, bo)
    await story.lend(bo, cem)
    await story.lend(cem, ada)

    first = (await client.get("/v1/me/delegations?limit=1", headers=ada.headers)).json()
    cursor = first["next_cursor"]
    rest = (await client.get(f"/v1/me/delegations?cursor={cursor}", headers=ada.headers)).json()

    lines = [(d["giver_name"], d["taker_name"]) for d in first["items"] + rest["items"]]
    assert lines == [("Cem", "Ada"), ("Ada", "Bo")]
    assert rest["next_cursor"] is None


async def test_concentration_warns_of_who_holds_many_and_never_names_a_giver(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    people = await seat(owner, *(f"Member {number}" for number in range(50)))
    for giver in people[1:3]:
        await story.lend(giver, people[0])  # 3 of 48 are above 5 %
    await story.lend(people[3], people[4])  # 2 of 48 are not
    await story.lend(people[5], people[6])
    await story.lend(people[6], people[5])  # nobody speaks for these

    answer = await client.get("/v1/delegations/concentration?topic=text", headers=people[9].headers)

    shown = answer.json()
    assert (shown["members"], shown["lent"], shown["unheard"]) == (50, 3, 2)
    assert [(h["name"], h["voices"], h["is_over_cap"]) for h in shown["holders"]] == [
        ("Member 0", 3, True),
        ("Member 4", 2, False),
    ]
    assert shown["largest_share_bp"] == 625  # 3 of the 48 that are heard
    # 43 speak for themselves, one for 2 and one for 3: 2 * 1169 / (45 * 48) - 46 / 45.
    assert shown["gini_bp"] == 601
    for giver in people[1:4]:
        assert str(giver.id) not in answer.text


async def test_concentration_is_nothing_where_nobody_lent_and_is_shown_to_members_alone(
    story: Story, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    [ada] = await seat(owner, "Ada")
    stranger = await make_member(owner, now=story.clock.now())
    path = "/v1/delegations/concentration?topic=choice"

    shown = (await client.get(path, headers=ada.headers)).json()

    assert (shown["lent"], shown["gini_bp"], shown["holders"]) == (0, 0, [])
    assert slug(await client.get(path, headers=stranger.headers)) == "not-in-the-register"
