"""Gathers what a period is closed by: its books and the rules in force, and closes it on paper."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson

from app.assembly import queries as assembly
from app.assembly.statutes import StatutesInForce, statutes_in_force
from app.assembly.surplus_rules import POTS_KEY, patronage_rules
from app.foundation.database import Transaction
from app.ledger.accounts import AccountKind
from app.ledger.cost_queries import patiently
from app.surplus import queries
from app.surplus.errors import PeriodLeavesAGap, PeriodNotOver
from governance.patronage import Patronage
from governance.period import ClosedPeriod, PeriodBooks, PeriodRules, close_period


@dataclass(frozen=True, slots=True)
class Gathered:
    """A period closed on paper: what went in, by which rules, and what came out."""

    since: datetime
    until: datetime
    follows: datetime | None
    books: PeriodBooks
    statutes: StatutesInForce
    statutes_at: datetime
    is_voted: bool
    rules: PeriodRules
    closed: ClosedPeriod

    @property
    def member_commission_minor(self) -> int:
        """Commission on members' rides, net of what was taken back."""
        return sum(member.commission_minor for member in self.books.members.values())

    @property
    def fingerprint(self) -> bytes:
        """A hash of what went in and of all that comes out, every member's refund too."""
        books, closed, rules = self.books, self.closed, self.rules
        document = [
            # However they were written: the same moments of another offset are the same period.
            self.since.astimezone(UTC),
            self.until.astimezone(UTC),
            {
                key: [member.commission_minor, member.engaged]
                for key, member in books.members.items()
            },
            [books.other_commission_minor, books.other_income_minor, books.costs_minor],
            [books.carried_loss_minor, books.reserve_minor],
            [rules.form.key, rules.cash_paid_bp, rules.reserve_bears_losses],
            [closed.net_minor, closed.undivided_minor, closed.absorbed_minor, closed.carried_minor],
            closed.division.pots_minor,
            {
                key: [refund.cash_minor, refund.capital_minor]
                for key, refund in closed.refunds.items()
            },
        ]
        return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).digest()


async def gather(
    reader: Transaction, *, since: datetime, until: datetime, now: datetime
) -> Gathered:
    """Return a period that is over, closed on paper; nothing is written.

    Raises:
        PeriodNotOver: it ends after now, or before it begins.
        PeriodLeavesAGap: it does not begin where the last closed one ended, or, being the first,
            leaves earlier results to no period.
    """
    if not since < until <= now:
        raise PeriodNotOver
    row = await queries.beginning(reader)
    if row["last_until"] is not None and row["last_until"] != since:
        raise PeriodLeavesAGap(f"The last closed period ended at {row['last_until'].isoformat()}.")
    if row["first_at"] is not None and row["first_at"] < since:
        raise PeriodLeavesAGap(f"The books begin at {row['first_at'].isoformat()}.")
    held = await queries.standing(
        reader, kinds=[AccountKind.SURPLUS, AccountKind.STATUTORY_RESERVE]
    )
    return await _closed_on_paper(
        reader,
        since=since,
        until=until,
        follows=row["last_until"],
        founded_at=row["founded_at"],
        held=held,
    )


async def gather_again(reader: Transaction, *, since: datetime, until: datetime) -> Gathered:
    """Return a closed period as it must have been closed, from today's books."""
    row = await queries.beginning(reader)
    held = await queries.standing(
        reader,
        kinds=[AccountKind.SURPLUS, AccountKind.STATUTORY_RESERVE],
        closed_until=until,
    )
    return await _closed_on_paper(
        reader, since=since, until=until, follows=None, founded_at=row["founded_at"], held=held
    )


async def _closed_on_paper(
    reader: Transaction,
    *,
    since: datetime,
    until: datetime,
    follows: datetime | None,
    founded_at: datetime,
    held: dict[str, int],
) -> Gathered:
    async with patiently(reader):
        commission = await queries.list_commission(reader, since=since, until=until)
        engaged = await queries.list_engaged(reader, since=since, until=until)
        house = await queries.house_results(reader, since=since, until=until)
    # The formula of refunds must be in force before what it applies to; the first period of all
    # may have begun before the founding, whose statutes then count.
    statutes_at = max(since, founded_at)
    statutes = await statutes_in_force(reader, at=statutes_at)
    voted = await assembly.find_policy(reader, key=POTS_KEY, at=until)
    worked_s: dict[UUID, int] = {row["driver_id"]: row["engaged_s"] for row in engaged}
    by_driver = {
        row["driver_id"]: row["commission_minor"] for row in commission if row["is_member"]
    }
    books = PeriodBooks(
        members={
            str(driver): Patronage(by_driver.get(driver, 0), worked_s.get(driver, 0))
            for driver in by_driver.keys() | worked_s.keys()
        },
        other_commission_minor=sum(
            row["commission_minor"] for row in commission if not row["is_member"]
        ),
        other_income_minor=house["other_income_minor"],
        costs_minor=house["costs_minor"],
        carried_loss_minor=max(0, -held[AccountKind.SURPLUS]),
        reserve_minor=held[AccountKind.STATUTORY_RESERVE],
    )
    rules = PeriodRules(
        patronage=patronage_rules(statutes, voted=voted["value"] if voted else None),
        form=statutes.legal_form,
        cash_bp=statutes.refund_cash_bp,
        reserve_bears_losses=statutes.reserve_bears_losses,
    )
    return Gathered(
        since=since,
        until=until,
        follows=follows,
        books=books,
        statutes=statutes,
        statutes_at=statutes_at,
        is_voted=voted is not None,
        rules=rules,
        closed=close_period(books, rules=rules),
    )
