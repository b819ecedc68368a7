"""The hand-out of events, without a socket: what happens between a question and its answer."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import pytest

from app.foundation.database import Database
from app.foundation.events import Event, LoggedEvent
from app.foundation.hints import Hints
from app.foundation.ids import new_id
from app.realtime.fan_out import BATCH, STREAMS, FanOut
from tests.conftest import FRIDAY_EVENING


@dataclass
class Ear:
    """A listener with room for `room` events that remembers what it heard."""

    stream_id: UUID
    seq: int = 0
    room: int = 10**6
    heard: list[int] = field(default_factory=list)

    def deliver(self, events: list[LoggedEvent]) -> None:
        for event in events:
            if event.seq > self.seq and self.room > 0:
                self.heard.append(event.seq)
                self.seq = event.seq
                self.room -= 1


@pytest.fixture
async def fan_out(database: Database, hints: Hints) -> FanOut:
    """A fan-out whose rounds a test calls itself."""
    return FanOut(database, hints=hints, on_event=lambda _: None)


async def tell(database: Database, *streams: UUID, n: int = 1) -> None:
    async with database.transaction() as tx:
        for _ in range(n):
            tx.emit(Event("test.happened", streams), at=FRIDAY_EVENING)


async def test_a_listener_that_comes_during_a_round_misses_nothing(
    database: Database, fan_out: FanOut
) -> None:
    early = Ear(new_id(), seq=3)
    await tell(database, early.stream_id, n=5)
    fan_out.add(early)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fan_out.hand_out())
        await asyncio.sleep(0)  # the question is on its way: after number 3
        late = Ear(early.stream_id)
        fan_out.add(late)
    assert (early.heard, late.heard) == ([4, 5], [])
    await fan_out.hand_out()
    assert (early.heard, late.heard) == ([4, 5], [1, 2, 3, 4, 5])


async def test_a_full_listener_holds_nobody_up_and_gets_the_rest_when_it_has_room(
    database: Database, fan_out: FanOut
) -> None:
    full, free = Ear(new_id(), room=2), Ear(new_id())
    free.stream_id = full.stream_id
    await tell(database, full.stream_id, n=4)
    fan_out.add(full)
    fan_out.add(free)
    await fan_out.hand_out()
    assert (full.heard, free.heard) == ([1, 2], [1, 2, 3, 4])
    await tell(database, full.stream_id)
    await fan_out.hand_out()
    assert (full.heard, free.heard) == ([1, 2], [1, 2, 3, 4, 5])
    full.room = 10
    fan_out.look_at(full.stream_id)
    await fan_out.hand_out()
    assert full.heard == [1, 2, 3, 4, 5]


async def test_what_a_round_that_was_given_up_did_not_tell_is_told_by_the_next(
    database: Database, fan_out: FanOut, owner: asyncpg.Connection
) -> None:
    ear = Ear(new_id())
    await tell(database, ear.stream_id)
    fan_out.add(ear)
    async with owner.transaction():
        await owner.execute("lock table event_log")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await fan_out.hand_out()
    assert ear.heard == []
    await fan_out.hand_out()
    assert ear.heard == [1]


async def test_a_hint_brings_news_within_a_moment(database: Database, fan_out: FanOut) -> None:
    ear = Ear(new_id())
    fan_out.add(ear)
    await fan_out.round()  # the sweep that is due at the start
    await tell(database, ear.stream_id)
    async with asyncio.timeout(0.5):
        await fan_out.round()
    assert ear.heard == [1]


async def test_a_stream_that_nobody_listens_to_is_not_fetched(
    database: Database, fan_out: FanOut
) -> None:
    ear = Ear(new_id())
    fan_out.add(ear)
    fan_out.remove(ear)
    await tell(database, ear.stream_id)
    assert not fan_out._dirty
    await fan_out.hand_out()
    assert ear.heard == []


async def test_a_long_history_and_many_streams_take_several_rounds(
    database: Database, fan_out: FanOut
) -> None:
    reader = Ear(new_id())
    await tell(database, reader.stream_id, n=2 * BATCH + 1)
    fan_out.add(reader)
    for heard in (BATCH, 2 * BATCH, 2 * BATCH + 1):
        await fan_out.hand_out()
        assert reader.heard == list(range(1, heard + 1))
    crowd = [Ear(new_id()) for _ in range(STREAMS + 1)]
    await tell(database, *(ear.stream_id for ear in crowd))
    for ear in crowd:
        fan_out.add(ear)
    await fan_out.hand_out()
    assert sum(len(ear.heard) for ear in crowd) == STREAMS
    await fan_out.hand_out()
    assert all(ear.heard == [1] for ear in crowd)
