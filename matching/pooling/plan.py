"""A plan of shared rides: when each car stops where, and what that means for each party."""

from collections.abc import Sequence
from dataclasses import dataclass

from matching.pooling.words import Pool, Stop, StopKind


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A stop with the moment at which it begins, in seconds from now; riders arrive then."""

    request: int
    kind: StopKind
    at_s: float


@dataclass(frozen=True, slots=True)
class Route:
    """What one car does: its stops in order, and the seconds that it drives and stands for them.

    Standing to wait for the earliest moment of a booked pickup is not counted: the car may come
    later.
    """

    vehicle: int
    stops: tuple[PlannedStop, ...]
    busy_s: float


@dataclass(frozen=True, slots=True)
class Carried:
    """One party's ride: who drives, when, and what sharing costs it in time. All in seconds.

    `pickup_s` is when it boards, or boarded, `arrival_s` when it arrives, both from now. `wait_s`
    is from asking (or the earliest moment booked) to the pickup, `ride_s` from pickup to arrival,
    `solo_s` the direct drive with one boarding, `detour_s` what the ride takes longer than that,
    and `shared_s` how much of the ride from now on others are in the car.
    """

    request: int
    vehicle: int
    pickup_s: float
    arrival_s: float
    wait_s: float
    ride_s: float
    solo_s: float
    detour_s: float
    shared_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What all cars do, one `Route` per car in their order, and what it costs.

    `carried` is ordered by request; `unserved` are the others. `objective_ds` is the busy time of
    all cars plus the price of all unserved.
    """

    routes: tuple[Route, ...]
    carried: tuple[Carried, ...]
    unserved: tuple[int, ...]
    busy_ds: int
    objective_ds: int


def plan_of(pool: Pool, orders: Sequence[Sequence[Stop]]) -> Plan:
    """The plan in which each car makes these stops in this order, each as early as can be.

    Nothing is checked but the number of cars: see `check_plan`. Refused: another number.
    """
    if len(orders) != len(pool.vehicles):
        raise ValueError(f"{len(pool.vehicles)} vehicles need as many orders, got {len(orders)}")
    routes = tuple(route_of(pool, car, order) for car, order in enumerate(orders))
    carried = [ride for route in routes for ride in rides_of(pool, route)]
    carried.sort(key=lambda one: one.request)
    served = {one.request for one in carried}
    unserved = tuple(request for request in range(len(pool.requests)) if request not in served)
    busy_ds = sum(round(route.busy_s * 10) for route in routes)
    return Plan(
        routes=routes,
        carried=tuple(carried),
        unserved=unserved,
        busy_ds=busy_ds,
        objective_ds=busy_ds + int(pool.requests.unserved_ds[list(unserved)].sum()),
    )


def promised(pool: Pool) -> Plan:
    """The plan in which the cars do what they have promised and nothing else."""
    return plan_of(pool, pool.vehicles.committed)


def orders_of(plan: Plan) -> tuple[tuple[Stop, ...], ...]:
    """The stops of each car without their moments."""
    return tuple(
        tuple(Stop(stop.request, stop.kind) for stop in route.stops) for route in plan.routes
    )


def route_of(pool: Pool, vehicle: int, order: Sequence[Stop]) -> Route:
    """What this car does if it makes these stops in this order, each as early as can be."""
    asked, boarding_ds, busy_ds, stops = pool.requests, pool.boarding_ds, 0, []
    place = int(pool.vehicles.place[vehicle])
    moment_ds = int(pool.vehicles.ready_ds[vehicle])
    for stop in order:
        here = pool.place_of(stop)
        drive_ds = int(pool.times.ds[place, here])
        moment_ds += drive_ds
        if stop.kind is StopKind.PICKUP:
            moment_ds = max(moment_ds, int(asked.earliest_pickup_ds[stop.request]))
        stops.append(PlannedStop(stop.request, stop.kind, moment_ds / 10))
        moment_ds += boarding_ds
        busy_ds += drive_ds + boarding_ds
        place = here
    return Route(vehicle=vehicle, stops=tuple(stops), busy_s=busy_ds / 10)


def rides_of(pool: Pool, route: Route) -> list[Carried]:
    """One entry for each party that this car drops off, in that order."""
    asked = pool.requests
    picked_s = {stop.request: stop.at_s for stop in route.stops if stop.kind is StopKind.PICKUP}
    inside = {stop.request for stop in route.stops} - picked_s.keys()
    shared_s = {stop.request: 0.0 for stop in route.stops}
    before_s, rides = 0.0, []
    for stop in route.stops:
        if len(inside) > 1:
            for request in inside:
                shared_s[request] += max(0.0, stop.at_s - before_s)
        before_s = stop.at_s
        if stop.kind is StopKind.PICKUP:
            inside.add(stop.request)
            continue
        request = stop.request
        inside.discard(request)
        earliest_s = float(asked.earliest_pickup_s[request])
        pickup_s = picked_s.get(request, earliest_s)
        drive_ds = int(pool.times.ds[asked.pickup[request], asked.dropoff[request]])
        solo_s = (drive_ds + pool.boarding_ds) / 10
        ride_s = stop.at_s - pickup_s
        rides.append(Carried(
            request=request, vehicle=route.vehicle, pickup_s=pickup_s, arrival_s=stop.at_s,
            wait_s=pickup_s - earliest_s + float(asked.waited_s[request]), ride_s=ride_s,
            solo_s=solo_s, detour_s=max(0.0, ride_s - solo_s), shared_s=shared_s[request],
        ))  # fmt: skip
    return rides
