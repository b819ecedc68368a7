"""What a socket may send, and what becomes of the rest."""

import asyncio
import json

import asyncpg
import pytest

from app.foundation import metrics
from app.members.roles import Role
from tests.app.realtime.phones import Server
from tests.conftest import StandingClock
from tests.factories import make_driver, make_member

FIX = {"lat": 47.14, "lng": 9.52, "at": "2026-05-22T15:00:00Z"}
OFFER = "0190a1c2-7d3e-7c41-9a5b-0b6f6f1f2a3b"


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "not JSON",
        "null",
        "[" * 8000,
        '{"a":' * 3000,
        b"\x00\x01",
        '{"type": "nothing we know"}',
        '{"type": "hello", "ticket": "again"}',
        '{"type": "ping", "and": "more"}',
        '{"type": "ping", "id": "\\ud800"}',
        json.dumps({"type": "position", **FIX, "lat": 90.5}),
        json.dumps({"type": "position", **FIX, "lng": "9.52"}),
        json.dumps({"type": "position", **FIX, "at": "2026-05-22T15:00:00"}),
        '{"type": "position", "lat": NaN, "lng": 9, "at": "2026-05-22T15:00:00Z"}',
        json.dumps({"type": "positions", "items": []}),
        json.dumps({"type": "positions", "items": [FIX] * 101}),
        json.dumps({"type": "accept_offer", "offer_id": OFFER}),
        json.dumps({"type": "accept_offer", "id": "", "offer_id": OFFER}),
        json.dumps({"type": "accept_offer", "id": "nul\x00", "offer_id": OFFER}),
        json.dumps({"type": "accept_offer", "id": "a", "offer_id": "1"}),
    ],
)
async def test_a_frame_that_cannot_be_understood_is_answered_and_the_socket_kept(
    server: Server, owner: asyncpg.Connection, clock: StandingClock, frame: str | bytes
) -> None:
    person = await make_member(owner, now=clock.now())
    async with server.phone(person) as phone:
        await phone.connection.send(frame)
        told = await phone.hear()
        assert told["type"] == "problem"
        assert told["problem"]["type"] == "/problems/malformed-frame"
        assert told["problem"]["status"] == 400
        assert await phone.is_served()


async def test_a_problem_names_the_message_that_was_not_understood(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    async with server.phone(person) as phone:
        await phone.connection.send('{"type": "accept_offer", "id": "act-7", "offer_id": 1}')
        told = await phone.hear()
        assert told["in_reply_to"] == "act-7"
        assert "$.offer_id" in told["problem"]["detail"]


async def test_the_twentieth_malformed_frame_closes_the_socket(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    async with server.phone(person) as phone:
        for _ in range(19):
            await phone.connection.send("?")
            assert (await phone.hear())["type"] == "problem"
        assert await phone.is_served()
        await phone.connection.send("?")
        assert await phone.close_code() == 4400


async def test_a_frame_over_16_kib_closes_the_socket_and_one_below_does_not(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    async with server.phone(person) as phone:
        await phone.connection.send("x" * 16 * 1024)
        assert (await phone.hear())["type"] == "problem"
        await phone.connection.send("x" * (16 * 1024 + 1))
        assert await phone.close_code() == 1009


async def test_more_than_twenty_messages_a_second_pass_for_a_moment_but_not_for_long(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    async with server.phone(person) as steady, server.phone(person) as flood:
        for _ in range(50):
            await steady.send(type="ping")
        for _ in range(50):
            assert (await steady.hear())["type"] == "pong"
        for _ in range(90):
            await flood.send(type="ping")
        assert await flood.close_code() == 4429
        assert await steady.is_served()


async def test_who_is_silent_is_closed_and_who_sends_pings_is_not(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    server.limit(silent_s=1.0, heartbeat_s=0.4)
    person = await make_member(owner, now=clock.now())
    async with server.phone(person) as silent, server.phone(person) as lively:
        for _ in range(5):
            await asyncio.sleep(0.4)
            await lively.send(type="ping")
        assert await silent.close_code() == 4408
        assert await lively.is_served()


async def test_heartbeats_come_at_the_pace_that_the_welcome_promised(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    server.limit(heartbeat_s=0.2)
    person = await make_member(owner, now=clock.now())
    async with server.phone(person) as phone:
        beats = [await phone.hear() for _ in range(3)]
    assert beats == [{"type": "heartbeat", "at": "2026-05-22T15:00:00Z"}] * 3


async def test_an_act_is_answered_as_over_http_and_kept_under_its_id(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=clock.now())
    act = {"type": "accept_offer", "id": "act-1", "offer_id": OFFER}
    async with server.phone(driver) as phone:
        await phone.send(**act)
        first = await phone.hear("reply")
        assert (first["id"], first["status"]) == ("act-1", 409)
        assert first["body"]["type"] == "/problems/offer-no-longer-open"
        await phone.send(**act)
        assert await phone.hear("reply") == first
        await phone.send(**act | {"type": "decline_offer"})
        reused = await phone.hear("reply")
        assert reused["body"]["type"] == "/problems/idempotency-key-reused"
    again = await server.client.post(
        f"/v1/offers/{OFFER}/accept", headers=driver.headers | {"Idempotency-Key": "act-1"}
    )
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first["body"]


async def test_a_rider_takes_no_offers(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    rider = await make_member(owner, Role.RIDER, now=clock.now())
    async with server.phone(rider) as phone:
        reply = await phone.ask(type="accept_offer", offer_id=OFFER)
        assert reply["status"] == 403
        assert reply["body"]["type"] == "/problems/role-missing"


async def test_malformed_positions_are_counted(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=clock.now())
    counter = metrics.POSITIONS.labels("malformed")
    before = counter._value.get()
    async with server.phone(driver) as phone:
        await phone.connection.send(json.dumps({"type": "position", **FIX, "lat": 91}))
        await phone.hear("problem")
    assert counter._value.get() == before + 1
