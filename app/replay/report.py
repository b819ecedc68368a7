"""What came of a replayed day: figures as JSON values, and a table of policies side by side."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from app.city import City
from app.fares.rules import Tariff, itemise
from app.replay.plan import LINE, Stretch, ride_m
from governance.commission import split_fare
from matching.arrays import FloatArray, IntArray
from matching.replay.day import Day
from matching.replay.figures import gini, spread
from matching.replay.policies import Policy
from matching.replay.simulation import Outcome
from matching.replay.times import crow_m

_VERSIONS = ("meent", "numpy", "scipy", "ortools")


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One policy's day: what came of it and how long the ticks took."""

    policy: Policy
    outcome: Outcome
    tick_s: FloatArray
    wall_s: float


def driver_net_minor(city: City, day: Day, *, distance_m: IntArray) -> IntArray:
    """Return per trip what its driver is paid: the city's fare less the founding commission."""
    prices = city.tariff
    tariff = Tariff(
        base_minor=prices.base_minor,
        per_km_minor=prices.per_km_minor,
        per_minute_minor=prices.per_minute_minor,
        minimum_minor=prices.minimum_minor,
    )
    net = []
    for metres, seconds in zip(distance_m.tolist(), day.requests.ride_s.tolist(), strict=True):
        items = itemise(tariff, distance_m=metres, duration_s=round(seconds))
        fare_minor = sum(item.amount_minor for item in items)
        split = split_fare(fare_minor, commission_bp=city.statutes.commission_bp)
        net.append(split.driver_net_minor)
    return np.array(net, dtype=np.int64)


def online_s(day: Day, outcome: Outcome) -> FloatArray:
    """Return per driver the seconds on shift; a ride that outlasts a shift is part of it."""
    shifts = day.shifts
    end_s = shifts.end_s.copy()
    served = outcome.served
    np.maximum.at(end_s, outcome.shift[served], outcome.dropped_off_s[served])
    # What lasts into the next shift of the same driver is counted there.
    following = shifts.following
    has_next = following >= 0
    end_s[has_next] = np.minimum(end_s[has_next], shifts.start_s[following[has_next]])
    return np.bincount(shifts.driver, weights=end_s - shifts.start_s)


def figures(city: City, stretch: Stretch, day: Day, run: Run) -> dict[str, Any]:
    """Return the figures of one policy; waits of the served riders, money in minor units.

    Kilometres to pickups are the crow's flight by a usual detour. Drivers wait where their last
    ride ended, so that they drive empty to pickups only.
    """
    outcome, served = run.outcome, run.outcome.served
    metres = ride_m(stretch, places=day.places)
    pickup_m = LINE.drive_m(
        crow_m(day.places, outcome.came_from[served], end=day.requests.pickup[served])
    )
    online = online_s(day, outcome)
    net_minor = driver_net_minor(city, day, distance_m=metres)
    drivers = day.shifts.driver[outcome.shift[served]]
    income = np.bincount(drivers, weights=net_minor[served], minlength=len(online))
    hourly_minor = income[online > 0] / online[online > 0] * 3600
    waited_s = (outcome.picked_up_s - day.requests.requested_s)[served]
    empty_m, occupied_m = float(pickup_m.sum()), float(metres[served].sum())
    tick_ms = np.percentile(run.tick_s * 1000, [50, 99]) if len(run.tick_s) else (0.0, 0.0)
    return {
        "parameters": asdict(run.policy),
        "requests": len(served),
        "served": int(served.sum()),
        "lost": int((~served).sum()),
        "served_share": round(float(served.mean()), 5),
        "wait_s": spread(waited_s),
        "pickup_s": spread(outcome.pickup_s[served]),
        "pickup_km": spread(pickup_m / 1000),
        "empty_km": round(empty_m / 1000, 1),
        "occupied_km": round(occupied_m / 1000, 1),
        "empty_share": round(empty_m / max(empty_m + occupied_m, 1.0), 4),
        "online_hours": round(float(online.sum()) / 3600, 1),
        "income_per_online_hour_minor": spread(hourly_minor),
        "gini_income_per_hour": round(gini(hourly_minor), 4),
        "declined": outcome.declined,
        "ticks": len(run.tick_s),
        "tick_ms": {"p50": round(float(tick_ms[0]), 2), "p99": round(float(tick_ms[1]), 2)},
        "wall_s": round(run.wall_s, 1),
    }


def make_report(
    city: City,
    stretch: Stretch,
    day: Day,
    *,
    asked: Mapping[str, Any],
    policies: Mapping[str, dict[str, Any]],
) -> dict[str, Any]:
    """Return the whole report. `asked` is how the replay was asked for."""
    return {
        "city": city.name,
        "demand": stretch.kind,
        "from": stretch.start.isoformat(),
        "to": stretch.end.isoformat(),
        "requests": len(stretch.trips),
        "drivers": len(np.unique(day.shifts.driver)),
        **asked,
        "rules": asdict(day.rules),
        "currency": city.currency,
        "policies": policies,
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in _VERSIONS},
        "attribution": list(city.attribution.values()),
    }


def table(report: Mapping[str, Any]) -> tuple[tuple[str, ...], Sequence[tuple[str, ...]]]:
    """Return headings and rows for people: a line per figure, a column per policy."""
    days: dict[str, dict[str, Any]] = report["policies"]
    currency = report["currency"]
    rows = [
        ("served", *(f"{one['served']:,} ({one['served_share']:.1%})" for one in days.values())),
        ("lost", *(f"{one['lost']:,}" for one in days.values())),
        *(
            (f"wait {title}, s", *(_number(one["wait_s"][name]) for one in days.values()))
            for title, name in (("mean", "mean"), ("median", "p50"), ("95 % below", "p95"))
        ),
        ("pickup mean, km", *(_number(one["pickup_km"]["mean"]) for one in days.values())),
        (
            "empty km",
            *(f"{one['empty_km']:,.0f} ({one['empty_share']:.1%})" for one in days.values()),
        ),
        (
            f"income an hour, {currency}",
            *(_money(one["income_per_online_hour_minor"]["mean"]) for one in days.values()),
        ),
        ("Gini of it", *(f"{one['gini_income_per_hour']:.3f}" for one in days.values())),
        (
            "tick median / 99 % below, ms",
            *(f"{one['tick_ms']['p50']:g} / {one['tick_ms']['p99']:g}" for one in days.values()),
        ),
        ("took, s", *(f"{one['wall_s']:g}" for one in days.values())),
    ]
    return ("", *days), rows


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _money(minor: float | None) -> str:
    return "-" if minor is None else f"{minor / 100:,.2f}"
