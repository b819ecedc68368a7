"""A shared run: who rides in one car, and at which stops in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.rides.lifecycle import RideState
from matching.pooling.words import StopKind
from matching.travel import Point

MOST_PARTIES = 3  # in one car at a time; the database refuses a fourth


@dataclass(frozen=True, slots=True)
class RunStop:
    """The car stops for one ride: its rider gets in, or out."""

    ride_id: UUID
    kind: StopKind


@dataclass(frozen=True, slots=True)
class Party:
    """Who shares a ride: from where to where, how many, since when, and what was promised."""

    ride_id: UUID
    state: RideState
    pickup: Point
    dropoff: Point
    seats: int
    asked_at: datetime
    boarded_at: datetime | None
    duration_s: int
    max_wait_s: int
    max_delay_s: int


@dataclass(frozen=True, slots=True)
class Car:
    """A driver on the road: where, with how many seats, who rides there and what comes next.

    `is_asked` says that an offer to this driver is open; the ride on offer is among the parties.
    """

    driver_id: UUID
    place: Point
    seats: int
    parties: tuple[Party, ...] = ()
    stops: tuple[RunStop, ...] = ()
    is_asked: bool = False

    def has_room_for(self, seats: int) -> bool:
        """Whether the database lets this driver take such a party: all count, on board or not."""
        taken = sum(party.seats for party in self.parties)
        return len(self.parties) < MOST_PARTIES and taken + seats <= self.seats


def party_of(row: Any) -> Party:
    """Return the party of a ride with its quote."""
    return Party(
        ride_id=row["ride_id"],
        state=RideState(row["state"]),
        pickup=Point(lat=row["pickup_lat"], lng=row["pickup_lng"]),
        dropoff=Point(lat=row["dropoff_lat"], lng=row["dropoff_lng"]),
        seats=row["seats"],
        asked_at=row["requested_at"],
        boarded_at=row["started_at"],
        duration_s=row["duration_s"],
        max_wait_s=row["max_wait_s"],
        max_delay_s=row["max_delay_s"],
    )


def stored_stops(stops: Sequence[RunStop]) -> dict[str, Any]:
    """Return the form in which an offer keeps the stops of a run."""
    return {"stops": [{"ride_id": str(one.ride_id), "kind": str(one.kind)} for one in stops]}


def planned_stops(stored: Mapping[str, Any] | None) -> tuple[RunStop, ...]:
    """Return the stops that an offer keeps, in their order; none where it keeps none."""
    kept = () if stored is None else stored["stops"]
    return tuple(RunStop(UUID(one["ride_id"]), StopKind(one["kind"])) for one in kept)


def stops_left(planned: Sequence[RunStop], states: Mapping[UUID, RideState]) -> tuple[RunStop, ...]:
    """Return the stops that are still to be made for these open rides.

    Their order is the planned one, whatever was done or called off meanwhile; who is in no plan
    comes last. A pickup where the car stands already comes first.
    """
    left = dict.fromkeys(
        RunStop(ride_id, kind)
        for ride_id, state in states.items()
        for kind in (StopKind.PICKUP, StopKind.DROPOFF)
        if kind is StopKind.DROPOFF or state is not RideState.UNDER_WAY
    )
    order = [*(stop for stop in planned if stop in left), *(s for s in left if s not in planned)]

    def is_here(stop: RunStop) -> bool:
        return stop.kind is StopKind.PICKUP and states[stop.ride_id] is RideState.ARRIVED

    return tuple(sorted(order, key=lambda stop: not is_here(stop)))
