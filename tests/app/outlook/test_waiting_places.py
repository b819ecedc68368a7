"""One waits on a street, at a corner that everybody finds, once looked up."""

import h3.api.basic_int as h3

from app.outlook.waiting_places import Corners, middles
from app.roads.places import Place, Places
from app.roads.port import SERVICE_AREA_M
from app.roads.service import Roads
from matching.location_index import CELL_RESOLUTION
from matching.travel import Point, distance_m
from tests.steps import IN_THE_ALPS, VADUZ


def cell_of(place: dict[str, float]) -> int:
    return int(h3.latlng_to_cell(place["lat"], place["lng"], CELL_RESOLUTION))


def test_the_corner_nearest_to_the_middle_is_taken_and_a_house_only_if_all_are() -> None:
    cell = cell_of(VADUZ)
    lat, lng = h3.cell_to_latlng(cell)
    house = Place(name="Gasse 1", kind="address", lat=lat, lng=lng)
    far = Place(name="Gasse & Weg", kind="corner", lat=lat + 0.002, lng=lng)
    near = Place(name="Gasse & Platz", kind="corner", lat=lat + 0.001, lng=lng)

    assert middles([house, far, near, house]) == {cell: near}
    assert middles([house]) == {cell: house}


async def test_where_to_wait_is_on_a_street_inside_or_beside_the_cell(
    roads: Roads, places: Places
) -> None:
    named = middles(places.rows)
    found = await Corners(roads).find(list(named), named=named)

    assert len(found) > 50
    for cell, corner in found.items():
        snapped = await roads.nearest(corner.point)
        middle = Point(*h3.cell_to_latlng(cell))
        assert snapped.distance_m < 1
        assert corner.name == named[cell].name
        assert distance_m(corner.point, to=middle) < 1_000 + SERVICE_AREA_M


async def test_a_cell_without_a_name_is_called_by_its_street_and_one_without_a_street_is_none(
    roads: Roads,
) -> None:
    vaduz, alps = cell_of(VADUZ), cell_of(IN_THE_ALPS)
    corners = Corners(roads)

    found = await corners.find([vaduz, alps], named={})

    assert set(found) == {vaduz}
    assert found[vaduz].name
    assert await corners.find([vaduz], named={}) == found
