"""The demo's report: what the phones saw, beside what stands in the database. It only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from app.audit.report import AuditReport
from app.city import City
from app.demo.assembly_report import assembly_failures
from app.demo.demand import DemoHour
from app.demo.plan import Outcome
from app.dispatch.earnings import WEEK
from app.dispatch.queries import earnings
from app.dispatch.replaying import replay_newest, replay_newest_pools
from app.foundation.database import Transaction
from app.rides.lifecycle import UNFINISHED_STATES
from matching.arrays import FloatArray
from matching.replay.figures import gini

_RIDES = "select state, count(*) as many from ride group by state"
_OFFERS = "select state, count(*) as many from offer group by state"
_TICKS = """
select count(*) as many,
  coalesce(percentile_cont(0.5) within group (order by tick_ms), 0) as p50,
  coalesce(percentile_cont(0.99) within group (order by tick_ms), 0) as p99,
  count(gap) as proven, max(gap) as gap_max, avg(gap) as gap_mean,
  coalesce(sum(held), 0) as held, (select max(ended_at) from ride) as last_ride_at
from dispatch_tick
"""
# Rides booked ahead that nobody called off, and those where the car stood there in time.
_BOOKED_AHEAD = """
select count(*) as requested, count(*) filter (where arrived_at <= pickup_until) as kept
from ride where pickup_from is not null and cancelled_by is distinct from 'rider'
"""
# Rides of riders who share, and those who were in a car with another party for a while.
_SHARED = """
select count(*) as shared, count(*) filter (where exists (
    select from ride o where o.driver_id = r.driver_id and o.id <> r.id
      and o.started_at < r.ended_at and o.ended_at > r.started_at)) as together
from ride r where r.is_shared
"""
# Three sums over different rows: what riders paid, what the house took, what drivers have.
_MONEY = """
select
  (select coalesce(sum(t.amount_minor), 0)::bigint from transfer t
   join account d on d.id = t.debit_id where d.kind = 'rider') as fare_minor,
  (select coalesce(sum(t.amount_minor), 0)::bigint from transfer t
   join account c on c.id = t.credit_id where c.kind = 'commission_income') as commission_minor,
  (select coalesce(sum(b.posted_minor), 0)::bigint from balance b
   join account a on a.id = b.account_id where a.kind = 'driver') as driver_net_minor
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the database says after the run; counts by state, times in milliseconds."""

    rides: dict[str, int]
    offers: dict[str, int]
    explained: int  # offers told whole, of rounds that replay to the same result
    ticks: int
    tick_p50_ms: float
    tick_p99_ms: float
    ticks_proven: int  # of which the distance to the best over all pairs is known
    gap_max: float | None
    gap_mean: float | None
    held: int  # riders, each in each tick
    gini_income_per_hour: float
    fare_minor: int
    commission_minor: int
    driver_net_minor: int
    booked_ahead: int
    kept: int
    shared: int
    together: int


async def read_figures(connection: Any, *, empty_km_minor: int) -> Figures:
    """Return the figures of one moment. Assumes a database that was new before this run.

    ``empty_km_minor`` is what a kilometre without a rider costs a driver.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rides = {row["state"]: row["many"] for row in await connection.fetch(_RIDES)}
        offers = {row["state"]: row["many"] for row in await connection.fetch(_OFFERS)}
        ticks = await connection.fetchrow(_TICKS)
        rounds = await replay_newest(Transaction(connection), newest=ticks["many"])
        incomes = await _read_incomes(
            connection, until=ticks["last_ride_at"], empty_km_minor=empty_km_minor
        )
        money = await connection.fetchrow(_MONEY)
        ahead = await connection.fetchrow(_BOOKED_AHEAD)
        shared = await connection.fetchrow(_SHARED)
        pools = await replay_newest_pools(Transaction(connection), newest=ticks["many"])
    assert money["fare_minor"] == money["commission_minor"] + money["driver_net_minor"], (
        f"the fares are not what drivers and house got together: {dict(money)}"
    )
    return Figures(
        rides=rides,
        offers=offers,
        explained=sum(one.explained for one in rounds if one.fault is None)
        + sum(one.explained for one in pools if one.fault is None),
        ticks=ticks["many"],
        tick_p50_ms=ticks["p50"],
        tick_p99_ms=ticks["p99"],
        ticks_proven=ticks["proven"],
        gap_max=ticks["gap_max"],
        gap_mean=ticks["gap_mean"],
        held=ticks["held"],
        gini_income_per_hour=gini(incomes),
        **money,
        booked_ahead=ahead["requested"],
        kept=ahead["kept"],
        **shared,
    )


