"""Who gets in, who does not, and who has to leave."""

import json
from contextlib import AsyncExitStack

import asyncpg
import pytest
from websockets.exceptions import InvalidStatus

from app.foundation.ids import new_id
from app.members.roles import Role
from tests.app.realtime.phones import Server
from tests.conftest import StandingClock
from tests.factories import make_member


async def test_a_ticket_opens_one_socket_and_not_a_second(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    ticket = await server.ticket(person)
    async with server.silent() as first, server.silent() as second:
        await first.send(type="hello", ticket=ticket)
        assert (await first.hear())["type"] == "welcome"
        await second.send(type="hello", ticket=ticket)
        assert await second.close_code() == 4401
        assert await first.is_served()


async def test_a_ticket_is_too_old_after_half_a_minute(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    fresh, old = await server.ticket(person), await server.ticket(person)
    clock.pass_time(29)
    async with server.silent() as phone:
        await phone.send(type="hello", ticket=fresh)
        assert (await phone.hear())["type"] == "welcome"
    clock.pass_time(2)
    async with server.silent() as phone:
        await phone.send(type="hello", ticket=old)
        assert await phone.close_code() == 4401


@pytest.mark.parametrize(
    "first",
    [
        '{"type": "hello", "ticket": "invented"}',
        '{"type": "hello"}',
        '{"type": "hello", "ticket": "x", "resume_from": -1}',
        '{"type": "hello", "ticket": "x", "token": "y"}',
        '{"type": "ping"}',
        "not JSON",
        b"binary",
    ],
)
async def test_who_begins_with_anything_but_a_good_hello_is_sent_away(
    server: Server, first: str | bytes
) -> None:
    async with server.silent() as phone:
        await phone.connection.send(first)
        assert await phone.close_code() == 4401


async def test_who_says_no_hello_in_time_is_sent_away(server: Server) -> None:
    server.limit(hello_s=0.3)
    async with server.silent() as phone:
        assert await phone.close_code(within_s=2) == 4401


async def test_a_page_of_another_site_is_refused_before_the_socket_opens(server: Server) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with server.silent(origin="https://elsewhere.example"):
            pass
    async with server.silent(origin=f"http://127.0.0.1:{server.port}") as phone:
        await phone.connection.send("x")
        assert await phone.close_code() == 4401


async def test_suspension_closes_the_socket_at_once(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    server.limit(check_s=60)  # so that only the event can be what closes it
    person = await make_member(owner, now=clock.now())
    staff = await make_member(owner, Role.STAFF, now=clock.now())
    async with server.phone(person) as phone, server.phone(staff) as other:
        answer = await server.client.post(
            f"/v1/members/{person.id}/suspend",
            headers=staff.act,
            json={"reason": "Threatened a rider on Friday."},
        )
        assert answer.status_code < 300, answer.text
        assert await phone.close_code(within_s=2) == 4403
        assert await other.is_served()


async def test_a_suspension_that_nobody_was_told_of_closes_the_socket_within_5_seconds(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    staff = await make_member(owner, Role.STAFF, now=clock.now())
    async with server.phone(person) as phone:
        await owner.execute(
            "insert into suspension (id, member_id, by_member_id, reason, since)"
            " values ($1, $2, $3, 'straight in the database', $4)",
            new_id(),
            person.id,
            staff.id,
            clock.now(),
        )
        assert await phone.close_code(within_s=5) == 4403


async def test_signing_out_closes_the_sockets_of_that_session_only(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    server.limit(check_s=60)
    person = await make_member(owner, now=clock.now())
    other = await make_member(owner, now=clock.now())
    async with server.phone(person) as phone, server.phone(other) as stays:
        answer = await server.client.post("/v1/sign-out", headers=person.act)
        assert answer.status_code == 200, answer.text
        assert await phone.close_code(within_s=2) == 4403
        assert await stays.is_served()


async def test_the_sixth_socket_of_a_member_closes_the_first(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    async with AsyncExitStack() as stack:
        phones = [await stack.enter_async_context(server.phone(person)) for _ in range(5)]
        assert await phones[0].is_served()
        sixth = await stack.enter_async_context(server.phone(person))
        assert await phones[0].close_code() == 4409
        assert await phones[1].is_served()
        assert await sixth.is_served()


async def test_every_socket_is_told_when_the_program_stops(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    async with server.phone(person) as first, server.phone(person) as second:
        await server.app.state.realtime.stop()
        assert await first.close_code() == 1012
        assert await second.close_code() == 1012


async def test_the_welcome_says_how_far_the_stream_is(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    await server.tell(person, n=3)
    async with server.silent() as phone:
        await phone.connection.send(
            json.dumps({"type": "hello", "ticket": await server.ticket(person)})
        )
        welcome = await phone.hear()
        assert welcome["last_seq"] == 3
        assert welcome["server_time"] == "2026-05-22T15:00:00Z"
