"""Meent dispatches SUMO's taxis: the matching of the live tick and the replay, through libsumo.

`python -m load_tests.sumo.drive NET ROUTES TRIPINFO [--policy meent:horizon_s=300]`. libsumo keeps
one simulation per process, so each run is a process of its own. Drive times are those of SUMO's
network when it is empty, times one factor learned on the way from the drives that were finished.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from load_tests.sumo.demand import BOARDING_S
from load_tests.sumo.graph import Stop, StreetGraph
from load_tests.sumo.networks import sumo_home
from load_tests.sumo.options import END_S, PERIOD_S, sumo_options
from matching.arrays import LONGEST_S, FloatArray
from matching.problem import Candidates, Demand, Problem, Supply
from matching.replay.day import Rules
from matching.replay.policies import Policy, named_policy

# The matching knows places by degrees; near the equator one is as long in both directions.
METRES_PER_DEGREE = 111_195.0
# Nobody is too far: SUMO's own dispatchers have no such limit either.
RULES = Rules(window_s=PERIOD_S, max_pickup_s=3600.0, boarding_s=BOARDING_S)
_OPEN_RESERVATIONS = 3
_IDLE, _OCCUPIED = 0, 2


@dataclass(slots=True)
class Task:
    """A ride that a taxi has: its stops, its present leg and the one with the rider.

    `leg_s` and `ride_s` are seconds on empty streets, `leg_m` is how long the present leg was when
    it was first seen, 0 before that.
    """

    pickup: Stop
    dropoff: Stop
    leg_s: float
    ride_s: float
    since_s: float
    leg_m: float = 0.0
    boarded: bool = False


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
class Dispatcher:
    """One pairing every ten seconds; what it decided is told to SUMO at once."""

    sumo: Any
    policy: Policy
    streets: StreetGraph
    pace: Pace = field(default_factory=Pace)
    tasks: dict[str, Task] = field(default_factory=dict)
    decide_s: list[float] = field(default_factory=list)

    def tick(self, now_s: float) -> None:
        """Idle taxis are sent to riders, or left waiting where one soon free is worth more."""
        idle = list(self.sumo.vehicle.getTaxiFleet(_IDLE))
        self._follow(now_s, idle=set(idle))
        open_rides = [
            one
            for one in self.sumo.person.getTaxiReservations(_OPEN_RESERVATIONS)
            if one.state in (1, 2)
        ]
        if not open_rides or not idle:
            return
        before = time.perf_counter()
        open_rides.sort(key=lambda one: (one.reservationTime, one.id))
        taxis = [(taxi, 0.0, self._stands_at(taxi)) for taxi in idle]
        taxis += self._soon_free()
        pickups = [Stop(one.fromEdge, one.departPos) for one in open_rides]
        places = [place for _, _, place in taxis]
        problem = Problem(
            demand=Demand(
                tuple(one.id for one in open_rides),
                *self._degrees(pickups),
                waited_s=np.array([max(0.0, now_s - one.reservationTime) for one in open_rides]),
            ),
            supply=Supply(
                tuple(taxi for taxi, _, _ in taxis),
                *self._degrees(places),
                free_in_s=np.array([free_in_s for _, free_in_s, _ in taxis]),
            ),
            weights=self.policy.weights(RULES),
        )

        def pickup_s(edges: Candidates) -> FloatArray:
            drives_s = np.stack([self.streets.drive_s(places, goal) for goal in pickups])
            drives_s *= self.pace.factor
            return np.minimum(drives_s[edges.rider, edges.driver], LONGEST_S)

        sent = self.policy.decide(problem, pickup_s=pickup_s, patience_s=LONGEST_S, seed=1)
        self.decide_s.append(time.perf_counter() - before)
        for pair in sent:
            ride, (taxi, _, place) = open_rides[pair.rider], taxis[pair.driver]
            self.sumo.vehicle.dispatchTaxi(taxi, [ride.id])
            pickup, dropoff = pickups[pair.rider], Stop(ride.toEdge, ride.arrivalPos)
            self.tasks[taxi] = Task(
                pickup=pickup,
                dropoff=dropoff,
                leg_s=float(self.streets.drive_s([place], pickup)[0]),
                ride_s=float(self.streets.drive_s([pickup], dropoff)[0]),
                since_s=now_s,
            )

    def _follow(self, now_s: float, *, idle: set[str]) -> None:
        """Tasks whose rider has boarded or arrived since the last tick are brought up to date."""
        occupied = set(self.sumo.vehicle.getTaxiFleet(_OCCUPIED))
        # It happened at some moment of the period, on average in its middle.
        then_s = now_s - PERIOD_S / 2
        for taxi, task in list(self.tasks.items()):
            if taxi in idle:
                if task.boarded:
                    self.pace.learn(task.ride_s, took_s=then_s - task.since_s - BOARDING_S)
                del self.tasks[taxi]
            elif taxi in occupied and not task.boarded:
                self.pace.learn(task.leg_s, took_s=then_s - task.since_s - BOARDING_S)
                task.boarded, task.leg_s, task.leg_m = True, task.ride_s, 0.0
                task.since_s = then_s

    def _soon_free(self) -> Iterator[tuple[str, float, Stop]]:
        """Taxis that are expected to be free within the policy's horizon, when and where."""
        for taxi, task in self.tasks.items():
            goal = task.dropoff if task.boarded else task.pickup
            left_m = self.sumo.vehicle.getDrivingDistance(taxi, goal.edge, goal.at_m)
            # A stop that is not ahead has no distance: there is nothing left to drive.
            left_m = max(0.0, left_m)
            task.leg_m = max(task.leg_m, left_m)
            drive_s = task.leg_s * left_m / task.leg_m if task.leg_m else 0.0
            stops_s = BOARDING_S
            if not task.boarded:
                drive_s += task.ride_s
                stops_s += BOARDING_S
            # Who is late is expected at any moment, but not now.
            free_in_s = max(drive_s * self.pace.factor + stops_s, PERIOD_S)
            if free_in_s <= self.policy.horizon_s:
                yield taxi, free_in_s, task.dropoff

    def _stands_at(self, taxi: str) -> Stop:
        route = self.sumo.vehicle.getRoute(taxi)
        edge = route[max(0, self.sumo.vehicle.getRouteIndex(taxi))]
        if self.sumo.vehicle.getRoadID(taxi) != edge:  # on a crossing: the edge lies behind
            return Stop(edge, self.sumo.lane.getLength(f"{edge}_0"))
        return Stop(edge, self.sumo.vehicle.getLanePosition(taxi))

    def _degrees(self, stops: list[Stop]) -> tuple[FloatArray, FloatArray]:
        metres = np.array([self.sumo.simulation.convert2D(one.edge, one.at_m) for one in stops])
        return metres[:, 1] / METRES_PER_DEGREE, metres[:, 0] / METRES_PER_DEGREE


def main() -> None:
    """Run one simulation and print what it took as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("net", type=Path)
    parser.add_argument("routes", type=Path)
    parser.add_argument("tripinfo", type=Path)
    parser.add_argument("--policy", type=named_policy, default="meent")
    asked = parser.parse_args()
    sumo_home()
    import libsumo  # noqa: PLC0415 - a peer; only this process needs it

    libsumo.start(
        [
            "sumo",
            *sumo_options(
                net=asked.net, routes=asked.routes, tripinfo=asked.tripinfo, algorithm="traci"
            ),
        ]
    )
    dispatcher = Dispatcher(libsumo, asked.policy, StreetGraph(libsumo))
    now_s = 0.0
    while now_s < END_S:
        libsumo.simulationStep(now_s + PERIOD_S)
        now_s += PERIOD_S
        dispatcher.tick(now_s)
    libsumo.close()
    print(
        json.dumps(
            {
                "decisions": len(dispatcher.decide_s),
                "decide_ms": float(np.median(dispatcher.decide_s)) * 1e3,
                "pace": dispatcher.pace.factor,
            }
        )
    )


if __name__ == "__main__":
    main()
