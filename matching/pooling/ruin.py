"""Better routes by taking some neighbouring parties out and putting them back in another order.

Ruin and recreate (Schrimpf, Schneider, Stamm-Wilbrandt and Dueck 2000, "Record breaking optimization
results using the ruin and recreate principle"): near one random party others are taken out (related
removal, Shaw 1998) and put back greedily, now and then blind to a car (the blinks of Christiaens and
Vanden Berghe 2020, "Slack induction by string removals for vehicle routing problems"). Worse routes
are taken with a chance that falls while the search cools down (simulated annealing).
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.arrays import IntArray
from matching.compiled import compiled
from matching.pooling.board import (
    ADDED,
    AS_OF,
    VERSION,
    BUSY,
    CAR,
    EARLIEST,
    FIRST_EDGE,
    LENGTH,
    NEVER,
    PLACE,
    PRICE,
    STOP,
    VEHICLE,
    Board,
    board_of,
    look,
    plan_on,
    put_in,
    retime,
    take_out,
)
from matching.pooling.insertion import put_in_order
from matching.pooling.plan import Plan, promised
from matching.pooling.words import Pool

type RandomState = NDArray[np.uint64]

NEIGHBOURS = 40


@dataclass(frozen=True, slots=True)
class Search:
    """How the search goes about it; the defaults did best on made-up cities.

    Each time `fewest` to `most` parties are taken out, a neighbour being passed over with chance
    `passed_over`; a car is overlooked with chance `blink`. `hot_s` and `cold_s` are the first and
    last temperature, in seconds of a vehicle. Refused: numbers outside their range.
    """

    fewest: int = 2
    most: int = 10
    passed_over: float = 0.35
    blink: float = 0.01
    hot_s: float = 300.0
    cold_s: float = 5.0

    def __post_init__(self) -> None:
        if not 1 <= self.fewest <= self.most:
            raise ValueError(f"search takes out 1 to many, got {self.fewest} to {self.most}")
        for name in ("passed_over", "blink"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"search.{name} must be from 0 to 1, got {getattr(self, name)}")
        if not 0 < self.cold_s <= self.hot_s < NEVER:
            raise ValueError(f"search cools down, got from {self.hot_s} to {self.cold_s}")


class Walk(NamedTuple):
    """Where the search stands.

    `cars` and `routes` are a second copy of the board's, and `best_*` those of the best plan so
    far. `changed` lists the cars changed in this step, `changed_in` says for each in which step it
    was last; `out` lists who rides with nobody. `near` has a row for each request that a car can
    serve: itself, then the most alike. `cost` is the present and the best objective.
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
    random: RandomState


def ruin_and_recreate(
    pool: Pool, *, iterations: int, seed: int, search: Search | None = None
) -> Plan:
    """The best plan found in so many iterations, never worse than inserting greedily.

    The same pool, iterations and seed give the same plan on every machine: no clock is read.
    Promised stops stay in their cars in their order. Refused: a negative number of iterations.
    """
    board = deque(_boards(pool, iterations=iterations, seed=seed, search=search), maxlen=1)
    return plan_on(pool, board[0])


def improving(
    pool: Pool,
    *,
    iterations: int,
    seed: int,
    chunk: int | None = None,
    search: Search | None = None,
) -> Iterator[Plan]:
    """The best plan so far: the greedy one first, then after every `chunk` iterations.

    Stop listening whenever time is up. None is worse than the one before it; the last is the one
    of `ruin_and_recreate`, however the iterations are cut.
    """
    for board in _boards(pool, iterations=iterations, seed=seed, chunk=chunk, search=search):
        yield plan_on(pool, board)


