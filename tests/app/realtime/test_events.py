"""Every member hears each event of their stream once, in order, whatever breaks in between."""

import asyncio
import random
import socket
from contextlib import suppress
from datetime import datetime

import asyncpg
from websockets.exceptions import ConnectionClosed

from tests.app.realtime.phones import Server, until
from tests.conftest import StandingClock
from tests.factories import Person, make_member


async def log_events(
    owner: asyncpg.Connection, person: Person, *, n: int, now: datetime, size: int = 0
) -> None:
    """Log events behind the program's back: it gets no hint of them."""
    await owner.execute(
        "select append_events(array_fill($1::uuid, array[$3::int]),"
        " array_fill('test.happened'::text, array[$3::int]),"
        " array_fill(jsonb_build_object('padding', repeat('x', $4::int)), array[$3::int]),"
        " array_fill($2::timestamptz, array[$3::int]))",
        person.id,
        now,
        n,
        size,
    )


async def test_events_come_in_order_to_those_whom_they_concern_only(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    ada, bo = await make_member(owner, now=clock.now()), await make_member(owner, now=clock.now())
    async with server.phone(ada) as phone, server.phone(ada) as tablet, server.phone(bo) as other:
        await server.tell(ada, n=3)
        for device in (phone, tablet):
            heard = [await device.hear("event") for _ in range(3)]
            assert [event["seq"] for event in heard] == [1, 2, 3]
            assert [event["data"]["n"] for event in heard] == [0, 1, 2]
        assert await other.hears_nothing("event", for_s=0.3)


async def test_an_event_is_heard_although_its_hint_is_lost(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    async with server.phone(person) as phone:
        await log_events(owner, person, n=1, now=clock.now())
        assert (await phone.hear("event", within_s=2))["seq"] == 1


async def test_resuming_after_fifty_broken_connections_leaves_no_gap_and_repeats_nothing(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    chance = random.Random(7)
    heard: list[int] = []
    total = 400

    async def tell_steadily() -> None:
        for number in range(total):
            await server.tell(person, start=number)
            await asyncio.sleep(0.002)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(tell_steadily())
        for _ in range(50):
            async with server.phone(person, resume_from=heard[-1] if heard else 0) as phone:
                heard += await phone.hear_numbers(chance.randint(0, 12))
                phone.cut()
    async with server.phone(person, resume_from=heard[-1] if heard else 0) as phone:
        while len(heard) < total:
            heard.append((await phone.hear("event"))["seq"])
        assert await phone.hears_nothing("event", for_s=0.3)
    assert heard == list(range(1, total + 1))


async def test_who_missed_more_than_the_queue_holds_still_gets_everything(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    server.limit(outbox=16)
    person = await make_member(owner, now=clock.now())
    await log_events(owner, person, n=1000, now=clock.now())
    async with server.phone(person, resume_from=0) as phone:
        async with asyncio.timeout(8):  # room is noticed at once, not by the sweep each second
            heard = [(await phone.hear("event"))["seq"] for _ in range(1000)]
        assert await phone.is_served()
    assert heard == list(range(1, 1001))


async def test_two_devices_at_different_places_of_one_stream_each_get_only_their_own_rest(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    await log_events(owner, person, n=6, now=clock.now())
    fan_out = server.app.state.realtime.fan_out
    async with server.phone(person) as ahead, server.phone(person) as behind:
        first, second = server.app.state.realtime._connections[person.id]
        first.seq, second.seq = 4, 1
        fan_out.look_at(person.id)
        assert [(await behind.hear("event"))["seq"] for _ in range(5)] == [2, 3, 4, 5, 6]
        assert [(await ahead.hear("event"))["seq"] for _ in range(2)] == [5, 6]


async def test_an_unknown_number_is_answered_by_resync_and_the_stream_goes_on(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    await server.tell(person, n=2)
    async with server.phone(person, resume_from=3) as phone:
        assert await phone.hear() == {"type": "resync", "last_seq": 2}
        await server.tell(person)
        assert (await phone.hear("event"))["seq"] == 3


async def test_a_history_that_is_no_longer_kept_is_answered_by_resync(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    await server.tell(person, n=4)
    await owner.execute(
        "set session_replication_role = replica; delete from event_log where seq <= 2;"
        " set session_replication_role = origin"
    )
    async with server.phone(person, resume_from=1) as phone:
        assert await phone.hear() == {"type": "resync", "last_seq": 4}
    async with server.phone(person, resume_from=2) as phone:
        assert [(await phone.hear())["seq"] for _ in range(2)] == [3, 4]


async def test_a_gap_in_what_is_kept_is_told_before_the_stream_goes_on(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    async with server.phone(person) as phone:
        async with owner.transaction():
            await log_events(owner, person, n=3, now=clock.now())
            await owner.execute("set local session_replication_role = replica")
            await owner.execute("delete from event_log where seq <= 2")
        assert await phone.hear() == {"type": "resync", "last_seq": 2}
        assert (await phone.hear())["seq"] == 3


async def test_without_a_number_only_what_happens_from_now_on_is_told(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    await server.tell(person, n=5)
    async with server.phone(person) as phone:
        await server.tell(person)
        assert (await phone.hear())["seq"] == 6


async def test_who_does_not_read_is_closed_while_another_reader_hears_everything(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    server.limit(slow_s=1.0, close_s=5.0)
    person = await make_member(owner, now=clock.now())
    # Buffers of a fixed size, and one frame read ahead: the rest is up to the sleeper.
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    narrow.connect(("127.0.0.1", server.port))
    heard: list[int] = []
    async with (
        server.phone(person, sock=narrow, max_queue=1) as sleeper,
        server.phone(person) as reader,
    ):
        await log_events(owner, person, n=1000, size=12_000, now=clock.now())
        while len(heard) < 1000:
            heard.append((await reader.hear("event"))["seq"])
        await asyncio.sleep(2.2)
        assert await sleeper.close_code() == 1013
        assert await reader.is_served()
    assert heard == list(range(1, 1001))


async def test_sockets_stay_open_while_the_database_is_away_and_go_on_when_it_is_back(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    async with server.phone(person) as phone:
        for _ in range(3):
            await owner.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'meent'"
            )
            await asyncio.sleep(0.1)
        await log_events(owner, person, n=1, now=clock.now())
        assert (await phone.hear("event"))["seq"] == 1
        assert await phone.is_served()


async def test_a_member_who_left_is_forgotten(
    server: Server, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    person = await make_member(owner, now=clock.now())
    async with server.phone(person) as phone:
        phone.cut()
        with suppress(ConnectionClosed):
            await phone.connection.recv()
    await until(lambda: not server.app.state.realtime._connections)
    assert not server.app.state.realtime.fan_out._listeners
