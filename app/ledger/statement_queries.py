"""Every statement that reads balances and lines as of a moment."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

_LINES = """
select j.id as journal_id, t.line, j.kind, j.subject_id, j.reverses, r.reason, j.effective_at,
  j.recorded_at, case when t.credit_id = $1 then t.amount_minor else -t.amount_minor end
    as amount_minor
from transfer t join journal j on j.id = t.journal_id
left join journal_reason r on r.journal_id = j.id
where $1::uuid in (t.debit_id, t.credit_id) and j.effective_at < $3 and j.recorded_at < $4
"""
_SUMS = f"""
select coalesce(sum(amount_minor) filter (where effective_at < $2), 0)::bigint as opening,
  coalesce(-sum(amount_minor) filter (where effective_at >= $2 and amount_minor < 0), 0)::bigint
    as debits,
  coalesce(sum(amount_minor) filter (where effective_at >= $2 and amount_minor > 0), 0)::bigint
    as credits
from ({_LINES}) as line
"""  # noqa: S608 - constants
_BALANCES = """
select a.id, coalesce(sum(case when t.credit_id = a.id then t.amount_minor
                          else -t.amount_minor end), 0)::bigint as minor
from account a left join (transfer t join journal j on j.id = t.journal_id
                          and j.effective_at < $1 and j.recorded_at < $2)
  on a.id in (t.debit_id, t.credit_id)
where a.kind = any($3) group by a.id
"""
_HOUSE = """
select a.kind, (coalesce(last.credits_minor - last.debits_minor, 0) + rest.minor)::bigint as minor
from account a
left join lateral (select * from account_rollup r where r.account_id = a.id
                   order by r.through_journal desc limit 1) as last on true
cross join lateral (
  select coalesce(sum(case when credit_id = a.id then amount_minor else -amount_minor end), 0)
    as minor
  from transfer where a.id in (debit_id, credit_id)
    and journal_id > coalesce(last.through_journal, 0)) as rest
where a.member_id is null and a.partner_id is null
"""


async def sums(
    reader: Transaction, *, account_id: UUID, since: datetime, until: datetime, known_at: datetime
) -> Any:
    """Return opening, debits and credits of a period."""
    return await reader.row(_SUMS, account_id, since, until, known_at)


async def lines(
    reader: Transaction,
    *,
    account_id: UUID,
    since: datetime,
    until: datetime,
    known_at: datetime,
    after: tuple[datetime, int, int] | None,
    limit: int,
) -> list[Any]:
    """Return a page of lines in order, those after a position."""
    return await reader.rows(
        f"{_LINES} and j.effective_at >= $2 and ($5::timestamptz is null"
        " or (j.effective_at, j.id, t.line) > ($5, $6::bigint, $7::int))"
        " order by j.effective_at, j.id, t.line limit $8",
        account_id,
        since,
        until,
        known_at,
        *(after or (None, None, None)),
        limit,
    )


async def balances_as_of(
    reader: Transaction, *, effective_before: datetime, recorded_before: datetime, kinds: list[str]
) -> list[Any]:
    """Return id and balance of each account of these kinds."""
    return await reader.rows(_BALANCES, effective_before, recorded_before, kinds)


async def house_balances(reader: Transaction) -> list[Any]:
    """Return kind and balance of each house account."""
    return await reader.rows(_HOUSE)
