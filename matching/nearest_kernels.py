"""A k-d tree over points in space, built and searched in compiled code.

All of it stands in this one file, since numba compiles anew when the file of the outermost function
changes, and not when that of another does.
"""

from typing import NamedTuple

import numpy as np

from matching.arrays import FloatArray, IntArray
from matching.compiled import compiled, inlined

# Fewer make more boxes to look at, more make more points; measured on 10,000 drivers.
_LEAST_IN_LEAF = 8
_MOST_IN_LEAF = 2 * _LEAST_IN_LEAF
# A path from the root to a leaf leaves one sibling on each level; 2**62 leaves will not be reached.
_DEEPEST = 64


class Tree(NamedTuple):
    """Points sorted into boxes; a NamedTuple, since compiled code takes no dataclass.

    Node 1 is the root, node i has the children 2i and 2i + 1, and all leaves are on the last level,
    with as many points each, or one more. The points of a node stand side by side: `at`, shape
    (3, n), is where they are and `point` their number. No point of node i lies outside the box from
    `low[i]` to `high[i]`, both of shape (nodes, 3).
    """

    at: FloatArray
    point: IntArray
    low: FloatArray
    high: FloatArray


class Barred(NamedTuple):
    """What must not be found: of query q the points `point[starts[q]:starts[q + 1]]`."""

    starts: IntArray
    point: IntArray


class Found(NamedTuple):
    """Room for `wanted` points per query, filled without gaps: numbers and squared distances."""

    point: IntArray
    square: FloatArray


@compiled
def grow(place: FloatArray) -> Tree:
    """A tree over places of shape (n, 3), n at least 1, numbers all."""
    size = len(place)
    leaves = 1
    while 2 * leaves * _LEAST_IN_LEAF <= size:
        leaves *= 2
    point = np.arange(size)
    key = np.empty(size)
    low, high = np.empty((2 * leaves, 3)), np.empty((2 * leaves, 3))
    level_starts = 1
    while level_starts <= leaves:
        for node in range(level_starts, 2 * level_starts):
            first = (node - level_starts) * size // level_starts
            end = (node + 1 - level_starts) * size // level_starts
            widest = _enclose(place, point, first, end, low, high, node)
            if level_starts < leaves:
                for position in range(first, end):
                    key[position] = place[point[position], widest]
                middle = (2 * (node - level_starts) + 1) * size // (2 * level_starts)
                _split(key, point, first, middle, end)
        level_starts *= 2
    at = np.empty((3, size))
    for position in range(size):
        for axis in range(3):
            at[axis, position] = place[point[position], axis]
    return Tree(at, point, low, high)


@inlined
def _enclose(
    place: FloatArray,
    point: IntArray,
    first: int,
    end: int,
    low: FloatArray,
    high: FloatArray,
    node: int,
) -> int:
    """The node's box is around its points, those from `first` to `end`; which axis is longest."""
    widest = 0
    for axis in range(3):
        least = most = place[point[first], axis]
        for position in range(first + 1, end):
            least = min(least, place[point[position], axis])
            most = max(most, place[point[position], axis])
        low[node, axis], high[node, axis] = least, most
        if most - least > high[node, widest] - low[node, widest]:
            widest = axis
    return widest


@inlined
def _split(key: FloatArray, point: IntArray, first: int, middle: int, end: int) -> None:
    """Sort so far that no key before `middle` is greater, and none from there on less.

    Hoare, "Algorithm 65: Find", Communications of the ACM 4(7), 1961.
    """
    left, right = first, end - 1
    while left < right:
        pivot = key[middle]
        up, down = left, right
        while up <= down:
            while key[up] < pivot:
                up += 1
            while key[down] > pivot:
                down -= 1
            if up <= down:
                key[up], key[down] = key[down], key[up]
                point[up], point[down] = point[down], point[up]
                up += 1
                down -= 1
        if down < middle:
            left = up
        if middle < up:
            right = down


@compiled
def search(  # noqa: C901 - numba counts references at each call, which costs a third more
    start: FloatArray, tree: Tree, wanted: int, reach_square: float, barred: Barred, found: Found
) -> IntArray:
    """Fill `found` with the nearest points of each query, nearest first; how many each has.

    Queries are places of shape (m, 3), numbers all. Of points equally far the one with the lower
    number is nearer, so the tree's shape decides nothing.
    """
    leaves, size = len(tree.low) // 2, len(tree.point)
    taken = np.zeros(len(start), dtype=np.int64)
    waiting, waiting_square = np.empty(_DEEPEST, np.int64), np.empty(_DEEPEST)
    square = np.empty(_MOST_IN_LEAF)
    begin = 0
    for query in range(len(start)):
        x, y, z = start[query, 0], start[query, 1], start[query, 2]
        limit, end = reach_square, begin
        waiting[0], waiting_square[0] = 1, 0.0
        left = 1
        while left:
            left -= 1
            node, nearest = waiting[left], waiting_square[left]
            while nearest <= limit and node < leaves:
                node *= 2
                nearest = _square_to_box(x, y, z, tree, node)
                farther, other = node + 1, _square_to_box(x, y, z, tree, node + 1)
                if other < nearest:
                    node, nearest, farther, other = farther, other, node, nearest
                if other <= limit:
                    waiting[left], waiting_square[left] = farther, other
                    left += 1
            if nearest > limit:
                continue
            first = (node - leaves) * size // leaves
            many = (node + 1 - leaves) * size // leaves - first
            # Without branches, so that the processor takes several points at a time.
            for place in range(many):
                east = x - tree.at[0, first + place]
                north = y - tree.at[1, first + place]
                up = z - tree.at[2, first + place]
                square[place] = east * east + north * north + up * up
            for place in range(many):
                if square[place] > limit:
                    continue
                point = tree.point[first + place]
                if not _is_barred(barred, query, point):
                    end = _enter(point, square[place], begin, end, begin + wanted, found)
                    if end == begin + wanted:
                        limit = found.square[end - 1]
        taken[query] = end - begin
        begin = end
    return taken


@inlined
def _square_to_box(x: float, y: float, z: float, tree: Tree, node: int) -> float:
    """The squared distance to the nearest place in a node's box; rounded as that to a point is."""
    east = max(tree.low[node, 0] - x, x - tree.high[node, 0], 0.0)
    north = max(tree.low[node, 1] - y, y - tree.high[node, 1], 0.0)
    up = max(tree.low[node, 2] - z, z - tree.high[node, 2], 0.0)
    square: float = east * east + north * north + up * up
    return square


@inlined
def _enter(point: int, square: float, begin: int, end: int, full: int, found: Found) -> int:
    """Put a point in its place among those of one query, if there is one; the end of these.

    Short lists only: each that enters moves those behind it.
    """
    place = end
    if end == full:
        place -= 1
        last = found.square[place]
        if last < square or (last == square and found.point[place] < point):
            return end
    else:
        end += 1
    while place > begin and (
        found.square[place - 1] > square
        or (found.square[place - 1] == square and found.point[place - 1] > point)
    ):
        found.square[place] = found.square[place - 1]
        found.point[place] = found.point[place - 1]
        place -= 1
    found.square[place], found.point[place] = square, point
    return end


@inlined
def _is_barred(barred: Barred, query: int, point: int) -> bool:
    is_barred = False
    for entry in range(barred.starts[query], barred.starts[query + 1]):
        is_barred |= barred.point[entry] == point
    return is_barred
