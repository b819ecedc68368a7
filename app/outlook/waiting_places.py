"""Where in a cell one can wait: on a street, by a name that drivers know, near its middle."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import h3.api.basic_int as h3

from app.roads.places import Kind, Place
from app.roads.port import OutsideServiceArea
from app.roads.service import Roads
from matching.location_index import CELL_RESOLUTION
from matching.travel import Point

# Within this of a waiting place one is already there; a cell of H3 resolution 8 is as wide.
THERE_M = 800.0
# A corner of two streets is found by everybody and is hardly ever on a motorway.
_KINDS: tuple[Kind, ...] = ("corner", "street", "poi", "address")


@dataclass(frozen=True, slots=True)
class Corner:
    """A point on a street, and what people call it; "" where the map has no name."""

    lat: float
    lng: float
    name: str

    @property
    def point(self) -> Point:
        """Where it is."""
        return Point(lat=self.lat, lng=self.lng)


def middles(places: Iterable[Place]) -> dict[int, Place]:
    """Return of each cell the corner nearest to its middle; where there is none, the next kind."""
    nearest: dict[int, tuple[int, float, Place]] = {}
    for place in places:
        cell = h3.latlng_to_cell(place.lat, place.lng, CELL_RESOLUTION)
        lat, lng = h3.cell_to_latlng(cell)
        # Within a cell a degree is about as long for all, so the order is right.
        off = (place.lat - lat) ** 2 + (place.lng - lng) ** 2
        entry = (_KINDS.index(place.kind), off, place)
        if cell not in nearest or entry[:2] < nearest[cell][:2]:
            nearest[cell] = entry
    return {cell: place for cell, (_, _, place) in nearest.items()}


class Corners:
    """Where to wait in each cell, asked of the roads once."""

    def __init__(self, roads: Roads) -> None:
        self._roads = roads
        self._known: dict[int, Corner | None] = {}

    async def find(self, cells: Sequence[int], *, named: dict[int, Place]) -> dict[int, Corner]:
        """Return the corner of each cell; a cell without a street near its place has none."""
        for cell in cells:
            if cell not in self._known:
                self._known[cell] = await self._look(cell, named.get(cell))
        return {cell: corner for cell in cells if (corner := self._known[cell]) is not None}

    async def _look(self, cell: int, place: Place | None) -> Corner | None:
        middle = place.point if place else Point(*h3.cell_to_latlng(cell))
        try:
            street = await self._roads.nearest(middle)
        except OutsideServiceArea:
            return None
        return Corner(lat=street.lat, lng=street.lng, name=place.name if place else street.name)
