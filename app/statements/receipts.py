"""Gathers what a rider's receipt is made of."""

from datetime import datetime
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.problems import NotFound
from app.ledger.seals import find_proof
from app.settings import Settings
from app.statements import queries
from app.statements.errors import NothingChargedYet
from app.statements.receipt import (
    Issuer,
    Movement,
    Payment,
    Receipt,
    Seal,
    Vat,
    reckon_charges,
)
from app.statements.service import read_shares


async def read_receipt(
    reader: Transaction, *, ride_id: UUID, rider_id: UUID, settings: Settings
) -> Receipt:
    """Return the receipt of a rider's own ride, as the books stand now.

    Raises:
        NotFound: there is no such ride of this rider.
        NothingChargedYet: it is not over, or cost nothing.
    """
    async with queries.one_moment(reader):
        ride = await queries.find_receipt(reader, ride_id=ride_id, rider_id=rider_id)
        if ride is None:
            raise NotFound
        if ride["journal_id"] is None:
            raise NothingChargedYet
        movements = await queries.list_movements(reader, ride_id=ride_id, rider_id=rider_id)
        payments = await queries.list_payments(reader, ride_id=ride_id)
        [share] = await read_shares(reader, version_ids=[ride["policy_version_id"]])
        seal = await _seal(reader, journal_id=ride["journal_id"])
    started_at: datetime | None = ride["started_at"]
    return Receipt(
        issuer=Issuer(
            name=ride["cooperative"],
            legal_name=settings.legal_name,
            address=settings.legal_address,
            vat_number=settings.vat_number,
        ),
        ride_id=ride_id,
        kind=ride["kind"],
        time_zone=ride["time_zone"],
        currency=ride["currency"],
        pickup_name=ride["pickup_name"],
        dropoff_name=ride["dropoff_name"],
        started_at=started_at,
        ended_at=ride["ended_at"],
        settled_at=ride["settled_at"],
        distance_m=ride["distance_m"],
        driver_name=ride["driver_name"],
        car=ride["car"],
        items=tuple((item["code"], item["amount_minor"]) for item in ride["items"]),
        charges=reckon_charges(Movement(**row) for row in movements),
        vat=Vat(
            rate_bp=ride["vat_bp"],
            amount_minor=ride["vat_minor"],
            remitted_by=ride["vat_remitted_by"],
        ),
        share=share,
        payments=tuple(Payment(**row) for row in payments),
        seal=seal,
    )


async def read_guest_receipt(reader: Transaction, *, ride_id: UUID, settings: Settings) -> Receipt:
    """Return the receipt of a ride that a dispatcher booked for a guest.

    Raises:
        NotFound: there is no such ride, or its rider booked it.
        NothingChargedYet: it is not over, or cost nothing.
    """
    rider_id = await queries.find_guest(reader, ride_id=ride_id)
    if rider_id is None:
        raise NotFound
    return await read_receipt(reader, ride_id=ride_id, rider_id=rider_id, settings=settings)


async def _seal(reader: Transaction, *, journal_id: int) -> Seal | None:
    """Return where the ride's journal is sealed; None until it is, seconds after the ride."""
    proof = await find_proof(reader, journal_id=journal_id)
    if proof is None:
        return None
    return Seal(height=proof.height, root=proof.root.hex(), proof=proof.document())
