"""Several riders per taxi, by insertion, ruin and recreate; taxis on their way take nobody more."""

import time
from dataclasses import dataclass, field

import numpy as np

from load_tests.sumo.demand import BOARDING_S
from load_tests.sumo.fleet import Fleet, OpenRide
from load_tests.sumo.graph import Stop
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
    """What a taxi was sent to do: when, seconds of driving on empty streets, stops, its end."""

    since_s: float
    drive_s: float
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
        empty_s = self._empty_s([place for _, _, place in cars], rides)
        pool = self._pool(now_s, cars=cars, rides=rides, empty_s=empty_s)
        plan = ruin_and_recreate(pool, iterations=ITERATIONS, seed=1)
        self.fleet.decide_s.append(time.perf_counter() - before)
        for route in plan.routes:
            taxi, free_in_s, _ = cars[route.vehicle]
            if route.stops and not free_in_s:
                self._send(taxi, route, rides=rides, now_s=now_s, empty_s=empty_s)

    def _follow(self, now_s: float, *, idle: set[str]) -> None:
        for taxi in self.journeys.keys() & idle:
            done = self.journeys.pop(taxi)
            took_s = now_s - PERIOD_S / 2 - done.since_s - done.stops * BOARDING_S
            self.fleet.pace.learn(done.drive_s, took_s=took_s)

    def _soon_free(self, now_s: float) -> list[tuple[str, float, Stop]]:
        soon = []
        for taxi, one in self.journeys.items():
            takes_s = one.drive_s * self.fleet.pace.factor + one.stops * BOARDING_S
            free_in_s = max(one.since_s + takes_s - now_s, PERIOD_S)
            if free_in_s <= HORIZON_S:
                soon.append((taxi, free_in_s + MARGIN_S, one.end))
        return soon

    def _empty_s(self, places: list[Stop], rides: list[OpenRide]) -> np.ndarray:
        """Seconds on empty streets: cars, then pickups, then drop-offs; nobody drives to a car."""
        goals = [ride.pickup for ride in rides] + [ride.dropoff for ride in rides]
        everywhere = places + goals
        seconds = np.full((len(everywhere), len(everywhere)), np.inf)
        for number, goal in enumerate(goals, start=len(places)):
            drive_s = self.fleet.streets.drive_s(everywhere, goal)
            seconds[:, number] = np.where(drive_s < FURTHEST_S, drive_s, np.inf)
        return seconds

    def _pool(
        self,
        now_s: float,
        *,
        cars: list[tuple[str, float, Stop]],
        rides: list[OpenRide],
        empty_s: np.ndarray,
    ) -> Pool:
        times = TravelTimes(empty_s * self.fleet.pace.factor)
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
        empty_s: np.ndarray,
    ) -> None:
        first_pickup = len(empty_s) - 2 * len(rides)
        here, drive_s = route.vehicle, 0.0
        for stop in route.stops:
            there = first_pickup + stop.request
            there += len(rides) if stop.kind is StopKind.DROPOFF else 0
            drive_s += float(empty_s[here, there])
            here = there
        names = [rides[stop.request].name for stop in route.stops]
        self.fleet.send(taxi, names if len(names) > 2 else names[:1])
        end = rides[route.stops[-1].request].dropoff
        self.journeys[taxi] = Journey(now_s, drive_s, len(route.stops), end)
