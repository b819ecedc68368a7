"""A driver's phone: joins, goes on shift, says where it is, takes offers and drives the rides."""

import asyncio
from contextlib import suppress
from datetime import date, datetime
from random import Random
from typing import Any

from app.demo.api_client import Api, Member, NoAnswerError, RefusedError, new_key
from app.demo.journal import Journal
from app.demo.plan import PlannedDriver, Seen
from app.demo.socket_line import SocketLine
from app.demo.street import Car, Traffic, Way
from matching.travel import Point

# Simulated seconds. A position older than 30 is of no use to dispatch.
DRIVING_PACE_S, IDLE_PACE_S = 4.5, 10.0
THINKING_S = (1.5, 4.0)
BOARDING_S = 40.0
DECLINES, IGNORES = 0.04, 0.03
BY_HTTP = 0.2  # of the drivers' decisions; the rest go by socket
FOLLOWS = 0.5  # of the hints where to wait

_PAPERS = ("driving_licence", "passenger_insurance", "vehicle_inspection")


class DriverPhone:
    """One driver-member with a car."""

    def __init__(
        self, api: Api, planned: PlannedDriver, *, seen: Seen, traffic: Traffic, random: Random
    ) -> None:
        self.member = Member(api, phone=planned.phone)
        self.line = SocketLine(self.member, on_event=self._hear)
        self.journal = Journal(self.member, books_once=False, line=self.line)
        self.is_free = True
        self._planned = planned
        self._clock = api.clock
        self._seen = seen
        self._traffic = traffic
        self._random = random
        self._car = Car(planned.stands_at)
        self._offers: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=100)
        self._hinted = asyncio.Event()
        self._called_off: dict[str, asyncio.Event] = {}
        # Of a shared run: another rider joined it, or left it; an offer to join is being decided.
        self._run_changed = asyncio.Event()
        self._deciding = asyncio.Lock()

    async def join(self, *, papers_until: date) -> str:
        """Sign in and apply with a car and papers; return the application's id."""
        await self.member.sign_in()
        await self.member.change("/v1/me", {"name": self._planned.name})
        if self._planned.iban is not None:
            account = {"holder_name": self._planned.name, "iban": self._planned.iban}
            await self.member.put("/v1/me/bank-account", account)
        answer = await self.member.act(
            "/v1/driver-applications",
            {
                "vehicle": {
                    "make": "Skoda",
                    "model": "Enyaq",
                    "colour": "green",
                    "plate": self._planned.plate,
                    "seats": 4,
                },
                "documents": [
                    {"kind": kind, "number": "D-1", "expires_on": papers_until.isoformat()}
                    for kind in _PAPERS
                ],
            },
        )
        return str(answer["id"])

    async def start_shift(self) -> None:
        """Go on shift with the car."""
        await self.member.act("/v1/shifts")

    async def end_shift(self) -> None:
        """Go off shift, unless a rider still sits in the car.

        That there was no shift would mean that its acknowledged start was lost.
        """
        try:
            await self.member.act("/v1/shifts/current/end")
        except RefusedError as refused:
            if refused.slug != "ride-under-way":
                self.journal.lost.append(f"the shift of {self.member.id}: {refused.slug}")

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.line.run())
            group.create_task(self._report_positions())
            group.create_task(self._follow_hints())
            while True:
                offer = await self._offers.get()
                self.is_free = False
                try:
                    await self._consider(offer)
                except RefusedError:
                    pass  # Counted where it was refused; the next offer comes.
                finally:
                    self._called_off.pop(offer["ride_id"], None)
                    self.is_free = True

    def _hear(self, event: str, data: dict[str, Any]) -> None:
        if event == "offer.made":
            self._seen.offers += 1
            self._offers.put_nowait(data)
        elif event == "hint.given":
            self._hinted.set()
        elif event == "ride.cancelled":
            self._called_off.setdefault(data["ride_id"], asyncio.Event()).set()
            self._run_changed.set()

    async def _report_positions(self) -> None:
        # Drivers do not report in step.
        await self._clock.sleep(self._random.uniform(0, IDLE_PACE_S))
        while True:
            now = self._clock.now()
            here = self._car.where(now)
            await self.line.send({"type": "position", "lat": here.lat, "lng": here.lng, "at": now})
            await self._clock.sleep(DRIVING_PACE_S if self._car.is_driving else IDLE_PACE_S)

    async def _follow_hints(self) -> None:
        """Half the time drive to where waiting is better, until there is a ride."""
        while True:
            await self._hinted.wait()
            self._hinted.clear()
            self._seen.hints_given += 1
            with suppress(RefusedError, NoAnswerError):
                await self._follow_hint()

    async def _follow_hint(self) -> None:
        hint = (await self.member.get("/v1/me/hint"))["hint"]
        if hint is None or self._random.random() >= FOLLOWS:
            return
        place = Point(lat=hint["place"]["lat"], lng=hint["place"]["lng"])
        way = await self._way(self._car.where(self._clock.now()), place)
        if not self.is_free:
            return
        self._seen.hints_followed += 1
        drive_s = way.seconds(None)
        self._car.drive(way, began=self._clock.now(), drive_s=drive_s)
        await self._clock.sleep(drive_s)
        if self._car.is_on(way):
            self._car.stop(self._clock.now())

    async def _consider(self, offer: dict[str, Any]) -> None:
        if await self._says_yes(offer):
            await (self._share() if offer["shared"] else self._serve(offer))

    async def _says_yes(self, offer: dict[str, Any]) -> bool:
        """Think, answer or let it pass; return whether the ride is ours."""
        await self._clock.sleep(self._random.uniform(*THINKING_S))
        if datetime.fromisoformat(offer["expires_at"]) <= self._clock.now():
            return False  # It came late, after a broken line.
        mood = self._random.random()
        if mood < IGNORES:
            self._seen.ignored += 1
            return False
        if mood < IGNORES + DECLINES:
            if await self._decide(offer, "decline") is not None:
                self._seen.declined += 1
                self.journal.offer(offer["id"], state="declined")
            return False
        if await self._decide(offer, "accept") is None:
            return False
        self._seen.accepted += 1
        self.journal.ride(offer["ride_id"], state="assigned")
        return True

    async def _decide(self, offer: dict[str, Any], what: str) -> dict[str, Any] | None:
        """Return the answer to an acceptance or a refusal, or None where the offer is over.

        What got no reply by socket is repeated over HTTP under the same key: it acts once.
        """
        key = new_key()
        if self._random.random() >= BY_HTTP:
            asked = {"type": f"{what}_offer", "offer_id": offer["id"]}
            reply = await self.line.ask(asked, key=key)
            if reply is not None and reply["status"] < 300:
                self.member.api.acknowledged += 1
                body: dict[str, Any] = reply["body"]
                return body
        try:
            answer: dict[str, Any] = await self.member.act(
                f"/v1/offers/{offer['id']}/{what}", key=key
            )
        except RefusedError:
            return None
        return answer

    async def _serve(self, offer: dict[str, Any]) -> None:
        """Drive to the pickup, let the rider board, drive to the drop-off."""
        ride_id = offer["ride_id"]
        called_off = self._called_off.setdefault(ride_id, asyncio.Event())
        if not await self._drive_to(offer["pickup"], called_off=called_off):
            return
        await self._step(ride_id, "arrive")
        if not await self._wait(self._until_boarded_s(offer), called_off=called_off):
            return
        await self._step(ride_id, "start")
        drive_s = self._traffic.drive_s.get(ride_id, float(offer["duration_s"]))
        # Nobody calls off a ride under way.
        await self._drive_to(offer["dropoff"], called_off=asyncio.Event(), drive_s=drive_s)
        await self._complete(ride_id)

    async def _complete(self, ride_id: str) -> None:
        paid = await self._step(ride_id, "complete")
        self._seen.fare_minor += paid["fare_minor"]
        self._seen.commission_minor += paid["commission_minor"]
        self._seen.driver_net_minor += paid["driver_net_minor"]

    async def _share(self) -> None:
        """Drive a shared run to its end, stop by stop, whoever joins or calls off meanwhile."""
        async with asyncio.TaskGroup() as group:
            joining = group.create_task(self._let_join())
            while True:
                # Whoever is being answered now is part of the run, or is not, when it is read.
                async with self._deciding:
                    self._run_changed.clear()
                    stops = (await self.member.get("/v1/me/run"))["stops"]
                    if not stops:
                        joining.cancel()
                        return
                with suppress(RefusedError):  # Called off at that moment: the run says what now.
                    await self._make_stop(stops[0])

    async def _let_join(self) -> None:
        """Consider the offers that come while a shared run is under way."""
        while True:
            offer = await self._offers.get()
            async with self._deciding:
                if await self._says_yes(offer):
                    self._run_changed.set()

    async def _make_stop(self, stop: dict[str, Any]) -> None:
        """Drive to a stop and let its rider in or out; turn back to the run if that changes."""
        ride_id = stop["ride_id"]
        if stop["state"] != "arrived":
            if not await self._drive_to(stop["place"], called_off=self._run_changed):
                return
            if stop["kind"] == "dropoff":
                await self._complete(ride_id)
                return
            await self._step(ride_id, "arrive")
        called_off = self._called_off.setdefault(ride_id, asyncio.Event())
        if await self._wait(BOARDING_S, called_off=called_off):
            await self._step(ride_id, "start")

    def _until_boarded_s(self, offer: dict[str, Any]) -> float:
        """Return seconds from now; who booked ahead does not come before the time they wished."""
        if offer["pickup_from"] is None:
            return BOARDING_S
        early = datetime.fromisoformat(offer["pickup_from"]) - self._clock.now()
        return BOARDING_S + max(early.total_seconds(), 0.0)

    async def _step(self, ride_id: str, step: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self.member.act(f"/v1/rides/{ride_id}/{step}")
        self.journal.ride(ride_id, state=answer["state"])
        return answer

    async def _drive_to(
        self, place: dict[str, Any], *, called_off: asyncio.Event, drive_s: float | None = None
    ) -> bool:
        """Drive along the platform's way; False where the ride was called off before its end."""
        here = self._car.where(self._clock.now())
        way = await self._way(here, Point(lat=place["lat"], lng=place["lng"]))
        seconds = way.seconds(drive_s)
        began = self._clock.now()
        self._car.drive(way, began=began, drive_s=seconds)
        is_there = await self._wait(seconds, called_off=called_off)
        self._car.stop(self._clock.now())
        return is_there

    async def _way(self, start: Point, end: Point) -> Way:
        route = await self.member.get(
            "/v1/routes", from_lat=start.lat, from_lng=start.lng, to_lat=end.lat, to_lng=end.lng
        )
        return Way.from_route(route)

    async def _wait(self, seconds: float, *, called_off: asyncio.Event) -> bool:
        """Return True after so many simulated seconds, or False as soon as the ride is off."""
        try:
            async with asyncio.timeout(seconds / self._clock.speed):
                await called_off.wait()
        except TimeoutError:
            return True
        return False
