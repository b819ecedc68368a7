"""Who could share which car now, as the library's words for it, and what its plan means here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from uuid import UUID

import numpy as np

from app.dispatch.runs import Car, Party, RunStop
from app.fares.rules import SHARING
from app.rides.lifecycle import RideState
from matching.arrays import FloatArray, IntArray
from matching.pooling.insertion import Insertion, Quotes
from matching.pooling.plan import Plan, Route, promised, route_of
from matching.pooling.ruin import ruin_and_recreate
from matching.pooling.words import (
    FURTHEST_S,
    Pool,
    Requests,
    Stop,
    StopKind,
    TravelTimes,
    Vehicles,
    requests_under,
)
from matching.travel import Point, distance_m

ITERATIONS = 1000  # of ruin and recreate in a tick: some 25 ms at a hundred parties
SHARING_SEED = 1  # the search draws from it; the same pool gives the same plan
# A car is not turned away from a stop so near, nor from a rider who sees it come.
NEARLY_THERE_S = 60.0
# So long a party waits for one whom she is to follow into a car; then she is served like others.
HOLD_S = 120.0


@dataclass(frozen=True, slots=True, eq=False)
class Pooling:
    """A pool, and who its vehicles and requests are."""

    cars: tuple[Car, ...]
    parties: tuple[Party, ...]
    pool: Pool


@dataclass(frozen=True, slots=True)
class Join:
    """A party to be offered to a driver under way, with all stops of the run that would be.

    `pickup_s` is from now, `pickup_m` as the crow flies, `added_s` how much longer the run gets.
    Of `cars` that could come in time, `rank` - 1 could have been there sooner by driving straight
    there, their own riders aside.
    """

    ride_id: UUID
    driver_id: UUID
    pickup_s: float
    pickup_m: float
    added_s: float
    run: tuple[RunStop, ...]
    cars: int
    rank: int


@dataclass(frozen=True, slots=True)
class Shared:
    """What becomes of those who share, in one tick: some join, some are held, the rest ask alone.

    Who is held waits for the next tick: she is to follow somebody into a car that is being found.
    `record` is what this was decided from, where it is kept.
    """

    joins: tuple[Join, ...] = ()
    held: frozenset[UUID] = frozenset()
    record: bytes | None = None

    @property
    def spoken_for(self) -> frozenset[UUID]:
        """The rides that are not to be assigned like others now."""
        return self.held | {join.ride_id for join in self.joins}


def places_of(cars: Sequence[Car], waiting: Sequence[Party]) -> tuple[list[Point], list[Point]]:
    """Return where the cars are, and all pickups followed by all drop-offs."""
    parties = (*(party for car in cars for party in car.parties), *waiting)
    ends = [party.pickup for party in parties] + [party.dropoff for party in parties]
    return [car.place for car in cars], ends


def pooling_of(
    cars: Sequence[Car], waiting: Sequence[Party], *, drive_s: FloatArray, now: datetime
) -> Pooling:
    """Return the pool of these cars and parties.

    `drive_s` has a row for each car and then each end, and a column for each end, as `places_of`
    lists them; nan for no way. A car that cannot reach what it promised is left out with its
    parties: nothing can be planned for it.
    """
    seconds = np.full((len(drive_s), len(drive_s)), np.inf)
    seconds[:, len(cars) :] = np.where(np.isnan(drive_s), np.inf, drive_s)
    np.fill_diagonal(seconds, 0.0)
    everybody = (*(party for car in cars for party in car.parties), *waiting)
    pickup_at = {party.ride_id: len(cars) + at for at, party in enumerate(everybody)}
    legs_s = {
        at: _legs_s(at, car, pickup_at, len(everybody), seconds) for at, car in enumerate(cars)
    }
    kept = [(at, car) for at, car in enumerate(cars) if np.isfinite(legs_s[at]).all()]
    parties = (*(party for _, car in kept for party in car.parties), *waiting)
    number = {party.ride_id: at for at, party in enumerate(parties)}
    pickup = np.array([pickup_at[party.ride_id] for party in parties], dtype=np.int64)
    pool = Pool(
        requests=_requests(parties, pickup, ends=len(everybody), now=now),
        vehicles=Vehicles(
            place=np.array([at for at, _ in kept], dtype=np.int64),
            ready_s=np.zeros(len(kept)),
            seats=np.array([car.seats for _, car in kept], dtype=np.int64),
            committed=tuple(
                tuple(Stop(number[stop.ride_id], stop.kind) for stop in car.stops)
                for _, car in kept
            ),
            locked=np.array([int(_is_fixed(car, legs_s[at])) for at, car in kept], dtype=np.int64),
        ),
        times=TravelTimes(seconds),
        boarding_s=SHARING.boarding_s,
    )
    return Pooling(tuple(car for _, car in kept), parties, pool)


def _is_fixed(car: Car, legs_s: FloatArray) -> bool:
    """Whether nothing may come before the car's next stop."""
    if not car.stops:
        return False
    return car.stops[0].kind is StopKind.PICKUP or bool(legs_s[0] <= NEARLY_THERE_S)


def _legs_s(
    at: int, car: Car, pickup_at: dict[UUID, int], ends: int, seconds: FloatArray
) -> FloatArray:
    """Return how long each drive from stop to stop takes that the car has promised."""
    stops = [
        pickup_at[stop.ride_id] + (0 if stop.kind is StopKind.PICKUP else ends)
        for stop in car.stops
    ]
    return np.array([seconds[here, there] for here, there in pairwise((at, *stops))])


