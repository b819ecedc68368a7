"""One rider per taxi, by the matching of the live tick and the replay."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from load_tests.sumo.demand import BOARDING_S
from load_tests.sumo.fleet import Fleet, OpenRide
from load_tests.sumo.graph import Drives, Stop
from load_tests.sumo.options import PERIOD_S
from matching.arrays import LONGEST_S, FloatArray
from matching.problem import Candidates, Demand, Problem, Supply
from matching.replay.day import Rules
from matching.replay.policies import Policy
from matching.sought_after import RECENT_S, sought_after

# The matching knows places by degrees; near the equator one is as long in both directions.
METRES_PER_DEGREE = 111_195.0
# Nobody is too far: SUMO's own dispatchers have no such limit either.
RULES = Rules(window_s=PERIOD_S, max_pickup_s=3600.0, boarding_s=BOARDING_S)


@dataclass(slots=True)
class Task:
    """A ride that a taxi has: its stops, its present leg and the one with the rider.

    `leg_m` is how long the present leg was when it was first seen, 0 before that.
    """

    pickup: Stop
    dropoff: Stop
    leg: Drives
    ride: Drives
    since_s: float
    leg_m: float = 0.0
    boarded: bool = False


@dataclass(slots=True)
class SoloDispatcher:
    """One pairing every ten seconds; what it decided is told to SUMO at once."""

    fleet: Fleet
    policy: Policy
    tasks: dict[str, Task] = field(default_factory=dict)
    asked: dict[str, OpenRide] = field(default_factory=dict)
    """Who asked lately, in the order in which they did."""

    def tick(self, now_s: float) -> None:
        """Idle taxis are sent to riders, or left waiting where one soon free is worth more."""
        fleet = self.fleet
        idle = fleet.idle()
        self._follow(now_s, idle=set(idle))
        open_rides = fleet.open_rides()
        self.asked |= {one.name: one for one in open_rides}
        if not open_rides or not idle:
            return
        before = time.perf_counter()
        taxis = [(taxi, 0.0, fleet.stands_at(taxi)) for taxi in idle]
        taxis += self._soon_free()
        pickups = [one.pickup for one in open_rides]
        places = [place for _, _, place in taxis]
        lat, lng = self._degrees(places)
        problem = Problem(
            demand=Demand(
                tuple(one.name for one in open_rides),
                *self._degrees(pickups),
                waited_s=np.array([max(0.0, now_s - one.asked_s) for one in open_rides]),
            ),
            supply=Supply(
                tuple(taxi for taxi, _, _ in taxis),
                lat,
                lng,
                free_in_s=np.array([free_in_s for _, free_in_s, _ in taxis]),
                sought_after=self._sought_after(now_s, lat=lat, lng=lng),
            ),
            weights=self.policy.weights(RULES),
        )

        def pickup_s(edges: Candidates) -> FloatArray:
            drives_s = np.stack(
                [fleet.pace.expected_s(fleet.streets.drives(places, goal)) for goal in pickups]
            )
            return np.minimum(drives_s[edges.rider, edges.driver], LONGEST_S)

        sent = self.policy.decide(problem, pickup_s=pickup_s, patience_s=LONGEST_S, seed=1)
        fleet.decide_s.append(time.perf_counter() - before)
        for pair in sent:
            ride, (taxi, _, place) = open_rides[pair.rider], taxis[pair.driver]
            fleet.send(taxi, [ride.name])
            self.tasks[taxi] = Task(
                pickup=ride.pickup,
                dropoff=ride.dropoff,
                leg=fleet.streets.drives([place], ride.pickup),
                ride=fleet.streets.drives([ride.pickup], ride.dropoff),
                since_s=now_s,
            )

    def _follow(self, now_s: float, *, idle: set[str]) -> None:
        """Tasks whose rider has boarded or arrived since the last tick are brought up to date."""
        occupied = self.fleet.occupied()
        # It happened at some moment of the period, on average in its middle.
        then_s = now_s - PERIOD_S / 2
        for taxi, task in list(self.tasks.items()):
            if taxi in idle:
                if task.boarded:
                    self.fleet.pace.learn(task.ride, took_s=then_s - task.since_s - BOARDING_S)
                del self.tasks[taxi]
            elif taxi in occupied and not task.boarded:
                self.fleet.pace.learn(task.leg, took_s=then_s - task.since_s - BOARDING_S)
                task.boarded, task.leg, task.leg_m = True, task.ride, 0.0
                task.since_s = then_s

    def _soon_free(self) -> Iterator[tuple[str, float, Stop]]:
        """Taxis that are expected to be free within the policy's horizon, when and where."""
        for taxi, task in self.tasks.items():
            goal = task.dropoff if task.boarded else task.pickup
            left_m = self.fleet.metres_ahead(taxi, goal)
            task.leg_m = max(task.leg_m, left_m)
            pace = self.fleet.pace
            ahead = left_m / task.leg_m if task.leg_m else 0.0
            drive_s = ahead * pace.expected_s(task.leg).item()
            stops_s = BOARDING_S
            if not task.boarded:
                drive_s += pace.expected_s(task.ride).item()
                stops_s += BOARDING_S
            # Who is late is expected at any moment, but not now.
            free_in_s = max(drive_s + stops_s, PERIOD_S)
            if free_in_s <= self.policy.horizon_s:
                yield taxi, free_in_s, task.dropoff

    def _sought_after(self, now_s: float, *, lat: FloatArray, lng: FloatArray) -> FloatArray:
        """How likely it is, by who asked lately, that riders will ask near each taxi soon."""
        lately = [one for one in self.asked.values() if one.asked_s >= now_s - RECENT_S]
        self.asked = {one.name: one for one in lately}
        asked_lat, asked_lng = self._degrees([one.pickup for one in lately])
        return sought_after(lat=lat, lng=lng, asked_lat=asked_lat, asked_lng=asked_lng)

    def _degrees(self, stops: list[Stop]) -> tuple[FloatArray, FloatArray]:
        metres = np.array(
            [self.fleet.sumo.simulation.convert2D(one.edge, one.at_m) for one in stops]
        ).reshape(-1, 2)
        return metres[:, 1] / METRES_PER_DEGREE, metres[:, 0] / METRES_PER_DEGREE
