"""Better routes by taking some neighbouring parties out and putting them back another way.

Ruin and recreate (Schrimpf, Schneider, Stamm-Wilbrandt and Dueck 2000, "Record breaking
optimization results using the ruin and recreate principle"): near one random party others are taken
out (related removal, Shaw 1998) and put back greedily, now and then blind to a car (the blinks of
Christiaens and Vanden Berghe 2020, "Slack induction by string removals for vehicle routing
problems"). Worse routes are taken with a chance that falls while the search cools down (simulated
annealing).
"""

from collections import deque
from collections.abc import Iterator

import numpy as np

from matching.arrays import IntArray
from matching.pooling.board import board_of, plan_on
from matching.pooling.kernels import (
    EARLIEST,
    FIRST_EDGE,
    PLACE,
    cost_now,
    put_by_regret,
    put_in_order,
    wander,
)
from matching.pooling.plan import Plan, promised
from matching.pooling.tables import Board, Walk
from matching.pooling.words import Pool

NEIGHBOURS = 40
"""So many requests are considered to be taken out together with one."""


def ruin_and_recreate(pool: Pool, *, iterations: int, seed: int) -> Plan:
    """The best plan found in so many iterations, never worse than either kind of insertion.

    The same pool, iterations and seed give the same plan: no clock is read. Promised stops stay in
    their cars in their order. Refused: a negative number of iterations.
    """
    boards = _boards(pool, iterations=iterations, seed=seed, chunk=max(1, iterations))
    return plan_on(pool, deque(boards, maxlen=1).pop())


def improving(pool: Pool, *, iterations: int, seed: int, chunk: int) -> Iterator[Plan]:
    """The best plan so far: by insertion first, then after every `chunk` iterations.

    Stop listening whenever time is up. None is worse than the one before it, and the last is the
    one of `ruin_and_recreate`, whatever the chunk. Refused: chunks of less than one.
    """
    for board in _boards(pool, iterations=iterations, seed=seed, chunk=chunk):
        yield plan_on(pool, board)


def _boards(pool: Pool, *, iterations: int, seed: int, chunk: int) -> Iterator[Board]:
    """The best routes so far: one board, again and again."""
    if iterations < 0 or chunk < 1:
        raise ValueError(f"iterations must be positive, got {iterations} in chunks of {chunk}")
    board = _inserted(pool)
    board.random[0] = seed % 2**64
    walk = _walk(board)
    best = board._replace(cars=walk.best_cars, routes=walk.best_routes)
    yield best
    if len(walk.near):
        for begin in range(0, iterations, chunk):
            wander(board, walk, begin, min(iterations, begin + chunk), iterations)
            yield best


def _inserted(pool: Pool) -> Board:
    """The cheaper of the two kinds of insertion."""
    in_order = board_of(pool, promised(pool))
    by_regret = board_of(pool, promised(pool))
    put_in_order(in_order, np.arange(len(pool.requests)))
    put_by_regret(by_regret)
    return min(by_regret, in_order, key=cost_now)


def _walk(board: Board) -> Walk:
    cars, cost = len(board.cars), cost_now(board)
    return Walk(
        cars=board.cars.copy(),
        routes=board.routes.copy(),
        best_cars=board.cars.copy(),
        best_routes=board.routes.copy(),
        changed=np.zeros(cars, dtype=np.int64),
        changed_in=np.full(cars, -1, dtype=np.int64),
        out=np.zeros(len(board.requests), dtype=np.int64),
        near=_nearest(board),
        cost=np.array([cost, cost], dtype=np.int64),
    )


def _nearest(board: Board) -> IntArray:
    """For each request that a car can serve itself and the most alike: where and when they ride.

    The longest direct drive comes first: it is the hardest to put in.
    """
    can_ride = np.flatnonzero(np.diff(board.requests[:, FIRST_EDGE]))
    door, goal = np.split(board.stops[:, PLACE], 2)
    direct = board.legs[door[can_ride], goal[can_ride]]
    can_ride = can_ride[np.argsort(-direct, kind="stable")]
    soon = board.stops[can_ride, EARLIEST]
    unlike = (
        board.legs[np.ix_(door[can_ride], door[can_ride])]
        + 0.3 * board.legs[np.ix_(goal[can_ride], goal[can_ride])]
        + np.abs(soon[:, np.newaxis] - soon[np.newaxis, :])
    )
    np.fill_diagonal(unlike, -1.0)
    alike = np.argsort(unlike, axis=1, kind="stable")[:, :NEIGHBOURS]
    return np.ascontiguousarray(can_ride[alike], dtype=np.int64)
