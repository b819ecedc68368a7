"""Puts a city's roads together: the engine there is, the straight line behind it, its places."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import structlog

from app.city import City
from app.roads.fallback import ResilientRouter
from app.roads.network import load_network
from app.roads.osrm import OsrmRouter
from app.roads.own_graph import OwnGraphRouter
from app.roads.places import Places, build_places
from app.roads.port import RouterUnavailable
from app.roads.service import Roads
from app.roads.snapping import SnapIndex
from app.roads.straight_line import StraightLineRouter
from matching.travel import Calibration

log = structlog.get_logger("roads")


@asynccontextmanager
async def open_roads(city: City, *, home: Path, router_url: str | None) -> AsyncIterator[Roads]:
    """Lend a city's roads: by the engine at ``router_url``, or by our own graph where it is None.

    Raises:
        RoadFileError: the city's road extract cannot be used.
    """
    network = await asyncio.to_thread(load_network, city.roads, home=home)
    snap_index = await asyncio.to_thread(SnapIndex, network)
    line = StraightLineRouter(snap_index)
    calibration = Calibration.same_all_week(
        constant_s=city.travel_time.constant_s, factor=city.travel_time.factor
    )
    async with AsyncExitStack() as stack:
        if router_url is None:
            router = await _own_graph(snap_index, line)
        else:
            engine = await stack.enter_async_context(OsrmRouter(router_url))
            router = ResilientRouter(engine, fallback=line)
            # Where the engine is away the line keeps its own guess of the speed.
            with suppress(RouterUnavailable):
                await line.learn_from(engine)
        yield Roads(router, calibration=calibration, time_zone=city.time_zone)


async def _own_graph(snap_index: SnapIndex, line: StraightLineRouter) -> ResilientRouter:
    """Return our own graph, or for a region too large for it the straight line alone."""
    try:
        graph = OwnGraphRouter(snap_index)
    except ValueError:
        log.warning("roads.too_large_for_own_graph", answers="straight line")
        return ResilientRouter(line, fallback=line)
    await line.learn_from(graph)
    return ResilientRouter(graph, fallback=line)


async def open_places(city: City, *, home: Path) -> Places:
    """Return the named places of a city."""
    return await asyncio.to_thread(build_places, city.roads, home=home)
