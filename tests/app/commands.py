"""Runs the meent command as people do: as a process of its own, in a home of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = (sys.executable, "-c", "from app.cli import main; main()")
CHECKOUT = Path(__file__).parents[2]


@contextmanager
def new_home() -> Iterator[Path]:
    """A folder that the database's user can enter too, which pytest's own is not for root."""
    with tempfile.TemporaryDirectory(prefix="meent-test-") as place:
        Path(place).chmod(0o711 if os.geteuid() == 0 else 0o700)
        yield Path(place).resolve() / "home"


def environment(home: Path, **settings: str) -> dict[str, str]:
    # Compiled once, the program starts in half the time, whatever the machine's default is.
    unwanted = ("MEENT_", "PYTHONDONTWRITEBYTECODE")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    given = {f"MEENT_{name.upper()}": value for name, value in settings.items()}
    return ours | {"MEENT_HOME": str(home), "MEENT_PORT": "0"} | given


def meent(home: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words],
        cwd=CHECKOUT,
        env=environment(home, **settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def processes_of(home: Path) -> list[str]:
    """The command lines of all processes that name this home, or were told of it."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes()
            told = words + (entry / "environ").read_bytes()
        except OSError:
            continue
        if words and os.fsencode(home) in told:
            found.append(f"{entry.name} {os.fsdecode(words).replace(chr(0), ' ')}")
    return found
