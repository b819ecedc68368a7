"""Whether a plan keeps every promise: reckoned anew, by no code of a solver."""

from itertools import pairwise
from math import ceil, floor

from matching.pooling.plan import Plan
from matching.pooling.words import Pool, Stop, StopKind

_ROUNDING = 1e-6
_NO_EXCUSE_DS = -(10**12)


def check_plan(pool: Pool, plan: Plan) -> tuple[str, ...]:
    """Every way in which `plan` is wrong, in words; empty if it keeps all promises.

    Looked at: each request in one car at most, both its stops there, pickup first; seats; earliest
    and latest moments; promised stops in their car, in their order, nothing before the locked ones;
    who is not on board is picked up; all stated moments, busy times and the objective are true.
    A promise that no car can keep any more must be kept as well as by the promised stops alone.
    """
    faults: list[str] = []
    seen: dict[int, int] = {}
    busy_ds = 0
    if [route.vehicle for route in plan.routes] != list(range(len(pool.vehicles))):
        return ("there must be one route for each vehicle, in their order",)
    for route in plan.routes:
        order = [Stop(stop.request, stop.kind) for stop in route.stops]
        here = f"vehicle {route.vehicle}"
        requests = {stop.request for stop in order}
        if not requests <= set(range(len(pool.requests))):
            faults.append(f"{here} serves nobody's request")
            continue
        faults += [f"request {one} is in two cars" for one in requests & seen.keys()]
        seen |= dict.fromkeys(requests, route.vehicle)
        faults += [f"{here}: {fault}" for fault in _wrong_order(pool, route.vehicle, order)]
        moments_ds, spent_ds = _reckoned(pool, route.vehicle, order)
        stated_ds = [round(stop.at_s * 10) for stop in route.stops]
        if stated_ds != moments_ds or round(route.busy_s * 10) != spent_ds:
            faults.append(f"{here}: the stated moments are not true")
        faults += [f"{here}: {fault}" for fault in _late(pool, route.vehicle, order, moments_ds)]
        busy_ds += spent_ds
    unserved = set(range(len(pool.requests))) - seen.keys()
    if set(plan.unserved) != unserved or {ride.request for ride in plan.carried} != seen.keys():
        faults.append("who is carried and who is not is not what the routes say")
    price_ds = sum(floor(pool.requests.unserved_s[one] * 10 + _ROUNDING) for one in unserved)
    if plan.busy_ds != busy_ds or plan.objective_ds != busy_ds + price_ds:
        faults.append("the objective is not true")
    return tuple(faults)


def _wrong_order(pool: Pool, vehicle: int, order: list[Stop]) -> list[str]:
    """Promised stops gone, moved or overtaken; stops without the other end; too many inside."""
    faults = []
    committed = pool.vehicles.committed[vehicle]
    locked = pool.vehicles.locked_of(vehicle)
    if tuple(stop for stop in order if stop in committed) != committed:
        faults.append("the promised stops are gone or in another order")
    if tuple(order[:locked]) != committed[:locked]:
        faults.append("something comes before a locked stop")
    aboard = {stop.request for stop in committed if pool.aboard[stop.request]}
    seats = pool.requests.seats
    inside = set(aboard)
    for stop in order:
        if stop.kind is StopKind.PICKUP and stop.request not in inside:
            inside.add(stop.request)
        elif stop.kind is StopKind.DROPOFF and stop.request in inside:
            inside.remove(stop.request)
        else:
            faults.append(f"request {stop.request}: {stop.kind} out of turn")
        if sum(seats[request] for request in inside) > pool.vehicles.seats[vehicle]:
            faults.append(f"too many inside after {stop.kind} of request {stop.request}")
    faults += [f"request {request} is never dropped off" for request in sorted(inside)]
    if len(set(order)) != len(order):
        faults.append("a stop is made twice")
    return faults


def _reckoned(pool: Pool, vehicle: int, order: list[Stop]) -> tuple[list[int], int]:
    """The earliest moment of each stop, and the driving and standing in all: deciseconds."""
    cars, asked = pool.vehicles, pool.requests
    boarding_ds = ceil(pool.boarding_s * 10 - _ROUNDING)
    places = [int(cars.place[vehicle])] + [
        int((asked.pickup if stop.kind is StopKind.PICKUP else asked.dropoff)[stop.request])
        for stop in order
    ]
    drives_ds = [int(pool.times.ds[here, there]) for here, there in pairwise(places)]
    free_ds = ceil(cars.ready_s[vehicle] * 10 - _ROUNDING)
    moments_ds = []
    for stop, drive_ds in zip(order, drives_ds, strict=True):
        at_ds = free_ds + drive_ds
        if stop.kind is StopKind.PICKUP:
            at_ds = max(at_ds, ceil(asked.earliest_pickup_s[stop.request] * 10 - _ROUNDING))
        moments_ds.append(at_ds)
        free_ds = at_ds + boarding_ds
    return moments_ds, sum(drives_ds) + boarding_ds * len(order)


def _late(pool: Pool, vehicle: int, order: list[Stop], moments_ds: list[int]) -> list[str]:
    """Stops that begin after their limit, and after what the promised stops alone would allow."""
    committed = pool.vehicles.committed[vehicle]
    excused_ds = dict(zip(committed, _reckoned(pool, vehicle, list(committed))[0], strict=True))
    faults = []
    for stop, at_ds in zip(order, moments_ds, strict=True):
        asked = pool.requests
        limits = asked.latest_pickup_s if stop.kind is StopKind.PICKUP else asked.latest_arrival_s
        limit_ds = max(
            floor(limits[stop.request] * 10 + _ROUNDING), excused_ds.get(stop, _NO_EXCUSE_DS)
        )
        if at_ds > limit_ds:
            faults.append(
                f"request {stop.request}: {stop.kind} at {at_ds / 10} s, {limit_ds / 10} s at most"
            )
    return faults
