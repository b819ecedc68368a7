"""The cheapest pairing over given edges, with its dual prices, in compiled code.

Shortest augmenting paths (Jonker and Volgenant, "A shortest augmenting path algorithm for dense and
sparse linear assignment problems", 1987), with a way out for everybody on both sides. Riders and
drivers then play the same part, so that a path may start on either side; this is what lets a
solution be repaired, after edges were added, instead of being found anew.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from matching.arrays import IntArray
from matching.compiled import compiled, inlined

_FAR = np.iinfo(np.int64).max


class _Side(NamedTuple):
    """One side of the market; a NamedTuple, since compiled code takes no dataclass.

    The edges of one are `other[starts[one]:starts[one + 1]]`. `way_out` is what it costs to leave
    her alone, `price` at most that, `mate` -1 while she has nobody.
    """

    starts: IntArray
    other: IntArray
    cost: IntArray
    way_out: IntArray
    price: IntArray
    mate: IntArray


class _Search(NamedTuple):
    """Where a search keeps its notes: one entry per member of the side that is sought.

    `length` is the shortest way known (`_FAR`: none), `through` who knows it. Who was reached and
    not yet passed stands in `heap`, by the length that `key` repeats there, at her `place`; or in
    `ready`, if nobody can be nearer.
    """

    length: IntArray
    through: IntArray
    heap: IntArray
    key: IntArray
    place: IntArray
    ready: IntArray
    touched: IntArray
    passed: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A pairing and prices over the same edges.

    `driver_of` has one entry per rider and `rider_of` one per driver, -1 for nobody. Rider prices
    never exceed the price of not serving, driver prices never 0, nor both prices of an edge its
    cost: so their sum is at most what the best pairing costs. If `is_optimal` it is exactly what
    this one costs. `scans` counts the edges that were looked at. `fine_driver_price` is for going
    on from here, in the unit in which ties are broken.
    """

    driver_of: IntArray
    rider_of: IntArray
    rider_price_ds: IntArray
    driver_price_ds: IntArray
    fine_driver_price: IntArray
    is_optimal: bool
    scans: int


