"""Statements about batches and the payouts in them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.payouts.queries.bank_accounts import IS_REFUSED
from app.payouts.rules import Candidate, LeftOut, PayoutState

# One number for all who prepare; any would do, as long as nothing else locks it.
_PREPARING = 0x0A_70_72_65_70

_BATCH = """
select b.id, b.currency, b.until, b.prepared_by, b.prepared_at, b.passed_over, b.released_by,
  b.released_at, b.execute_on, b.cancelled_by, b.cancelled_at, b.reason,
  case when b.released_at is not null then 'released'
    when b.cancelled_at is not null then 'cancelled' else 'prepared' end as state,
  (select coalesce(jsonb_agg(jsonb_build_object('state', s.state, 'payouts', s.payouts,
     'amount_minor', s.amount_minor) order by s.state), '[]')
   from (select p.state, count(*) as payouts, sum(p.amount_minor)::bigint as amount_minor
         from payout p where p.batch_id = b.id group by p.state) as s) as by_state,
  case when f.batch_id is not null then jsonb_build_object('form', f.form,
    'sha256', encode(f.content_sha256, 'hex'), 'drawn_at', f.drawn_at) end as file
from payout_batch b left join payout_file f on f.batch_id = b.id
"""
_PAYOUT = """
select p.id, p.batch_id, p.member_id, m.name as member_name, k.holder_name, k.iban,
  p.amount_minor, b.currency, p.state, p.left_out_because, b.until, b.released_at, p.settled_at,
  p.returned_at, p.reason_code
from payout p join payout_batch b on b.id = p.batch_id join member m on m.id = p.member_id
join bank_account k on k.id = p.bank_account_id
"""
# What came to, or left, each account from a moment on; it reads the journals since then alone.
_LATER = """
select account_id, sum(minor)::bigint as minor from (
  select t.credit_id as account_id, t.amount_minor as minor
  from journal j join transfer t on t.journal_id = j.id where j.effective_at >= $1
  union all
  select t.debit_id, -t.amount_minor
  from journal j join transfer t on t.journal_id = j.id where j.effective_at >= $1) as move
group by account_id
"""


async def wait_to_prepare(tx: Transaction) -> None:
    """Let one batch be prepared after the other, so that the later one sees what is taken."""
    await tx.execute("select pg_advisory_xact_lock($1)", _PREPARING)


async def list_candidates(tx: Transaction, *, until: datetime) -> list[Candidate]:
    """Return every driver whose account is above zero now, in the order of their ids."""
    rows = await tx.rows(
        "select a.member_id, a.id as account_id, b.posted_minor - b.held_minor as free_minor,"
        " coalesce(later.minor, 0) as later_minor, k.id as bank_account_id, k.payable_from,"
        f" {IS_REFUSED} as is_refused, exists (select from payout p"
        "  where p.member_id = a.member_id and p.state = 'prepared') as is_prepared"
        " from account a join balance b on b.account_id = a.id"
        " left join bank_account k on k.member_id = a.member_id and k.replaced_at is null"
        f" left join ({_LATER}) as later on later.account_id = a.id"
        " where a.kind = 'driver' and b.posted_minor - b.held_minor > 0 order by a.member_id",
        until,
    )
    return [Candidate(**dict(row)) for row in rows]


async def insert_batch(
    tx: Transaction,
    *,
    batch_id: UUID,
    currency: str,
    until: datetime,
    prepared_by: UUID,
    passed_over: dict[str, int],
    now: datetime,
) -> None:
    """Enter a batch that nobody has released."""
    await tx.execute(
        "insert into payout_batch (id, currency, until, prepared_by, prepared_at, passed_over)"
        " values ($1, $2, $3, $4, $5, $6)",
        batch_id,
        currency,
        until,
        prepared_by,
        now,
        passed_over,
    )


async def insert_payouts(
    tx: Transaction,
    *,
    batch_id: UUID,
    ids: Sequence[UUID],
    drivers: Sequence[Candidate],
    amounts: Sequence[int],
) -> None:
    """Freeze the amount and the bank account of each driver of a batch."""
    await tx.execute(
        "insert into payout (id, batch_id, member_id, account_id, bank_account_id, amount_minor,"
        " state) select p.id, $1, p.member_id, p.account_id, p.bank_account_id, p.amount_minor,"
        " 'prepared' from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[])"
        " as p(id, member_id, account_id, bank_account_id, amount_minor)",
        batch_id,
        list(ids),
        [driver.member_id for driver in drivers],
        [driver.account_id for driver in drivers],
        [driver.bank_account_id for driver in drivers],
        list(amounts),
    )


async def lock_batch(tx: Transaction, *, batch_id: UUID) -> Any | None:
    """Let nobody else decide a batch or take statuses for it; return its row, or None."""
    return await tx.row("select * from payout_batch where id = $1 for update", batch_id)


async def find_batch(reader: Transaction, *, batch_id: UUID) -> Any | None:
    """Return a batch as it is shown, or None."""
    return await reader.row(f"{_BATCH} where b.id = $1", batch_id)


async def list_batches(reader: Transaction, *, before: UUID | None, limit: int) -> list[Any]:
    """Return batches as they are shown, the newest first."""
    return await reader.rows(
        f"{_BATCH} where $1::uuid is null or b.id < $1 order by b.id desc limit $2", before, limit
    )


async def list_payouts(
    reader: Transaction, *, batch_id: UUID, state: str | None, after: UUID | None, limit: int
) -> list[Any]:
    """Return payouts of a batch as they are shown to staff, in the order of their ids."""
    return await reader.rows(
        f"{_PAYOUT} where p.batch_id = $1 and ($2::text is null or p.state = $2)"
        " and ($3::uuid is null or p.id > $3) order by p.id limit $4",
        batch_id,
        state,
        after,
        limit,
    )


async def list_own_payouts(
    reader: Transaction, *, member_id: UUID, before: UUID | None, limit: int
) -> list[Any]:
    """Return a member's payouts, the newest first; what was cancelled never concerned them."""
    return await reader.rows(
        f"{_PAYOUT} where p.member_id = $1 and p.state <> 'cancelled'"
        " and ($2::uuid is null or p.id < $2) order by p.id desc limit $3",
        member_id,
        before,
        limit,
    )


