"""Disputes: somebody asks, a person decides with a reason, and another one on appeal."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.after_ride.errors import (
    AnotherPersonDecides,
    DisputeDecided,
    DisputeIsOpen,
    MoreThanWasPaid,
    NothingToAppeal,
    NothingToRelease,
    NothingToUphold,
    OwnRide,
    RideNotSettled,
    TooLateToDispute,
)
from app.after_ride.queries import disputes as queries
from app.after_ride.queries import tips
from app.after_ride.rules import (
    APPEAL_FOR,
    DISPUTE_FOR,
    Burden,
    DisputeKind,
    DisputeState,
    Outcome,
)
from app.after_ride.service.putting_right import put_right, take_back
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.problems import NotFound

_MORE_THAN_WAS_PAID = "MN144"
# Which decision a dispute in this state waits for, and where that leads.
_ROUNDS = {DisputeState.OPEN: 1, DisputeState.APPEALED: 2}
_DECIDED = {1: DisputeState.DECIDED, 2: DisputeState.FINAL}


async def open_dispute(
    tx: Transaction,
    *,
    ride_id: UUID,
    member_id: UUID,
    kind: DisputeKind,
    text: str,
    now: datetime,
) -> UUID:
    """Ask staff to look at a settled ride; both its people are told. Return the dispute's id.

    Raises:
        NotFound: the member neither took nor drove it.
        RideNotSettled, TooLateToDispute, DisputeIsOpen: as they say.
    """
    ride = await tips.find_ride(tx, ride_id=ride_id, member_id=member_id)
    if ride is None:
        raise NotFound
    if ride["settled_at"] is None:
        raise RideNotSettled
    if now > ride["settled_at"] + DISPUTE_FOR:
        raise TooLateToDispute
    dispute_id = new_id()
    try:
        await queries.insert_dispute(
            tx,
            dispute_id=dispute_id,
            ride_id=ride_id,
            opened_by=member_id,
            party="rider" if member_id == ride["rider_id"] else "driver",
            kind=kind,
            text=text,
            now=now,
        )
    except asyncpg.UniqueViolationError as twice:
        raise DisputeIsOpen from twice
    _tell(
        tx,
        "dispute.opened",
        dict(ride) | {"id": dispute_id, "ride_id": ride_id},
        now=now,
        kind=kind,
    )
    return dispute_id


async def decide(
    tx: Transaction,
    *,
    dispute_id: UUID,
    outcome: Outcome,
    burden: Burden,
    reason: str,
    decided_by: UUID,
    now: datetime,
) -> None:
    """Decide a dispute, or the appeal against its first decision, and say who bears it.

    What needs a second person waits for the release. Anything else comes to be at once: the money
    moves, the dispute is closed, and both people are told with the reason. What is decided on
    appeal takes the place of the first decision, whose money goes back; `uphold` leaves it.

    Raises:
        NotFound: there is no such dispute.
        OwnRide, AnotherPersonDecides, DisputeDecided, NothingToUphold: as they say.
        MoreThanWasPaid, BalanceTooLow: the money cannot move so.
    """
    dispute = await _lock(tx, dispute_id=dispute_id, by=decided_by)
    round_ = _ROUNDS.get(DisputeState(dispute["state"]))
    if round_ is None:
        raise DisputeDecided
    if round_ == 1 and outcome is Outcome.UPHOLD:
        raise NothingToUphold
    first = await queries.decision_of(tx, dispute_id=dispute_id, round_=1)
    if round_ == 2 and first and decided_by in (first["decided_by"], first["released_by"]):
        raise AnotherPersonDecides
    try:
        decision = await queries.insert_decision(
            tx,
            decision_id=new_id(),
            dispute_id=dispute_id,
            round_=round_,
            outcome=outcome,
            burden=burden,
            reason=reason,
            decided_by=decided_by,
            now=now,
        )
    except asyncpg.UniqueViolationError as waits:
        raise DisputeDecided from waits
    if not burden.needs_release:
        await _let_be(tx, dispute, decision, released_by=None, now=now)


async def release(tx: Transaction, *, dispute_id: UUID, released_by: UUID, now: datetime) -> None:
    """Let a large decision of a colleague come to be.

    Raises:
        NotFound: there is no such dispute.
        OwnRide, NothingToRelease: as they say.
        AnotherPersonDecides: who decided does not release.
        MoreThanWasPaid, BalanceTooLow: the money cannot move so, perhaps not any more.
    """
    dispute = await _lock(tx, dispute_id=dispute_id, by=released_by)
    decision = await _waiting(tx, dispute)
    if decision["decided_by"] == released_by:
        raise AnotherPersonDecides
    await _let_be(tx, dispute, decision, released_by=released_by, now=now)


async def withdraw(
    tx: Transaction, *, dispute_id: UUID, withdrawn_by: UUID, reason: str, now: datetime
) -> None:
    """Give up a decision that waits for its release; the dispute waits for another one.

    Raises:
        NotFound: there is no such dispute.
        OwnRide, NothingToRelease: as they say.
    """
    dispute = await _lock(tx, dispute_id=dispute_id, by=withdrawn_by)
    decision = await _waiting(tx, dispute)
    await queries.withdraw_decision(
        tx, decision_id=decision["id"], by=withdrawn_by, reason=reason, now=now
    )


async def appeal(
    tx: Transaction, *, dispute_id: UUID, member_id: UUID, text: str, now: datetime
) -> None:
    """Ask that another person looks at a decision again; the ride's rider and driver may, once.

    Directive (EU) 2024/2831 gives who works on a platform the right to a human review of what was
    decided about them; here riders have it too, and the first decision is a person's already.

    Raises:
        NotFound: the dispute is not about a ride of this member.
        NothingToAppeal, DisputeIsOpen: as they say.
    """
    dispute = await queries.lock_dispute(tx, dispute_id=dispute_id)
    if dispute is None or member_id not in (dispute["rider_id"], dispute["driver_id"]):
        raise NotFound
    first = await queries.decision_of(tx, dispute_id=dispute_id, round_=1)
    is_decided = first is not None and dispute["state"] == DisputeState.DECIDED
    if first is None or not is_decided or now > first["effective_at"] + APPEAL_FOR:
        raise NothingToAppeal
    try:
        await queries.appeal(tx, dispute_id=dispute_id, appealed_by=member_id, text=text, now=now)
    except asyncpg.UniqueViolationError as other:
        raise DisputeIsOpen from other
    _tell(tx, "dispute.appealed", dispute, now=now)


async def get_dispute(
    reader: Transaction, *, dispute_id: UUID, member_id: UUID | None
) -> dict[str, Any]:
    """Return a dispute as a party of its ride (None: staff) may see it.

    Raises:
        NotFound: there is none for this member.
    """
    row = await queries.find_dispute(reader, dispute_id=dispute_id, member_id=member_id)
    if row is None:
        raise NotFound
    return dict(row)


async def _lock(tx: Transaction, *, dispute_id: UUID, by: UUID) -> Any:
    dispute = await queries.lock_dispute(tx, dispute_id=dispute_id)
    if dispute is None:
        raise NotFound
    if by in (dispute["rider_id"], dispute["driver_id"]):
        raise OwnRide
    await tips.lock_money(tx, ride_id=dispute["ride_id"])
    return dispute


async def _waiting(tx: Transaction, dispute: Any) -> Any:
    """Return the decision that waits for a second person."""
    round_ = _ROUNDS.get(DisputeState(dispute["state"]))
    decision = round_ and await queries.decision_of(tx, dispute_id=dispute["id"], round_=round_)
    if not decision:
        raise NothingToRelease
    return decision


async def _let_be(
    tx: Transaction, dispute: Any, decision: Any, *, released_by: UUID | None, now: datetime
) -> None:
    """Move the money, close the dispute and tell both people."""
    first = await queries.decision_of(tx, dispute_id=dispute["id"], round_=1)
    is_other = decision["round"] == 2 and decision["outcome"] != Outcome.UPHOLD
    if is_other and first is not None and first["journal_id"] is not None:
        await take_back(
            tx, dispute, first, reason=decision["reason"], by=decision["decided_by"], now=now
        )
        await queries.undo_decision(tx, decision_id=first["id"], now=now)
    journal_id = await put_right(tx, dispute, decision, now=now)
    try:
        await queries.make_effective(
            tx,
            decision_id=decision["id"],
            released_by=released_by,
            journal_id=journal_id,
            now=now,
        )
    except asyncpg.PostgresError as refused:
        if refused.sqlstate != _MORE_THAN_WAS_PAID:
            raise
        raise MoreThanWasPaid from refused
    await queries.set_state(tx, dispute_id=dispute["id"], state=_DECIDED[decision["round"]])
    parts = ("from_driver_minor", "from_commission_minor", "from_costs_minor")
    more = {name: decision[name] for name in ("outcome", "amount_minor", *parts, "reason")}
    _tell(tx, "dispute.decided", dispute, now=now, round=decision["round"], **more)


def _tell(tx: Transaction, event: str, dispute: Any, *, now: datetime, **more: Any) -> None:
    """Tell the ride's rider and driver; what staff decided they read with its reason."""
    data = {"dispute_id": str(dispute["id"]), "ride_id": str(dispute["ride_id"]), **more}
    tx.emit(Event(event, (dispute["rider_id"], dispute["driver_id"]), data), at=now)
