"""The platform's own costs and other income: booked, taken back, shown, and what they ask for."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

import asyncpg

from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.ledger import cost_queries, postings
from app.ledger.accounts import AccountKind, JournalKind, Purpose
from app.ledger.errors import CostReversedBefore, DayIsInTheFuture, ReversalIsFinal
from app.ledger.periods import locked_until
from app.ledger.refusals import refusing
from governance.commission import BASIS_POINTS
from governance.policy import NUMBER_POLICIES


@dataclass(frozen=True, slots=True)
class NewCost:
    """What was paid, or came in as other income: for what, by which document, for which day."""

    kind: JournalKind
    purpose: Purpose
    amount_minor: int
    day: date
    document: str
    document_sha256: bytes | None


@dataclass(frozen=True, slots=True)
class YearSums:
    """What the books say of [since, until), in minor units: a year of whole days.

    ``fares_minor`` is what the voted share is taken of: without tolls and tax that pass through.
    """

    since: datetime
    until: datetime
    costs_minor: int
    other_income_minor: int
    fares_minor: int


async def book_cost(
    tx: Transaction,
    *,
    cost: NewCost,
    booked_by: UUID,
    now: datetime,
    streams: tuple[UUID, ...],
) -> dict[str, Any]:
    """Book a cost or another income, and return it as it is shown.

    The event `cost.booked` is told to `streams`.

    Raises:
        DayIsInTheFuture: its day has not begun in the cooperative's time zone.
        PeriodIsClosed: the books of its day are closed.
    """
    at = await cost_queries.start_of_day(tx, day=cost.day)
    if at > now:
        raise DayIsInTheFuture
    accounts = await cost_queries.house_accounts(tx)
    if cost.kind is JournalKind.PLATFORM_COST:
        recipe = postings.platform_cost(
            platform_costs_id=accounts[AccountKind.PLATFORM_COSTS],
            bank_id=accounts[AccountKind.BANK],
            amount_minor=cost.amount_minor,
        )
    else:
        recipe = postings.other_income(
            bank_id=accounts[AccountKind.BANK],
            other_income_id=accounts[AccountKind.OTHER_INCOME],
            amount_minor=cost.amount_minor,
        )
    entry_id = new_id()
    with refusing():
        await cost_queries.book_cost(
            tx,
            entry_id=entry_id,
            recipe=recipe,
            at=at,
            purpose=cost.purpose,
            document=cost.document,
            document_sha256=cost.document_sha256,
            booked_by=booked_by,
        )
    return await _told(tx, "cost.booked", entry_id=entry_id, streams=streams, now=now)


async def reverse_cost(
    tx: Transaction,
    *,
    entry_id: UUID,
    reason: str,
    booked_by: UUID,
    now: datetime,
    streams: tuple[UUID, ...],
) -> dict[str, Any]:
    """Take a cost or another income back, and return the reversal as it is shown.

    It concerns the day of what it takes back, so that this day's sums are right afterwards; when
    it was booked stands beside it. Where the books of that day are closed it concerns now. The
    event `cost.reversed` is told as `cost.booked` is.

    Raises:
        NotFound: there is no such entry.
        ReversalIsFinal: it is a reversal itself.
        CostReversedBefore: it was taken back already, perhaps at this moment by somebody else.
    """
    entry = await cost_queries.find_entry(tx, entry_id=entry_id)
    if entry is None:
        raise NotFound
    if entry["reverses"] is not None:
        raise ReversalIsFinal
    rows = await cost_queries.lines_of(tx, entry_id=entry_id)
    lines = [
        postings.TransferLine(row["debit_id"], row["credit_id"], row["amount_minor"])
        for row in rows
    ]
    closed = await locked_until(tx)
    reversal_id = new_id()
    sha256 = entry["document_sha256"]
    try:
        await cost_queries.book_cost(
            tx,
            entry_id=reversal_id,
            recipe=postings.reversal(lines),
            at=entry["effective_at"] if closed is None or entry["effective_at"] >= closed else now,
            purpose=entry["purpose"],
            document=entry["document"],
            document_sha256=bytes.fromhex(sha256) if sha256 else None,
            booked_by=booked_by,
            reversed_journal_id=rows[0]["journal_id"],
            reason=reason,
        )
    except asyncpg.UniqueViolationError as violation:
        if violation.constraint_name != "a_journal_is_reversed_once":
            raise
        raise CostReversedBefore from violation
    return await _told(tx, "cost.reversed", entry_id=reversal_id, streams=streams, now=now)


async def year_sums(reader: Transaction, *, at: datetime) -> YearSums:
    """Return the sums of the twelve months up to the beginning of the day, by its local time."""
    async with cost_queries.patiently(reader):
        return YearSums(**dict(await cost_queries.sums_of_year(reader, at=at)))


async def planned_floor_bp(
    reader: Transaction, *, at: datetime, reserve_target_minor: int = 0
) -> int | None:
    """Return the least share that pays for the platform, on the ballot's grid, rounded up.

    (costs less other income, and `reserve_target_minor`) / fares, all of the twelve months up to
    the beginning of the day: it is assumed that the next twelve are like them. Never below 0, nor
    above 10,000; it may well lie above the statutes' ceiling, and the caller says what then.
    None while no fares or no costs are booked. The statutes name no target for the reserve, so it
    is 0 unless given. Source: research on voting rules, "L must be computed, not voted".
    """
    year = await year_sums(reader, at=at)
    return floor_bp(year, reserve_target_minor=reserve_target_minor)


def floor_bp(year: YearSums, *, reserve_target_minor: int = 0) -> int | None:
    """Return `planned_floor_bp` of a year whose sums are known."""
    if year.fares_minor <= 0 or year.costs_minor <= 0:
        return None
    needed_minor = year.costs_minor - year.other_income_minor + reserve_target_minor
    grid = NUMBER_POLICIES["commission_bp"].grid
    steps = -(-Fraction(needed_minor * BASIS_POINTS, year.fares_minor) // grid)
    return max(0, min(int(steps) * grid, BASIS_POINTS))


async def _told(
    tx: Transaction, type_: str, *, entry_id: UUID, streams: tuple[UUID, ...], now: datetime
) -> dict[str, Any]:
    row = await cost_queries.find_entry(tx, entry_id=entry_id)
    assert row is not None
    entry = {key: value for key, value in row.items() if key != "effective_at"}
    tx.emit(Event(type_, streams, {"cost_id": str(entry_id)}), at=now)
    return entry
