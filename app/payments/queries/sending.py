"""Statements of the worker that talks to providers, and of what they tell."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.payments.rules import CommandState

# One command of a payment after the other. What is taken is due again after a pause, so that a
# worker that dies between sending and recording loses nothing: the key is the same then.
_CLAIM = """
with taken as (
  select c.id from payment_command c join payment p on p.id = c.payment_id
  where c.state = 'due' and c.due_at <= $1 and p.provider = $2
    and not exists (select from payment_command e where e.payment_id = c.payment_id
                    and e.state = 'due' and e.seq < c.seq)
  order by c.due_at limit $3 for update of c skip locked)
update payment_command c set attempts = c.attempts + 1,
  due_at = $1 + make_interval(secs => least(30 * power(2, c.attempts), 3600))
from taken, payment p join payment_method m on m.id = p.payment_method_id
where c.id = taken.id and p.id = c.payment_id
returning c.id, c.payment_id, c.act, c.key, c.amount_minor, c.attempts, c.hold_id, p.reference,
  m.token, (select currency from cooperative) as currency
"""

_GROW = """
update payment set state = $2, reference = coalesce(reference, $3),
  authorised_minor = greatest(authorised_minor, $4), captured_minor = $5, refunded_minor = $6,
  withdrawn_minor = $7, reinstated_minor = $8,
  failed_at = case when $2 = 'failed' then failed_at end
where id = $1
"""


async def claim(tx: Transaction, *, provider: str, now: datetime, limit: int) -> list[Any]:
    """Take commands that are due, so that no other worker sends them before the next try."""
    return await tx.rows(_CLAIM, now, provider, limit)


async def find_by_reference(
    reader: Transaction, *, provider: str, reference: str, payment_id: UUID | None
) -> UUID | None:
    """Return the payment a provider speaks of, by its name or, before we know that, by ours."""
    found: UUID | None = await reader.value(
        "select id from payment where provider = $1 and (reference = $2"
        " or id = $3 and reference is null)",
        provider,
        reference,
        payment_id,
    )
    return found


async def end_command(
    tx: Transaction, *, command_id: UUID, state: CommandState, answer: str | None, now: datetime
) -> None:
    """Write down how a command ended; what ended before stays as it is."""
    await tx.execute(
        "update payment_command set state = $2, answer = $3, ended_at = $4"
        " where id = $1 and state = 'due'",
        command_id,
        state,
        answer,
        now,
    )


async def drop_due(tx: Transaction, *, payment_id: UUID, now: datetime) -> list[UUID]:
    """Drop all that is still to be asked for a payment; return what was set aside for that."""
    rows = await tx.rows(
        "update payment_command set state = 'dropped', ended_at = $2"
        " where payment_id = $1 and state = 'due' returning hold_id",
        payment_id,
        now,
    )
    return [row["hold_id"] for row in rows if row["hold_id"] is not None]


async def grow(
    tx: Transaction,
    *,
    payment_id: UUID,
    state: str,
    reference: str,
    authorised_minor: int,
    captured_minor: int,
    refunded_minor: int,
    withdrawn_minor: int,
    reinstated_minor: int,
) -> None:
    """Store what a provider has told of a payment so far."""
    await tx.execute(
        _GROW,
        payment_id,
        state,
        reference,
        authorised_minor,
        captured_minor,
        refunded_minor,
        withdrawn_minor,
        reinstated_minor,
    )


async def open_refund_hold(tx: Transaction, *, payment_id: UUID) -> Any | None:
    """Return hold_id and amount_minor of the oldest refund whose money is still set aside."""
    return await tx.row(
        "select c.hold_id, c.amount_minor from payment_command c where c.payment_id = $1"
        " and c.hold_id is not null and not exists"
        " (select from hold_end e where e.hold_id = c.hold_id) order by c.seq limit 1",
        payment_id,
    )


async def is_held(reader: Transaction, *, hold_id: UUID) -> bool:
    """Return whether money is still set aside by this hold."""
    return not await reader.value(
        "select exists (select from hold_end where hold_id = $1)", hold_id
    )


async def borne_by_house(reader: Transaction, *, payment_id: UUID) -> bool:
    """Return whether the house bore what a bank took back, since the rider's account did not."""
    return bool(
        await reader.value(
            "select exists (select from journal j join transfer t on t.journal_id = j.id"
            " join account a on a.id = t.debit_id and a.kind = 'platform_costs'"
            " where j.subject_id = $1 and j.kind = 'chargeback')",
            payment_id,
        )
    )


async def keep_event(
    tx: Transaction,
    *,
    provider: str,
    event_id: str,
    type_: str,
    payment_id: UUID | None,
    now: datetime,
) -> bool:
    """Note an event; False where it was told before. Who tells it at this moment goes first."""
    return bool(
        await tx.value(
            "insert into provider_event (provider, event_id, type, payment_id, received_at)"
            " values ($1, $2, $3, $4, $5) on conflict do nothing returning true",
            provider,
            event_id,
            type_,
            payment_id,
            now,
        )
    )


async def take_unlooked(
    tx: Transaction, *, provider: str, before: datetime, since: datetime, now: datetime, limit: int
) -> list[Any]:
    """Return id and reference of payments begun since then and not asked about since `before`."""
    return await tx.rows(
        "update payment set looked_at = $4 where id in (select id from payment"
        " where provider = $1 and reference is not null and begun_at > $3"
        " and coalesce(looked_at, begun_at) < $2"
        " order by coalesce(looked_at, begun_at) limit $5 for no key update skip locked)"
        " returning id, reference",
        provider,
        before,
        since,
        now,
        limit,
    )
