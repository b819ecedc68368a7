"""A party put into routes where it adds the least: one at once for a quote, or a whole batch."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from matching.arrays import IntArray, positions_in
from matching.pooling.board import board_of, plan_on
from matching.pooling.kernels import (
    CAR,
    DROPOFF_AT,
    EARLIEST,
    FIRST_EDGE,
    LATEST,
    PICKUP_AT,
    SEATS,
    VEHICLE,
    cheapest,
    put_by_regret,
    put_in_order,
)
from matching.pooling.plan import Carried, Plan, orders_of, promised, rides_of, route_of
from matching.pooling.words import Pool, Stop, StopKind


class WhyNot(StrEnum):
    """Why a party cannot share now; the first that applies."""

    NO_WAY = "no_way"
    """There is no way from the pickup to the drop-off within the limit, even alone and at once."""

    NO_CAR_WITH_SEATS = "no_car_with_seats"
    """No car has as many seats as the party needs, even when empty."""

    NO_CAR_IN_TIME = "no_car_in_time"
    """No car with the seats reaches the pickup in time, even driving there at once."""

    PROMISES_TO_OTHERS = "promises_to_others"
    """Cars could come, but none within this party's limits without breaking another's."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """The best place for a party: which car, and how many of its stops come before either end.

    `added_s` is how much longer the car is busy; `ride` is what the party can be told.
    """

    vehicle: int
    stops_before_pickup: int
    stops_before_dropoff: int
    added_s: float
    ride: Carried


class Quotes:
    """Answers at once, for any number of parties, what it would be to join the routes of `plan`.

    `plan` is one that `check_plan` finds nothing wrong with. Nothing is promised by an answer: each
    is given as if the others had not been asked, whatever it would cost.
    """

    def __init__(self, pool: Pool, plan: Plan) -> None:
        self._pool = pool
        self._orders = orders_of(plan)
        self._board = board_of(pool, plan)

    def of(self, request: int) -> Insertion | WhyNot:
        """The insertion that adds the least, the first such car's at a tie, or why there is none.

        Refused: a request that is not in the pool, or one that the plan carries already.
        """
        if not 0 <= request < len(self._pool.requests):
            raise ValueError(f"there are {len(self._pool.requests)} requests, got {request}")
        if self._board.requests[request, CAR] >= 0:
            raise ValueError(f"request {request} is carried already")
        added_ds, edge = cheapest(self._board, request, 0.0)
        if edge < 0:
            return self._why_not(request)
        found = self._board.edges[edge].tolist()
        vehicle, before = found[VEHICLE], (found[PICKUP_AT], found[DROPOFF_AT])
        order = list(self._orders[vehicle])
        order.insert(before[1], Stop(request, StopKind.DROPOFF))
        order.insert(before[0], Stop(request, StopKind.PICKUP))
        rides = rides_of(self._pool, route_of(self._pool, vehicle, order))
        return Insertion(
            vehicle=vehicle,
            stops_before_pickup=before[0],
            stops_before_dropoff=before[1],
            added_s=added_ds / 10,
            ride=next(ride for ride in rides if ride.request == request),
        )

    def _why_not(self, request: int) -> WhyNot:
        board, asked = self._board, self._pool.requests
        alone_ds = board.legs[asked.pickup[request], asked.dropoff[request]]
        if board.stops[request, EARLIEST] + alone_ds > board.stops[request + len(asked), LATEST]:
            return WhyNot.NO_WAY
        if asked.seats[request] > board.cars[:, SEATS].max(initial=0):
            return WhyNot.NO_CAR_WITH_SEATS
        if board.requests[request, FIRST_EDGE] == board.requests[request + 1, FIRST_EDGE]:
            return WhyNot.NO_CAR_IN_TIME
        return WhyNot.PROMISES_TO_OTHERS


def insert_in_order(pool: Pool, *, order: IntArray | None = None) -> Plan:
    """The promised routes with each request put in where it adds the least, one after another.

    `order` are positions in the requests, all of them in their order if left out. Who finds no
    place, or only one dearer than not serving, stays unserved.
    """
    count = len(pool.requests)
    given = np.arange(count) if order is None else order
    turns = positions_in(given, name="order", size=count)
    board = board_of(pool, promised(pool))
    # A copy, since compiled code takes a read-only array for another type.
    put_in_order(board, turns.copy())
    return plan_on(pool, board)


def insert_by_regret(pool: Pool) -> Plan:
    """As `insert_in_order`, but next comes whoever loses most by taking the second best.

    Potvin and Rousseau 1993, "A parallel route building algorithm for the vehicle routing and
    scheduling problem with time windows". Its time grows with the square of the requests.
    """
    board = board_of(pool, promised(pool))
    put_by_regret(board)
    return plan_on(pool, board)
