"""What the last year would have been at every share that can be voted for: one answer to each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import Any
from uuid import UUID

from app.assembly import queries as assembly
from app.assembly.policies import policy_in_force
from app.assembly.statutes import statutes_in_force
from app.assembly.surplus_rules import POTS_KEY, patronage_rules
from app.forecast import queries
from app.foundation.database import Database, Transaction
from app.foundation.problems import TooManyRequests
from app.ledger import cost_queries, costs
from app.ledger.costs import YearSums
from app.ledger.queries import currency
from app.members.service.register import list_register
from governance.electorate import House
from governance.forecast import Worked, Year, YearAtShare, at_shares
from governance.patronage import PatronageRules
from governance.policy import NUMBER_POLICIES

KEY = "commission_bp"
# A worker works the year out ahead; who comes before it is done waits so long, then comes again.
WAIT_S, RETRY_AFTER_S = 20.0, 30
ASSUMPTION = (
    "This assumes that the same rides would have been driven at the same fares whatever the share,"
    " by the members of this morning's register, with costs and other income as they were booked,"
    " and that the reserve and the solidarity fund began the year empty."
)
SIMULATED = (
    "This is a simulation: that month's riders and shifts dispatched anew, with drive times by the"
    " straight line, every ride alone, no rider changing plans, and shifts that begin at places"
    " drawn by lot. Drivers answer as they did that month, by lot; who did not answer in time is"
    " taken to answer later, at the pace of late answers. Compare the values with each other, not"
    " with what happened."
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What, beside the books of a year that is over, decides what is shown about it."""

    since: datetime
    until: datetime
    newest_cost: int
    status_quo_bp: int
    ceiling_bp: int
    rules: PatronageRules


@dataclass(frozen=True, slots=True)
class Outcome:
    """The year of the whole cooperative at every share; of others only sums are ever shown."""

    terms: Terms
    sums: YearSums
    break_even_bp: int | None
    floor_bp: int | None
    shares: tuple[YearAtShare, ...]


class Years:
    """Keeps the last year at every share until the next day, or until a cost is booked.

    It is the same for whoever asks, so that it is there does not tell who did.
    """

    def __init__(self) -> None:
        self._outcome: Outcome | None = None
        self._working = asyncio.Lock()

    async def outcome(self, database: Database, *, now: datetime) -> Outcome:
        """Return the year up to this morning, worked out anew only where something changed."""
        async with database.reading() as reader:
            terms = await _terms(reader, now=now)
        async with self._working:
            if self._outcome is None or self._outcome.terms != terms:
                self._outcome = await _work_out(database, terms=terms, now=now)
            return self._outcome


async def own_year(
    database: Database, years: Years, *, member_id: UUID, now: datetime
) -> dict[str, Any]:
    """Return a member's own last year at every share, next to what it does to everybody's funds.

    Nothing is written: that it was asked leaves no trace.

    Raises:
        TooManyRequests: the year is being worked out and takes its time.
    """
    try:
        async with asyncio.timeout(WAIT_S):
            outcome = await years.outcome(database, now=now)
    except TimeoutError:
        raise TooManyRequests(retry_after_s=RETRY_AFTER_S) from None
    terms = outcome.terms
    async with database.reading() as reader:
        own = await queries.own_fares(
            reader, member_id=member_id, since=terms.since, until=terms.until
        )
        unit = await currency(reader)
    driven = Worked(tuple(own["driven_minor"] or ()), 0)
    ridden = Worked(tuple(own["ridden_minor"] or ()), 0)
    return {
        "currency": unit,
        "since": terms.since,
        "until": terms.until,
        "first_ride_at": own["first_at"],
        "assumption": ASSUMPTION,
        "status_quo_bp": terms.status_quo_bp,
        "break_even_bp": outcome.break_even_bp,
        "floor_bp": outcome.floor_bp,
        "ceiling_bp": terms.ceiling_bp,
        "rides_driven": own["rides_driven"],
        "rides_taken": own["rides_taken"],
        "shares": [
            {
                "commission_bp": seen.commission_bp,
                "as_driver": _as_driver(seen, driven, str(member_id)),
                "as_rider": _as_rider(seen, ridden),
                "reserve_months": _months(seen.reserve_months),
                "solidarity_months": _months(seen.solidarity_months),
                "solidarity_minor": seen.division.pots_minor.get("solidarity", 0),
                "surplus_minor": seen.division.surplus_minor,
            }
            for seen in outcome.shares
        ],
    }


