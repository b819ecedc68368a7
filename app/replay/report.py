"""What came of a replayed day: figures as JSON values, and a table of policies side by side."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from app.city import City
from app.foundation.money import readable
from app.replay.plan import Stretch, ride_m
from matching.arrays import FloatArray
from matching.replay.day import Day
from matching.replay.figures import at_once, gini, hourly, lowest, spread
from matching.replay.income import empty_m, online_s
from matching.replay.policies import Policy
from matching.replay.simulation import Outcome

_VERSIONS = ("meent", "numpy", "scipy", "ortools")


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One policy's day: what came of it and how long the ticks took."""

    policy: Policy
    outcome: Outcome
    tick_s: FloatArray
    wall_s: float


def figures(stretch: Stretch, day: Day, run: Run) -> dict[str, Any]:
    """Return the figures of one policy; waits of the served riders, money in minor units.

    Waits are those of riders who wanted a car at once; who booked ahead stands under "scheduled",
    kept where the car was there before the pickup window closed.
    Empty kilometres are the crow's flight by a usual detour, to pickups and to where drivers were
    told to wait. Income is what a driver kept: fares net of commission, less the cost of driving
    empty. Per hour online it is said of drivers who were online for an hour or more.
    """
    outcome, served = run.outcome, run.outcome.served
    metres = ride_m(stretch, places=day.places)
    pickup_m = empty_m(day.places, outcome.came_from[served], end=day.requests.pickup[served])
    online = online_s(day.shifts, end_s=outcome.ended_s, until_s=np.inf)
    hourly_minor = hourly(outcome.kept_minor, online_s=online)
    ahead = day.requests.booked_ahead
    waited_s = outcome.picked_up_s - day.requests.requested_s
    kept = ahead & served & (waited_s <= day.rules.pickup_window_s)
    drift_m, occupied_m = float(outcome.drift_m.sum()), float(metres[served].sum())
    all_empty_m = float(pickup_m.sum()) + drift_m
    tick_ms = np.percentile(run.tick_s * 1000, [50, 99]) if len(run.tick_s) else (0.0, 0.0)
    return {
        "parameters": asdict(run.policy),
        "requests": len(served),
        "served": int(served.sum()),
        "lost": int((~served).sum()),
        "served_share": round(float(served.mean()), 5),
        "wait_s": spread(waited_s[served & ~ahead]),
        "scheduled": {
            "requested": int(ahead.sum()),
            "kept": int(kept.sum()),
            "kept_share": round(float(kept.sum() / ahead.sum()), 5) if ahead.any() else None,
        },
        "pickup_s": spread(outcome.pickup_s[served]),
        "pickup_km": spread(pickup_m / 1000),
        "empty_km": round(all_empty_m / 1000, 1),
        "drift_km": round(drift_m / 1000, 1),
        "hints": outcome.hints,
        "occupied_km": round(occupied_m / 1000, 1),
        "empty_share": round(all_empty_m / max(all_empty_m + occupied_m, 1.0), 4),
        "online_hours": round(float(online.sum()) / 3600, 1),
        "income_per_online_hour_minor": spread(hourly_minor) | lowest(hourly_minor),
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
        "drivers_at_once": at_once(day.shifts),
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
        *(
            (
                f"income an hour{title}, {currency}",
                *(
                    _money(one["income_per_online_hour_minor"][name], currency=currency)
                    for one in days.values()
                ),
            )
            for title, name in (("", "mean"), (", median", "p50"), (", 10 % below", "p10"))
        ),
        ("Gini of it", *(f"{one['gini_income_per_hour']:.3f}" for one in days.values())),
        ("booked ahead, kept", *(_kept(one["scheduled"]) for one in days.values())),
        (
            "tick median / 99 % below, ms",
            *(f"{one['tick_ms']['p50']:g} / {one['tick_ms']['p99']:g}" for one in days.values()),
        ),
        ("took, s", *(f"{one['wall_s']:g}" for one in days.values())),
    ]
    return ("", *days), rows


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _kept(scheduled: Mapping[str, Any]) -> str:
    if not scheduled["requested"]:
        return "-"
    return f"{scheduled['kept']:,} of {scheduled['requested']:,} ({scheduled['kept_share']:.1%})"


def _money(minor: float | None, *, currency: str) -> str:
    return "-" if minor is None else readable(round(minor), currency=currency, apart=",")