def _boards(
    pool: Pool,
    *,
    iterations: int,
    seed: int,
    chunk: int | None = None,
    search: Search | None,
) -> Iterator[Board]:
    """The best routes so far: one board, again and again."""
    if iterations < 0 or (chunk is not None and chunk < 1):
        raise ValueError(f"iterations cannot be negative, got {iterations} in chunks of {chunk}")
    search, chunk = search or Search(), chunk or max(1, iterations)
    board = board_of(pool, promised(pool))
    put_in_order(board, longest_first(board))
    walk = _walk(board, seed=seed)
    best = board._replace(cars=walk.best_cars, routes=walk.best_routes)
    yield best
    for begin in range(0, iterations, chunk):
        wander(
            board, walk, begin, min(iterations, begin + chunk), iterations,
            search.fewest, search.most, search.passed_over, search.blink,
            search.hot_s * 10, search.cold_s * 10,
        )  # fmt: skip
        yield best


def longest_first(board: Board) -> IntArray:
    """All requests, the longest direct drive first: it is the hardest to put in later."""
    door, goal = np.split(board.stops[:, PLACE], 2)
    return np.argsort(-board.legs[door, goal].astype(np.int64), kind="stable").astype(np.int64)


def _walk(board: Board, *, seed: int) -> Walk:
    cars, asked = len(board.cars), board.requests[:-1]
    cost = board.cars[:, BUSY].sum() + asked[asked[:, CAR] < 0, PRICE].sum()
    return Walk(
        cars=board.cars.copy(),
        routes=board.routes.copy(),
        best_cars=board.cars.copy(),
        best_routes=board.routes.copy(),
        changed=np.zeros(cars, dtype=np.int64),
        changed_in=np.full(cars, -1, dtype=np.int64),
        out=np.zeros(len(asked), dtype=np.int64),
        near=_nearest(board),
        cost=np.array([cost, cost], dtype=np.int64),
        random=np.array([seed % 2**64], dtype=np.uint64),
    )


def _nearest(board: Board) -> IntArray:
    """For each request that a car can serve itself and the most alike: where and when they ride."""
    can_ride = np.flatnonzero(np.diff(board.requests[:, FIRST_EDGE]))
    door, goal = (part[can_ride] for part in np.split(board.stops[:, PLACE], 2))
    soon = board.stops[can_ride, EARLIEST]
    unlike = (
        board.legs[np.ix_(door, door)]
        + 0.3 * board.legs[np.ix_(goal, goal)]
        + np.abs(soon[:, np.newaxis] - soon[np.newaxis, :])
    )
    np.fill_diagonal(unlike, -1.0)
    return can_ride[np.argsort(unlike, axis=1, kind="stable")[:, :NEIGHBOURS]].astype(np.int64)


@compiled
def chance(random: RandomState) -> float:
    """A number from 0 to 1, below it (SplitMix64: Steele, Lea and Flood 2014)."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    mixed = random[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return float(mixed >> np.uint64(11)) * 2.0**-53


@compiled
def remember(board: Board, walk: Walk, car: int, step: int, changed: int) -> int:
    """This car's route is as in the second copy or on its list; the number of cars on the list."""
    if walk.changed_in[car] == step:
        return changed
    walk.changed_in[car] = step
    walk.changed[changed] = car
    return changed + 1


@compiled
def copy_route(
    cars: IntArray, routes: IntArray, to_cars: IntArray, to_routes: IntArray, car: int
) -> None:
    """The car's rows in the second pair of tables are as in the first."""
    for column in range(cars.shape[1]):
        to_cars[car, column] = cars[car, column]
    for at in range(cars[car, LENGTH]):
        for column in range(routes.shape[2]):
            to_routes[car, at, column] = routes[car, at, column]


@compiled
def ruin(board: Board, walk: Walk, step: int, wanted: int, passed_over: float) -> tuple[int, int]:
    """Up to so many parties near a random one ride with nobody: how many cars, and who is out.

    Out are also all who had no car before; they stand in `walk.out`.
    """
    changed, taken = 0, 0
    row = walk.near[int(chance(walk.random) * len(walk.near))]
    for place in range(len(row)):
        if taken >= wanted:
            break
        request = row[place]
        if place > 0 and chance(walk.random) < passed_over:
            continue
        car = board.requests[request, CAR]
        if car < 0:
            continue
        changed = remember(board, walk, car, step, changed)
        take_out(board, request)
        taken += 1
    for number in range(changed):
        retime(board, walk.changed[number])
    out = 0
    for place in range(len(walk.near)):
        if board.requests[walk.near[place, 0], CAR] < 0:
            walk.out[out] = walk.near[place, 0]
            out += 1
    return changed, out


