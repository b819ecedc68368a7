"""Prepares the road engine's files in a child process, so that nothing of it outlives us."""

import asyncio
import os
import sys
from pathlib import Path

from app.foundation.children import Command, start
from app.roads.osrm_data import OsrmData, find_osrm, prepare_osrm
from app.roads.port import RoadFileError, Say

PACE_S = 0.05
# Tells what is being done from what is wrong, among the lines of the child.
_STEP = "step: "


class RoadsNotPreparedError(Exception):
    """The road extract could not be prepared; the message is one line that says what to do."""


async def prepare_roads(pbf: Path, *, home: Path, say: Say) -> OsrmData:
    """Return the engine's files for an extract; ``say`` hears the steps where they are made now.

    Raises:
        RoadsNotPreparedError: the extract cannot be used.
        OsrmNotInstalledError: there is no road engine for this machine.
    """
    data = await asyncio.to_thread(find_osrm, pbf, home=home)
    if data is None:
        await _prepare_in_child(pbf, home=home, say=say)
        data = await asyncio.to_thread(find_osrm, pbf, home=home)
        assert data is not None
    return data


async def _prepare_in_child(pbf: Path, *, home: Path, say: Say) -> None:
    log = home / "roads.log"
    log.unlink(missing_ok=True)
    command = Command(
        name="roads",
        argv=(sys.executable, "-P", "-m", "app.operating.prepare_roads", str(pbf), str(home)),
        env={name: text for name, text in os.environ.items() if not name.startswith("MEENT_")},
        log_path=log,
    )
    child = await start(command)
    heard = 0
    try:
        running = True
        while running:
            running = child.running
            lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
            # The last piece is what stands behind the last line's end: nothing, or half a line.
            for line in lines[heard:-1]:
                heard += 1
                if line.startswith(_STEP):
                    say(line.removeprefix(_STEP))
            await asyncio.sleep(PACE_S)
        code = await child.wait()
    finally:
        await child.stop()
    if code != 0:
        last = "\n".join(lines).strip().rpartition("\n")[2]
        raise RoadsNotPreparedError(last or f"{pbf}: cannot be prepared (code {code})")


def main(arguments: list[str]) -> int:
    """Prepare the extract of the first argument in the home of the second; steps to stdout."""
    pbf, home = map(Path, arguments)
    try:
        prepare_osrm(pbf, home=home, say=lambda step: _print(_STEP + step))
    except RoadFileError as error:
        _print(str(error))
        return 1
    return 0


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - our parent reads it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
