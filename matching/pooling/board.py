"""The routes of all cars as tables of whole numbers, made from a plan and made into one."""

import numpy as np

from matching.arrays import IntArray
from matching.pooling.kernels import (
    ABOARD,
    CAR,
    EARLIEST,
    FIRST_EDGE,
    HOME,
    LATEST,
    LENGTH,
    LOCKED,
    NEVER,
    PARTY,
    PLACE,
    PRICE,
    READY,
    SEATS,
    STOP,
    VEHICLE,
    retime,
)
from matching.pooling.plan import Plan, orders_of, plan_of, promised
from matching.pooling.tables import Board
from matching.pooling.words import Pool, Stop, StopKind

ROOM_FOR_STOPS = 64
"""A route grows by no more stops than this beyond what is planned; others then do not fit in."""


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
    random = np.zeros(1, dtype=np.uint64)
    board = Board(legs, stops, cars, routes, requests, edges, random)
    for car in range(len(cars)):
        retime(board, car)
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
