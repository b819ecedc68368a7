"""What the platform acknowledged, and whether it still stands at the end: not lost, not doubled."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.demo.api_client import Member, RefusedError
from app.demo.socket_line import SocketLine

# Where a ride may stand now that was once acknowledged in a state. No phone here withdraws.
_CALLED_OFF = frozenset({"cancelled", "no_show"})
_ON_ITS_WAY = ("requested", "assigned", "arrived", "under_way", "completed")
_AFTER: dict[str, frozenset[str]] = {
    "scheduled": frozenset({"scheduled", *_ON_ITS_WAY, "no_driver"}) | _CALLED_OFF,
    "requested": frozenset({*_ON_ITS_WAY, "no_driver"}) | _CALLED_OFF,
    "assigned": frozenset(_ON_ITS_WAY[1:]) | _CALLED_OFF,
    "arrived": frozenset(_ON_ITS_WAY[2:]) | _CALLED_OFF,
    "under_way": frozenset(_ON_ITS_WAY[3:]),
} | {state: frozenset({state}) for state in ("completed", "cancelled", "no_driver", "no_show")}
PAGE = 100
_TOLD_WITHIN = timedelta(minutes=2)  # simulated


@dataclass(frozen=True, slots=True)
class RideNow:
    """How a ride stands, by the API's answer."""

    state: str
    ended_at: datetime | None


@dataclass(slots=True)
class Journal:
    """The acts of one member that were answered 2xx, or told in an event, and their check."""

    member: Member
    books_once: bool  # a rider of the demo wants one ride, whatever happens to the answers
    line: SocketLine | None = None
    gave_up_at: datetime | None = None  # when a rider stopped waiting for the end of their ride
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    _rides: list[tuple[str, str]] = field(default_factory=list)
    _offers: list[tuple[str, str]] = field(default_factory=list)

    def ride(self, ride_id: str, *, state: str) -> None:
        """The platform said that this ride is in this state."""
        self._rides.append((ride_id, state))

    def offer(self, offer_id: str, *, state: str) -> None:
        """The platform said that this offer is in this state."""
        self._offers.append((offer_id, state))

    async def check(self) -> None:
        """Fill `lost` and `doubled` with what the API now says otherwise, a sentence each."""
        if self._rides or self.books_once:
            self.compare(await self._rides_now())
        for offer_id, said in self._offers:
            try:
                now = (await self.member.get(f"/v1/offers/{offer_id}"))["state"]
            except RefusedError as refused:
                now = refused.slug
            if now != said:
                self.lost.append(f"offer {offer_id} was {said} and is {now}")
        if self.line is not None and self.line.missed:
            self.lost.append(f"{self.line.missed} events of {self.member.id} never came")
        if self.line is not None and self.line.repeated:
            self.doubled.append(f"{self.line.repeated} events of {self.member.id} came again")

    def compare(self, now: dict[str, RideNow]) -> None:
        """Compare what was said of rides with how they stand `now`."""
        for ride_id, said in self._rides:
            ride = now.get(ride_id)
            if ride is None:
                self.lost.append(f"ride {ride_id} was {said} and is gone")
            elif ride.state not in _AFTER[said]:
                self.lost.append(f"ride {ride_id} was {said} and is {ride.state}")
        for ride_id, ride in now.items():
            if self.gave_up_at and ride.ended_at and ride.ended_at < self.gave_up_at - _TOLD_WITHIN:
                self.lost.append(f"ride {ride_id} is {ride.state} and its rider was never told")
        if self.books_once and len(now) > 1:
            self.doubled.append(f"one wish of {self.member.id} became {len(now)} rides")

    async def _rides_now(self) -> dict[str, RideNow]:
        rides: dict[str, RideNow] = {}
        cursor: str | None = None
        while True:
            where = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
            page = await self.member.get("/v1/rides", **where)
            for ride in page["items"]:
                ended_at = ride["ended_at"] and datetime.fromisoformat(ride["ended_at"])
                rides[ride["id"]] = RideNow(ride["state"], ended_at)
            cursor = page["next_cursor"]
            if cursor is None:
                return rides
