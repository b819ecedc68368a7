"""What a dispatcher sees of SUMO: open rides, idle taxis, and how fast drives go today."""

from dataclasses import dataclass, field
from typing import Any

from load_tests.sumo.graph import Stop, StreetGraph

_OPEN_RESERVATIONS = 3
_IDLE, _OCCUPIED = 0, 2


@dataclass(frozen=True, slots=True)
class OpenRide:
    """A rider to whom no taxi was sent yet."""

    name: str
    pickup: Stop
    dropoff: Stop
    asked_s: float


@dataclass(slots=True)
class Pace:
    """How much longer drives take than on empty streets: learned, from 20 minutes at 1.15 on."""

    empty_s: float = 1200.0
    actual_s: float = 1380.0

    @property
    def factor(self) -> float:
        """Actual seconds per second on empty streets."""
        return self.actual_s / self.empty_s

    def learn(self, empty_s: float, *, took_s: float) -> None:
        """One more finished drive counts."""
        self.empty_s += empty_s
        self.actual_s += max(took_s, 0.0)


@dataclass(slots=True)
class Fleet:
    """The running simulation as a dispatcher sees it, and how it tells taxis where to go."""

    sumo: Any
    streets: StreetGraph
    pace: Pace = field(default_factory=Pace)
    decide_s: list[float] = field(default_factory=list)

    def idle(self) -> list[str]:
        """Taxis with nothing to do."""
        return list(self.sumo.vehicle.getTaxiFleet(_IDLE))

    def occupied(self) -> set[str]:
        """Taxis with a rider on board."""
        return set(self.sumo.vehicle.getTaxiFleet(_OCCUPIED))

    def open_rides(self) -> list[OpenRide]:
        """Riders to whom no taxi was sent yet, in the order in which they asked."""
        known = [
            one
            for one in self.sumo.person.getTaxiReservations(_OPEN_RESERVATIONS)
            if one.state in (1, 2)  # new, or told before; not assigned
        ]
        known.sort(key=lambda one: (one.reservationTime, one.id))
        return [
            OpenRide(
                name=one.id,
                pickup=Stop(one.fromEdge, one.departPos),
                dropoff=Stop(one.toEdge, one.arrivalPos),
                asked_s=one.reservationTime,
            )
            for one in known
        ]

    def stands_at(self, taxi: str) -> Stop:
        """Where the taxi is, on an edge of its route."""
        route = self.sumo.vehicle.getRoute(taxi)
        edge = route[max(0, self.sumo.vehicle.getRouteIndex(taxi))]
        if self.sumo.vehicle.getRoadID(taxi) != edge:  # on a crossing: the edge lies behind
            return Stop(edge, self.sumo.lane.getLength(f"{edge}_0"))
        return Stop(edge, self.sumo.vehicle.getLanePosition(taxi))

    def metres_ahead(self, taxi: str, stop: Stop) -> float:
        """How far the stop is ahead on the taxi's route; 0 where it is not ahead."""
        return max(0.0, float(self.sumo.vehicle.getDrivingDistance(taxi, stop.edge, stop.at_m)))

    def metres_east_north(self, stop: Stop) -> tuple[float, float]:
        """Where the stop is on SUMO's flat map."""
        east_m, north_m = self.sumo.simulation.convert2D(stop.edge, stop.at_m)
        return east_m, north_m

    def send(self, taxi: str, rides: list[str]) -> None:
        """The taxi drives these rides: one, or a shared route that names each at both its stops."""
        self.sumo.vehicle.dispatchTaxi(taxi, rides)