async def lock_prepared(tx: Transaction, *, batch_id: UUID) -> list[Any]:
    """Return the prepared payouts of a batch; their bank accounts stay as they are meanwhile.

    Each row has id, member_id, account_id, amount_minor, and is_current: whether the account is
    still the one the driver wants.
    """
    return await tx.rows(
        "select p.id, p.member_id, p.account_id, p.amount_minor, k.replaced_at is null as"
        " is_current from payout p join bank_account k on k.id = p.bank_account_id"
        " where p.batch_id = $1 and p.state = 'prepared' order by k.id for no key update of p, k",
        batch_id,
    )


async def mark_released(tx: Transaction, *, journals: dict[UUID, int]) -> None:
    """Write down which journal released each payout."""
    await tx.execute(
        "update payout set state = 'released', release_journal_id = done.journal_id"
        " from unnest($1::uuid[], $2::bigint[]) as done(id, journal_id)"
        " where payout.id = done.id",
        list(journals),
        list(journals.values()),
    )


async def mark_left_out(tx: Transaction, *, because: dict[UUID, LeftOut]) -> None:
    """Write down why each of these payouts was not released."""
    await tx.execute(
        "update payout set state = 'left_out', left_out_because = out.because"
        " from unnest($1::uuid[], $2::text[]) as out(id, because) where payout.id = out.id",
        list(because),
        list(because.values()),
    )


async def release_batch(
    tx: Transaction, *, batch_id: UUID, released_by: UUID, now: datetime
) -> None:
    """Write down who released a batch; the bank is asked to pay on the next day there."""
    await tx.execute(
        "update payout_batch set released_by = $2, released_at = $3, execute_on ="
        " (select ($3::timestamptz at time zone time_zone)::date + 1 from cooperative)"
        " where id = $1",
        batch_id,
        released_by,
        now,
    )


async def cancel_batch(
    tx: Transaction, *, batch_id: UUID, cancelled_by: UUID, reason: str, now: datetime
) -> None:
    """Write down who cancelled a batch and why, and free its drivers for another one."""
    await tx.execute(
        "update payout_batch set cancelled_by = $2, cancelled_at = $3, reason = $4 where id = $1",
        batch_id,
        cancelled_by,
        now,
        reason,
    )
    await tx.execute(
        "update payout set state = $2 where batch_id = $1 and state = $3",
        batch_id,
        PayoutState.CANCELLED,
        PayoutState.PREPARED,
    )
