"""The phones' own process: `python -m app.demo.phones plan.json`. It knows the public API alone.

Beside app.demo, the voter's client, the clock and the libraries it imports nothing of the program:
what the phones can do, everybody's telephone can.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from app.demo.api_client import Api, Member, open_api
from app.demo.assembly import Assembly
from app.demo.driver_phone import DriverPhone
from app.demo.journal import Journal
from app.demo.plan import Outcome, Plan, Seen, read_json, write_json
from app.demo.rider_phone import RiderPhone
from app.demo.street import Traffic
from app.demo.text_messages import TextMessages

PROGRESS_S = 0.4  # real seconds
AT_ONCE = 8  # phones that sign in, or are asked, at the same time
HOMEWARD_S = 30 * 60.0  # simulated seconds in which the last riders are brought home
LATE_ASSEMBLY_S = 15.0  # real seconds that an assembly may end after the last rider is home


class Crowd:
    """All phones of the city."""

    def __init__(self, api: Api, plan: Plan) -> None:
        self.seen = Seen()
        self._api = api
        self._plan = plan
        self._clock = api.clock
        traffic = Traffic()
        self._riders = [
            RiderPhone(api, planned, seen=self.seen, traffic=traffic) for planned in plan.riders
        ]
        self._drivers = [
            # Each decides by dice of its own, whoever else is asked before.
            DriverPhone(
                api,
                planned,
                seen=self.seen,
                traffic=traffic,
                random=Random(f"{plan.seed} {planned.phone}"),  # noqa: S311 - a simulation
            )
            for planned in plan.drivers
        ]
        self._staff = Member(api, phone=plan.staff_phone)
        phones = {phone.member.phone: phone.member for phone in self._phones}
        self._assembly = (
            Assembly(api, plan, plan.assembly, members=phones) if plan.assembly else None
        )

    async def live(self) -> Outcome:
        """Live through the planned time; return what was seen and what did not stand at the end."""
        async with _telling(self._look, self._plan):
            await self._join()
            self.seen.phase = "waiting for the hour to begin"
            async with asyncio.TaskGroup() as group:
                work = [group.create_task(driver.run()) for driver in self._drivers]
                opened_at, late_s = await self._open()
                self.seen.phase = "the city is open"
                riders = [group.create_task(rider.run(late_s=late_s)) for rider in self._riders]
                voting = self._assembly and group.create_task(self._assembly.play(self._staff))
                await self._see_all_home(riders, late_s=late_s)
                if voting:
                    await self._see_it_end(voting)
                for task in work:
                    task.cancel()
            self.seen.phase = "checking what was acknowledged"
            await _few_at_once(driver.end_shift() for driver in self._drivers)
            await _few_at_once(journal.check() for journal in self._journals)
        return self._outcome(opened_at=opened_at)

    @property
    def _journals(self) -> list[Journal]:
        return [phone.journal for phone in self._phones]

    @property
    def _phones(self) -> list[RiderPhone | DriverPhone]:
        return [*self._riders, *self._drivers]

    def _look(self) -> Seen:
        """Return what was seen until now."""
        self.seen.repeats = self._api.repeats
        self.seen.reconnects = sum(max(phone.line.reconnects, 0) for phone in self._phones)
        if self._assembly is not None:
            self.seen.assembly = self._assembly.in_words()
        return self.seen

    async def _join(self) -> None:
        """Every driver is admitted by the staff member's phone and on shift."""
        staff = self._staff
        await staff.sign_in()

        async def join(driver: DriverPhone) -> None:
            application = await driver.join(papers_until=self._plan.papers_until)
            await staff.act(f"/v1/driver-applications/{application}/admit")
            await driver.start_shift()
            self.seen.signed_up += 1

        await _few_at_once(join(driver) for driver in self._drivers)

    async def _open(self) -> tuple[datetime, float]:
        """Wait for the hour; return when it began, and how much too late that was."""
        wait_s = (self._plan.opens_at - self._clock.now()).total_seconds()
        await self._clock.sleep(max(wait_s, 0.0))
        return self._clock.now(), max(-wait_s, 0.0)

    async def _see_all_home(self, riders: list[asyncio.Task[None]], *, late_s: float) -> None:
        """Wait until each rider has had their ride, and its driver knows that it is over."""
        if not riders:
            return
        last = max(planned.requests_at for planned in self._plan.riders)
        until_last_s = (last - self._clock.now()).total_seconds() + late_s
        _, left = await asyncio.wait(riders, timeout=max(until_last_s, 0) / self._clock.speed)
        if left:
            self.seen.phase = "the last riders are brought home"
            _, left = await asyncio.wait(left, timeout=HOMEWARD_S / self._clock.speed)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        for rider in self._riders:
            rider.give_up()
        end_s = time.monotonic() + 10
        while not all(driver.is_free for driver in self._drivers) and time.monotonic() < end_s:  # noqa: ASYNC110 - many flags
            await asyncio.sleep(0.05)

    async def _see_it_end(self, voting: asyncio.Task[None]) -> None:
        """Wait a little for an assembly that was held up."""
        _, left = await asyncio.wait([voting], timeout=LATE_ASSEMBLY_S)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    def _outcome(self, *, opened_at: datetime) -> Outcome:
        waits = [rider.pickup_wait_s for rider in self._riders]
        return Outcome(
            seen=self.seen,
            pickup_wait_s=tuple(wait_s for wait_s in waits if wait_s is not None),
            opened_at=opened_at,
            acknowledged=self._api.acknowledged,
            lost=tuple(line for journal in self._journals for line in journal.lost),
            doubled=tuple(line for journal in self._journals for line in journal.doubled),
            events=sum(phone.line.heard for phone in self._phones),
            refusals=dict(self._api.refusals),
            assembly=self._assembly.seen if self._assembly else None,
        )


async def _few_at_once(calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Every call has ended; a few run at the same time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(call: Coroutine[Any, Any, None]) -> None:
        async with gate:
            await call

    async with asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(one(call))


@asynccontextmanager
async def _telling(look: Callable[[], Seen], plan: Plan) -> AsyncIterator[None]:
    """Keep the progress file new while the block runs."""

    async def tell() -> None:
        while True:
            await asyncio.to_thread(write_json, plan.progress_path, look())
            await asyncio.sleep(PROGRESS_S)

    async with asyncio.TaskGroup() as group:
        telling = group.create_task(tell())
        yield
        telling.cancel()


async def run_phones(plan: Plan) -> None:
    """The plan's result file says what became of it all."""
    texts = TextMessages(Path(plan.sms_file))
    async with open_api(plan.base_url, clock=plan.clock, texts=texts) as api:
        outcome = await Crowd(api, plan).live()
    await asyncio.to_thread(write_json, plan.result_path, outcome)


if __name__ == "__main__":
    asyncio.run(run_phones(read_json(Path(sys.argv[1]), Plan)), loop_factory=uvloop.new_event_loop)
