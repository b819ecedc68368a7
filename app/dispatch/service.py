"""What drivers do with offers: see, accept, decline, ask why, and ask why not."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.dispatch import queries, run_queries
from app.dispatch.errors import NotOnShift, OfferNoLongerOpen
from app.dispatch.explain import offer_explained, round_explained
from app.dispatch.models import OfferState
from app.dispatch.runs import planned_stops, stops_left
from app.dispatch.schemas import (
    ExplanationView,
    RoundExplanationView,
    RoundView,
    RunView,
    offer_view,
)
from app.dispatch.solver import Solver
from app.dispatch.words import choose_language
from app.fares.schemas import with_stops
from app.foundation import metrics
from app.foundation.database import Database, Transaction
from app.foundation.events import Event
from app.foundation.pagination import Page, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.members import service as members
from app.rides import service as rides
from app.rides.lifecycle import RideState

MOST_FORGOTTEN = 5_000  # rounds in one transaction: a statement has 5 seconds


async def accept_offer(
    tx: Transaction, *, offer_id: UUID, driver_id: UUID, now: datetime
) -> dict[str, Any]:
    """Take the ride of an open offer. Of all who try at once, one gets it.

    Raises:
        OfferNoLongerOpen: over, taken, or not this driver's; the answer does not tell which.
        NotOnShift: the driver's shift has ended meanwhile.
        DriverBusy: the driver has an open ride, and not both are shared.
        CarFull: the party does not fit in beside the others.
        CarTakesNoWheelchair: one comes along, and the car takes none.
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


async def get_run(reader: Transaction, *, driver_id: UUID) -> dict[str, Any]:
    """Return the stops that this driver has still to make, in order; none without a ride."""
    rows = await run_queries.list_driven(reader, driver_id=driver_id)
    of_ride = {row["ride_id"]: row for row in rows}
    plans = await run_queries.list_plans(
        reader, driver_ids=[driver_id] if rows else [], oldest_ride_ids=list(of_ride)[:1]
    )
    left = stops_left(
        planned_stops(plans[0]["run"] if plans else None),
        {ride_id: RideState(row["state"]) for ride_id, row in of_ride.items()},
    )
    view = RunView.model_validate(
        {
            "shared": any(row["is_shared"] for row in rows),
            "stops": [
                {
                    "ride_id": stop.ride_id,
                    "kind": stop.kind,
                    "place": with_stops(of_ride[stop.ride_id])[stop.kind],
                    "state": of_ride[stop.ride_id]["state"],
                    "rider_name": of_ride[stop.ride_id]["rider_name"],
                    "seats": of_ride[stop.ride_id]["seats"],
                }
                for stop in left
            ],
        }
    )
    return view.model_dump(mode="json")


async def explain_offer(
    reader: Transaction, *, offer_id: UUID, driver_id: UUID, accepted_languages: str | None
) -> dict[str, Any]:
    """Return why this offer was made to this driver; anybody else's offer does not exist."""
    row = await queries.find_offer(reader, offer_id=offer_id, driver_id=driver_id)
    if row is None:
        raise NotFound
    language = await _language(reader, driver_id=driver_id, accepted=accepted_languages)
    told = row["explanation"] | {"with_wheelchair": row["with_wheelchair"]}
    view = ExplanationView.model_validate(offer_explained(told, language=language))
    return view.model_dump(mode="json")


async def list_rounds(
    reader: Transaction, *, driver_id: UUID, cursor: str | None, limit: int
) -> Page[dict[str, Any]]:
    """Return the rounds in which this driver could have been asked and was not, newest first."""
    rows = await queries.list_rounds(
        reader, driver_id=driver_id, before=decode_cursor(cursor), limit=limit + 1
    )
    page = make_page(rows, limit=limit, key=lambda row: row["tick_id"])
    items = [RoundView.model_validate(dict(row)).model_dump(mode="json") for row in page.items]
    return Page(items, page.next_cursor)


async def explain_round(
    database: Database,
    solver: Solver,
    *,
    tick_id: UUID,
    driver_id: UUID,
    accepted_languages: str | None,
) -> dict[str, Any]:
    """Return why a round passed this driver over, worked out anew from what is stored of it.

    Raises:
        NotFound: no such round, one in which this driver was not passed over, or one forgotten.
        TooManyRequests: too many drivers ask at this moment.
    """
    async with database.reading() as reader:
        row = await queries.find_input(reader, tick_id=tick_id, driver_id=driver_id)
        if row is None:
            raise NotFound
        language = await _language(reader, driver_id=driver_id, accepted=accepted_languages)
    told = await solver.explain(row["record"], driver_id=driver_id)
    view = RoundExplanationView.model_validate(
        {"tick_id": tick_id, "at": row["at"], **round_explained(told, language=language)}
    )
    return view.model_dump(mode="json")


async def forget_rounds(tx: Transaction, *, now: datetime, keep_days: int) -> int:
    """Delete what rounds older than `keep_days` decided from; what was offered stays explained.

    Returns how many went; `MOST_FORGOTTEN` means that there may be more.
    """
    before = now - timedelta(days=keep_days)
    await run_queries.delete_pools(tx, before=before, at_most=MOST_FORGOTTEN)
    return await queries.delete_inputs(tx, before=before, at_most=MOST_FORGOTTEN)


async def _language(reader: Transaction, *, driver_id: UUID, accepted: str | None) -> str:
    me = await members.get_me(reader, member_id=driver_id)
    return choose_language(accepted, own=me.language)
