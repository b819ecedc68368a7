"""What the demo shows while it runs and at its end: a live table on a terminal, lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from app.city import City
from app.demo.assembly_report import assembly_in_words
from app.demo.demand import DemoHour
from app.demo.plan import Seen
from app.foundation.money import readable

LINE_EVERY_S = 5.0
_WIDTH = 110


def money(minor: int, currency: str) -> str:
    """Return an amount for people."""
    return f"{readable(minor, currency=currency, apart=',')} {currency}"


class Screen:
    """Shows the newest state of the demo. Messages go to stderr, as data goes to stdout."""

    def __init__(self, city: City, *, hour: DemoHour, speed: float) -> None:
        self._city = city
        self._hour = hour
        self._speed = speed
        self._console = Console(stderr=True, width=None if sys.stderr.isatty() else _WIDTH)
        self._live: Live | None = None
        self._line_s = 0.0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the table on the terminal during the block; elsewhere there will be lines."""
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, auto_refresh=False) as self._live:
            yield
        self._live = None

    def say(self, line: str) -> None:
        """Print a line, above the table where there is one."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def update(self, seen: Seen, *, now: datetime) -> None:
        """Show what the phones saw until now; without a terminal, only every few seconds."""
        rows = self._rows(seen, now=now)
        if self._live is not None:
            self._live.update(self._table(rows), refresh=True)
        elif time.monotonic() - self._line_s > LINE_EVERY_S:
            self._line_s = time.monotonic()
            self.say(", ".join(f"{name} {value}" for name, value in rows))

    def _rows(self, seen: Seen, *, now: datetime) -> list[tuple[str, str]]:
        local = now.astimezone(self._city.time_zone)
        if seen.phase == "signing in":
            return [
                ("drivers", f"{seen.signed_up} of {len(self._hour.drivers)} admitted and on shift"),
                ("city time", f"{local:%H:%M:%S}"),
            ]
        wait_s = seen.waited_s / seen.picked_up if seen.picked_up else None
        return [
            ("city time", f"{local:%a %H:%M:%S}"),
            ("now", seen.phase),
            ("requests", f"{seen.requested} of {len(self._hour.riders)}"),
            ("waiting", str(seen.waiting)),
            ("under way", str(seen.under_way)),
            ("completed", str(seen.completed)),
            ("cancelled", str(seen.cancelled)),
            ("no driver", str(seen.no_driver)),
            ("mean wait", "-" if wait_s is None else f"{wait_s / 60:.1f} min"),
            ("offers", f"{seen.offers}, accepted {seen.accepted}"),
            ("commission", money(seen.commission_minor, self._city.currency)),
            ("drivers' net", money(seen.driver_net_minor, self._city.currency)),
            *([("assembly", seen.assembly)] if seen.assembly else []),
        ]

    def _table(self, rows: list[tuple[str, str]]) -> Group:
        title = f"{self._city.name}, {self._hour.kind} demand, {self._speed:g} times as fast"
        return _as_table(title, rows)

    def summary(self, report: dict[str, Any]) -> None:
        """Print the end of the story, with whose map and trips it was told on."""
        wait, offers, tick = report["pickup_wait_s"], report["offers"], report["dispatch_tick_ms"]
        scheduled, hints = report["scheduled"], report["hints"]
        shared = report["shared_rides"]
        currency, asked = report["currency"], report["requested"] - report["refused"]
        share = report["completed"] / asked if asked else 0.0
        rows = [
            ("demand", f"{report['demand']}, {report['minutes']:g} min from {_opening(report)}"),
            ("drivers", str(report["drivers"])),
            ("requests", f"{report['requested']} ({report['refused']} could not be driven)"),
            ("completed", f"{report['completed']} ({share:.1%})"),
            ("not driven", _not_driven(report)),
            ("wait for pickup", _minutes(wait)),
            ("booked ahead", f"{scheduled['requested']}, {scheduled['kept']} fetched in time"),
            ("shared", f"{shared['requested']}, {shared['together']} with others in the car"),
            ("offers", ", ".join(f"{many} {state}" for state, many in offers.items())),
            ("hints", f"{hints['given']} where to wait, {hints['followed']} followed"),
            ("dispatch tick", f"median {tick['p50']:g} ms, 99 % below {tick['p99']:g} ms"),
            ("dispatch gap", _gap(report)),
            ("income per hour", f"Gini {report['gini_income_per_hour']:.2f}"),
            ("fares", money(report["fare_minor"], currency)),
            ("= commission", money(report["commission_minor"], currency)),
            ("+ drivers' net", money(report["driver_net_minor"], currency)),
            ("acknowledged acts", f"{report['acknowledged']}, {_lost(report)}"),
            ("restarts", ", ".join(f"{many} {name}" for name, many in report["restarts"].items())),
            ("audit", f"{len(report['audit'])} checks, {report['invariant_violations']} broken"),
        ]
        self._console.print(_as_table(f"{report['city']}: what came of it", rows))
        for line in assembly_in_words(report["assembly"]) if report["assembly"] else []:
            self.say(line)
        if report["period"]:
            self._console.print(_as_table("the day, closed", _closed(report)))
        for line in report["attribution"]:
            self.say(line)


def _closed(report: dict[str, Any]) -> list[tuple[str, str]]:
    period, currency = report["period"], report["currency"]
    rows = [(step["words"], money(step["amount_minor"], currency)) for step in period["steps"]]
    paid = f"{money(period['paid_minor'], currency)} to {period['payouts']} drivers"
    ten = [
        (f"of each ten: {part['words']}", f"{part['of_ten_minor'] / 100:.2f}")
        for part in period["of_ten"]
    ]
    files = [("file for the bank", period["payout_file"]), ("where the money went", period["page"])]
    return [*rows, ("paid out", paid), *ten, *files]


def _opening(report: dict[str, Any]) -> str:
    return f"{datetime.fromisoformat(report['from']):%a %d %b %Y %H:%M}"


def _not_driven(report: dict[str, Any]) -> str:
    names = ("cancelled", "no_driver", "no_show", "unfinished")
    return ", ".join(f"{report[name]} {name.replace('_', ' ')}" for name in names)


def _gap(report: dict[str, Any]) -> str:
    gap, ticks = report["dispatch_gap"], report["dispatch_ticks"]
    if not gap["proven"]:
        return "nothing proven"
    return f"at most {gap['max']:.2%}, proven for {gap['proven']} of {ticks} ticks"


def _lost(report: dict[str, Any]) -> str:
    return f"{report['acknowledged_lost']} lost, {report['doubled']} doubled"


def _minutes(wait: dict[str, float | None]) -> str:
    if wait["mean"] is None or wait["p50"] is None or wait["p95"] is None:
        return "-"
    mean, p50, p95 = (wait[name] or 0.0 for name in ("mean", "p50", "p95"))
    return f"mean {mean / 60:.1f} min, median {p50 / 60:.1f}, 95 % below {p95 / 60:.1f}"


def _as_table(title: str, rows: list[tuple[str, str]]) -> Group:
    table = Table(box=box.SIMPLE, show_header=False)
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(value))
    return Group(Text(title, style="bold"), table)