@compiled
def line_up(board: Board, walk: Walk, out: int) -> None:
    """Who is out stands in random order, or, half of the times, the longest drive first."""
    line, legs, stops, count = walk.out, board.legs, board.stops, len(board.stops) // 2
    for place in range(out - 1, 0, -1):
        other = int(chance(walk.random) * (place + 1))
        line[place], line[other] = line[other], line[place]
    if chance(walk.random) < 0.5:
        return
    for place in range(1, out):
        request, hole = line[place], place
        drive = legs[stops[request, PLACE], stops[request + count, PLACE]]
        while hole > 0:
            ahead = line[hole - 1]
            if legs[stops[ahead, PLACE], stops[ahead + count, PLACE]] >= drive:
                break
            line[hole] = ahead
            hole -= 1
        line[hole] = request


@compiled
def recreate(board: Board, walk: Walk, step: int, changed: int, out: int, blink: float) -> int:
    """Everybody who is out and fits in rides again: the number of cars changed in this step."""
    asked = board.requests
    for place in range(out):
        request = walk.out[place]
        least, best = asked[request, PRICE], -1
        for edge in range(asked[request, FIRST_EDGE], asked[request + 1, FIRST_EDGE]):
            if chance(walk.random) < blink:
                continue
            if board.edges[edge, AS_OF] == board.cars[board.edges[edge, VEHICLE], VERSION]:
                added = board.edges[edge, ADDED]
            else:
                added = look(board, request, edge)
            if added < least:
                least, best = added, edge
        if best >= 0:
            changed = remember(board, walk, board.edges[best, VEHICLE], step, changed)
            put_in(board, request, best)
    return changed


@compiled
def cost_now(board: Board) -> int:
    """The busy time of all cars and the price of all who have none."""
    cost = 0
    for car in range(len(board.cars)):
        cost += board.cars[car, BUSY]
    for request in range(len(board.requests) - 1):
        if board.requests[request, CAR] < 0:
            cost += board.requests[request, PRICE]
    return cost


@compiled
def undo(board: Board, walk: Walk, changed: int, out: int) -> None:
    """The routes are those before this step."""
    for place in range(out):
        board.requests[walk.out[place], CAR] = -1
    half = len(board.stops) // 2
    for number in range(changed):
        car = walk.changed[number]
        copy_route(walk.cars, walk.routes, board.cars, board.routes, car)
        for at in range(board.cars[car, LENGTH]):
            board.requests[board.routes[car, at, STOP] % half, CAR] = car


@compiled
def wander(
    board: Board,
    walk: Walk,
    begin: int,
    end: int,
    iterations: int,
    fewest: int,
    most: int,
    passed_over: float,
    blink: float,
    hot: float,
    cold: float,
) -> None:
    """Steps `begin` up to `end` of `iterations`; the best routes and the costs are in `walk`."""
    if len(walk.near) == 0:
        return
    for step in range(begin, end):
        wanted = fewest + int(chance(walk.random) * (most - fewest + 1))
        changed, out = ruin(board, walk, step, wanted, passed_over)
        line_up(board, walk, out)
        changed = recreate(board, walk, step, changed, out, blink)
        cost, heat = cost_now(board), hot * (cold / hot) ** (step / iterations)
        if cost >= walk.cost[0] - heat * np.log(chance(walk.random) + 1e-12):
            undo(board, walk, changed, out)
            continue
        for number in range(changed):
            copy_route(board.cars, board.routes, walk.cars, walk.routes, walk.changed[number])
        walk.cost[0] = cost
        if cost < walk.cost[1]:
            walk.cost[1] = cost
            for car in range(len(board.cars)):
                copy_route(board.cars, board.routes, walk.best_cars, walk.best_routes, car)