def cheapest_pairing(
    *,
    starts: IntArray,
    driver: IntArray,
    cost_ds: IntArray,
    unserved_ds: IntArray,
    driver_count: int,
    begin: Solution | None = None,
    most_scans: int | None = None,
) -> Solution:
    """The pairing of least total cost, and prices that prove it.

    The edges of rider r are `starts[r]` up to `starts[r + 1]`; `unserved_ds` is the price of
    leaving each rider unserved, an idle driver costs nothing. Numbers are whole, so there is no
    tolerance. Of equally cheap pairings it is one that serves most riders; what is still equal
    goes by the order of riders and edges, always alike.

    `begin` is an earlier solution, over other edges or costs: what still holds of it is kept, and
    only the rest is found anew. After about `most_scans` edges it stops: the pairing is feasible,
    the prices keep their promise, and whoever has nobody yet has nobody. Go on from there with
    `begin`.
    """
    # Costs are scaled so that one more rider left unserved can break a tie but never outweigh a
    # decisecond, however many riders there are.
    scale = len(unserved_ds) + 1
    way_out = unserved_ds * scale + 1
    dearest_ds = max(np.abs(cost_ds).max(initial=0), np.abs(unserved_ds).max(initial=0))
    assert int(dearest_ds) * scale < _FAR // 8, "costs too large to add up"
    if begin is None:
        driver_price = np.zeros(driver_count, dtype=np.int64)
        driver_of = np.full(len(unserved_ds), -1, dtype=np.int64)
    else:
        driver_price, driver_of = begin.fine_driver_price.copy(), begin.driver_of.copy()
    rider_of = np.full(driver_count, -1, dtype=np.int64)
    riders = _Side(starts, driver, cost_ds * scale, way_out, way_out.copy(), driver_of)
    drivers = _Side(
        *_turned(starts, driver, riders.cost, driver_count),
        way_out=np.zeros(driver_count, dtype=np.int64),
        price=driver_price,
        mate=rider_of,
    )
    _keep_what_holds(riders, drivers)
    scans, is_optimal = _settle_all(riders, drivers, _FAR if most_scans is None else most_scans)
    # Rounding the two sides apart keeps every promise: what fits a whole cost still fits it, and
    # what added up to a whole cost still does.
    return Solution(
        driver_of=driver_of,
        rider_of=rider_of,
        rider_price_ds=riders.price // scale,
        driver_price_ds=-(-driver_price // scale),
        fine_driver_price=driver_price,
        is_optimal=is_optimal,
        scans=scans,
    )


@compiled
def _turned(
    starts: IntArray, other: IntArray, cost: IntArray, count: int
) -> tuple[IntArray, IntArray, IntArray]:
    """The same edges by the other side: its starts, its others, their costs."""
    turned_starts = np.zeros(count + 1, dtype=np.int64)
    for edge in range(len(other)):
        turned_starts[other[edge] + 1] += 1
    turned_starts = np.cumsum(turned_starts)
    filled = turned_starts[:-1].copy()
    turned_other = np.empty_like(other)
    turned_cost = np.empty_like(cost)
    for one in range(len(starts) - 1):
        for edge in range(starts[one], starts[one + 1]):
            place = filled[other[edge]]
            filled[other[edge]] += 1
            turned_other[place] = one
            turned_cost[place] = cost[edge]
    return turned_starts, turned_other, turned_cost


@compiled
def _keep_what_holds(riders: _Side, drivers: _Side) -> None:
    """Give each rider the highest price that fits, and keep the pairs that are tight at it."""
    for rider in range(len(riders.price)):
        held = riders.mate[rider]
        held_at = _FAR
        for edge in range(riders.starts[rider], riders.starts[rider + 1]):
            at = riders.cost[edge] - drivers.price[riders.other[edge]]
            riders.price[rider] = min(riders.price[rider], at)
            if riders.other[edge] == held:
                held_at = at
        if held >= 0:
            if held_at == riders.price[rider]:
                drivers.mate[held] = rider
            else:
                riders.mate[rider] = -1


@compiled
def _settle_all(riders: _Side, drivers: _Side, most_scans: int) -> tuple[int, bool]:
    """Give everybody somebody or a way out; how many edges were looked at, and whether all is done.

    Who has nobody is settled when her price is that of her way out.
    """
    search = _new_search(max(len(riders.price), len(drivers.price)))
    scans = 0
    for rider in range(len(riders.price)):
        if riders.mate[rider] < 0 and riders.price[rider] < riders.way_out[rider]:
            if scans >= most_scans:
                return scans, False
            scans += _settle(rider, riders, drivers, search)
    for driver in range(len(drivers.price)):
        if drivers.mate[driver] < 0 and drivers.price[driver] < drivers.way_out[driver]:
            if scans >= most_scans:
                return scans, False
            scans += _settle(driver, drivers, riders, search)
    return scans, True


@compiled
def _new_search(size: int) -> _Search:
    return _Search(
        np.full(size, _FAR),
        np.empty(size, dtype=np.int64),
        np.empty(size, dtype=np.int64),
        np.empty(size, dtype=np.int64),
        np.empty(size, dtype=np.int64),
        np.empty(size, dtype=np.int64),
        np.empty(size, dtype=np.int64),
        np.empty(size, dtype=np.int64),
    )


@compiled
def _settle(start: int, own: _Side, far: _Side, search: _Search) -> int:
    """Find the cheapest change that settles `start`, and make it; the number of edges seen.

    Dijkstra over reduced costs, which are never negative. A way ends at somebody who has nobody, or
    with a member of the own side, maybe `start`, who takes the way out and passes her mate on.
    """
    best, ends_at_far, ends_with = own.way_out[start] - own.price[start], -1, start
    waiting = ready = touched = passed = scans = walked = 0
    one = start
    while True:
        scans += own.starts[one + 1] - own.starts[one]
        best, here, waiting, ready, touched = _reach_from(
            one, walked, best, own, far, search, waiting, ready, touched
        )
        if here >= 0:
            ends_at_far = here
        if ready > 0 and walked < best:
            ready -= 1
            nearest = search.ready[ready]
        elif ready == 0 and waiting > 0 and search.key[0] < best:
            nearest = search.heap[0]
            waiting -= 1
            _sink(search, search.heap[waiting], search.key[waiting], waiting)
        else:
            break
        search.passed[passed] = nearest
        passed += 1
        walked = search.length[nearest]
        one = far.mate[nearest]
        length = walked + own.way_out[one] - own.price[one]
        if length < best:
            best, ends_at_far, ends_with = length, -1, one
    own.price[start] += best
    for there in search.passed[:passed]:
        own.price[far.mate[there]] += best - search.length[there]
        far.price[there] -= best - search.length[there]
    for there in search.touched[:touched]:
        search.length[there] = _FAR
    _change_along(start, own, far, search.through, ends_at_far, ends_with)
    return int(scans)


@inlined
def _reach_from(
    one: int,
    walked: int,
    best: int,
    own: _Side,
    far: _Side,
    search: _Search,
    waiting: int,
    ready: int,
    touched: int,
) -> tuple[int, int, int, int, int]:
    """Enter the edges of one member of the own side, `walked` from the start.

    The length of the shortest whole way then known, where it ends if it was found here (else -1),
    how many wait in the heap, how many are ready, and how many were touched.
    """
    ends_at = -1
    for edge in range(own.starts[one], own.starts[one + 1]):
        there = own.other[edge]
        length = walked + own.cost[edge] - own.price[one] - far.price[there]
        if length >= best or length >= search.length[there]:
            continue
        is_new = search.length[there] == _FAR
        search.length[there] = length
        search.through[there] = one
        if is_new:
            search.touched[touched] = there
            touched += 1
        if far.mate[there] < 0:
            best, ends_at = length, there
            continue
        if is_new and length == walked:
            search.ready[ready] = there
            ready += 1
            continue
        if is_new:
            search.place[there] = waiting
            waiting += 1
        _rise(search, there, length)
    return best, ends_at, waiting, ready, touched


@compiled
def _change_along(
    start: int, own: _Side, far: _Side, through: IntArray, ends_at_far: int, ends_with: int
) -> None:
    """Hand on the mates along the way that was found, back to `start`."""
    there = ends_at_far
    if there < 0:
        if ends_with == start:
            return
        there = own.mate[ends_with]
        own.mate[ends_with] = -1
    while True:
        one = through[there]
        given_up = own.mate[one]
        own.mate[one] = there
        far.mate[there] = one
        if one == start:
            return
        there = given_up


@inlined
def _rise(search: _Search, one: int, length: int) -> None:
    """Move one up the heap, whose length has become less, from her place."""
    at = search.place[one]
    while at > 0:
        above = (at - 1) // 2
        if search.key[above] <= length:
            break
        search.heap[at], search.key[at] = search.heap[above], search.key[above]
        search.place[search.heap[at]] = at
        at = above
    search.heap[at], search.key[at], search.place[one] = one, length, at


@inlined
def _sink(search: _Search, one: int, length: int, size: int) -> None:
    """Put one at the top of the heap, and move her down to where she belongs."""
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and search.key[below + 1] < search.key[below]:
            below += 1
        if search.key[below] >= length:
            break
        search.heap[at], search.key[at] = search.heap[below], search.key[below]
        search.place[search.heap[at]] = at
        at = below
    search.heap[at], search.key[at], search.place[one] = one, length, at
