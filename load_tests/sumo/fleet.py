"""What a dispatcher sees of SUMO: open rides, idle taxis, and how fast drives go today."""

from dataclasses import dataclass, field
from typing import Any

from load_tests.sumo.graph import Drives, Stop, StreetGraph
from matching.arrays import FloatArray

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
    """What drives take: so much per second on empty streets and so much per traffic light passed.

    Least squares over the finished drives, each weighed by one over its seconds, since long ones
    vary more; without lights that is all seconds taken over all seconds on empty streets. It begins
    as if 20 minutes had been seen at 1.15, and lights at 12 s that weigh as much as five passed
    one per second of drive.
    """

    empty_s: float = 1200.0
    actual_s: float = 1380.0
    signals: float = 0.0
    signals_squared: float = 5.0
    signals_actual_s: float = 60.0

    @property
    def signal_s(self) -> float:
        """Seconds that a traffic light costs."""
        alone = self.signals_squared - self.signals**2 / self.empty_s
        return max(
            0.0, (self.signals_actual_s - self.signals * self.actual_s / self.empty_s) / alone
        )

    @property
    def factor(self) -> float:
        """Seconds per second on empty streets, beside what the lights cost."""
        return (self.actual_s - self.signals * self.signal_s) / self.empty_s

    def expected_s(self, drives: Drives) -> FloatArray:
        """What each of the drives is expected to take; endless where there is no way."""
        return drives.empty_s * self.factor + drives.signals * self.signal_s

    def learn(self, drive: Drives, *, took_s: float) -> None:
        """One more finished drive counts."""
        empty_s, signals, took_s = drive.empty_s.item(), drive.signals.item(), max(took_s, 0.0)
        weight = 1 / max(empty_s, 1.0)
        self.empty_s += empty_s
        self.actual_s += took_s
        self.signals += signals
        self.signals_squared += weight * signals**2
        self.signals_actual_s += weight * signals * took_s


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
