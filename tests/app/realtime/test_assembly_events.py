"""What concerns all members reaches every socket, numbered for itself, beside one's own events."""

from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from fastapi import FastAPI

from app.assembly.stream import ASSEMBLY_STREAM
from app.foundation.events import Event, LoggedEvent
from app.realtime import messages
from app.realtime.assembly_feed import AssemblyFeed
from tests.app.assembly.proposals.stories import deliberate, join_register
from tests.app.realtime.phones import Phone, Server
from tests.conftest import FRIDAY_EVENING
from tests.factories import Person, make_driver, make_member


async def tell_all(app: FastAPI, *, n: int = 1) -> None:
    for number in range(n):
        async with app.state.database.transaction() as tx:
            data = {"n": number}
            tx.emit(Event("test.decided", (ASSEMBLY_STREAM,), data), at=FRIDAY_EVENING)


async def numbers(phone: Phone, n: int) -> list[int]:
    return [(await phone.hear("assembly_event"))["seq"] for _ in range(n)]


async def resumed(server: Server, person: Person, phone: Phone, seq: int) -> dict[str, object]:
    await phone.send(type="hello", ticket=await server.ticket(person), resume_assembly_from=seq)
    return await phone.hear("welcome")


async def test_riders_and_drivers_hear_how_a_proposal_goes_on(
    server: Server, owner: asyncpg.Connection
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    driver = await make_driver(owner, now=FRIDAY_EVENING)
    async with server.phone(rider) as first, server.phone(driver) as second:
        address, _ = await deliberate(server.client, owner, await join_register(owner))

        for phone in (first, second):
            heard = [await phone.hear("assembly_event") for _ in range(2)]
            assert [each["event"] for each in heard] == [
                "proposal.submitted",
                "proposal.deliberation_began",
            ]
            assert heard[1]["data"]["proposal_id"] == address.rpartition("/")[2]
            assert [each["seq"] for each in heard] == [1, 2]


async def test_the_assemblys_numbers_leave_no_gap_in_ones_own(
    server: Server, owner: asyncpg.Connection
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    async with server.phone(rider) as phone:
        await tell_all(server.app)
        await server.tell(rider)
        await tell_all(server.app)
        await server.tell(rider)

        heard = [await phone.hear() for _ in range(4)]

    own = [each["seq"] for each in heard if each["type"] == "event"]
    shared = [each["seq"] for each in heard if each["type"] == "assembly_event"]
    assert (own, shared) == ([1, 2], [1, 2])


async def test_who_comes_back_gets_each_assembly_event_that_was_missed_once(
    server: Server, owner: asyncpg.Connection
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    await tell_all(server.app, n=3)
    async with server.silent() as phone:
        assert (await resumed(server, rider, phone, 1))["assembly_last_seq"] == 3
        await tell_all(server.app)
        assert await numbers(phone, 3) == [2, 3, 4]
    async with server.phone(rider) as newcomer:
        await tell_all(server.app)
        assert await numbers(newcomer, 1) == [5]


async def test_where_the_history_is_gone_a_resync_says_so(
    server: Server, owner: asyncpg.Connection
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    await tell_all(server.app, n=3)
    await owner.execute(
        "set session_replication_role = replica; delete from event_log where seq <= 2;"
        " set session_replication_role = origin"
    )
    async with server.silent() as phone:
        await resumed(server, rider, phone, 1)
        assert await phone.hear() == {"type": "assembly_resync", "last_seq": 3}
        await tell_all(server.app)
        assert await numbers(phone, 1) == [4]


async def test_a_slow_reader_gets_what_did_not_fit_as_soon_as_there_is_room(
    server: Server, owner: asyncpg.Connection
) -> None:
    server.limit(outbox=8)
    rider = await make_member(owner, now=FRIDAY_EVENING)
    async with server.phone(rider) as phone:
        await tell_all(server.app, n=40)
        assert await numbers(phone, 40) == list(range(1, 41))


@dataclass
class Line:
    """A socket with so much room."""

    room: int
    queued: list[messages.FromServer] = field(default_factory=list)

    def offer(self, message: messages.FromServer, *, of: UUID) -> bool:
        assert of == ASSEMBLY_STREAM
        if self.room:
            self.room -= 1
            self.queued.append(message)
            return True
        return False


def test_a_gap_in_the_stream_is_told_before_what_follows_it_and_only_once() -> None:
    line = Line(room=1)
    feed = AssemblyFeed(line, seq=2)
    late = [LoggedEvent(ASSEMBLY_STREAM, 6, "test.decided", FRIDAY_EVENING, {})]

    feed.deliver(late)  # There is room for the resync alone.
    line.room = 5
    feed.deliver(late)
    feed.deliver(late)

    assert [type(each) for each in line.queued] == [messages.AssemblyResync, messages.AssemblyEvent]
    assert line.queued[0] == messages.AssemblyResync(last_seq=5)
    assert feed.seq == 6
