"""Statements about disputes and what was decided in them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.after_ride.rules import Burden, DisputeState, Outcome
from app.foundation.database import Transaction

# Withdrawn decisions never came to be: nobody but the auditor needs them.
_DISPUTE = """
select d.id, d.ride_id, d.opened_by, d.party, d.kind, d.text, d.state, d.opened_at, d.appealed_at,
  d.appeal_text, r.rider_id, r.driver_id, c.currency,
  (select coalesce(jsonb_agg(jsonb_build_object('round', o.round, 'outcome', o.outcome,
     'amount_minor', o.amount_minor, 'from_driver_minor', o.from_driver_minor,
     'from_commission_minor', o.from_commission_minor, 'from_costs_minor', o.from_costs_minor,
     'reason', o.reason, 'decided_by', o.decided_by, 'released_by', o.released_by,
     'effective_at', o.effective_at, 'undone_at', o.undone_at) order by o.round), '[]')
   from dispute_decision o where o.dispute_id = d.id and o.withdrawn_at is null) as decisions
from dispute d join ride r on r.id = d.ride_id cross join cooperative c
"""


async def insert_dispute(
    tx: Transaction,
    *,
    dispute_id: UUID,
    ride_id: UUID,
    opened_by: UUID,
    party: str,
    kind: str,
    text: str,
    now: datetime,
) -> None:
    """Enter a dispute; a unique index refuses a second open one of the same person."""
    await tx.execute(
        "insert into dispute (id, ride_id, opened_by, party, kind, text, state, opened_at)"
        " values ($1, $2, $3, $4, $5, $6, 'open', $7)",
        dispute_id,
        ride_id,
        opened_by,
        party,
        kind,
        text,
        now,
    )


async def lock_dispute(tx: Transaction, *, dispute_id: UUID) -> Any | None:
    """Let nobody else decide a dispute; return its row with the ride's people, or None."""
    return await tx.row(
        "select d.*, r.rider_id, r.driver_id, s.policy_version_id from dispute d"
        " join ride r on r.id = d.ride_id join ride_settlement s on s.ride_id = d.ride_id"
        " where d.id = $1 for update of d",
        dispute_id,
    )


async def find_dispute(
    reader: Transaction, *, dispute_id: UUID, member_id: UUID | None
) -> Any | None:
    """Return a dispute as it is shown to a party of its ride (None: to staff), or None."""
    return await reader.row(
        f"{_DISPUTE} where d.id = $1 and ($2::uuid is null or $2 in (r.rider_id, r.driver_id))",
        dispute_id,
        member_id,
    )


async def list_disputes(
    reader: Transaction,
    *,
    member_id: UUID | None,
    state: str | None,
    before: UUID | None,
    limit: int,
) -> list[Any]:
    """Return disputes about a member's rides (None: about all), the newest first."""
    return await reader.rows(
        f"{_DISPUTE} where ($1::uuid is null or $1 in (r.rider_id, r.driver_id))"
        " and ($2::text is null or d.state = $2) and ($3::uuid is null or d.id < $3)"
        " order by d.id desc limit $4",
        member_id,
        state,
        before,
        limit,
    )


async def set_state(tx: Transaction, *, dispute_id: UUID, state: DisputeState) -> None:
    """Take a dispute to its next state."""
    await tx.execute("update dispute set state = $2 where id = $1", dispute_id, str(state))


async def appeal(
    tx: Transaction, *, dispute_id: UUID, appealed_by: UUID, text: str, now: datetime
) -> None:
    """Open a decided dispute once more."""
    await tx.execute(
        "update dispute set state = 'appealed', appealed_by = $2, appeal_text = $3,"
        " appealed_at = $4 where id = $1",
        dispute_id,
        appealed_by,
        text,
        now,
    )


async def insert_decision(
    tx: Transaction,
    *,
    decision_id: UUID,
    dispute_id: UUID,
    round_: int,
    outcome: Outcome,
    burden: Burden,
    reason: str,
    decided_by: UUID,
    now: datetime,
) -> Any:
    """Keep what a person decided, and return its row. It has not come to be yet."""
    return await tx.row(
        "insert into dispute_decision (id, dispute_id, round, outcome, from_driver_minor,"
        " from_commission_minor, from_costs_minor, amount_minor, reason, decided_by, decided_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning *",
        decision_id,
        dispute_id,
        round_,
        str(outcome),
        burden.from_driver_minor,
        burden.from_commission_minor,
        burden.from_costs_minor,
        burden.amount_minor,
        reason,
        decided_by,
        now,
    )


async def decision_of(tx: Transaction, *, dispute_id: UUID, round_: int) -> Any | None:
    """Return the decision of a round that was not withdrawn, or None."""
    return await tx.row(
        "select * from dispute_decision where dispute_id = $1 and round = $2"
        " and withdrawn_at is null",
        dispute_id,
        round_,
    )


async def make_effective(
    tx: Transaction,
    *,
    decision_id: UUID,
    released_by: UUID | None,
    journal_id: int | None,
    now: datetime,
) -> None:
    """Write down that a decision came to be, and by which journal."""
    await tx.execute(
        "update dispute_decision set effective_at = $2, released_by = $3, journal_id = $4"
        " where id = $1",
        decision_id,
        now,
        released_by,
        journal_id,
    )


async def undo_decision(tx: Transaction, *, decision_id: UUID, now: datetime) -> None:
    """Write down that the money of a decision was taken back."""
    await tx.execute("update dispute_decision set undone_at = $2 where id = $1", decision_id, now)


async def withdraw_decision(
    tx: Transaction, *, decision_id: UUID, by: UUID, reason: str, now: datetime
) -> None:
    """Write down that a decision never came to be, and why."""
    await tx.execute(
        "update dispute_decision set withdrawn_by = $2, withdrawn_because = $3, withdrawn_at = $4"
        " where id = $1",
        decision_id,
        by,
        reason,
        now,
    )
