"""The routes of all cars as tables, and the compiled steps that read and change them.

A stop is a number: r is the pickup of request r, r + count its drop-off. All times are whole
deciseconds. For each stop the latest beginning that still keeps every later promise is kept up to
date, so that a place for a new stop is judged in constant time (Savelsbergh 1992, "The vehicle
routing problem with time windows: minimizing route duration", forward slack). This and the choice
of cars asked at all take it that no detour is shorter than the direct way; where one is, a shorter
route may be missed, but no promise is broken.
"""

from typing import NamedTuple

import numpy as np

from matching.arrays import IntArray
from matching.compiled import compiled
from matching.pooling.plan import Plan, orders_of, plan_of, promised
from matching.pooling.words import Pool, Stop, StopKind, TravelArray

NEVER = 1 << 60
ROOM_FOR_STOPS = 64
"""A route grows by no more stops than this beyond what is planned; others then do not fit in."""

# The columns of the tables of a board.
PLACE, EARLIEST, LATEST, PARTY = range(4)
HOME, READY, SEATS, ABOARD, LOCKED, LENGTH, BUSY, VERSION = range(8)
STOP, START, TAIL, INSIDE = range(4)
PRICE, CAR, FIRST_EDGE = range(3)
VEHICLE, AS_OF, ADDED, PICKUP_AT, DROPOFF_AT = range(5)


class Board(NamedTuple):
    """All routes in six tables of whole numbers; compiled code knows named tuples alone.

    `legs[a, b]` is how long it takes to board at place a and drive to b. `stops`, a row for each
    stop: its place, earliest and latest start, and how many more are inside after it. `cars`:
    where each starts, and when (less one boarding, so that the first leg is as the others), its
    seats, who is inside then, how many stops are locked; length and busy time of its route, and a
    version that is another number whenever the route is another. `routes[car, at]`: the stop, its
    start, the latest start that keeps all later promises, how many are inside after it.
    `requests`: the price of not serving, the car or -1, and the first of its `edges`; one row more
    ends the edges and holds, as its car, the last version given. `edges`, a row for each car
    that could come: the car, and what its best insertion adds and where, as of a version.
    """

    legs: TravelArray
    stops: IntArray
    cars: IntArray
    routes: IntArray
    requests: IntArray
    edges: IntArray


def board_of(pool: Pool, plan: Plan) -> Board:
    """The routes of `plan`, ready to be changed; nothing is known yet about insertions."""
    count, orders = len(pool.requests), orders_of(plan)
    sure = promised(pool)
    stops, cars = _stops(pool, sure), _cars(pool)
    requests, edges = _edges(pool, sure)
    width = max((len(order) for order in orders), default=0) + ROOM_FOR_STOPS
    routes = np.zeros((len(cars), width, 4), dtype=np.int64)
    for car, order in enumerate(orders):
        cars[car, LENGTH] = len(order)
        routes[car, : len(order), STOP] = [_code(one.request, one.kind, count) for one in order]
        for stop in order:
            requests[stop.request, CAR] = car
    legs = pool.times.ds + np.int32(pool.boarding_ds)
    board = Board(legs, stops, cars, routes, requests, edges)
    retime_all(board)
    return board


def plan_on(pool: Pool, board: Board) -> Plan:
    """The plan that the routes on the board mean."""
    count = len(pool.requests)
    rows = zip(board.routes[:, :, STOP].tolist(), board.cars[:, LENGTH].tolist(), strict=True)
    return plan_of(pool, [[_stop(code, count) for code in row[:length]] for row, length in rows])


def _stop(code: int, count: int) -> Stop:
    if code < count:
        return Stop(code, StopKind.PICKUP)
    return Stop(code - count, StopKind.DROPOFF)


def _code(request: int, kind: StopKind, count: int) -> int:
    return request if kind is StopKind.PICKUP else request + count


