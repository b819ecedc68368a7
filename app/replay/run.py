"""The replay: reads a city, runs its day under each policy, shows and keeps what came of it."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson

from app.city import City, load_city
from app.replay.outlook import make_outlook
from app.replay.paired import paired_figures, paired_table
from app.replay.pay import empty_km_cost_minor
from app.replay.plan import (
    LINE,
    Foresight,
    ReplayError,
    ShiftKind,
    Stretch,
    make_day,
    make_shifts,
    needed_drivers,
    places_of,
    read_stretch,
)
from app.replay.plot import draw
from app.replay.report import Run, figures, make_report, table
from app.replay.road_times import road_times
from app.replay.screen import Screen
from app.settings import Settings, load_settings
from app.terminal import print_table, say
from matching.replay.day import Day, Outlook, Places, Rules
from matching.replay.policies import Policy, named_policy
from matching.replay.simulation import Simulation
from matching.replay.times import DriveTimes, LineTimes

# The policy that obeys the assembly; the others are what people do without one.
VOTED = "meent"
type TimesKind = Literal["line", "road"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """What can be asked of a replay; None: the built-in city, all of its record, enough drivers."""

    city: Path | None = None
    start: datetime | None = None
    end: datetime | None = None
    drivers: int | None = None
    shifts: ShiftKind = "all-day"
    policies: str = "greedy-fcfs,greedy-closest,optimal-idle,meent:fairness_s=0,meent"
    times: TimesKind = "line"
    foresight: Foresight = "exact"
    cancel_share: float = 0.0
    scheduled_share: float = 0.0
    seed: int = 1
    paired_seeds: int = 1
    empty_km_cost_minor: float | None = None
    rules: Rules = field(default_factory=Rules)
    report: Path | None = None
    plot: Path | None = None


def run_replay(options: ReplayOptions) -> None:
    """Run it: a table on stdout, progress on stderr, and the files that were asked for.

    Raises:
        ReplayError, CityError and what the road engine refuses: one line that says what to do.
    """
    named = _policies(options.policies)
    _require_places_for(options)
    settings = load_settings(**({} if options.city is None else {"city": options.city}))
    city = load_city(settings.city)
    policies = [_as_voted(policy, city) for policy in named]
    say(f"{city.name}: reading who wanted to go where")
    stretch = read_stretch(city, home=settings.home, start=options.start, end=options.end)
    places = places_of(stretch)
    times = _times(options, city, settings, stretch, places)
    hints = any(policy.hints for policy in policies)
    outlook = make_outlook(city, stretch, home=settings.home) if hints else None
    figures_of: dict[int, dict[str, dict[str, Any]]] = {}
    first: tuple[Day, list[Run]] | None = None
    with Screen(stretch.length_s) as screen:
        for seed in range(options.seed, options.seed + options.paired_seeds):
            day = _day(options, city, stretch, places, times, outlook, seed)
            runs = [_run(day, policy, times, seed, screen) for policy in policies]
            figures_of[seed] = {run.policy.name: figures(stretch, day, run) for run in runs}
            first = first or (day, runs)
    assert first is not None, "there is at least one seed"
    day, runs = first
    report = make_report(
        city,
        stretch,
        day,
        asked={
            "shifts": options.shifts,
            "times": options.times,
            "foresight": options.foresight,
            "cancel_share": options.cancel_share,
            "scheduled_share": options.scheduled_share,
            "seed": options.seed,
        },
        policies=figures_of[options.seed],
    )
    if options.paired_seeds > 1:
        report["paired"] = paired_figures(figures_of)
    _keep(options, report, stretch, day, runs)
    _show(report)


def _day(
    options: ReplayOptions,
    city: City,
    stretch: Stretch,
    places: Places,
    times: DriveTimes,
    outlook: Outlook | None,
    seed: int,
) -> Day:
    drivers = options.drivers or needed_drivers(stretch, kind=options.shifts)
    cost_minor = options.empty_km_cost_minor
    if cost_minor is None:
        cost_minor = empty_km_cost_minor(city)
    return make_day(
        city,
        stretch,
        places=places,
        times=times,
        shifts=make_shifts(
            stretch,
            kind=options.shifts,
            drivers=drivers,
            patience_s=options.rules.patience_s,
            seed=seed,
        ),
        rules=replace(options.rules, empty_km_cost_minor=cost_minor),
        foresight=options.foresight,
        cancel_share=options.cancel_share,
        scheduled_share=options.scheduled_share,
        outlook=outlook,
        seed=seed,
    )


def _policies(names: str) -> list[Policy]:
    try:
        policies = [named_policy(name.strip()) for name in names.split(",")]
    except ValueError as wrong:
        raise ReplayError(f"--policy: {wrong}") from None
    if len({policy.name for policy in policies}) < len(policies):
        raise ReplayError("--policy: name each policy once")
    return policies


def _as_voted(policy: Policy, city: City) -> Policy:
    """Return Meent's way to dispatch with the founding weight of fairness, unless one was named."""
    name, *changes = policy.name.split(":")
    if name != VOTED or any(change.startswith("fairness_s=") for change in changes):
        return policy
    return replace(policy, fairness_s=float(city.statutes.fairness_weight_s))


