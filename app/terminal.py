"""What the command line prints: data to stdout, one plain line for what went wrong to stderr."""
# ruff: noqa: PLC0415 - only what is needed is imported, so that the command answers at once

import json
import sys
from collections.abc import Sequence
from typing import Any

_WIDTH = 160


def say(line: str) -> None:
    """Tell people something; data goes to stdout instead."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is the terminal


def plain(error: Exception) -> str | None:
    """Return one line for an error that people can do something about, None for a fault of ours."""
    from app.city import CityError
    from app.database_setup import DatabaseSetupError
    from app.foundation.children import ChildFailedError
    from app.foundation.embedded_postgres import ClusterError
    from app.foundation.problems import Problem
    from app.launch import LaunchError
    from app.prepare_roads import RoadsNotPreparedError
    from app.roads.port import RoadFileError
    from app.settings import SettingsError

    if isinstance(error, Problem):
        return one_line(f"{error}. {error.__doc__}")
    expected = (
        CityError,
        DatabaseSetupError,
        ChildFailedError,
        ClusterError,
        LaunchError,
        RoadFileError,
        RoadsNotPreparedError,
        SettingsError,
    )
    return one_line(str(error)) if isinstance(error, expected) else None


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