def _stops(pool: Pool, sure: Plan) -> IntArray:
    """The table of stops, limits rounded to the riders' side.

    Where a car will be late for a promise whatever it does, the moment at which it comes by its
    promised stops alone takes the limit's place: nobody is made later than that.
    """
    asked, count = pool.requests, len(pool.requests)
    stops = np.empty((2 * count, 4), dtype=np.int64)
    stops[:, PLACE] = np.concatenate((asked.pickup, asked.dropoff))
    stops[:count, EARLIEST] = asked.earliest_pickup_ds
    stops[count:, EARLIEST] = -NEVER
    stops[:, LATEST] = np.concatenate((asked.latest_pickup_ds, asked.latest_arrival_ds))
    stops[:, PARTY] = np.concatenate((asked.seats, -asked.seats))
    for route in sure.routes:
        for stop in route.stops:
            code = _code(stop.request, stop.kind, count)
            stops[code, LATEST] = max(stops[code, LATEST], round(stop.at_s * 10))
    return stops


def _cars(pool: Pool) -> IntArray:
    cars = np.zeros((len(pool.vehicles), 8), dtype=np.int64)
    cars[:, HOME] = pool.vehicles.place
    cars[:, READY] = pool.vehicles.ready_ds - pool.boarding_ds
    cars[:, SEATS] = pool.vehicles.seats
    for car, stops in enumerate(pool.vehicles.committed):
        riders = {stop.request for stop in stops if pool.aboard[stop.request]}
        cars[car, ABOARD] = sum(int(pool.requests.seats[request]) for request in riders)
        cars[car, LOCKED] = pool.vehicles.locked_of(car)
    return cars


def _where_free_to_turn(pool: Pool, sure: Plan) -> tuple[IntArray, IntArray]:
    """Where each car is, and when, once its locked stops are done."""
    place = pool.vehicles.place.copy()
    ready = pool.vehicles.ready_ds.copy()
    for route in sure.routes:
        locked = pool.vehicles.locked_of(route.vehicle)
        if locked:
            last = route.stops[locked - 1]
            place[route.vehicle] = pool.place_of(Stop(last.request, last.kind))
            ready[route.vehicle] = round(last.at_s * 10) + pool.boarding_ds
    return place, ready


def _edges(pool: Pool, sure: Plan) -> tuple[IntArray, IntArray]:
    """For each unpromised request the cars with enough seats that could be there in time."""
    asked, count = pool.requests, len(pool.requests)
    place, ready = _where_free_to_turn(pool, sure)
    there = ready[np.newaxis, :] + pool.times.ds[np.ix_(place, asked.pickup)].T
    in_time = there <= asked.latest_pickup_ds[:, np.newaxis]
    fits = asked.seats[:, np.newaxis] <= pool.vehicles.seats[np.newaxis, :]
    request, vehicle = np.nonzero(in_time & fits & ~pool.bound[:, np.newaxis])
    edges = np.zeros((len(request), 5), dtype=np.int64)
    edges[:, VEHICLE] = vehicle
    requests = np.zeros((count + 1, 3), dtype=np.int64)
    requests[:count, PRICE] = asked.unserved_ds
    requests[:count, CAR] = -1
    requests[:, FIRST_EDGE] = np.searchsorted(request, np.arange(count + 1))
    return requests, edges


@compiled
def retime(board: Board, car: int) -> None:
    """Moments, riders inside and busy time of this route are those of its stops, anew."""
    legs, stops, route, facts = board.legs, board.stops, board.routes[car], board.cars[car]
    moment, place, inside, busy = facts[READY], facts[HOME], facts[ABOARD], 0
    for at in range(facts[LENGTH]):
        stop = stops[route[at, STOP]]
        leg = legs[place, stop[PLACE]]
        place = stop[PLACE]
        moment = max(moment + leg, stop[EARLIEST])
        inside += stop[PARTY]
        busy += leg
        route[at, START] = moment
        route[at, INSIDE] = inside
    tail, place = NEVER, -1
    for at in range(facts[LENGTH] - 1, -1, -1):
        stop = stops[route[at, STOP]]
        if place >= 0:
            tail -= legs[stop[PLACE], place]
        tail = min(tail, stop[LATEST])
        place = stop[PLACE]
        route[at, TAIL] = tail
    board.requests[-1, CAR] += 1
    facts[BUSY], facts[VERSION] = busy, board.requests[-1, CAR]


@compiled
def retime_all(board: Board) -> None:
    """As `retime`, for every car."""
    for car in range(len(board.cars)):
        retime(board, car)


