"""Replays the cooperative's own last month at several values of a dispatch policy, for a vote.

It is a simulation: the riders who asked and the drivers on shift of that month, dispatched anew.
Drive times are the straight line's, every ride is driven alone, nobody cancels, drivers answer as
they did that month, drawn by lot, and so is where a shift began, among the places where riders
asked.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from app.assembly.policies import policy_in_force
from app.city import City, Trip, load_city
from app.forecast import queries
from app.forecast.service import SIMULATED
from app.foundation.database import Database, open_database
from app.foundation.hints import Hints
from app.ledger.cost_queries import patiently
from app.replay.pay import empty_km_cost_minor
from app.replay.plan import LINE, ReplayError, Stretch, make_day, places_of
from app.replay.report import Run, figures
from app.replay.screen import Screen
from app.terminal import print_json, print_table, say
from governance.policy import NUMBER_POLICIES
from matching.replay.answers import Answers, observed_answers
from matching.replay.day import Day, Rules, Shifts
from matching.replay.policies import named_policy
from matching.replay.simulation import Simulation
from matching.replay.times import LineTimes
from matching.travel import Point

# What the simulation knows of, and which values of the ballot's grid it tries: every so many, for
# a month takes minutes at each.
EVERY = {"fairness_weight_s": 10, "offer_time_s": 3}
FEWEST_SHOWN = 10
SEED = 1


@dataclass(frozen=True, slots=True)
class Month:
    """What was asked and who was there in [since, until)."""

    since: datetime
    until: datetime
    asked: Sequence[Any]
    shifts: Sequence[Any]
    offers: Sequence[Any]


@dataclass(frozen=True, slots=True)
class InForce:
    """What the members have decided so far, of all that the simulation knows of."""

    fairness_weight_s: int
    offer_time_s: int


def values_of(key: str, *, status_quo: int, every: int | None = None) -> list[int]:
    """Return the values that are replayed: each so many of the ballot's grid, and the present."""
    policy = NUMBER_POLICIES[key]
    on_grid = range(policy.least, policy.most + 1, policy.grid * (every or EVERY[key]))
    return sorted({*on_grid, status_quo})


async def read_month(database: Database, *, now: datetime) -> Month:
    """Return the last whole month by the cooperative's time zone.

    Raises:
        ReplayError: nobody asked for a ride in it, or nobody was on shift.
    """
    async with database.reading() as reader, patiently(reader):
        span = await queries.month_before(reader, at=now)
        since, until = span["since"], span["until"]
        asked = await queries.list_asked(reader, since=since, until=until)
        shifts = await queries.list_shifts(reader, since=since, until=until, now=now)
        offers = await queries.list_answers(reader, since=since, until=until)
    if not asked or not shifts:
        raise ReplayError(f"there is nothing to replay between {since} and {until}: wait a month")
    return Month(since, until, asked, shifts, offers)


def replay_month(
    city: City,
    month: Month,
    *,
    key: str,
    values: Sequence[int],
    in_force: InForce,
    tell: Callable[[int, float], None] = lambda *_: None,
) -> dict[int, dict[str, Any]]:
    """Return the figures of the month at each value; blocks for minutes.

    `tell` hears the value and which part of the month is done, 0 to 1.
    """
    stretch, day = _day(city, month)
    few = len({row["driver_id"] for row in month.shifts}) < FEWEST_SHOWN
    times = LineTimes(day.places, LINE)
    at_value = {}
    for value in values:
        decided = replace(in_force, **{key: value})
        policy = named_policy(f"meent:fairness_s={decided.fairness_weight_s}")
        rules = replace(day.rules, offer_time_s=float(decided.offer_time_s))
        simulation = Simulation(replace(day, rules=rules), policy=policy, times=times, seed=SEED)
        tell(value, 0.0)
        for tick in simulation.ticks():
            tell(value, min(tick.now_s / stretch.length_s, 1.0))
        run = Run(policy, simulation.outcome(), np.zeros(0), 0.0)
        at_value[value] = _shown(figures(stretch, day, run), few=few)
    return at_value


def _day(city: City, month: Month) -> tuple[Stretch, Day]:
    trips = tuple(
        Trip(
            kind="recorded",
            requested_at=row["asked_at"],
            pickup=Point(lat=row["pickup_lat"], lng=row["pickup_lng"]),
            dropoff=Point(lat=row["dropoff_lat"], lng=row["dropoff_lng"]),
            duration_s=row["ride_s"] or row["duration_s"],
            trace_m=row["distance_m"],
        )
        for row in month.asked
    )
    stretch = Stretch("recorded", month.since, month.until, trips)
    places = places_of(stretch)
    day = make_day(
        city,
        stretch,
        places=places,
        times=LineTimes(places, LINE),
        shifts=_shifts(month),
        rules=Rules(empty_km_cost_minor=empty_km_cost_minor(city)),
        foresight="estimated",
        cancel_share=0.0,
        scheduled_share=0.0,
        outlook=None,
        seed=SEED,
    )
    requests = replace(
        day.requests,
        net_minor=np.array([row["driver_net_minor"] for row in month.asked], dtype=np.float64),
        booked_ahead=np.array([row["is_ahead"] for row in month.asked], dtype=np.bool_),
    )
    return stretch, replace(day, requests=requests, answers=_answers(month))