async def find_replay(reader: Transaction, *, key: str) -> dict[str, Any] | None:
    """Return the newest replay of a month at several values of a policy, or None."""
    rows = await queries.newest_replay(reader, key=key)
    if not rows:
        return None
    return {
        "key": key,
        "since": rows[0]["since"],
        "until": rows[0]["until"],
        "computed_at": rows[0]["computed_at"],
        "assumption": SIMULATED,
        "values": [{"value": row["value"], **row["figures"]} for row in rows],
    }


def ballot_grid(*, floor_bp: int | None, ceiling_bp: int, status_quo_bp: int) -> list[int]:
    """Return every share a ballot can name: the grid from floor to ceiling, both, and no change.

    A floor above the ceiling leaves the ceiling alone; the share in force is always among them.
    """
    grid = NUMBER_POLICIES[KEY].grid
    low = min(floor_bp or 0, ceiling_bp)
    on_grid = range(ceil(Fraction(low, grid)) * grid, ceiling_bp + 1, grid)
    return sorted({low, ceiling_bp, status_quo_bp, *on_grid})


async def _terms(reader: Transaction, *, now: datetime) -> Terms:
    year = await cost_queries.year_of(reader, at=now)
    statutes = await statutes_in_force(reader, at=now)
    voted = await assembly.find_policy(reader, key=POTS_KEY, at=now)
    return Terms(
        since=year["since"],
        until=year["until"],
        newest_cost=await cost_queries.newest_entry(reader),
        status_quo_bp=(await policy_in_force(reader, key=KEY, at=now)).value,
        ceiling_bp=statutes.commission_ceiling_bp,
        rules=patronage_rules(statutes, voted=voted["value"] if voted else None),
    )


async def _work_out(database: Database, *, terms: Terms, now: datetime) -> Outcome:
    async with database.reading() as reader:
        sums = await costs.year_sums(reader, at=now)
        async with cost_queries.patiently(reader):
            rows = await queries.list_worked(reader, since=terms.since, until=terms.until)
        register = await list_register(reader, at=terms.until)
    drivers = {line.member_id for line in register if line.member.house is House.DRIVERS}
    floor_bp = costs.floor_bp(sums)
    shares_bp = ballot_grid(
        floor_bp=floor_bp, ceiling_bp=terms.ceiling_bp, status_quo_bp=terms.status_quo_bp
    )
    year, shares = await asyncio.to_thread(_at_shares, rows, drivers, sums, shares_bp, terms.rules)
    return Outcome(
        terms=terms,
        sums=sums,
        break_even_bp=ceil(year.break_even_bp) if sums.fares_minor else None,
        floor_bp=floor_bp,
        shares=shares,
    )


def _at_shares(
    rows: Sequence[Any],
    drivers: set[UUID],
    sums: YearSums,
    shares_bp: Sequence[int],
    rules: PatronageRules,
) -> tuple[Year, tuple[YearAtShare, ...]]:
    year = Year(
        members={
            str(row["driver_id"]): Worked(tuple(row["fares_minor"]), row["engaged_s"])
            for row in rows
            if row["driver_id"] in drivers
        },
        other_fares_minor=tuple(
            fare for row in rows if row["driver_id"] not in drivers for fare in row["fares_minor"]
        ),
        other_income_minor=sums.other_income_minor,
        costs_minor=sums.costs_minor,
    )
    return year, at_shares(year, shares_bp, rules=rules)


def _as_driver(seen: YearAtShare, driven: Worked, member: str) -> dict[str, int] | None:
    """What a driver keeps: net, refund and both; only members have refunds."""
    if not driven.fares_minor:
        return None
    fares_minor = sum(driven.fares_minor)
    net_minor = fares_minor - driven.commission_minor(seen.commission_bp)
    refund_minor = seen.division.refunds_minor.get(member, 0)
    return {
        "fares_minor": fares_minor,
        "net_minor": net_minor,
        "refund_minor": refund_minor,
        "keeps_minor": net_minor + refund_minor,
    }


def _as_rider(seen: YearAtShare, ridden: Worked) -> dict[str, int] | None:
    """What a rider paid, and how much of it went to the cooperative."""
    if not ridden.fares_minor:
        return None
    commission_minor = ridden.commission_minor(seen.commission_bp)
    fares_minor = sum(ridden.fares_minor)
    return {
        "fares_minor": fares_minor,
        "commission_minor": commission_minor,
        "to_drivers_minor": fares_minor - commission_minor,
    }


def _months(exact: Fraction | None) -> float | None:
    return None if exact is None else round(float(exact), 1)