@compiled
def best_dropoff(
    legs: TravelArray, stops: IntArray, cars: IntArray, routes: IntArray,
    car: int, request: int, at: int, drive: int, moment: int,
) -> tuple[int, int]:
    """What boarding at `moment`, before stop `at`, adds at least to the busy time, and where to end.

    `drive` is the leg to the pickup less the leg that it replaces. The second number is how many of
    the present stops come before the drop-off; the first is NEVER if there is no place for it.
    """
    goal, due = stops[request + len(stops) // 2, PLACE], stops[request + len(stops) // 2, LATEST]
    room = cars[car, SEATS] - stops[request, PARTY]
    here, count = stops[request, PLACE], cars[car, LENGTH]
    least, where, added = NEVER, -1, drive
    for behind in range(at, count + 1):
        last = legs[here, goal]
        # Where the goal is too far from here already, a detour to another stop is no help.
        if moment + last > due:
            break
        if behind == count:
            if added + last < least:
                least, where = added + last, behind
            break
        stop = routes[car, behind, STOP]
        ahead, tail = stops[stop, PLACE], routes[car, behind, TAIL]
        leg = legs[here, ahead]
        onward = last + legs[goal, ahead]
        total = added + onward
        if behind > at:
            total -= leg
        if total < least and moment + onward <= tail:
            least, where = total, behind
        if behind == at:
            added += leg
        moment = max(moment + leg, stops[stop, EARLIEST])
        if moment > tail or added >= least or routes[car, behind, INSIDE] > room:
            break
        here = ahead
    return least, where


@compiled
def look(board: Board, request: int, edge: int) -> int:
    """What the best insertion along this edge adds; kept with the version of the route."""
    legs, stops, cars, routes = board.legs, board.stops, board.cars, board.routes
    car = board.edges[edge, VEHICLE]
    door, latest = stops[request, PLACE], stops[request, LATEST]
    soonest, party = stops[request, EARLIEST], stops[request, PARTY]
    count, room = cars[car, LENGTH], cars[car, SEATS] - party
    least, pickup_at, dropoff_at = NEVER, -1, -1
    moment, place, inside = cars[car, READY], cars[car, HOME], cars[car, ABOARD]
    for at in range(count + 1):
        if at > 0:
            moment, inside = routes[car, at - 1, START], routes[car, at - 1, INSIDE]
            place = stops[routes[car, at - 1, STOP], PLACE]
        if moment > latest or count + 2 > routes.shape[1]:
            break
        if at < cars[car, LOCKED] or inside > room:
            continue
        added = legs[place, door]
        boards = max(moment + added, soonest)
        if boards > latest:
            continue
        if at < count:
            added -= legs[place, stops[routes[car, at, STOP], PLACE]]
        added, where = best_dropoff(
            legs, stops, cars, routes, car, request, at, added, boards
        )
        if added < least:
            least, pickup_at, dropoff_at = added, at, where
    board.edges[edge, AS_OF], board.edges[edge, ADDED] = cars[car, VERSION], least
    board.edges[edge, PICKUP_AT], board.edges[edge, DROPOFF_AT] = pickup_at, dropoff_at
    return least


@compiled
def put_in(board: Board, request: int, edge: int) -> None:
    """The party rides in the car of this edge, at the places found by `look`."""
    car = board.edges[edge, VEHICLE]
    pickup_at, dropoff_at = board.edges[edge, PICKUP_AT], board.edges[edge, DROPOFF_AT]
    route = board.routes[car]
    for at in range(board.cars[car, LENGTH] - 1, dropoff_at - 1, -1):
        route[at + 2, STOP] = route[at, STOP]
    route[dropoff_at + 1, STOP] = request + len(board.stops) // 2
    for at in range(dropoff_at - 1, pickup_at - 1, -1):
        route[at + 1, STOP] = route[at, STOP]
    route[pickup_at, STOP] = request
    board.cars[car, LENGTH] += 2
    board.requests[request, CAR] = car
    retime(board, car)


@compiled
def take_out(board: Board, request: int) -> None:
    """The party rides with nobody. The car's moments are wrong until `retime`."""
    car, kept = board.requests[request, CAR], 0
    route = board.routes[car]
    for at in range(board.cars[car, LENGTH]):
        stop = route[at, STOP]
        if stop not in (request, request + len(board.stops) // 2):
            route[kept, STOP] = stop
            kept += 1
    board.cars[car, LENGTH] = kept
    board.requests[request, CAR] = -1
