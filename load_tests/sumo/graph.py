"""What SUMO's taxis drive from edge to edge: seconds on empty streets, and signals on the way."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from matching.arrays import LONGEST_S, FloatArray, IntArray

# What SUMO's own router adds where the way has to be given (its weights.minor-penalty).
_GIVE_WAY_S = 1.5
_GIVES_WAY = frozenset("m=sw")
# What a link shows that a traffic light controls, lit or not.
_SIGNALS = frozenset("rgGyYuoO")


@dataclass(frozen=True, slots=True)
class Stop:
    """A place on an edge, so many metres from its beginning."""

    edge: str
    at_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Drives:
    """Drives, one entry each: seconds on empty streets, and traffic lights that they pass.

    Where there is no way the seconds are beyond every limit.
    """

    empty_s: FloatArray
    signals: FloatArray


class StreetGraph:
    """The edges that a taxi may use, as the running simulation has them.

    Ways are the quickest on empty streets without a thought for traffic lights, as SUMO's taxis
    drive them.

    The way to a stop is searched once from all edges, because empty streets do not change.
    """

    def __init__(self, sumo: Any) -> None:
        lanes = [lane for lane in sumo.lane.getIDList() if lane[0] != ":" and _may_use(sumo, lane)]
        self._number: dict[str, int] = {}
        for lane in lanes:
            self._number.setdefault(sumo.lane.getEdgeID(lane), len(self._number))
        count = len(self._number)
        self._length_m = np.zeros(count)
        self._whole_s = np.zeros(count)
        for lane in lanes:
            edge = self._number[sumo.lane.getEdgeID(lane)]
            self._length_m[edge] = sumo.lane.getLength(lane)
            self._whole_s[edge] = self._length_m[edge] / sumo.lane.getMaxSpeed(lane)
        self._signal = np.zeros(count)
        turn_s: dict[tuple[int, int], float] = {}
        for lane in lanes:
            here = self._number[sumo.lane.getEdgeID(lane)]
            for link in sumo.lane.getLinks(lane):
                if link[5] in _SIGNALS:
                    self._signal[here] = 1
                there = self._number.get(sumo.lane.getEdgeID(link[0]))
                if there is not None:
                    cost_s = self._whole_s[here] + _turn_s(sumo, link)
                    turn_s[here, there] = min(cost_s, turn_s.get((here, there), np.inf))
        ends = np.array(list(turn_s), dtype=np.int64).reshape(-1, 2)
        # Turned around, so that one search finds the ways to a stop from everywhere.
        self._back = csr_array((list(turn_s.values()), (ends[:, 1], ends[:, 0])), (count, count))
        self._to: dict[int, Drives] = {}

    def edges(self, stops: list[Stop]) -> IntArray:
        """The numbers of the stops' edges."""
        return np.array([self._number[stop.edge] for stop in stops], dtype=np.int64)

    def drives(self, starts: list[Stop], end: Stop) -> Drives:
        """The drives from each start to the end."""
        goal, edges = self._number[end.edge], self.edges(starts)
        if goal not in self._to:
            self._to[goal] = self._drives_to(goal)
        ways = self._to[goal]
        driven_s = np.array([stop.at_m for stop in starts]) / self._length_m[edges]
        driven_s *= self._whole_s[edges]
        ahead_s = self._whole_s[goal] * end.at_m / self._length_m[goal]
        empty_s = ways.empty_s[edges] - driven_s + ahead_s
        return Drives(np.clip(empty_s, 0.0, LONGEST_S), ways.signals[edges])

    def _drives_to(self, goal: int) -> Drives:
        """From the beginning of every edge to that of the goal."""
        empty_s, following = dijkstra(self._back, indices=goal, return_predecessors=True)
        here = np.arange(len(following))
        # The goal, and edges without a way there, are followed by themselves.
        following = np.where(following < 0, here, following)
        signals = np.where(following == here, 0.0, self._signal)
        # Each step looks twice as far ahead.
        while (following != following[following]).any():
            signals = signals + signals[following]
            following = following[following]
        return Drives(empty_s, signals)


def _may_use(sumo: Any, lane: str) -> bool:
    allowed = sumo.lane.getAllowed(lane)
    return (not allowed or "taxi" in allowed) and "taxi" not in sumo.lane.getDisallowed(lane)


def _turn_s(sumo: Any, link: Any) -> float:
    """Seconds over the crossing, and what giving way costs."""
    across, state = link[4], link[5]
    seconds = _GIVE_WAY_S if state in _GIVES_WAY else 0.0
    while across:
        seconds += sumo.lane.getLength(across) / sumo.lane.getMaxSpeed(across)
        # A crossing may be made of several lanes one behind the other.
        following = sumo.lane.getLinks(across)
        across = following[0][4] if following else ""
    return seconds
