"""The one way by which a ride comes to cost something: its journal and its settlement."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.fares.division import Division, divide
from app.fares.rules import FareItem
from app.foundation.database import Transaction
from app.ledger import service as ledger
from app.ledger.accounts import JournalKind
from app.payments import service as payments
from app.rides import queries
from app.tariff import Vat


class SettlementKind(StrEnum):
    """What a ride cost: its fare, or a fee because it did not take place."""

    FARE = "fare"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class Settled:
    """Who got which part of what a ride cost, and how much of it the driver has in cash."""

    parts: Division
    cash_minor: int


JOURNALS = {
    SettlementKind.FARE: JournalKind.RIDE_FARE,
    SettlementKind.FEE: JournalKind.RIDE_FEE,
}


async def settle_ride(
    tx: Transaction,
    *,
    ride: Any,
    quote: Any,
    kind: SettlementKind,
    items: Sequence[FareItem],
    vat: Vat,
    now: datetime,
) -> Settled:
    """Book what a ride cost, under the share stored on its quote, and keep how it was divided.

    ``ride`` is the row of the step that ended it, in the same transaction: nobody settles it a
    second time. Its hold ends with the journal, and it is paid as the rider chose.

    Raises:
        BalanceTooLow: the lines are above what is held, and the rider's account does not reach.
    """
    parts = divide(items, commission_bp=quote["commission_bp"], vat=vat)
    journal_id = await ledger.post_ride_fare(
        tx,
        ride_id=ride["id"],
        rider_id=ride["rider_id"],
        driver_id=ride["driver_id"],
        fare_minor=parts.fare_minor,
        commission_minor=parts.commission_minor,
        remitted_minor=parts.remitted_minor,
        policy_version_id=quote["policy_version_id"],
        hold_id=ride["hold_id"],
        now=now,
        kind=JOURNALS[kind],
    )
    await queries.insert_settlement(
        tx,
        {
            "ride_id": ride["id"],
            "kind": kind,
            "items": [asdict(item) for item in items],
            **asdict(parts),
            "commission_bp": quote["commission_bp"],
            "vat_bp": vat.rate_bp,
            "vat_remitted_by": vat.remitted_by,
            "policy_version_id": quote["policy_version_id"],
            "journal_id": journal_id,
            "settled_at": now,
        },
    )
    cash_minor = await payments.settle(
        tx,
        ride_id=ride["id"],
        rider_id=ride["rider_id"],
        driver_id=ride["driver_id"],
        amount_minor=parts.fare_minor,
        took_place=kind is SettlementKind.FARE,
        now=now,
    )
    return Settled(parts, cash_minor)


def lines_of(items: Sequence[dict[str, Any]]) -> tuple[FareItem, ...]:
    """Return the lines of a stored quote."""
    return tuple(FareItem(item["code"], item["amount_minor"]) for item in items)
