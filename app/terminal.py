"""The command line's own: how work runs until it is told to stop, and what is printed where."""
# ruff: noqa: PLC0415 - only what is needed is imported, so that the command answers at once

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from app.settings import Settings

STOPPED_BY_SIGTERM = 143
_WIDTH = 160
# Errors whose message is one line that says what to do.
_EXPECTED = (
    ("app.city", "CityError"),
    ("app.issuer.folder", "IssuerError"),
    ("app.operating.database_setup", "DatabaseSetupError"),
    ("app.foundation.children", "ChildFailedError"),
    ("app.foundation.postgres_folder", "ClusterError"),
    ("app.foundation.problems", "Problem"),
    ("app.operating.launch", "LaunchError"),
    ("app.operating.prepare_roads", "RoadsNotPreparedError"),
    ("app.replay.plan", "ReplayError"),
    ("app.replay.road_times", "TooManyZonesError"),
    ("app.roads.port", "RoadFileError"),
    ("app.settings", "SettingsError"),
    ("app.voting.errors", "VotingError"),
)


def run[T](work: Coroutine[Any, Any, T]) -> T:
    """Return what the work returns; Ctrl-C, SIGTERM and a closed terminal end it in order."""

    async def until_told() -> T:
        task = asyncio.current_task()
        assert task is not None
        for order in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(order, task.cancel)
        return await work

    try:
        return asyncio.run(until_told())
    except asyncio.CancelledError:
        raise typer.Exit(STOPPED_BY_SIGTERM) from None


def settings_of(**given: Any) -> "Settings":
    """Return the settings; options of the command line win where they were given."""
    from app.settings import load_settings

    return load_settings(**{name: value for name, value in given.items() if value is not None})


def say(line: str) -> None:
    """Tell people something; data goes to stdout instead."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is the terminal


def plain(error: Exception) -> str | None:
    """Return one line for an error that people can do something about, None for a fault of ours."""
    # What was never imported cannot have been raised, and importing all of it takes a second.
    known = [(sys.modules[room], name) for room, name in _EXPECTED if room in sys.modules]
    if not isinstance(error, tuple(getattr(room, name) for room, name in known)):
        return None
    # A problem of the API says in its description what to do about it.
    described = hasattr(type(error), "slug")
    return one_line(f"{error}. {error.__doc__}" if described else str(error))


def one_line(text: str) -> str:
    """Return the text without line breaks."""
    return " ".join(text.split())


def print_json(data: Any) -> None:
    """Print data for machines."""
    print(json.dumps(data, indent=2, default=str))  # noqa: T201 - data goes to stdout


def print_table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows for people; colours only on a terminal, and none under NO_COLOR."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*headings, box=box.SIMPLE)
    colours = {"ok": "green", "warning": "yellow", "error": "bold red"}
    for row in rows:
        table.add_row(*(Text(str(cell), style=colours.get(cell, "")) for cell in row))
    # Without a terminal there is no width to keep to.
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)
