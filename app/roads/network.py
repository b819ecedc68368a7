"""The drivable streets of an extract as arrays, read once and kept beside the data."""

import zipfile
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from app.roads.extract import objects_of, sha256_of, write_whole
from app.roads.port import RoadFileError
from matching.travel import great_circle_m

type Floats = NDArray[np.float64]
type Indices = NDArray[np.int64]

# To be raised whenever the arrays mean something else, so that no old file is read as a new one.
NETWORK_VERSION = 1
# A city; beyond this the arrays and the searches through them are no longer a city's.
MAX_NODES = 2_000_000

# Kilometres an hour by class of road, as in the car profile of OSRM, so that the two agree.
CLASS_SPEED_KMH = {
    "motorway": 90,
    "motorway_link": 45,
    "trunk": 85,
    "trunk_link": 40,
    "primary": 65,
    "primary_link": 30,
    "secondary": 55,
    "secondary_link": 25,
    "tertiary": 40,
    "tertiary_link": 20,
    "unclassified": 25,
    "residential": 25,
    "living_street": 10,
    "service": 15,
}
# Cars keep below a posted limit by this factor, as the same profile has it.
SHARE_OF_LIMIT = 0.8
# The most particular tag present decides.
ACCESS_TAGS = ("motorcar", "motor_vehicle", "vehicle", "access")
NO_ACCESS = frozenset(
    {
        "no",
        "agricultural",
        "forestry",
        "emergency",
        "emergency_vehicle",
        "psv",
        "taxi",
        "share_taxi",
        "bus",
        "minibus",
        "foot",
        "military",
        "official",
        "restricted",
    }
)
ONEWAY = {"yes": (True, False), "true": (True, False), "1": (True, False)} | {
    "-1": (False, True),
    "reverse": (False, True),
    "reversible": (False, False),
    "alternating": (False, False),
}
ONEWAY_BY_NATURE = {("junction", "roundabout"), ("junction", "circular")} | {
    ("highway", "motorway"),
    ("highway", "motorway_link"),
}


@dataclass(frozen=True, slots=True, eq=False)
class RoadNetwork:
    """The largest part of the street network in which every place reaches every other.

    n nodes with `lat` and `lng`; m segments from node `tail` to node `head`, with `length_m`, the
    seconds to drive them forward and backward (inf where that is forbidden) and, in `name_of`,
    the place of the street's name in `names` ("" for the nameless).
    """

    lat: Floats
    lng: Floats
    tail: Indices
    head: Indices
    length_m: Floats
    forward_s: Floats
    backward_s: Floats
    name_of: Indices
    names: NDArray[np.str_]


@dataclass(slots=True)
class _Segments:
    """What is gathered while the ways of the extract pass by."""

    lat: list[float] = field(default_factory=list)
    lng: list[float] = field(default_factory=list)
    tail: list[int] = field(default_factory=list)
    head: list[int] = field(default_factory=list)
    forward_mps: list[float] = field(default_factory=list)
    backward_mps: list[float] = field(default_factory=list)
    name_of: list[int] = field(default_factory=list)
    node_of: dict[int, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=lambda: {"": 0})


def load_network(pbf: Path, *, home: Path | None = None) -> RoadNetwork:
    """The extract's streets, from the copy kept under `home/roads` where there is one.

    Blocks for about a second per 100,000 nodes the first time. `RoadFileError` where the file is
    no extract or holds no street.
    """
    if home is None:
        return _read(pbf)
    kept = home / "roads" / f"{sha256_of(pbf)}-network-{NETWORK_VERSION}.npz"
    network = _read_kept(kept)
    if network is None:
        network = _read(pbf)
        arrays = {item.name: getattr(network, item.name) for item in fields(RoadNetwork)}
        write_whole(kept, write=lambda path: np.savez_compressed(path, **arrays))
    return network


def _read_kept(kept: Path) -> RoadNetwork | None:
    """The network of an earlier start; None where there is none or its file is damaged."""
    try:
        with kept.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return RoadNetwork(**{item.name: arrays[item.name] for item in fields(RoadNetwork)})
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _read(pbf: Path) -> RoadNetwork:
    segments = _Segments()
    with objects_of(pbf, "highway") as ways:
        for way in ways:
            _add_way(segments, way)
            if len(segments.lat) > MAX_NODES:
                raise RoadFileError(
                    pbf, f"more than {MAX_NODES} street corners; cut a smaller extract"
                )
    if not segments.tail:
        raise RoadFileError(pbf, "holds no street for cars; use an extract with highways in it")
    return _largest_part(segments)


