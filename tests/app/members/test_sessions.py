"""A session lasts as long as its tokens rotate, and its end is felt at once."""

import asyncio
from collections import Counter
from uuid import UUID

import asyncpg
import httpx

from app.foundation.database import Database
from app.members import service
from app.members.access import Actor
from app.settings import Settings
from tests.app.members.phone import Phone, bearer
from tests.conftest import StandingClock
from tests.factories import make_member


async def status_of_me(client: httpx.AsyncClient, access_token: str) -> int:
    return (await client.get("/v1/me", headers=bearer(access_token))).status_code


async def test_refreshing_replaces_both_tokens(phone: Phone, client: httpx.AsyncClient) -> None:
    old = await phone.sign_in()
    answer = await phone.refresh(old["refresh_token"])

    assert answer.status_code == 200
    new = answer.json()
    assert await status_of_me(client, old["access_token"]) == 401
    assert await status_of_me(client, new["access_token"]) == 200
    assert new["member_id"] == old["member_id"]


async def test_a_refresh_token_used_twice_ends_the_session(
    phone: Phone, client: httpx.AsyncClient
) -> None:
    old = await phone.sign_in()
    new = (await phone.refresh(old["refresh_token"])).json()
    reused = await phone.refresh(old["refresh_token"])

    assert reused.status_code == 401
    assert reused.json()["type"] == "/problems/refresh-refused"
    assert await status_of_me(client, new["access_token"]) == 401
    assert (await phone.refresh(new["refresh_token"])).status_code == 401


async def test_a_refresh_token_of_many_generations_ago_ends_the_session_too(
    phone: Phone, client: httpx.AsyncClient
) -> None:
    first = await phone.sign_in()
    newest = first
    for _ in range(3):
        newest = (await phone.refresh(newest["refresh_token"])).json()
    assert (await phone.refresh(first["refresh_token"])).status_code == 401

    assert await status_of_me(client, newest["access_token"]) == 401


async def test_an_invented_refresh_token_ends_nobodys_session(
    phone: Phone, client: httpx.AsyncClient
) -> None:
    tokens = await phone.sign_in()
    session, _, proof = tokens["refresh_token"].split(".")
    for invented in (f"{session}.invented.{proof}", f"{session}.invented", "nonsense", "ü.ü.ü"):
        assert (await phone.refresh(invented)).status_code == 401

    assert await status_of_me(client, tokens["access_token"]) == 200


async def test_of_two_refreshes_at_once_one_wins_and_the_session_ends(phone: Phone) -> None:
    tokens = await phone.sign_in()
    answers = await asyncio.gather(*(phone.refresh(tokens["refresh_token"]) for _ in range(2)))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 1}
    new = next(answer.json() for answer in answers if answer.status_code == 200)
    assert (await phone.refresh(new["refresh_token"])).status_code == 401


async def test_tokens_end_with_their_time(
    phone: Phone, client: httpx.AsyncClient, clock: StandingClock, settings: Settings
) -> None:
    tokens = await phone.sign_in()
    clock.pass_time(settings.access_token_s)
    assert await status_of_me(client, tokens["access_token"]) == 401

    clock.pass_time(settings.refresh_token_s)
    assert (await phone.refresh(tokens["refresh_token"])).status_code == 401


async def test_signing_out_takes_effect_at_the_next_request_and_is_told(
    phone: Phone, client: httpx.AsyncClient, database: Database
) -> None:
    tokens, other = await phone.sign_in(), await phone.sign_in()
    answer = await client.post("/v1/sign-out", headers=bearer(tokens["access_token"]))

    assert answer.status_code == 200
    assert await status_of_me(client, tokens["access_token"]) == 401
    assert (await phone.refresh(tokens["refresh_token"])).status_code == 401
    assert await status_of_me(client, other["access_token"]) == 200
    events = await database.events_after([(UUID(tokens["member_id"]), 0)])
    session = tokens["refresh_token"].split(".")[0]
    assert [(e.type, e.data) for e in events] == [("member.signed_out", {"session_id": session})]


async def test_signing_out_everywhere_ends_every_session(
    phone: Phone, client: httpx.AsyncClient, database: Database
) -> None:
    sessions = [await phone.sign_in() for _ in range(3)]
    answer = await client.post(
        "/v1/sign-out-everywhere", headers=bearer(sessions[0]["access_token"])
    )

    assert answer.json() == {"sessions_ended": 3}
    for tokens in sessions:
        assert await status_of_me(client, tokens["access_token"]) == 401
    events = await database.events_after([(UUID(sessions[0]["member_id"]), 0)])
    assert [event.type for event in events] == ["member.signed_out"] * 3


async def test_nobody_is_let_in_without_a_token(client: httpx.AsyncClient) -> None:
    for headers in ({}, bearer(""), bearer("invented"), {"Authorization": "Basic eA=="}):
        answer = await client.get("/v1/me", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_members_say_their_name_and_language(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    ada = await make_member(owner, now=clock.now(), name="Ada")
    changed = await client.patch("/v1/me", json={"language": "de-LI"}, headers=ada.headers)
    assert (changed.json()["name"], changed.json()["language"]) == ("Ada", "de-LI")

    for refused in ({"phone": "+4232345678"}, {"name": "A\x00B"}, {"name": " "}, {"language": "?"}):
        answer = await client.patch("/v1/me", json=refused, headers=ada.headers)
        assert answer.status_code == 422, refused


async def test_a_socket_ticket_works_once_and_for_its_session(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
) -> None:
    ada = await make_member(owner, now=clock.now())
    answer = await client.post("/v1/socket-tickets", headers=ada.headers)
    assert answer.status_code == 201
    ticket = answer.json()["ticket"]
    assert ticket not in str(await owner.fetch("select * from socket_ticket"))

    async def redeem() -> Actor | None:
        async with database.transaction() as tx:
            return await service.redeem_ticket(tx, ticket=ticket, now=clock.now())

    actors = await asyncio.gather(*(redeem() for _ in range(5)))
    found = [actor for actor in actors if actor is not None]
    assert len(found) == 1
    assert (found[0].member_id, found[0].session_id) == (ada.id, ada.session_id)


async def test_a_socket_ticket_ends_after_thirty_seconds_and_with_its_session(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
) -> None:
    ada = await make_member(owner, now=clock.now())
    old, fresh = [
        (await client.post("/v1/socket-tickets", headers=ada.headers)).json()["ticket"]
        for _ in range(2)
    ]
    clock.pass_time(30)
    async with database.transaction() as tx:
        assert await service.redeem_ticket(tx, ticket=old, now=clock.now()) is None
    clock.pass_time(-1)
    assert (await client.post("/v1/sign-out", headers=ada.headers)).status_code == 200
    async with database.transaction() as tx:
        assert await service.redeem_ticket(tx, ticket=fresh, now=clock.now()) is None


async def test_live_sessions_are_those_that_neither_ended_nor_belong_to_a_suspended_member(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
) -> None:
    ada, bo, eve = [await make_member(owner, now=clock.now()) for _ in range(3)]
    await client.post("/v1/sign-out", headers=bo.headers)
    async with database.transaction() as tx:
        await service.suspend_member(
            tx, member_id=eve.id, by=ada.id, reason="a reason of tests", now=clock.now()
        )
    async with database.reading() as reader:
        asked = [ada.session_id, bo.session_id, eve.session_id]
        live = await service.live_sessions(reader, session_ids=asked, now=clock.now())
    assert live == {ada.session_id}
