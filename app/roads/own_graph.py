"""Shortest paths on our own graph: for a small city on a machine that has no road engine."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from app.roads.network import Floats, Indices, RoadNetwork
from app.roads.port import (
    SERVICE_AREA_M,
    OutsideServiceArea,
    Route,
    Seconds,
    Snapped,
    check_service_area,
)
from app.roads.snapping import SnapIndex, Spot
from matching.travel import Point, great_circle_m

# scipy's Dijkstra holds the interpreter's lock, thread or not: about 0.1 ms per 1,000 nodes and
# source. So the graph is bounded, and a matrix is done in pieces between which others may run.
MAX_GRAPH_NODES = 100_000
SOURCES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _Ends:
    """k spots as seen from the graph: the two corners of their streets and the seconds to each.

    `node` and `seconds` have shape (k, 2): the tail's column, then the head's.
    """

    segment: Indices
    fraction: Floats
    node: Indices
    seconds: Floats
    outside: np.ndarray


class OwnGraphRouter:
    """Quickest ways by Dijkstra over the drivable streets, one-ways respected.

    It knows no turn restrictions, no traffic lights and no time lost in turning, so it is faster
    than OSRM on the same roads: a city that uses it needs a calibration of its own. Refused with
    ValueError: networks of more than 100,000 nodes.
    """

    is_estimate = False

    def __init__(self, snap_index: SnapIndex) -> None:
        network = snap_index.network
        if len(network.lat) > MAX_GRAPH_NODES:
            raise ValueError(
                f"{len(network.lat)} street corners are too many to search without OSRM; "
                f"at most {MAX_GRAPH_NODES}"
            )
        self._snap_index = snap_index
        self._network = network
        self._graph = _graph(network)

    async def nearest(self, point: Point) -> Snapped:
        """The nearest place on a street, however far."""
        return self._snap_index.snap(point).snapped

    async def route(self, start: Point, *, end: Point) -> Route:
        """The quickest way by street."""
        return await asyncio.to_thread(self._route, start, end)

    async def matrix(self, sources: Sequence[Point], *, destinations: Sequence[Point]) -> Seconds:
        """Seconds from each source to each destination, nan outside the service area."""
        if not sources or not destinations:
            return np.empty((len(sources), len(destinations)))
        to_spots = await asyncio.to_thread(self._snap_index.snap_all, destinations)
        to_ends = self._arriving(to_spots)
        rows = [
            await asyncio.to_thread(self._matrix, sources[first : first + SOURCES_AT_ONCE], to_ends)
            for first in range(0, len(sources), SOURCES_AT_ONCE)
        ]
        return np.concatenate(rows)

    def _matrix(self, sources: Sequence[Point], to_ends: _Ends) -> Seconds:
        from_ends = self._leaving(self._snap_index.snap_all(sources))
        nodes, place = np.unique(from_ends.node, return_inverse=True)
        place = place.reshape(from_ends.node.shape)
        between_s = dijkstra(self._graph, indices=nodes)
        seconds = self._along_one_street(from_ends, to_ends)
        for out in (0, 1):
            for into in (0, 1):
                through_s = (
                    from_ends.seconds[:, out, None]
                    + between_s[np.ix_(place[:, out], to_ends.node[:, into])]
                    + to_ends.seconds[None, :, into]
                )
                seconds = np.minimum(seconds, through_s)
        seconds[from_ends.outside, :] = np.nan
        seconds[:, to_ends.outside] = np.nan
        seconds[np.isinf(seconds)] = np.nan
        return seconds

    def _route(self, start: Point, end: Point) -> Route:
        start_spot, end_spot = self._snap_index.snap(start), self._snap_index.snap(end)
        check_service_area(start, snapped=start_spot.snapped)
        check_service_area(end, snapped=end_spot.snapped)
        leaving, arriving = self._leaving([start_spot]), self._arriving([end_spot])
        direct_s = float(self._along_one_street(leaving, arriving)[0, 0])
        between_s, before = dijkstra(self._graph, indices=leaving.node[0], return_predecessors=True)
        through_s = (
            leaving.seconds[0][:, None]
            + between_s[:, arriving.node[0]]
            + arriving.seconds[0][None, :]
        )
        out, into = np.unravel_index(through_s.argmin(), through_s.shape)
        duration_s = min(direct_s, float(through_s[out, into]))
        if np.isinf(duration_s):
            raise OutsideServiceArea(end, distance_m=None)
        corners: list[int] = []
        if direct_s > duration_s:
            node = int(arriving.node[0, into])
            while node >= 0:
                corners.append(node)
                node = int(before[out, node])
        geometry = (
            (start_spot.snapped.lat, start_spot.snapped.lng),
            *(
                (float(self._network.lat[node]), float(self._network.lng[node]))
                for node in reversed(corners)
            ),
            (end_spot.snapped.lat, end_spot.snapped.lng),
        )
        return Route(
            start=start_spot.snapped,
            end=end_spot.snapped,
            distance_m=_length_m(geometry),
            duration_s=duration_s,
            geometry=geometry,
            is_estimate=False,
        )

    def _leaving(self, spots: Sequence[Spot]) -> _Ends:
        """The seconds from each spot to the corners of its street, inf against a one-way."""
        return self._ends(spots, to_tail=self._network.backward_s, to_head=self._network.forward_s)

    def _arriving(self, spots: Sequence[Spot]) -> _Ends:
        """The seconds from the corners of its street to each spot, inf against a one-way."""
        return self._ends(spots, to_tail=self._network.forward_s, to_head=self._network.backward_s)

    def _ends(self, spots: Sequence[Spot], *, to_tail: Floats, to_head: Floats) -> _Ends:
        segment = np.array([spot.segment for spot in spots], dtype=np.int64)
        fraction = np.array([spot.fraction for spot in spots])
        return _Ends(
            segment=segment,
            fraction=fraction,
            node=np.column_stack([self._network.tail[segment], self._network.head[segment]]),
            seconds=np.column_stack(
                [
                    _part_s(to_tail[segment], share=fraction),
                    _part_s(to_head[segment], share=1 - fraction),
                ]
            ),
            outside=np.array([spot.snapped.distance_m > SERVICE_AREA_M for spot in spots]),
        )

    def _along_one_street(self, from_ends: _Ends, to_ends: _Ends) -> Seconds:
        """The seconds between spots on one segment without a corner between them; else inf."""
        segment = from_ends.segment[:, None]
        onward = to_ends.fraction[None, :] - from_ends.fraction[:, None]
        whole_s = np.where(
            onward >= 0, self._network.forward_s[segment], self._network.backward_s[segment]
        )
        same = segment == to_ends.segment[None, :]
        return np.where(same, _part_s(whole_s, share=np.abs(onward)), np.inf)


def _part_s(whole_s: Floats, *, share: Floats) -> Floats:
    """A share of the seconds; no share takes no time, even of what is forbidden."""
    return np.multiply(whole_s, share, out=np.zeros(np.shape(share)), where=share > 0)


def _graph(network: RoadNetwork) -> csr_array:
    """Seconds between neighbouring corners; where two streets join the same two, the quicker."""
    starts = np.concatenate([network.tail, network.head])
    ends = np.concatenate([network.head, network.tail])
    seconds = np.concatenate([network.forward_s, network.backward_s])
    open_to_cars = np.isfinite(seconds)
    starts, ends, seconds = starts[open_to_cars], ends[open_to_cars], seconds[open_to_cars]
    order = np.lexsort((seconds, ends, starts))
    starts, ends, seconds = starts[order], ends[order], seconds[order]
    first = np.ones(len(starts), dtype=bool)
    first[1:] = (starts[1:] != starts[:-1]) | (ends[1:] != ends[:-1])
    nodes = len(network.lat)
    return csr_array((seconds[first], (starts[first], ends[first])), shape=(nodes, nodes))


def _length_m(geometry: Sequence[tuple[float, float]]) -> float:
    lat, lng = np.array(geometry).T
    return float(
        great_circle_m(from_lat=lat[:-1], from_lng=lng[:-1], to_lat=lat[1:], to_lng=lng[1:]).sum()
    )
