"""A rider's phone: signs in, asks for a price, books, waits, is driven, and is gone."""

import asyncio
from datetime import timedelta
from typing import Any

from app.demo.api_client import Api, Member, NoAnswerError, RefusedError, new_key
from app.demo.journal import Journal
from app.demo.plan import PlannedRider, Seen
from app.demo.socket_line import SocketLine
from app.demo.street import Traffic
from matching.travel import Point

SIGNS_IN_EARLY_S = 45.0  # simulated, before the request
QUOTE_TRIES = 3  # a price expires while the platform is away

_STATE_TOLD = {
    "ride.search_began": "requested",
    "ride.assigned": "assigned",
    "ride.driver_arrived": "arrived",
    "ride.started": "under_way",
    "ride.completed": "completed",
    "ride.cancelled": "cancelled",
    "ride.no_driver_found": "no_driver",
    "ride.rider_did_not_come": "no_show",
}
_OVER = frozenset({"completed", "cancelled", "no_driver", "no_show"})


class RiderPhone:
    """One person, one wish, one ride."""

    def __init__(self, api: Api, planned: PlannedRider, *, seen: Seen, traffic: Traffic) -> None:
        self.member = Member(api, phone=planned.phone)
        self.line = SocketLine(self.member, on_event=self._hear)
        self.journal = Journal(self.member, books_once=True, line=self.line)
        self.pickup_wait_s: float | None = None
        self._planned = planned
        self._clock = api.clock
        self._seen = seen
        self._traffic = traffic
        self._state = ""
        self._asks_at = planned.books_at or planned.requests_at
        self._requested_at = planned.requests_at
        self._late_s = 0.0
        self._over = asyncio.Event()

    async def run(self, *, late_s: float) -> None:
        """Live this rider's part of the hour, which began `late_s` simulated seconds late."""
        self._late_s = late_s
        now = self._clock.now()
        due_s = (self._asks_at - now).total_seconds() + late_s
        await self._clock.sleep(max(due_s - SIGNS_IN_EARLY_S, 0))
        # A member of the assembly may be signed in already.
        await self.member.access_token()
        await self.member.change("/v1/me", {"name": self._planned.name})
        async with asyncio.TaskGroup() as group:
            line = group.create_task(self.line.run())
            now = self._clock.now()
            due_s = (self._asks_at - now).total_seconds() + late_s
            await self._clock.sleep(max(due_s, 0))
            await self._travel(group)
            line.cancel()

    async def _travel(self, group: asyncio.TaskGroup) -> None:
        self._seen.requested += 1
        self._requested_at = self._clock.now()
        try:
            ride = await self._book()
        except RefusedError:
            self._seen.refused += 1
            return
        if self._planned.drive_s is not None:
            self._traffic.drive_s[ride["id"]] = self._planned.drive_s
        self.journal.ride(ride["id"], state=ride["state"])
        if not self._state:
            self._stand(ride["state"])
        changes_mind = group.create_task(self._change_mind(ride["id"]))
        try:
            await self._over.wait()
        finally:
            changes_mind.cancel()

    async def _book(self) -> dict[str, Any]:
        """Return the booked ride; a price that has expired meanwhile is asked for again."""
        for left in reversed(range(QUOTE_TRIES)):
            quote = await self.member.act("/v1/quotes", self._wish())
            try:
                ride: dict[str, Any] = await self.member.act(
                    "/v1/rides", {"quote_id": quote["id"]}, key=new_key()
                )
            except RefusedError as refused:
                # This answer is final for its key: that price was not booked and never will be.
                if refused.slug != "quote-expired" or not left:
                    raise
            else:
                return ride
        raise AssertionError("the last try returns or raises")

    def _wish(self) -> dict[str, Any]:
        """Return from where to where, and for when if that is not now."""
        planned = self._planned
        wish: dict[str, Any] = {"pickup": _end(planned.pickup), "dropoff": _end(planned.dropoff)}
        if planned.shares:
            wish["shared"] = True
        if planned.books_at is not None:
            pickup_at = planned.requests_at + timedelta(seconds=self._late_s)
            wish["pickup_at"] = pickup_at.isoformat()
        return wish

    async def _change_mind(self, ride_id: str) -> None:
        if self._planned.cancels_after_s is None:
            return
        await self._clock.sleep(self._planned.cancels_after_s)
        try:
            answer = await self.member.act(
                f"/v1/rides/{ride_id}/cancel", {"reason": "plans changed"}
            )
        except (RefusedError, NoAnswerError):
            return  # Too late, the car is under way with us in it.
        self.journal.ride(ride_id, state=answer["state"])

    def _hear(self, event: str, data: dict[str, Any]) -> None:
        state = _STATE_TOLD.get(event)
        if state is None:
            return
        self.journal.ride(data["ride_id"], state=state)
        # Who booked ahead waits for the time they wished, not for the car.
        is_now = self._planned.books_at is None
        if state == "arrived" and self.pickup_wait_s is None and is_now:
            waited_s = (self._clock.now() - self._requested_at).total_seconds()
            self.pickup_wait_s = waited_s
            self._seen.waited_s += waited_s
            self._seen.picked_up += 1
        self._stand(state)
        if state in _OVER:
            self._over.set()

    def _stand(self, state: str) -> None:
        """Count this rider under the new state and no longer under the old one."""
        for where, change in ((_counted_as(self._state), -1), (_counted_as(state), +1)):
            if where:
                setattr(self._seen, where, getattr(self._seen, where) + change)
        self._state = state

    def give_up(self) -> None:
        """The demo ends; whoever still waits or is driven waits no longer."""
        if self._state and self._state not in _OVER:
            self.journal.gave_up_at = self._clock.now()


def _counted_as(state: str) -> str:
    """Return the field of `Seen` that counts riders in a ride's state."""
    return {"requested": "waiting", "assigned": "waiting", "arrived": "waiting"}.get(state, state)


def _end(point: Point) -> dict[str, float]:
    return {"lat": point.lat, "lng": point.lng}
