"""Every statement about the platform's own costs; writing goes through a function."""
# ruff: noqa: S608 - statements are made of this module's constants; values are always $n

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.ledger.postings import Recipe

# A year of a large city takes longer to add up than any statement in a ride's way may.
PATIENCE_S = 60.0

# A reversal counts below zero, as what it takes back: plain sums are right then.
_ENTRIES = """
select e.id, coalesce(undone.kind, j.kind) as kind, e.purpose, e.document,
  encode(e.document_sha256, 'hex') as document_sha256,
  (j.effective_at at time zone c.time_zone)::date as day,
  case when j.reverses is null then t.amount_minor else -t.amount_minor end as amount_minor,
  t.currency, j.effective_at, j.recorded_at as booked_at, undone.subject_id as reverses,
  undoing.subject_id as reversed_by, e.reason
from cost_entry e join journal j on j.id = e.journal_id
join transfer t on t.journal_id = j.id and t.line = 1 cross join cooperative c
left join journal undone on undone.id = j.reverses
left join journal undoing on undoing.reverses = j.id
"""
# Whole days of the cooperative's own time zone: the year up to the beginning of today.
_YEAR = """
select until, (until at time zone c.time_zone - interval '1 year') at time zone c.time_zone as since
from cooperative c cross join lateral (
  select date_trunc('day', $1::timestamptz at time zone c.time_zone) at time zone c.time_zone)
  as today(until)
"""


async def year_of(reader: Transaction, *, at: datetime) -> Any:
    """Return since and until of the year up to the day of `at`."""
    return await reader.row(_YEAR, at)


@asynccontextmanager
async def patiently(reader: Transaction) -> AsyncIterator[None]:
    """Let the statements of the block take as long as a year of books needs."""
    async with reader.connection.transaction():
        await reader.execute(f"set local statement_timeout = {PATIENCE_S * 1000:.0f}")
        yield


async def house_accounts(tx: Transaction) -> dict[str, UUID]:
    """Return the id of each house account by its kind."""
    rows = await tx.rows(
        "select kind, id from account where member_id is null and partner_id is null"
    )
    return {row["kind"]: row["id"] for row in rows}


async def start_of_day(reader: Transaction, *, day: date) -> datetime:
    """Return when a day begins in the cooperative's time zone."""
    begins: datetime = await reader.value(
        "select $1::date::timestamp at time zone time_zone from cooperative", day
    )
    return begins


async def book_cost(
    tx: Transaction,
    *,
    entry_id: UUID,
    recipe: Recipe,
    at: datetime,
    purpose: str,
    document: str,
    document_sha256: bytes | None,
    booked_by: UUID,
    reversed_journal_id: int | None = None,
    reason: str | None = None,
) -> None:
    """Post the journal and say what it was for, both or neither."""
    await tx.execute(
        "select book_cost($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        entry_id,
        recipe.kind,
        recipe.fingerprint,
        at,
        [line.debit_id for line in recipe.lines],
        [line.credit_id for line in recipe.lines],
        [line.amount_minor for line in recipe.lines],
        purpose,
        document,
        document_sha256,
        booked_by,
        reversed_journal_id,
        reason,
    )


async def find_entry(reader: Transaction, *, entry_id: UUID) -> Any | None:
    """Return one entry as it is shown, or None."""
    return await reader.row(f"{_ENTRIES} where e.id = $1", entry_id)


async def list_entries(reader: Transaction, *, before: UUID | None, limit: int) -> list[Any]:
    """Return entries as they are shown, the one booked last first."""
    return await reader.rows(
        f"{_ENTRIES} where $1::uuid is null or e.id < $1 order by e.id desc limit $2",
        before,
        limit,
    )


async def lines_of(reader: Transaction, *, entry_id: UUID) -> list[Any]:
    """Return journal, debit, credit and amount of each line of an entry's journal."""
    return await reader.rows(
        "select t.journal_id, t.debit_id, t.credit_id, t.amount_minor from cost_entry e"
        " join transfer t on t.journal_id = e.journal_id where e.id = $1 order by t.line",
        entry_id,
    )


async def sums_by_month(reader: Transaction, *, months: int, at: datetime) -> list[Any]:
    """Return month, kind, purpose, entries and sum of the last months, this one included."""
    return await reader.rows(
        f"select to_char(day, 'YYYY-MM') as month, kind, purpose, count(*) as entries,"
        f" sum(amount_minor)::bigint as amount_minor from ({_ENTRIES}) as entry"
        " where day >= (select date_trunc('month', $2::timestamptz at time zone time_zone)"
        " - make_interval(months => $1 - 1) from cooperative)"
        " group by 1, 2, 3 order by 1 desc, 2, 3",
        months,
        at,
    )


async def newest_entry(reader: Transaction) -> int:
    """Return the number of the newest journal of a cost, 0 where there is none."""
    return int(await reader.value("select coalesce(max(journal_id), 0) from cost_entry"))


async def sums_of_year(reader: Transaction, *, at: datetime) -> Any:
    """Return since, until, costs, other income and fares of the year up to the day of `at`.

    Of fares it is the part that the voted share is taken of.
    """
    return await reader.connection.fetchrow(
        f"with year as ({_YEAR}), booked as (select kind, sum(amount_minor)::bigint as minor"
        f" from ({_ENTRIES}) as entry, year where effective_at >= since and effective_at < until"
        " group by kind), spent as (select coalesce(sum(case when t.debit_id = a.id then"
        " t.amount_minor else -t.amount_minor end), 0)::bigint as minor from year"
        " join journal j on j.effective_at >= since and j.effective_at < until"
        " join transfer t on t.journal_id = j.id"
        " join account a on a.id in (t.debit_id, t.credit_id)"
        " where a.kind = 'platform_costs' and j.kind <> 'surplus_close'),"
        # Tolls and tax that pass through bear no share: they do not pay for the platform.
        " driven as (select coalesce(sum(t.amount_minor - coalesce(s.pass_through_minor, 0)), 0)"
        "::bigint as minor"
        " from year join journal j on j.effective_at >= since and j.effective_at < until"
        " join transfer t on t.journal_id = j.id and t.line = 1"
        " left join ride_settlement s on s.journal_id = j.id where j.kind in"
        " ('ride_fare', 'ride_fee')"
        " and not exists (select from journal undoing where undoing.reverses = j.id))"
        # What arises by itself, such as a pay floor's top-up, has no entry and is a cost as well.
        " select since, until, (select minor from spent) as costs_minor,"
        " coalesce((select minor from booked where kind = 'other_income'), 0)"
        " as other_income_minor, (select minor from driven) as fares_minor from year",
        at,
        timeout=PATIENCE_S,
    )