def _require_places_for(options: ReplayOptions) -> None:
    """Refuse now what would otherwise be found out when everything is over."""
    for name, path in (("report", options.report), ("plot", options.plot)):
        if path is not None and not path.resolve().parent.is_dir():
            raise ReplayError(f"{path}: there is no such folder: make it, or name another --{name}")
    if options.plot is not None and options.plot.suffix != ".svg":
        raise ReplayError(f"{options.plot}: the plot is an SVG: name a file that ends in .svg")


def _times(
    options: ReplayOptions, city: City, settings: Settings, stretch: Stretch, places: Places
) -> DriveTimes:
    if options.times == "line":
        return LineTimes(places, LINE)
    work = road_times(city, settings=settings, places=places, at=stretch.start, say=say)
    return asyncio.run(work)


def _run(day: Day, policy: Policy, times: DriveTimes, seed: int, screen: Screen) -> Run:
    simulation = Simulation(day, policy=policy, times=times, seed=seed)
    tell = screen.begin(policy.name)
    tick_s = []
    began_s = before_s = time.perf_counter()
    for tick in simulation.ticks():
        after_s = time.perf_counter()
        tick_s.append(after_s - before_s)
        tell(tick.now_s)
        before_s = time.perf_counter()
    outcome = simulation.outcome()
    return Run(policy, outcome, np.array(tick_s), time.perf_counter() - began_s)


def _keep(
    options: ReplayOptions, report: dict[str, Any], stretch: Stretch, day: Day, runs: list[Run]
) -> None:
    if options.report is not None:
        options.report.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    if options.plot is not None:
        outcomes = {run.policy.name: run.outcome for run in runs}
        title = (
            f"{report['city']}, {stretch.start:%a %d %b %Y %H:%M} to {stretch.end:%a %d %b %H:%M}, "
            f"{stretch.kind} demand, {report['drivers']} drivers"
        )
        options.plot.write_text(draw(stretch.start, day, outcomes, title=title), encoding="utf-8")


def _show(report: dict[str, Any]) -> None:
    headings, rows = table(report)
    say(
        f"{report['city']}: {report['requests']:,} {report['demand']} requests from "
        f"{report['from']} to {report['to']}, {_drivers(report)}, {report['shifts']}, "
        f"times by {report['times']}, foresight {report['foresight']}, seed {report['seed']}"
    )
    print_table(headings, list(rows))
    if "paired" in report:
        seeds = report["paired"]["seeds"]
        say(f"ratios over the {len(seeds)} seeds {seeds[0]} to {seeds[-1]}, mean ± standard error:")
        print_table(*paired_table(report["paired"]))
    for line in report["attribution"]:
        say(line)


def _drivers(report: dict[str, Any]) -> str:
    """How many there are, and how many of them drove at once where they took turns."""
    many, at_once = report["drivers"], report["drivers_at_once"]
    return f"{many} drivers" if at_once == many else f"{many} drivers, at most {at_once} at once"
