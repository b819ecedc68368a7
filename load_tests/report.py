"""Runs every measurement and prints one table: rates, ratios, and CPU per piece of work."""

import argparse
import asyncio
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from load_tests.bookings import CONNECTIONS, Bookings, measure_bookings
from load_tests.positions import PositionLoad, measure_positions
from load_tests.stage import Stage, open_stage

LEAST_RATIO = 0.25  # bookings through HTTP over pgbench: what issue 2 asks for
_LIBRARIES = ("fastapi", "uvicorn", "uvloop", "asyncpg", "orjson", "websockets")
_HOW_TO_READ = (
    "Rates depend on the machine and on who else uses it; CPU time per piece of work depends far"
    " less, so compare that. HTTP and pgbench take turns, and the ratio is the median of their"
    " pairs; on a busy machine it is too low, as the API has one thread and pgbench many sessions."
    " Client, API and database share the same cores."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where it ran."""

    at: str
    system: str
    processor: str
    cores: int
    load_before: float
    versions: dict[str, str]


async def describe_machine(stage: Stage) -> Machine:
    """Return what one must know to compare figures."""
    libraries = {name: version(name) for name in _LIBRARIES}
    return Machine(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        system=f"{platform.system()} {platform.machine()}",
        processor=await asyncio.to_thread(_processor),
        cores=os.cpu_count() or 1,
        load_before=round(os.getloadavg()[0], 1),
        versions={
            "python": platform.python_version(),
            "postgresql": str(await stage.owner.fetchval("show server_version")),
            **libraries,
        },
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown"


def _median[T](rounds: Sequence[T], figure: Callable[[T], float]) -> float:
    return statistics.median(figure(one) for one in rounds)


def booking_rows(bookings: Bookings) -> list[tuple[str, str]]:
    """Return what is shown about bookings: a name and a figure with its unit each."""
    http, pgbench, late = bookings.http, bookings.pgbench, bookings.open_loop
    verdict = "reached" if bookings.ratio >= LEAST_RATIO else "NOT REACHED"
    return [
        ("GET /livez, the floor of HTTP", f"{bookings.floor.per_s:,.0f}/s"),
        ("   CPU of the API", f"{bookings.floor.api_cpu_us:,.0f} µs"),
        (f"POST /v1/rides, {CONNECTIONS} connections", f"{_median(http, _rate):,.0f}/s"),
        ("   CPU of the API", f"{_median(http, lambda one: one.api_cpu_us):,.0f} µs"),
        ("   CPU of PostgreSQL", f"{_median(http, lambda one: one.database_cpu_us):,.0f} µs"),
        (
            f"pgbench, the same {len(bookings.statements)} statements",
            f"{_median(pgbench, _rate):,.0f}/s",
        ),
        ("   CPU of PostgreSQL", f"{_median(pgbench, lambda one: one.database_cpu_us):,.0f} µs"),
        ("HTTP / pgbench, each round", ", ".join(f"{ratio:.2f}" for ratio in bookings.ratios)),
        ("HTTP / pgbench, median", f"{bookings.ratio:.2f} ({LEAST_RATIO} {verdict})"),
        ("   by CPU time, without the clients'", f"{bookings.ratio_by_cpu:.2f}"),
        (f"answer at {late.asked_per_s:,.0f}/s, p50", f"{late.p50_ms:,.1f} ms"),
        ("   p99, from the intended moment", f"{late.p99_ms:,.1f} ms"),
    ]


def _rate(one: Any) -> float:
    return float(one.per_s)


def position_rows(load: PositionLoad) -> list[tuple[str, str]]:
    """Return the same about positions."""
    dropped = {name: count for name, count in load.results.items() if name != "accepted"}
    return [
        (f"positions sent by {load.drivers} drivers", f"{load.sent_per_s:,.0f}/s"),
        ("   accepted", f"{load.accepted_per_s:,.0f}/s"),
        ("   dropped", f"{load.dropped:,} {dropped or ''}".strip()),
        ("   CPU of the API beyond idle, with flush", f"{load.api_cpu_us:,.0f} µs"),
        ("   CPU of PostgreSQL beyond idle", f"{load.database_cpu_us:,.0f} µs"),
        ("   one core of the API would take", f"{1e6 / load.api_cpu_us:,.0f}/s"),
        ("   the same sockets idle", f"{load.idle_api_cpu_share:.1%} of a core"),
        ("   taken after, p50 at most", f"{load.p50_ms:,.1f} ms"),
        ("   p99, from the intended moment", f"{load.p99_ms:,.1f} ms"),
    ]


def show(
    console: Console, machine: Machine, *, bookings: Bookings, positions: PositionLoad
) -> None:
    """Print the table and what it stands on."""
    table = Table(title="Meent under load")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for rows in (booking_rows(bookings), position_rows(positions)):
        for what, figure in rows:
            table.add_row(what, figure)
        table.add_section()
    console.print(table)
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    console.print(
        f"{machine.cores} cores, {machine.processor}, {machine.system},"
        f" load {machine.load_before} before; {versions}."
    )
    console.print(_HOW_TO_READ)


async def measure(console: Console, *, json_path: Path | None) -> None:
    """Measure everything once, show it, and keep it where asked to."""
    async with open_stage(say=console.print) as stage:
        machine = await describe_machine(stage)
        positions = await measure_positions(stage, say=console.print)
        bookings = await measure_bookings(stage, say=console.print)
    show(console, machine, bookings=bookings, positions=positions)
    if json_path is not None:
        facts = {
            "machine": asdict(machine),
            "bookings": asdict(bookings)
            | {
                "http_over_pgbench": bookings.ratio,
                "http_over_pgbench_by_cpu": bookings.ratio_by_cpu,
            },
            "positions": asdict(positions),
        }
        await asyncio.to_thread(
            json_path.write_bytes, orjson.dumps(facts, option=orjson.OPT_INDENT_2)
        )


def main() -> None:
    """Run as `python -m load_tests.report`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    asked = parser.parse_args()
    asyncio.run(measure(Console(highlight=False), json_path=asked.json))


if __name__ == "__main__":
    main()
