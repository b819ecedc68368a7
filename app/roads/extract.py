"""A road extract is an .osm.pbf file, known by the hash of its bytes and checked when opened."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import osmium

from app.roads.port import RoadFileError


def sha256_of(path: Path) -> str:
    """The hash of the file's bytes, by which everything made from it is kept."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise RoadFileError(path, f"cannot be read ({error.strerror}); check the file") from None


@contextmanager
def objects_of(path: Path, *keys: str, nodes: bool = False) -> Iterator[Iterator[Any]]:
    """The ways of the extract that bear one of these keys, with their nodes' places.

    With `nodes` also such nodes. `RoadFileError` where it is no readable .osm.pbf file.
    """
    wanted = osmium.osm.WAY | osmium.osm.NODE if nodes else osmium.osm.WAY
    try:
        if path.stat().st_size == 0:
            raise RoadFileError(path, "is empty; put an .osm.pbf extract there")
        # The format is named: otherwise a file's ending alone would decide what it is.
        file = osmium.io.File(str(path), "pbf")
        yield iter(
            osmium.FileProcessor(file, osmium.osm.NODE | osmium.osm.WAY)
            .with_locations()
            .with_filter(osmium.filter.EntityFilter(wanted))
            .with_filter(osmium.filter.KeyFilter(*keys))
        )
    except OSError as error:
        raise RoadFileError(path, f"cannot be read ({error.strerror}); check the file") from None
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise RoadFileError(
            path, f"not a readable .osm.pbf extract ({reason}); download it again"
        ) from None


def write_whole(path: Path, *, write: Callable[[Path], object]) -> None:
    """The file exists whole or not at all, also when two write it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
    os.close(handle)
    unfinished = Path(name)
    try:
        write(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
