"""What waits for one socket: a bounded queue of frames, and of positions only the newest."""

import asyncio
from time import monotonic

from app.foundation.ids import new_id
from app.realtime.outbox import Outbox


async def test_frames_leave_in_the_order_in_which_they_came() -> None:
    outbox = Outbox(limit=3)
    assert [outbox.put(text) for text in "abc"] == [True] * 3
    assert [await outbox.take() for _ in range(3)] == ["a", "b", "c"]


async def test_a_full_outbox_takes_no_frame_and_drops_none() -> None:
    outbox = Outbox(limit=2)
    assert [outbox.put(text) for text in "abc"] == [True, True, False]
    assert outbox.room == 0
    assert await outbox.take() == "a"
    assert outbox.put("d")
    assert [await outbox.take() for _ in range(2)] == ["b", "d"]


async def test_a_newer_position_of_a_ride_takes_the_place_of_the_one_that_waits() -> None:
    outbox = Outbox(limit=1)
    one, two = new_id(), new_id()
    for step in range(100):
        outbox.put_position(one, f"one {step}")
        outbox.put_position(two, f"two {step}")
    assert outbox.put("event")
    assert [await outbox.take() for _ in range(3)] == ["event", "one 99", "two 99"]


async def test_who_takes_from_an_empty_outbox_waits_for_what_comes() -> None:
    outbox = Outbox(limit=1)
    async with asyncio.TaskGroup() as tasks:
        taken = tasks.create_task(outbox.take())
        await asyncio.sleep(0)
        assert not taken.done()
        outbox.put("a")
    assert taken.result() == "a"


async def test_a_frame_counts_as_waiting_until_it_is_sent() -> None:
    outbox = Outbox(limit=2)
    assert outbox.waiting_s(monotonic() + 9) == 0
    outbox.put("a")
    assert 8 < outbox.waiting_s(monotonic() + 9) < 10
    await outbox.take()  # and the send hangs
    assert 8 < outbox.waiting_s(monotonic() + 9) < 10
    outbox.put("b")
    await outbox.take()  # so the first one went
    outbox.put_position(new_id(), "c")
    await outbox.take()
    assert 8 < outbox.waiting_s(monotonic() + 9) < 10


async def test_replacing_a_position_does_not_hide_how_long_nothing_was_read() -> None:
    outbox = Outbox(limit=1)
    ride_id = new_id()
    outbox.put_position(ride_id, "a")
    before_s = outbox.waiting_s(monotonic() + 9)
    await asyncio.sleep(0.02)
    outbox.put_position(ride_id, "b")
    assert outbox.waiting_s(monotonic() + 9) > before_s + 0.01
