"""Use cases that end a ride: complete, cancel, report that the rider did not come."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.fares import service as fares
from app.fares.rules import FareItem
from app.fares.terms import Charge, Course, Terms, charge_for_ending, waiting_minor
from app.foundation.database import Transaction
from app.foundation.problems import NotFound
from app.ledger import service as ledger
from app.payments import service as payments
from app.rides import queries
from app.rides.errors import CancellationCosts, TooEarlyForNoShow, WrongRideState
from app.rides.lifecycle import TRANSITIONS, Party, RideState, Step
from app.rides.schemas import CancellationView
from app.rides.settlement import SettlementKind, lines_of, settle_ride
from app.rides.steps import emit, take_step
from app.tariff import Vat

_FEE_CODES = {Step.CANCEL: "cancellation", Step.NO_SHOW: "no_show"}


async def complete(
    tx: Transaction, *, ride_id: UUID, driver_id: UUID, now: datetime
) -> dict[str, Any]:
    """Finish a ride and settle it in one transaction, both or neither.

    It costs what was quoted, or what the rider accepted under way, and waiting beyond the free
    time as far as the rider's account reaches.
    """
    row = await take_step(
        tx, ride_id=ride_id, step=Step.COMPLETE, party=Party.DRIVER, member_id=driver_id, now=now
    )
    quote = await fares.get_quote(tx, quote_id=row["quote_id"], rider_id=row["rider_id"])
    terms = Terms(**quote["terms"])
    settled = await settle_ride(
        tx,
        ride=row,
        quote=quote,
        kind=SettlementKind.FARE,
        items=(*lines_of(quote["items"]), *await _waiting(tx, row, terms)),
        vat=terms.vat,
        now=now,
    )
    parts = settled.parts
    return {
        "id": str(ride_id),
        "state": row["state"],
        "fare_minor": parts.fare_minor,
        "cash_minor": settled.cash_minor,
        "commission_minor": parts.commission_minor,
        "driver_net_minor": parts.driver_net_minor,
        "pass_through_minor": parts.pass_through_minor,
    }


async def _waiting(tx: Transaction, row: Any, terms: Terms) -> tuple[FareItem, ...]:
    """Return the line for waiting, if there is one.

    It was not known when the fare was set aside. A driver who has arrived is never kept from
    finishing the ride by what the rider's account lacks: the line is shortened.
    """
    waits_from = max(row["arrived_at"], row["pickup_from"] or row["arrived_at"])
    waited_s = (row["started_at"] - waits_from).total_seconds()
    amount_minor = waiting_minor(terms, waited_s=waited_s)
    if not amount_minor:
        return ()
    spare_minor = await ledger.spare_for_fare(
        tx, rider_id=row["rider_id"], driver_id=row["driver_id"]
    )
    charged_minor = min(amount_minor, max(spare_minor, 0))
    return (FareItem("waiting", charged_minor),) if charged_minor else ()


async def cancel(
    tx: Transaction,
    *,
    ride_id: UUID,
    party: Party,
    member_id: UUID,
    now: datetime,
    reason: str,
    most_fee_minor: int | None = None,
) -> dict[str, Any]:
    """The rider (or a dispatcher for them) calls the ride off, for a fee only by their own fault.

    Raises:
        CancellationCosts: more than ``most_fee_minor``; nothing was cancelled.
    """
    row = await take_step(
        tx,
        ride_id=ride_id,
        step=Step.CANCEL,
        party=party,
        member_id=member_id,
        now=now,
        reason=reason,
    )
    charge = await _end(tx, row, Step.CANCEL, by_platform=party is Party.DISPATCHER, now=now)
    if most_fee_minor is not None and charge.fee_minor > most_fee_minor:
        raise CancellationCosts(fee_minor=charge.fee_minor)
    return {"id": str(ride_id), "state": row["state"], "fee_minor": charge.fee_minor}


async def report_no_show(
    tx: Transaction, *, ride_id: UUID, driver_id: UUID, now: datetime
) -> dict[str, Any]:
    """The rider did not come within the free waiting time: the fee is due unless the car was late.

    Raises:
        TooEarlyForNoShow: the free waiting time is not over.
    """
    if await queries.find_state(tx, ride_id=ride_id, member_id=driver_id) is None:
        raise NotFound
    earliest = await queries.no_show_from(tx, ride_id=ride_id)
    if earliest is not None and now < earliest:
        raise TooEarlyForNoShow(earliest=earliest.isoformat())
    row = await take_step(
        tx, ride_id=ride_id, step=Step.NO_SHOW, party=Party.DRIVER, member_id=driver_id, now=now
    )
    charge = await _end(tx, row, Step.NO_SHOW, by_platform=False, now=now)
    return {"id": str(ride_id), "state": row["state"], "fee_minor": charge.fee_minor}


async def _end(
    tx: Transaction, row: Any, step: Step, *, by_platform: bool, now: datetime
) -> Charge:
    """Take the fee of a ride that will not take place, or let go all that was set aside for it."""
    quote = await fares.get_quote(tx, quote_id=row["quote_id"], rider_id=row["rider_id"])
    course = await queries.find_course(tx, ride_id=row["id"])
    charge = _charge(quote, course, by_platform=by_platform, now=now)
    if not charge.fee_minor:
        await ledger.release_fare(tx, hold_id=row["hold_id"], now=now)
        await payments.drop(tx, ride_id=row["id"], now=now)
        return charge
    # It makes good what the driver lost; it is no price of a ride, so that it bears no VAT.
    settled = await settle_ride(
        tx,
        ride=row,
        quote=quote,
        kind=SettlementKind.FEE,
        items=[FareItem(_FEE_CODES[step], charge.fee_minor)],
        vat=Vat(),
        now=now,
    )
    emit(
        tx,
        row,
        "ride.fee_charged",
        now=now,
        fee_minor=settled.parts.fare_minor,
        driver_net_minor=settled.parts.driver_net_minor,
        why=charge.verdict,
    )
    return charge


def _charge(quote: Any, course: Any, *, by_platform: bool, now: datetime) -> Charge:
    terms = Terms(**quote["terms"])
    happened = Course(
        assigned_at=course["assigned_at"],
        promised_at=course["promised_at"],
        arrived_at=course["arrived_at"],
        no_show_from=course["no_show_from"],
        by_platform=by_platform,
    )
    return charge_for_ending(terms, course=happened, now=now)


async def cancelling_now(
    reader: Transaction, *, ride_id: UUID, rider_id: UUID, now: datetime
) -> dict[str, Any]:
    """Return what it would cost a rider to cancel now, why, and who would get it.

    Raises:
        NotFound: the ride is not this rider's.
        WrongRideState: the ride can no longer be cancelled.
    """
    course = await queries.find_course(reader, ride_id=ride_id)
    if course is None or course["rider_id"] != rider_id:
        raise NotFound
    if RideState(course["state"]) not in TRANSITIONS[Step.CANCEL].sources:
        raise WrongRideState(state=course["state"])
    quote = await fares.get_quote(reader, quote_id=course["quote_id"], rider_id=rider_id)
    charge = _charge(quote, course, by_platform=False, now=now)
    commission_minor = charge.fee_minor * quote["commission_bp"] // 10_000
    view = CancellationView(
        fee_minor=charge.fee_minor,
        currency=quote["currency"],
        why=charge.verdict,
        free_until=charge.free_until,
        driver_gets_minor=charge.fee_minor - commission_minor,
        cooperative_gets_minor=commission_minor,
    )
    return view.model_dump(mode="json")
