"""Road networks for SUMO: a grid, and the streets of a city folder's extract."""

import os
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import osmium

GRID = "grid"
# Where no speed is tagged, that of a town: SUMO's first file alone means country roads, up to
# 100 km/h, and then both routers expect what no taxi drives.
_TYPES = ("osmNetconvert.typ.xml", "osmNetconvertUrbanDe.typ.xml")


def sumo_home() -> Path:
    """Where the installed SUMO keeps its programs and data; known to its programs afterwards."""
    found = find_spec("sumo")  # a peer; its import would not tell more than where it lies
    if found is None or found.origin is None:
        raise SystemExit("SUMO is not installed: make bench-dispatch installs it")
    home = Path(found.origin).parent
    os.environ["SUMO_HOME"] = str(home)
    return home


def write_grid(net: Path) -> None:
    """20 by 20 crossings 200 m apart, two lanes each way, 50 km/h, no traffic lights."""
    _run(
        "netgenerate",
        "--grid",
        *("--grid.number", "20"),
        *("--grid.length", "200"),
        *("--default.lanenumber", "2"),
        *("--default.speed", "13.9"),
        *("--default-junction-type", "priority"),
        *("--output-file", str(net)),
    )


def write_streets(net: Path, *, extract: Path) -> None:
    """The streets of an .osm.pbf extract on which taxis may drive, all of it, uncropped.

    SUMO reads OSM as XML alone, so ways with a `highway` and their nodes are written as such first.
    """
    streets = net.with_suffix(".osm")
    nodes: set[int] = set()
    for way in _read(extract, osmium.osm.WAY):
        if "highway" in way.tags:
            nodes.update(node.ref for node in way.nodes)
    with osmium.SimpleWriter(str(streets), overwrite=True) as writer:
        for one in _read(extract, osmium.osm.NODE | osmium.osm.WAY):
            if one.id in nodes if one.is_node() else "highway" in one.tags:
                writer.add(one)
    _run(
        "netconvert",
        *("--osm-files", str(streets)),
        *("--type-files", ",".join(str(sumo_home() / "data/typemap" / name) for name in _TYPES)),
        "--geometry.remove",
        "--junctions.join",
        "--tls.discard-simple",
        "--roundabouts.guess",
        "--remove-edges.isolated",
        *("--keep-edges.by-vclass", "taxi"),
        *("--keep-edges.components", "1"),
        *("--output-file", str(net)),
    )
    streets.unlink()


def _read(extract: Path, kinds: osmium.osm.osm_entity_bits) -> Iterator[Any]:
    return iter(osmium.FileProcessor(str(extract), kinds))


def program(name: str) -> str:
    """The path of one of SUMO's programs."""
    return str(sumo_home() / "bin" / name)


def _run(name: str, *arguments: str) -> None:
    done = subprocess.run(
        [program(name), *arguments, "--no-warnings"],
        capture_output=True,
        text=True,
        timeout=300.0,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{name} failed: {done.stderr[-800:]}")
