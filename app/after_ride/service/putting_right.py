"""How the money of a decided dispute moves, and how it goes back when an appeal decides anew."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.after_ride.rules import Outcome
from app.foundation.database import Transaction
from app.ledger import corrections, cost_queries, postings
from app.ledger import queries as books
from app.ledger.accounts import AccountKind
from app.payments import service as payments


async def put_right(tx: Transaction, dispute: Any, decision: Any, *, now: datetime) -> int | None:
    """Book what was decided as an adjustment with its reason; None where no money moves.

    A refund goes back the way the fare was paid.

    Raises:
        BalanceTooLow: the driver no longer has what they should bear.
    """
    if decision["amount_minor"] == 0:
        return None
    people = await books.fare_accounts(
        tx, rider_id=dispute["rider_id"], driver_id=dispute["driver_id"]
    )
    houses = await cost_queries.house_accounts(tx)
    borne = {
        "driver_id": people["driver"],
        "commission_income_id": houses[AccountKind.COMMISSION_INCOME],
        "platform_costs_id": houses[AccountKind.PLATFORM_COSTS],
        "from_commission_minor": decision["from_commission_minor"],
        "from_costs_minor": decision["from_costs_minor"],
    }
    is_refund = decision["outcome"] == Outcome.REFUND
    recipe = (
        postings.fare_refund(
            rider_id=people["rider"], from_driver_minor=decision["from_driver_minor"], **borne
        )
        if is_refund
        else postings.driver_extra(**borne)
    )
    journal_id = await corrections.post_adjustment(
        tx,
        recipe,
        scope="dispute",
        key=str(decision["id"]),
        subject_id=dispute["ride_id"],
        reason=decision["reason"],
        decided_by=decision["decided_by"],
        now=now,
        policy_version_id=dispute["policy_version_id"],
    )
    if is_refund:
        await payments.refund(
            tx,
            ride_id=dispute["ride_id"],
            rider_id=dispute["rider_id"],
            key=f"dispute:{decision['id']}",
            amount_minor=decision["amount_minor"],
            now=now,
        )
    return journal_id


async def take_back(
    tx: Transaction, dispute: Any, decision: Any, *, reason: str, by: UUID, now: datetime
) -> None:
    """Reverse the journal of a first decision, since an appeal was decided otherwise.

    Raises:
        BalanceTooLow: who got the money no longer has it.
    """
    await corrections.reverse_journal(
        tx, journal_id=decision["journal_id"], reason=reason, decided_by=by, now=now
    )
    if decision["outcome"] == Outcome.REFUND:
        await payments.charge(
            tx,
            ride_id=dispute["ride_id"],
            rider_id=dispute["rider_id"],
            key=f"appeal:{decision['id']}",
            amount_minor=decision["amount_minor"],
            now=now,
        )
