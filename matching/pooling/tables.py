"""What compiled code works on: the routes of all cars as tables, and where a search stands."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.arrays import IntArray
from matching.pooling.words import TravelArray

type RandomState = NDArray[np.uint64]


class Board(NamedTuple):
    """All routes in tables of whole numbers; compiled code knows named tuples alone.

    `legs[a, b]` is how long it takes to board at place a and drive to b. `stops`, a row for each
    stop: its place, earliest and latest start, and how many more are inside after it. `cars`:
    where each starts, and when (less one boarding, so that the first leg is as the others), its
    seats, who is inside then, how many stops are locked; length and busy time of its route, and a
    version that is another number whenever the route is another. `routes[car, at]`: the stop, its
    start, the latest start that keeps all later promises, how many are inside after it.
    `requests`: the price of not serving, the car or -1, and the first of its `edges`; one row more
    ends the edges and holds, as its car, the last version given. `edges`, a row for each car
    that could come: the car, and what its best insertion adds and where, as of a version.
    `random` is the state of the random numbers.
    """

    legs: TravelArray
    stops: IntArray
    cars: IntArray
    routes: IntArray
    requests: IntArray
    edges: IntArray
    random: RandomState


class Walk(NamedTuple):
    """Where the search stands.

    `cars` and `routes` are a second copy of the board's, and `best_*` those of the best plan so
    far. `changed` lists the cars changed in this step, `changed_in` says for each in which step it
    was last; `out` lists who rides with nobody. `near` has a row for each request that a car can
    serve, the longest drive first: itself, then the most alike. `cost` is the present objective and
    the best.
    """

    cars: IntArray
    routes: IntArray
    best_cars: IntArray
    best_routes: IntArray
    changed: IntArray
    changed_in: IntArray
    out: IntArray
    near: IntArray
    cost: IntArray
