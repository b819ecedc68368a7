"""Places are found as people type them, the nearer first among equals."""

from pathlib import Path
from time import perf_counter

import pytest

from app.roads.folding import fold, fold_query
from app.roads.places import MAX_RESULTS, Place, Places, build_places
from matching.travel import Point, distance_m

SCHAAN = Point(lat=47.1650, lng=9.5087)

MISSION = Place(name="Mission Street", kind="street", lat=37.78, lng=-122.41)
FIFTH_AND_MISSION = Place(name="5th Street & Mission Street", kind="corner", lat=37.78, lng=-122.4)
FERRY = Place(name="Ferry Building", kind="poi", lat=37.795, lng=-122.393)
SAINT_MARY = Place(name="St. Mary's Square", kind="poi", lat=37.79, lng=-122.40)
UNION = Place(name="2040 Union Street", kind="address", lat=37.797, lng=-122.43)
CITY = Places([MISSION, FIFTH_AND_MISSION, FERRY, SAINT_MARY, UNION])


@pytest.fixture(scope="module")
def places(pbf: Path, road_home: Path) -> Places:
    return build_places(pbf, home=road_home)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("5th & Mission", FIFTH_AND_MISSION),
        ("mission and 5th", FIFTH_AND_MISSION),
        ("Mission St / Fifth St", FIFTH_AND_MISSION),
        ("5th and mision", FIFTH_AND_MISSION),
        ("mission st", MISSION),
        ("mission", MISSION),
        ("Missi", MISSION),
        ("ferry bilding", FERRY),
        ("FERRY BUI", FERRY),
        ("saint marys square", SAINT_MARY),
        ("2040 union st", UNION),
        ("union street 2040", UNION),
    ],
)
def test_the_place_that_was_meant_comes_first(typed: str, meant: Place) -> None:
    assert CITY.search(typed)[0] == meant


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Äulestrasse", "aulestr."),
        ("Äulestraße", "AEULESTRASSE"),
        ("Mission Street", "mission st"),
        ("Saint Mary's", "st marys"),
        ("Fifth Avenue", "5th ave"),
    ],
)
def test_two_spellings_of_one_name_fold_to_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_a_corner_folds_without_the_kinds_of_its_streets() -> None:
    assert fold_query("Mission St at 5th Street") == "mission & 5th"
    assert fold_query("Mission St") == "mission street"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("aulestrasse", "Äulestrasse"),
        ("schloss vaduz", "Schloss Vaduz"),
        ("shloss vadutz", "Schloss Vaduz"),
        ("landstr. 7", "Landstrasse 7"),
    ],
)
def test_the_built_in_city_is_searchable(places: Places, typed: str, name: str) -> None:
    assert places.search(typed)[0].name == name


def test_every_corner_is_one_row_found_in_either_order(places: Places) -> None:
    corners = [row for row in places.rows if row.kind == "corner"]
    assert len(corners) > 500
    for row in corners[::60]:
        one, other = row.name.split(" & ")
        there = places.search(f"{one} & {other}", near=row.point, limit=3)
        back = places.search(f"{other} & {one}", near=row.point, limit=3)
        assert row in there
        assert row in back
        same = [found for found in places.rows if set(found.name.split(" & ")) == {one, other}]
        assert all(a is b or distance_m(a.point, to=b.point) > 100 for a in same for b in same)


def test_of_equals_the_nearer_comes_first(places: Places) -> None:
    found = places.search("Landstrasse", near=SCHAAN, limit=3)
    streets = [place for place in found if place.name == "Landstrasse"]
    assert len(streets) >= 2
    away_m = [distance_m(SCHAAN, to=place.point) for place in streets]
    assert away_m == sorted(away_m)


def test_a_town_after_the_name_narrows_the_search(places: Places) -> None:
    assert places.search("Landstrasse Schaan")[0].area == "Schaan"
    assert places.search("Landstrasse Ruggell")[0].area == "Ruggell"


@pytest.mark.parametrize("typed", ["", "   ", "&", "'", "\u0301", "x" * 10_000, "🚕"])
def test_nonsense_finds_nothing(places: Places, typed: str) -> None:
    assert places.search(typed) == []


def test_no_more_come_than_were_asked_for(places: Places) -> None:
    assert len(places.search("strasse", limit=2)) == 2
    assert len(places.search("strasse", limit=10_000)) <= MAX_RESULTS
    assert Places([]).search("strasse") == []


def test_the_copy_that_was_kept_holds_the_same_places(
    places: Places, pbf: Path, road_home: Path
) -> None:
    assert build_places(pbf, home=road_home).rows == places.rows
    assert {row.kind for row in places.rows} == {"street", "address", "corner", "poi"}


def test_a_search_takes_few_milliseconds(places: Places) -> None:
    began_s = perf_counter()
    for typed in ("landstrasse schaan", "aulestr", "post", "schloss", "feldstr & landstr"):
        places.search(typed, near=SCHAAN)
    # About 2 ms each were measured; the bound leaves room for a busy machine.
    assert (perf_counter() - began_s) / 5 < 0.1
