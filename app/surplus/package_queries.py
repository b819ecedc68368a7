"""What the package of a closed period is drawn from; reading only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.ledger.cost_queries import PATIENCE_S


async def find_closed(reader: Transaction, *, period_id: UUID) -> Any | None:
    """Return a closed period with the last journal before its lock, the cooperative, or None."""
    return await reader.row(
        "select p.id, p.since, p.until, p.closed_at, p.steps, l.through_journal, c.name, c.currency"
        " from surplus_period p join period_lock l on l.until = p.until cross join cooperative c"
        " where p.id = $1",
        period_id,
    )


async def sealed_heights(reader: Transaction, period: Any) -> Any:
    """Return unsealed, first and last: how many of its journals wait, and in which blocks they are.

    The first block is also not later than the first one that was sealed after its beginning.
    """
    return await reader.connection.fetchrow(
        "select count(*) filter (where l.height is null) as unsealed,"
        " least(min(l.height), (select min(height) from seal where sealed_at >= $2)) as first,"
        " max(l.height) as last from (select j.id from journal j where j.subject_id = $1"
        " or (j.effective_at >= $2 and j.effective_at < $3 and j.id <= $4)) as own"
        " left join seal_leaf l on l.journal_id = own.id",
        period["id"],
        period["since"],
        period["until"],
        period["through_journal"],
        timeout=PATIENCE_S,
    )


async def list_closing(reader: Transaction, *, period_id: UUID) -> list[int]:
    """Return the numbers of the journals that closed a period."""
    rows = await reader.rows("select id from journal where subject_id = $1 order by id", period_id)
    return [row["id"] for row in rows]


async def list_of_others(reader: Transaction, *, since: datetime, until: datetime) -> list[int]:
    """Return the journals with commission whose driver was no member when the ride ended."""
    rows = await reader.connection.fetch(
        "select distinct driven.journal_id from (select j.id as journal_id,"
        " case when other.kind = 'driver' then other.member_id end as driver_id,"
        " coalesce(undone.effective_at, j.effective_at) as at from account income"
        " join transfer t on income.id in (t.credit_id, t.debit_id)"
        " join account other on other.id ="
        " case when t.credit_id = income.id then t.debit_id else t.credit_id end"
        " join journal j on j.id = t.journal_id left join journal undone on undone.id = j.reverses"
        " where income.kind = 'commission_income' and j.kind <> 'surplus_close'"
        " and j.effective_at >= $1 and j.effective_at < $2) as driven where not exists ("
        " select from membership m where m.member_id = driven.driver_id and m.house = 'drivers'"
        " and m.admitted_at <= driven.at and (m.left_at is null or m.left_at > driven.at))"
        " order by 1",
        since,
        until,
        timeout=PATIENCE_S,
    )
    return [row["journal_id"] for row in rows]


async def list_driver_codes(
    reader: Transaction, *, since: datetime, until: datetime
) -> dict[str, list[str]]:
    """Return what drivers' accounts are called in the years of a period, by member."""
    rows = await reader.rows(
        "select a.member_id, array_agg('driver:' || c.code order by c.year) as codes"
        " from account a join account_code c on c.account_id = a.id cross join cooperative here"
        " where a.kind = 'driver' and c.year between"
        " extract(year from $1::timestamptz at time zone here.time_zone) and"
        " extract(year from ($2::timestamptz - interval '1 microsecond')"
        " at time zone here.time_zone) group by 1",
        since,
        until,
    )
    return {str(row["member_id"]): row["codes"] for row in rows}


async def list_refunds(reader: Transaction, *, period_id: UUID) -> dict[str, tuple[int, int]]:
    """Return cash and capital of each refund of a period, by member."""
    rows = await reader.rows(
        "select member_id, cash_minor, capital_minor from member_refund where period_id = $1",
        period_id,
    )
    return {str(row["member_id"]): (row["cash_minor"], row["capital_minor"]) for row in rows}


async def list_openings(reader: Transaction, *, first: int, codes: list[str]) -> list[Any]:
    """Return name and minor of what accounts held before a block, credit positive.

    An account is called by the earliest of the codes; one that none of them is of is called null.
    """
    return list(
        await reader.connection.fetch(
            "select case when a.member_id is null and a.partner_id is null then a.kind"
            " else (select a.kind || ':' || c.code from account_code c where c.account_id = a.id"
            " and c.code = any($2::text[]) order by c.year limit 1) end as name,"
            " sum(line.minor)::bigint as minor from (select t.credit_id as account_id,"
            " t.amount_minor as minor from transfer t join seal_leaf l using (journal_id)"
            " where l.height < $1 union all select t.debit_id, -t.amount_minor from transfer t"
            " join seal_leaf l using (journal_id) where l.height < $1) as line"
            " join account a on a.id = line.account_id group by 1 order by 1",
            first,
            codes,
            timeout=PATIENCE_S,
        )
    )