def _answers(month: Month) -> Answers | None:
    """How drivers answered; None, which is at once and yes, where nobody was asked."""
    if not month.offers:
        return None
    answered = [row for row in month.offers if row["state"] != "expired"]
    return observed_answers(
        answered_s=np.array([row["stood_s"] for row in answered], dtype=np.float64),
        comes=np.array([row["state"] == "accepted" for row in answered], dtype=np.bool_),
        unanswered_s=np.array(
            [row["offer_time_s"] for row in month.offers if row["state"] == "expired"],
            dtype=np.float64,
        ),
        seed=SEED,
    )


def _shifts(month: Month) -> Shifts:
    """Who was there: each shift begins where a rider asked, drawn by lot."""
    drivers = dict.fromkeys(row["driver_id"] for row in month.shifts)
    number = {driver_id: at for at, driver_id in enumerate(drivers)}
    begin, end = (
        np.array([(row[name] - month.since).total_seconds() for row in month.shifts])
        for name in ("started_at", "ended_at")
    )
    random = np.random.default_rng([SEED, 2])
    return Shifts(
        driver=np.array([number[row["driver_id"]] for row in month.shifts]),
        start_s=begin,
        end_s=end,
        stands_at=random.integers(0, len(month.asked), len(month.shifts)),
    )


def _shown(all_figures: dict[str, Any], *, few: bool) -> dict[str, Any]:
    """What members are shown; incomes only where the drivers are too many to be known by them."""
    income = all_figures["income_per_online_hour_minor"]
    return {
        "requests": all_figures["requests"],
        "served_share": all_figures["served_share"],
        "wait_mean_s": all_figures["wait_s"]["mean"],
        "wait_95_s": all_figures["wait_s"]["p95"],
        "empty_share": all_figures["empty_share"],
        "income_per_hour_minor": None if few else income["p50"],
        "low_income_per_hour_minor": None if few else income["p10"],
        "gini_income_per_hour": None if few else all_figures["gini_income_per_hour"],
    }


async def store_forecast(
    database: Database,
    city: City,
    *,
    key: str,
    now: datetime,
    tell: Callable[[int, float], None],
    every: int | None = None,
) -> dict[int, dict[str, Any]]:
    """Replay the last month at several values of a policy, keep what came of it and return it.

    Raises:
        ReplayError: the simulation does not know this policy, or there is nothing to replay.
    """
    if key not in EVERY:
        known = ", ".join(EVERY)
        raise ReplayError(f"{key}: the simulation knows nothing of it; it knows {known}")
    async with database.reading() as reader:
        in_force = InForce(
            **{name: (await policy_in_force(reader, key=name, at=now)).value for name in EVERY}
        )
    month = await read_month(database, now=now)
    if key == "offer_time_s" and not month.offers:
        raise ReplayError("no driver was asked in that month: there is nothing to learn from")
    at_value = await asyncio.to_thread(
        replay_month,
        city,
        month,
        key=key,
        values=values_of(key, status_quo=getattr(in_force, key), every=every),
        in_force=in_force,
        tell=tell,
    )
    async with database.transaction() as tx:
        await queries.store_replay(
            tx, key=key, since=month.since, until=month.until, figures=at_value, now=now
        )
    return at_value


async def forecast_dispatch(dsn: str, *, city: Path, key: str) -> dict[int, dict[str, Any]]:
    """Do what `store_forecast` does, for who has a database and a city's folder."""
    async with open_database(dsn, hints=Hints(), size=1) as database:
        with Screen(1.0, whole="month") as screen:
            return await store_forecast(
                database, load_city(city), key=key, now=datetime.now(UTC), tell=_teller(key, screen)
            )


def _teller(key: str, screen: Screen) -> Callable[[int, float], None]:
    """Return what shows on the screen how far the month has come at each value."""
    shown: dict[int, Callable[[float], None]] = {}

    def tell(value: int, part: float) -> None:
        if value not in shown:
            shown[value] = screen.begin(f"{key} {value}")
        shown[value](part)

    return tell


def show(at_value: Mapping[int, Mapping[str, Any]], *, key: str, as_json: bool) -> None:
    """Print what came of it: a line per value, a column per figure."""
    if as_json:
        print_json({"key": key, "values": at_value})
        return
    [first, *_] = at_value.values()
    lines = [
        (str(value), *("-" if figure is None else f"{figure:g}" for figure in came.values()))
        for value, came in at_value.items()
    ]
    print_table((key, *first), lines)
    say(SIMULATED)
