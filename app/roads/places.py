"""Places by name: streets, house numbers, corners and points of interest of one extract."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
from rapidfuzz import process
from rapidfuzz.distance import Indel
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from app.roads.extract import objects_of, sha256_of, write_whole
from app.roads.folding import STREET_WORDS, fold, fold_query, without_street_word
from app.roads.network import Floats
from app.roads.snapping import on_sphere
from matching.travel import Point, great_circle_m

type Kind = Literal["street", "address", "corner", "poi"]

# To be raised whenever rows mean something else, so that no old file is read as a new one.
PLACES_VERSION = 1
MAX_QUERY_LETTERS = 100
MAX_RESULTS = 50
# Below this share of letters in common two names are not typing errors of each other.
LEAST_LIKENESS = 0.6
# Same-named rows nearer than this are one: both sides of a wide street, a shop drawn twice.
ONE_PLACE_M = 150.0
# A name that comes back farther away is another street.
ONE_STREET_M = 500.0
POI_KEYS = (
    "amenity",
    "shop",
    "tourism",
    "leisure",
    "railway",
    "public_transport",
    "office",
    "historic",
    "aeroway",
    "building",
    "place",
)
AREA_KINDS = frozenset({"city", "town", "village", "suburb", "neighbourhood", "quarter", "hamlet"})


@dataclass(frozen=True, slots=True)
class Place:
    """A named place; `area` is the nearest town or neighbourhood, "" where none is mapped."""

    name: str
    kind: Kind
    lat: float
    lng: float
    area: str = ""

    @property
    def point(self) -> Point:
        """Where it is."""
        return Point(lat=self.lat, lng=self.lng)


class Places:
    """Every named place of a city in memory, searchable with typing errors.

    A search takes milliseconds of one core: run it beside the event loop, not in it.
    """

    def __init__(self, rows: Iterable[Place]) -> None:
        self.rows = tuple(rows)
        keys = [(key, number) for number, row in enumerate(self.rows) for key in _keys(row)]
        self._keys = [key for key, _ in keys]
        self._sorted_keys = [" ".join(sorted(key.split())) for key in self._keys]
        self._key_letters = np.array([len(key) for key in self._keys])
        self._row_of_key = np.array([number for _, number in keys], dtype=np.int64)
        self._lat = np.array([row.lat for row in self.rows])
        self._lng = np.array([row.lng for row in self.rows])
        self._rows_of_area: defaultdict[str, list[int]] = defaultdict(list)
        for number, row in enumerate(self.rows):
            self._rows_of_area[fold(row.area)].append(number)

    def search(self, text: str, *, near: Point | None = None, limit: int = 10) -> list[Place]:
        """At most `limit` places: exact names, then beginnings, then likely typing errors.

        Among equals the nearer comes first. Only the first 100 letters of the text count.
        """
        query = fold_query(text[:MAX_QUERY_LETTERS])
        if not query or not self.rows:
            return []
        best = self._likeness(query)
        for area, numbers in self._rows_of_area.items():
            # "Landstrasse Schaan" names the street and then the town.
            if area and query.endswith(f" {area}"):
                in_area = self._likeness(query.removesuffix(f" {area}"))[numbers]
                best[numbers] = np.maximum(best[numbers], in_area)
        found = np.flatnonzero(best >= LEAST_LIKENESS)
        # Names that are alike to a twentieth are equals, and the nearer of them comes first.
        rank = np.ceil(best[found] * 20)
        away_m = np.zeros(len(found))
        if near is not None:
            away_m = great_circle_m(
                from_lat=near.lat,
                from_lng=near.lng,
                to_lat=self._lat[found],
                to_lng=self._lng[found],
            )
        order = np.lexsort((found, away_m, -rank))[: min(limit, MAX_RESULTS)]
        return [self.rows[number] for number in found[order]]

    def _likeness(self, query: str) -> Floats:
        """Each row's likeness to the query.

        3 is the same name, 2 to 2.5 a beginning, 1 to 1.5 the beginning of a later word, and
        below 1 a likely typing error.
        """
        heads = [key[: len(query)] for key in self._keys]
        words, inner = " ".join(sorted(query.split())), f" {query}"
        alike = np.maximum.reduce(
            [
                _similarity(query, self._keys),
                _similarity(words, self._sorted_keys),
                # The end may not have been typed yet, which counts for a little less.
                _similarity(query, heads) * 0.95,
            ]
        )
        begun = np.array([head == query for head in heads])
        within = np.array([inner in key for key in self._keys])
        # Of two names that begin alike, the shorter is the likelier.
        typed = len(query) / np.maximum(self._key_letters, 1)
        likeness = np.select(
            [begun & (typed == 1), begun, within], [3.0, 2 + typed / 2, 1 + typed / 2], alike * 0.99
        )
        best = np.zeros(len(self.rows))
        np.maximum.at(best, self._row_of_key, likeness)
        return best


def build_places(pbf: Path, *, home: Path | None = None) -> Places:
    """The extract's places, from the copy kept under `home/roads` where there is one.

    Blocks for about a second per 100,000 nodes the first time; `RoadFileError`.
    """
    if home is None:
        return Places(_read(pbf))
    kept = home / "roads" / f"{sha256_of(pbf)}-places-{PLACES_VERSION}.json"
    try:
        return Places(Place(**row) for row in orjson.loads(kept.read_bytes()))
    except (OSError, orjson.JSONDecodeError, TypeError):
        rows = _read(pbf)
        content = orjson.dumps([asdict(row) for row in rows])
        write_whole(kept, write=lambda path: path.write_bytes(content))
        return Places(rows)


def _similarity(query: str, keys: list[str]) -> Floats:
    """Twice the letters in common, in order, by all letters: 0 to 1."""
    return np.asarray(
        process.cdist(
            [query],
            keys,
            scorer=Indel.normalized_similarity,
            score_cutoff=LEAST_LIKENESS,
            dtype=np.float32,
        )[0],
        dtype=np.float64,
    )


def _keys(row: Place) -> set[str]:
    """The folded texts under which a place is found."""
    name = fold_query(row.name)
    if row.kind == "corner":
        one, _, other = name.partition(" & ")
        return {name, f"{other} & {one}"}
    if row.kind == "street":
        return {name, without_street_word(name)}
    if row.kind == "address":
        first, *rest = name.split()
        return {name, " ".join([*rest, first]), " ".join([name.split()[-1], *name.split()[:-1]])}
    return {name, fold(row.name)}


class _Gathered:
    """What is noted while the objects of the extract pass by."""

    def __init__(self) -> None:
        self.areas: list[tuple[str, Point]] = []
        self.street_points: defaultdict[str, list[Point]] = defaultdict(list)
        self.streets_at: defaultdict[int, set[str]] = defaultdict(set)
        self.place_of_node: dict[int, Point] = {}
        self.pois: defaultdict[str, list[Point]] = defaultdict(list)
        self.addresses: list[tuple[str, str, Point]] = []

    def add(self, thing: Any) -> None:
        """One node or way; what has no place or no name of use is passed over."""
        tags = thing.tags
        name = tags.get("name", "").strip()
        if "highway" in tags and not thing.is_node():
            if name:
                self._add_street(name, thing)
            return
        at = _place(thing)
        if at is None:
            return
        if name and thing.is_node() and tags.get("place") in AREA_KINDS:
            self.areas.append((name, at))
        if name and any(key in tags for key in POI_KEYS):
            self.pois[name].append(at)
        street, number = tags.get("addr:street"), tags.get("addr:housenumber")
        if street and number:
            self.addresses.append((street, number, at))

    def _add_street(self, name: str, way: Any) -> None:
        for node in way.nodes:
            if node.location.valid():
                at = self.place_of_node.setdefault(node.ref, Point(lat=node.lat, lng=node.lon))
                self.street_points[name].append(at)
                self.streets_at[node.ref].add(name)


def _read(pbf: Path) -> list[Place]:
    gathered = _Gathered()
    with objects_of(pbf, "name", "addr:housenumber", nodes=True) as things:
        for thing in things:
            gathered.add(thing)
    corners: defaultdict[str, list[Point]] = defaultdict(list)
    for node, names in gathered.streets_at.items():
        for one, other in combinations(sorted(names), 2):
            corners[f"{one} & {other}"].append(gathered.place_of_node[node])
    addresses: defaultdict[str, list[Point]] = defaultdict(list)
    number_first = _number_comes_first([street for street, _, _ in gathered.addresses])
    for street, number, at in gathered.addresses:
        addresses[f"{number} {street}" if number_first else f"{street} {number}"].append(at)
    return _with_areas(
        [
            *_rows("street", gathered.street_points, apart_m=ONE_STREET_M),
            *_rows("address", addresses, apart_m=ONE_PLACE_M),
            *_rows("corner", corners, apart_m=ONE_PLACE_M),
            *_rows("poi", gathered.pois, apart_m=ONE_PLACE_M),
        ],
        areas=gathered.areas,
    )


def _place(thing: Any) -> Point | None:
    if thing.is_node():
        return Point(lat=thing.lat, lng=thing.lon)
    inside = [node for node in thing.nodes if node.location.valid()]
    if not inside:
        return None
    return Point(
        lat=sum(node.lat for node in inside) / len(inside),
        lng=sum(node.lon for node in inside) / len(inside),
    )


def _number_comes_first(streets: list[str]) -> bool:
    """Whether people here write "12 Main Street" and not "Landstrasse 12"."""
    english = sum(not STREET_WORDS.isdisjoint(fold(street).split()[-1:]) for street in streets)
    return english > len(streets) / 2


def _rows(kind: Kind, named: Mapping[str, list[Point]], *, apart_m: float) -> Iterator[Place]:
    """One row per name and cluster, at the point of it that lies nearest to its middle."""
    for name, points in named.items():
        if len(points) == 1:
            yield Place(name=name, kind=kind, lat=points[0].lat, lng=points[0].lng)
            continue
        places = _on_sphere(points)
        pairs = cKDTree(places).query_pairs(apart_m, output_type="ndarray")
        joined = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(points), len(points)))
        clusters, cluster_of = connected_components(joined, directed=False)
        for cluster in range(clusters):
            members = np.flatnonzero(cluster_of == cluster)
            middle = places[members].mean(axis=0)
            nearest = np.linalg.norm(places[members] - middle, axis=1).argmin()
            at = points[members[nearest]]
            yield Place(name=name, kind=kind, lat=at.lat, lng=at.lng)


def _with_areas(rows: list[Place], *, areas: list[tuple[str, Point]]) -> list[Place]:
    """The rows, each with the name of the town or neighbourhood that is nearest to it."""
    if not areas or not rows:
        return rows
    tree = cKDTree(_on_sphere([at for _, at in areas]))
    _, nearest = tree.query(_on_sphere([row.point for row in rows]))
    return [replace(row, area=areas[number][0]) for row, number in zip(rows, nearest, strict=True)]


def _on_sphere(points: list[Point]) -> Floats:
    return on_sphere(
        np.array([point.lat for point in points]), np.array([point.lng for point in points])
    )