async def _read_incomes(
    connection: Any, *, until: datetime | None, empty_km_minor: int
) -> FloatArray:
    """Return what each driver earned per hour online in the week before the last ride ended.

    As fairness counts it: net of the cost of driving empty, and never below 0.
    """
    if until is None:
        return np.empty(0)
    rows = await earnings(Transaction(connection), since=until - WEEK, until=until)
    return np.array(
        [
            max(row["net_minor"] - row["empty_m"] / 1000 * empty_km_minor, 0.0)
            / (row["online_s"] / 3600)
            for row in rows
            if row["online_s"] > 0
        ]
    )


def make_report(
    *,
    city: City,
    hour: DemoHour,
    minutes: float,
    speed: float,
    outcome: Outcome,
    figures: Figures,
    audit: AuditReport,
    restarts: dict[str, int],
    assembly: dict[str, Any] | None,
    closed: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the report as plain JSON values; seconds are simulated, money is in minor units."""
    seen = outcome.seen
    return {
        "city": city.name,
        "demand": hour.kind,
        "from": hour.start.isoformat(),
        "opened_at": outcome.opened_at.astimezone(city.time_zone).isoformat(),
        "minutes": minutes,
        "speed": speed,
        "drivers": len(hour.drivers),
        "requested": seen.requested,
        "refused": seen.refused,
        "completed": figures.rides.get("completed", 0),
        "cancelled": figures.rides.get("cancelled", 0),
        "no_driver": figures.rides.get("no_driver", 0),
        "no_show": figures.rides.get("no_show", 0),
        "unfinished": sum(figures.rides.get(state, 0) for state in UNFINISHED_STATES),
        "scheduled": {
            "requested": figures.booked_ahead,
            "kept": figures.kept,
            "kept_share": figures.kept / figures.booked_ahead if figures.booked_ahead else None,
        },
        "shared_rides": {"requested": figures.shared, "together": figures.together},
        "pickup_wait_s": spread(outcome.pickup_wait_s),
        "offers": {
            "made": sum(figures.offers.values()),
            **{
                state: figures.offers.get(state, 0)
                for state in ("accepted", "declined", "expired", "withdrawn")
            },
        },
        "explanations": _explanations(figures),
        "hints": {"given": seen.hints_given, "followed": seen.hints_followed},
        **_dispatch(figures),
        "gini_income_per_hour": round(figures.gini_income_per_hour, 4),
        "currency": city.currency,
        "fare_minor": figures.fare_minor,
        "commission_minor": figures.commission_minor,
        "driver_net_minor": figures.driver_net_minor,
        "acknowledged": outcome.acknowledged,
        "acknowledged_lost": len(outcome.lost),
        "doubled": len(outcome.doubled),
        "lost": list(outcome.lost[:20]),
        "doubles": list(outcome.doubled[:20]),
        "events_heard": outcome.events,
        "requests_repeated": seen.repeats,
        "sockets_reopened": seen.reconnects,
        "refusals": outcome.refusals,
        "restarts": restarts,
        "assembly": assembly,
        "period": closed,
        "invariant_violations": audit.violations,
        "audit": audit.as_json()["checks"],
        "attribution": list(city.attribution.values()),
    }


def _dispatch(figures: Figures) -> dict[str, Any]:
    """Return what dispatch did, and how long its rounds took."""
    return {
        "dispatch_ticks": figures.ticks,
        "dispatch_gap": {
            "proven": figures.ticks_proven,
            "mean": figures.gap_mean,
            "max": figures.gap_max,
        },
        "dispatch_held": figures.held,
        "dispatch_tick_ms": {
            "p50": round(figures.tick_p50_ms, 1),
            "p99": round(figures.tick_p99_ms, 1),
        },
    }


def _explanations(figures: Figures) -> float | None:
    """Return the share of offers that are explained; None where none was made."""
    made = sum(figures.offers.values())
    return figures.explained / made if made else None


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return mean, median and 95th percentile in tenths, or None where nobody was picked up."""
    if not values:
        return {"mean": None, "p50": None, "p95": None}
    p50, p95 = np.percentile(values, [50, 95])
    parts = {"mean": np.mean(values), "p50": p50, "p95": p95}
    return {name: round(float(value), 1) for name, value in parts.items()}


def failures(report: dict[str, Any]) -> list[str]:
    """Return why the demo did not go well, a sentence each; none where it did."""
    wrong = []
    if not report["completed"]:
        wrong.append("no ride was completed")
    if report["invariant_violations"]:
        wrong.append(f"{report['invariant_violations']} promises are broken")
    if report["explanations"] not in (None, 1):
        wrong.append(f"only {report['explanations']:.1%} of the offers are explained")
    wrong += assembly_failures(report["assembly"], restarts=report["restarts"])
    if report["period"] and not report["period"]["payouts"]:
        wrong.append("the period was closed, and no driver is paid")
    wrong += [f"acknowledged and lost: {line}" for line in report["lost"][:3]]
    wrong += [f"done twice: {line}" for line in report["doubles"][:3]]
    return wrong
