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


async def list_driver_secrets(
    reader: Transaction, *, since: datetime, until: datetime
) -> dict[UUID, bytes]:
    """Return the secret of each driver's account of the first year that it has one, by member.

    Only years in which the period lies count.
    """
    rows = await reader.rows(
        "select distinct on (a.member_id) a.member_id, s.secret"
        " from account a join account_secret s on s.account_id = a.id cross join cooperative here"
        " where a.kind = 'driver' and s.year between"
        " extract(year from $1::timestamptz at time zone here.time_zone) and"
        " extract(year from ($2::timestamptz - interval '1 microsecond')"
        " at time zone here.time_zone) order by a.member_id, s.year",
        since,
        until,
    )
    return {row["member_id"]: row["secret"] for row in rows}


async def list_refunds(reader: Transaction, *, period_id: UUID) -> dict[str, tuple[int, int]]:
    """Return cash and capital of each refund of a period, by member."""
    rows = await reader.rows(
        "select member_id, cash_minor, capital_minor from member_refund where period_id = $1",
        period_id,
    )
    return {str(row["member_id"]): (row["cash_minor"], row["capital_minor"]) for row in rows}


async def list_openings(reader: Transaction, *, first: int, last: int) -> list[Any]:
    """Return kind, is_house, secret and minor (credit positive) of accounts before a block.

    The secret is of the first year in which the blocks up to the last moved the account, and null
    where they did not, or the person was erased.
    """
    return list(
        await reader.connection.fetch(
            "with moved as (select account_id, min(year) as year from (select"
            " unnest(array[t.debit_id, t.credit_id]) as account_id,"
            " extract(year from j.effective_at at time zone here.time_zone)::int as year"
            " from seal_leaf l join transfer t using (journal_id)"
            " join journal j on j.id = l.journal_id cross join cooperative here"
            " where l.height between $1 and $2) as line group by 1),"
            " held as (select account_id, sum(minor)::bigint as minor from ("
            "select t.credit_id as account_id, t.amount_minor as minor from transfer t"
            " join seal_leaf l using (journal_id) where l.height < $1 union all"
            " select t.debit_id, -t.amount_minor from transfer t"
            " join seal_leaf l using (journal_id) where l.height < $1) as line group by 1)"
            " select a.kind, a.member_id is null and a.partner_id is null as is_house, s.secret,"
            " h.minor from held h join account a on a.id = h.account_id"
            " left join moved m on m.account_id = a.id"
            " left join account_secret s on s.account_id = a.id and s.year = m.year"
            " where h.minor <> 0",
            first,
            last,
            timeout=PATIENCE_S,
        )
    )
