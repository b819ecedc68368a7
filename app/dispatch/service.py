"""What drivers do with offers: see, accept, decline, ask why."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.dispatch import queries
from app.dispatch.errors import NotOnShift, OfferNoLongerOpen
from app.dispatch.explain import sentence
from app.dispatch.models import OfferState
from app.dispatch.schemas import ExplanationView, offer_view
from app.foundation import metrics
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.problems import NotFound
from app.rides import service as rides


async def accept_offer(
    tx: Transaction, *, offer_id: UUID, driver_id: UUID, now: datetime
) -> dict[str, Any]:
    """Take the ride of an open offer. Of all who try at once, one gets it.

    Raises:
        OfferNoLongerOpen: over, taken, or not this driver's; the answer does not tell which.
        NotOnShift: the driver's shift has ended meanwhile.
        DriverBusy: the driver has an open ride.
    """
    ride_id = await queries.close_offer(
        tx, offer_id=offer_id, driver_id=driver_id, state=OfferState.ACCEPTED, now=now
    )
    if ride_id is None:
        raise OfferNoLongerOpen
    vehicle_id = await queries.find_shift_vehicle(tx, driver_id=driver_id)
    if vehicle_id is None:
        raise NotOnShift
    taken = await rides.assign_driver(
        tx, ride_id=ride_id, driver_id=driver_id, vehicle_id=vehicle_id, now=now
    )
    if not taken:
        raise OfferNoLongerOpen
    metrics.OFFERS.labels("accepted").inc()
    return {"offer_id": str(offer_id), "ride_id": str(ride_id), "state": OfferState.ACCEPTED}


async def decline_offer(
    tx: Transaction, *, offer_id: UUID, driver_id: UUID, now: datetime
) -> dict[str, Any]:
    """Turn an offer down. It has no effect on any later offer; the ride looks for another driver.

    Raises:
        OfferNoLongerOpen: over, taken, or not this driver's.
    """
    ride_id = await queries.close_offer(
        tx, offer_id=offer_id, driver_id=driver_id, state=OfferState.DECLINED, now=now
    )
    if ride_id is None:
        raise OfferNoLongerOpen
    data = {"offer_id": str(offer_id), "state": OfferState.DECLINED}
    tx.emit(Event("offer.declined", (driver_id,), data), at=now)
    metrics.OFFERS.labels("declined").inc()
    return data


async def get_offer(reader: Transaction, *, offer_id: UUID, driver_id: UUID) -> dict[str, Any]:
    """Return an offer's card; anybody else's offer does not exist."""
    row = await queries.find_offer(reader, offer_id=offer_id, driver_id=driver_id)
    if row is None:
        raise NotFound
    return offer_view(row)


async def list_open_offers(reader: Transaction, *, driver_id: UUID) -> list[dict[str, Any]]:
    """Return the driver's open offers: at most one."""
    rows = await queries.list_offers(reader, offer_ids=None, driver_id=driver_id)
    return [offer_view(row) for row in rows]


async def explain_offer(reader: Transaction, *, offer_id: UUID, driver_id: UUID) -> dict[str, Any]:
    """Return why this offer was made to this driver."""
    row = await queries.find_offer(reader, offer_id=offer_id, driver_id=driver_id)
    if row is None:
        raise NotFound
    stored = row["explanation"]
    view = ExplanationView.model_validate({**stored, "sentence": sentence(stored)})
    return view.model_dump(mode="json")