def _requests(parties: Sequence[Party], pickup: IntArray, *, ends: int, now: datetime) -> Requests:
    asked_s = np.array([(party.asked_at - now).total_seconds() for party in parties])
    boarded_s = np.array(
        [
            0.0 if party.boarded_at is None else min((party.boarded_at - now).total_seconds(), 0.0)
            for party in parties
        ]
    )
    aboard = np.array([party.state is RideState.UNDER_WAY for party in parties], dtype=np.bool_)
    direct_s = np.array([party.duration_s + party.max_delay_s for party in parties])
    wait_s = np.array([party.max_wait_s for party in parties])
    return Requests(
        pickup=pickup,
        dropoff=pickup + ends,
        seats=np.array([party.seats for party in parties], dtype=np.int64),
        earliest_pickup_s=np.where(aboard, boarded_s, 0.0),
        latest_pickup_s=np.where(aboard, FURTHEST_S, asked_s + wait_s),
        latest_arrival_s=asked_s + SHARING.boarding_s + direct_s,
        waited_s=np.maximum(-asked_s, 0.0),
        unserved_s=np.full(len(parties), SHARING.unserved_s),
    )


def plan_shared(pool: Pool) -> Plan:
    """Return a good plan of the pool; the same pool gives the same."""
    return ruin_and_recreate(pool, iterations=ITERATIONS, seed=SHARING_SEED)


def insert_last(pool: Pool) -> Insertion | None:
    """Return where the last request would best join what is promised; None for nowhere."""
    found = Quotes(pool, promised(pool)).of(len(pool.requests) - 1)
    return found if isinstance(found, Insertion) else None


def warm_up() -> None:
    """What is compiled at its first call is compiled: a car is planned for one party."""
    pool = Pool(
        requests=requests_under(
            SHARING,
            times=TravelTimes(np.full((3, 3), 60.0)),
            pickup=np.array([1]),
            dropoff=np.array([2]),
        ),
        vehicles=Vehicles(place=np.array([0]), ready_s=np.zeros(1), seats=np.array([4])),
        times=TravelTimes(np.full((3, 3), 60.0)),
    )
    plan_shared(pool)
    insert_last(pool)


def meaning_of(
    pooling: Pooling, plan: Plan, *, asked: frozenset[tuple[UUID, UUID]], now: datetime
) -> Shared:
    """Return whom to offer to whom and whom to hold, by a plan.

    `asked` are pairs (ride, driver) that were offered before: nobody is asked twice. The first
    party of an empty car asks for a driver like everybody else, and so does whoever was held too
    long or does not fit: sharing is not worth that.
    """
    joins: list[Join] = []
    held: set[UUID] = set()
    for car, route in zip(pooling.cars, plan.routes, strict=True):
        filled = car
        for request in _boarding(pooling, car, route):
            party = pooling.parties[request]
            if (party.ride_id, car.driver_id) in asked or not filled.has_room_for(party.seats):
                continue
            is_first = filled is car
            filled = replace(filled, parties=(*filled.parties, party))
            if car.is_asked or not is_first:
                held.add(party.ride_id)
            elif car.parties:
                joins.append(_join(pooling, route, request))
    too_long = {
        party.ride_id
        for party in pooling.parties
        if (now - party.asked_at).total_seconds() >= HOLD_S
    }
    return Shared(tuple(joins), frozenset(held - too_long))


def _boarding(pooling: Pooling, car: Car, route: Route) -> list[int]:
    """Return who gets in on this route and was not promised to the car before, in their order."""
    bound = {party.ride_id for party in car.parties}
    return [
        stop.request
        for stop in route.stops
        if stop.kind is StopKind.PICKUP and pooling.parties[stop.request].ride_id not in bound
    ]


def _join(pooling: Pooling, route: Route, request: int) -> Join:
    """Return the offer of one party to the driver of this route, as if nobody else joined."""
    pool, car = pooling.pool, pooling.cars[route.vehicle]
    promised_stops = pool.vehicles.committed[route.vehicle]
    riding = {stop.request for stop in promised_stops} | {request}
    order = [Stop(stop.request, stop.kind) for stop in route.stops if stop.request in riding]
    joined = route_of(pool, route.vehicle, order)
    before = route_of(pool, route.vehicle, promised_stops)
    pickup_s = next(stop.at_s for stop in joined.stops if stop.request == request)
    straight_s = pool.times.seconds[pool.vehicles.place, pool.requests.pickup[request]]
    could = (straight_s <= pool.requests.latest_pickup_s[request]) & (
        pool.vehicles.seats >= pool.requests.seats[request]
    )
    sooner = could & (straight_s < pickup_s)
    sooner[route.vehicle] = False
    return Join(
        ride_id=pooling.parties[request].ride_id,
        driver_id=car.driver_id,
        pickup_s=pickup_s,
        pickup_m=distance_m(car.place, to=pooling.parties[request].pickup),
        added_s=joined.busy_s - before.busy_s,
        run=tuple(RunStop(pooling.parties[one.request].ride_id, one.kind) for one in order),
        cars=max(int(could.sum()), 1),
        rank=1 + int(sooner.sum()),
    )
