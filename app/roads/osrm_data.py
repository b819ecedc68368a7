"""OSRM's own files, made once from an extract and kept for every later start."""

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from app.roads.extract import sha256_of
from app.roads.port import RoadFileError, Say

OSRM_PACKAGE = "osrm-bindings"
STEP_TIMEOUT_S = 1800
# As many points in one matrix as the square of this, in any shape.
MAX_TABLE_SIZE = 8000
# Longer than the client keeps an idle connection, so that no question meets a closing door.
KEEP_ALIVE_S = 60
BASE = "city.osrm"


class OsrmNotInstalledError(Exception):
    """OSRM's programs are not on this machine: there is no wheel for it."""


@dataclass(frozen=True, slots=True)
class OsrmData:
    """Prepared files and the program that answers from them."""

    folder: Path
    program: Path

    def argv(self, port: int) -> list[str]:
        """The command that serves these files on 127.0.0.1; it opens no shared memory."""
        return [
            str(self.program),
            *("--algorithm", "mld"),
            *("-i", "127.0.0.1"),
            *("-p", str(port)),
            *("--max-table-size", str(MAX_TABLE_SIZE)),
            *("-t", "2"),
            *("-k", str(KEEP_ALIVE_S)),
            *("-l", "WARNING"),
            str(self.folder / BASE),
        ]


def prepare_osrm(pbf: Path, *, home: Path, say: Say) -> OsrmData:
    """The files for this extract, made now or by an earlier start; blocks for seconds.

    Kept under `home/roads` by the hash of the extract, OSRM's version and its car profile, each
    set whole or not there at all; of two that ask at once the second waits. Always made from a
    fresh copy, because OSRM's last step writes into the files it reads. `RoadFileError`,
    `OsrmNotInstalledError`.
    """
    package = _package()
    data = _data(pbf, package=package, home=home)
    if data.folder.is_dir():
        return data
    roads, key = data.folder.parent, data.folder.name.removesuffix("-osrm")
    roads.mkdir(parents=True, exist_ok=True)
    with _locked(roads / f"{key}.lock"):
        if data.folder.is_dir():
            return data
        for killed_half_way in roads.glob(f".{key}-*"):
            shutil.rmtree(killed_half_way, ignore_errors=True)
        unfinished = Path(tempfile.mkdtemp(dir=roads, prefix=f".{key}-"))
        try:
            _build(pbf, package=package, folder=unfinished, say=say)
            unfinished.replace(data.folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return data


def find_osrm(pbf: Path, *, home: Path) -> OsrmData | None:
    """The files that an earlier start made for this extract, or None; `OsrmNotInstalledError`."""
    data = _data(pbf, package=_package(), home=home)
    return data if data.folder.is_dir() else None


def _data(pbf: Path, *, package: Path, home: Path) -> OsrmData:
    used = f"{sha256_of(pbf)} {version(OSRM_PACKAGE)} {sha256_of(_profile(package))}"
    folder = home / "roads" / f"{sha256(used.encode()).hexdigest()}-osrm"
    return OsrmData(folder=folder, program=package / "bin" / "osrm-routed")


def _profile(package: Path) -> Path:
    return package / "share" / "profiles" / "car.lua"


def _package() -> Path:
    try:
        version(OSRM_PACKAGE)
        spec = find_spec("osrm")
    except PackageNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise OsrmNotInstalledError(f"{OSRM_PACKAGE} is not installed: no wheel for this machine")
    return Path(spec.origin).parent


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(pbf: Path, *, package: Path, folder: Path, say: Say) -> None:
    copy, base = folder / "city.osm.pbf", folder / BASE
    shutil.copyfile(pbf, copy)
    steps: tuple[tuple[str, str, list[str]], ...] = (
        ("reading the streets", "osrm-extract", ["-p", str(_profile(package)), str(copy)]),
        ("dividing them into cells", "osrm-partition", [str(base)]),
        ("measuring the cells", "osrm-customize", [str(base)]),
    )
    for number, (what, program, arguments) in enumerate(steps, start=1):
        say(f"road network, step {number} of {len(steps)}: {what}")
        try:
            done = subprocess.run(
                [str(package / "bin" / program), *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=STEP_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise RoadFileError(
                pbf, f"{program} took over {STEP_TIMEOUT_S} s; cut a smaller extract"
            ) from None
        if done.returncode != 0:
            raise RoadFileError(pbf, f"{program} cannot use it ({_reason(done)}); use another")
    copy.unlink()


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """The last line in which the program complained."""
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return lines[-1].strip()[:200] if lines else f"exit {done.returncode}"