def _add_way(segments: _Segments, way: Any) -> None:
    tags = way.tags
    forward_mps, backward_mps = _speeds_mps(tags)
    if forward_mps == backward_mps == 0:
        return
    name = segments.names.setdefault(tags.get("name", ""), len(segments.names))
    before: int | None = None
    for node in way.nodes:
        if not node.location.valid():
            # The extract was cut here: the street goes on outside of it.
            before = None
            continue
        here = segments.node_of.setdefault(node.ref, len(segments.lat))
        if here == len(segments.lat):
            segments.lat.append(node.lat)
            segments.lng.append(node.lon)
        if before is not None and before != here:
            segments.tail.append(before)
            segments.head.append(here)
            segments.forward_mps.append(forward_mps)
            segments.backward_mps.append(backward_mps)
            segments.name_of.append(name)
        before = here


def _speeds_mps(tags: Any) -> tuple[float, float]:
    """Metres a second along the way and against it; 0 where a car may not go."""
    class_kmh = CLASS_SPEED_KMH.get(tags["highway"])
    access = next((tags[key] for key in ACCESS_TAGS if key in tags), "yes")
    if (
        class_kmh is None
        or access in NO_ACCESS
        or (tags["highway"] == "service" and access == "private")
        or tags.get("service") == "emergency_access"
        or tags.get("area") == "yes"
    ):
        return 0.0, 0.0
    limit_kmh = _limit_kmh(tags.get("maxspeed", ""))
    mps = (limit_kmh * SHARE_OF_LIMIT if limit_kmh else class_kmh) / 3.6
    by_nature = any(tags.get(key) == value for key, value in ONEWAY_BY_NATURE)
    usual = (True, not by_nature)
    if tags.get("oneway") == "no":
        usual = (True, True)
    forward, backward = ONEWAY.get(tags.get("oneway", ""), usual)
    return mps * forward, mps * backward


def _limit_kmh(maxspeed: str) -> float | None:
    """A posted limit such as "50" or "25 mph"; None for words such as "signals"."""
    number, _, unit = maxspeed.partition(" ")
    if not number.isdecimal() or int(number) == 0:
        return None
    return int(number) * (1.609344 if unit == "mph" else 1.0)


def _largest_part(segments: _Segments) -> RoadNetwork:
    lat, lng = np.array(segments.lat), np.array(segments.lng)
    tail, head = np.array(segments.tail), np.array(segments.head)
    forward, backward = np.array(segments.forward_mps), np.array(segments.backward_mps)
    starts = np.concatenate([tail[forward > 0], head[backward > 0]])
    ends = np.concatenate([head[forward > 0], tail[backward > 0]])
    graph = coo_array((np.ones(len(starts)), (starts, ends)), shape=(len(lat), len(lat)))
    _, part = connected_components(graph, directed=True, connection="strong")
    largest = part == np.bincount(part).argmax()
    kept = largest[tail] & largest[head]
    number = np.cumsum(largest) - 1
    tail_lat, tail_lng = lat[tail[kept]], lng[tail[kept]]
    head_lat, head_lng = lat[head[kept]], lng[head[kept]]
    # Two nodes in one spot would cost nothing, and a cost of nothing is no edge to scipy.
    length_m = np.maximum(
        great_circle_m(from_lat=tail_lat, from_lng=tail_lng, to_lat=head_lat, to_lng=head_lng),
        0.01,
    )
    with np.errstate(divide="ignore"):
        forward_s, backward_s = length_m / forward[kept], length_m / backward[kept]
    return RoadNetwork(
        lat=lat[largest],
        lng=lng[largest],
        tail=number[tail[kept]],
        head=number[head[kept]],
        length_m=length_m,
        forward_s=forward_s,
        backward_s=backward_s,
        name_of=np.array(segments.name_of)[kept],
        names=np.array(list(segments.names)),
    )
