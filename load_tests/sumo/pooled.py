"""Several riders per taxi, by insertion, ruin and recreate; taxis on their way take nobody more."""

import time
from dataclasses import dataclass, field

import numpy as np

from load_tests.sumo.demand import BOARDING_S
from load_tests.sumo.fleet import Fleet, OpenRide
from load_tests.sumo.graph import Drives, Stop
from load_tests.sumo.options import PERIOD_S
from matching.pooling.plan import Route
from matching.pooling.ruin import ruin_and_recreate
from matching.pooling.words import FURTHEST_S, Pool, Requests, StopKind, TravelTimes, Vehicles

SEATS = 4
# From now, and not from asking: whoever waits too long already must still be served.
PICKUP_WITHIN_S = 600.0
LATER_THAN_ALONE_S = 600.0
UNSERVED_S = 3600.0
# Taxis on the road that are free within this are planned with, and told nothing.
HORIZON_S = 300.0
MARGIN_S = 60.0
ITERATIONS = 500


@dataclass(frozen=True, slots=True)
class Journey:
    """What a taxi was sent to do: when, the drive, stops, its end."""

    since_s: float
    drive: Drives
    stops: int
    end: Stop


@dataclass(slots=True)
class PooledDispatcher:
    """One plan every ten seconds; the routes of idle taxis are told to SUMO at once."""

    fleet: Fleet
    journeys: dict[str, Journey] = field(default_factory=dict)

    def tick(self, now_s: float) -> None:
        """Idle taxis set out on the routes that are best for all who wait."""
        idle = self.fleet.idle()
        self._follow(now_s, idle=set(idle))
        rides = self.fleet.open_rides()
        if not rides or not idle:
            return
        before = time.perf_counter()
        cars = [(taxi, 0.0, self.fleet.stands_at(taxi)) for taxi in idle]
        cars += self._soon_free(now_s)
        drives = self._drives([place for _, _, place in cars], rides)
        pool = self._pool(now_s, cars=cars, rides=rides, drives=drives)
        plan = ruin_and_recreate(pool, iterations=ITERATIONS, seed=1)
        self.fleet.decide_s.append(time.perf_counter() - before)
        for route in plan.routes:
            taxi, free_in_s, _ = cars[route.vehicle]
            if route.stops and not free_in_s:
                self._send(taxi, route, rides=rides, now_s=now_s, drives=drives)

    def _follow(self, now_s: float, *, idle: set[str]) -> None:
        for taxi in self.journeys.keys() & idle:
            done = self.journeys.pop(taxi)
            took_s = now_s - PERIOD_S / 2 - done.since_s - done.stops * BOARDING_S
            self.fleet.pace.learn(done.drive, took_s=took_s)

    def _soon_free(self, now_s: float) -> list[tuple[str, float, Stop]]:
        soon = []
        for taxi, one in self.journeys.items():
            takes_s = self.fleet.pace.expected_s(one.drive).item() + one.stops * BOARDING_S
            free_in_s = max(one.since_s + takes_s - now_s, PERIOD_S)
            if free_in_s <= HORIZON_S:
                soon.append((taxi, free_in_s + MARGIN_S, one.end))
        return soon

    def _drives(self, places: list[Stop], rides: list[OpenRide]) -> Drives:
        """From all to all: cars, then pickups, then drop-offs; nobody drives to a car."""
        goals = [ride.pickup for ride in rides] + [ride.dropoff for ride in rides]
        everywhere = places + goals
        empty_s = np.full((len(everywhere), len(everywhere)), np.inf)
        signals = np.zeros_like(empty_s)
        for number, goal in enumerate(goals, start=len(places)):
            drives = self.fleet.streets.drives(everywhere, goal)
            ways_s = np.where(drives.empty_s < FURTHEST_S, drives.empty_s, np.inf)
            empty_s[:, number], signals[:, number] = ways_s, drives.signals
        return Drives(empty_s, signals)

    def _pool(
        self,
        now_s: float,
        *,
        cars: list[tuple[str, float, Stop]],
        rides: list[OpenRide],
        drives: Drives,
    ) -> Pool:
        times = TravelTimes(self.fleet.pace.expected_s(drives))
        pickup = np.arange(len(cars), len(cars) + len(rides))
        dropoff = pickup + len(rides)
        waited_s = np.array([max(0.0, now_s - ride.asked_s) for ride in rides])
        alone_s = times.seconds[pickup, dropoff] + BOARDING_S
        return Pool(
            requests=Requests(
                pickup=pickup,
                dropoff=dropoff,
                seats=np.ones(len(rides), dtype=np.int64),
                earliest_pickup_s=np.zeros(len(rides)),
                latest_pickup_s=np.full(len(rides), PICKUP_WITHIN_S),
                latest_arrival_s=np.minimum(
                    PICKUP_WITHIN_S + alone_s + LATER_THAN_ALONE_S, FURTHEST_S
                ),
                waited_s=waited_s,
                unserved_s=UNSERVED_S + waited_s,
            ),
            vehicles=Vehicles(
                place=np.arange(len(cars)),
                ready_s=np.array([free_in_s for _, free_in_s, _ in cars]),
                seats=np.full(len(cars), SEATS),
            ),
            times=times,
            boarding_s=BOARDING_S,
        )

    def _send(
        self,
        taxi: str,
        route: Route,
        *,
        rides: list[OpenRide],
        now_s: float,
        drives: Drives,
    ) -> None:
        first_pickup = len(drives.empty_s) - 2 * len(rides)
        ends = [route.vehicle]
        for stop in route.stops:
            there = first_pickup + stop.request
            ends.append(there + (len(rides) if stop.kind is StopKind.DROPOFF else 0))
        legs = (ends[:-1], ends[1:])
        drive = Drives(
            drives.empty_s[legs].sum(keepdims=True), drives.signals[legs].sum(keepdims=True)
        )
        names = [rides[stop.request].name for stop in route.stops]
        self.fleet.send(taxi, names if len(names) > 2 else names[:1])
        end = rides[route.stops[-1].request].dropoff
        self.journeys[taxi] = Journey(now_s, drive, len(route.stops), end)
