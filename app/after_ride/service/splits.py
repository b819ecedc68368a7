"""Shared fares: a rider invites others, who accepts pays a part, and the rest stays as booked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.after_ride.errors import FareSplitBefore, InvitedYourself, SplitOver
from app.after_ride.queries import splits as queries
from app.after_ride.rules import PartState, equal_parts
from app.foundation.database import Database, Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.ledger import postings
from app.ledger import service as ledger

SETTLED_PER_ROUND = 100


async def propose_split(
    tx: Transaction,
    *,
    ride_id: UUID,
    rider_id: UUID,
    member_ids: Sequence[UUID | None],
    phones: Sequence[str | None],
    now: datetime,
) -> None:
    """Invite 1 to 3 others, each by id or by number, to pay equal parts of a ride's fare.

    Whether an id or a number is anybody's shows nowhere: nobody's part is never answered, and
    stays with who booked, as does that of who was named twice.

    Raises:
        NotFound: the ride is not this rider's.
        SplitOver, FareSplitBefore, InvitedYourself: as they say.
    """
    ride = await queries.lock_open_ride(tx, ride_id=ride_id)
    if ride is None or ride["rider_id"] != rider_id:
        raise NotFound
    if not ride["is_open"]:
        raise SplitOver
    found = await queries.find_riders(tx, member_ids=member_ids, phones=phones)
    if rider_id in found:
        raise InvitedYourself
    members = [
        member if member not in found[:position] else None for position, member in enumerate(found)
    ]
    entered = await queries.insert_split(
        tx,
        ride_id=ride_id,
        rider_id=rider_id,
        part_ids=[new_id() for _ in members],
        members=members,
        now=now,
    )
    if not entered:
        raise FareSplitBefore
    parts = equal_parts(ride["fare_minor"], invited=len(members))
    for member, part_minor in zip(members, parts[1:], strict=True):
        if member is not None:
            data = {
                "ride_id": str(ride_id),
                "rider_name": ride["rider_name"],
                "most_minor": part_minor,
            }
            tx.emit(Event("fare_split.invited", (member,), data), at=now)


async def answer_split(
    tx: Transaction, *, ride_id: UUID, member_id: UUID, accepts: bool, now: datetime
) -> None:
    """Accept a part, which is held on the member's account from now on, or decline it.

    Nobody pays more than the part they accepted, whatever the ride costs in the end.

    Raises:
        NotFound: the member was not invited.
        SplitOver: the ride is over, or it was answered before.
        CreditLimitReached: the member's account does not reach.
    """
    # The split first, then the ride: as the settling worker does.
    split = await queries.lock_split(tx, ride_id=ride_id, patient=True)
    parts = await queries.list_parts(tx, ride_id=ride_id)
    own = next((part for part in parts if part["member_id"] == member_id), None)
    if own is None:
        raise NotFound
    ride = await queries.lock_open_ride(tx, ride_id=ride_id)
    if split is None or ride is None or not ride["is_open"] or own["state"] != PartState.INVITED:
        raise SplitOver
    hold_id = most_minor = None
    if accepts:
        most_minor = equal_parts(ride["fare_minor"], invited=len(parts))[own["position"]]
        hold_id = new_id()
        await ledger.hold_fare(
            tx, hold_id=hold_id, rider_id=member_id, fare_minor=most_minor, now=now
        )
    state = PartState.ACCEPTED if accepts else PartState.DECLINED
    await queries.answer_part(
        tx, part_id=own["id"], state=state, hold_id=hold_id, most_minor=most_minor, now=now
    )
    data = {"ride_id": str(ride_id), "part": own["position"], "state": state}
    tx.emit(Event("fare_split.answered", (split["rider_id"],), data), at=now)


async def settle_splits(database: Database, *, now: datetime) -> int:
    """Settle the split fares of rides that are over; return how many. Safe in several processes.

    Each accepted part of a fare goes from the co-rider to who booked, by one journal, and its hold
    ends. Where the ride cost no fare, what was held is free.
    """
    async with database.reading() as reader:
        due = await queries.list_due(reader, limit=SETTLED_PER_ROUND)
    settled = 0
    for ride_id in due:
        async with database.transaction() as tx:
            settled += await _settle(tx, ride_id=ride_id, now=now)
    return settled


async def _settle(tx: Transaction, *, ride_id: UUID, now: datetime) -> bool:
    """Settle one split, unless somebody else does or did."""
    split = await queries.lock_split(tx, ride_id=ride_id, patient=False)
    if split is None:
        return False
    fare_minor = await queries.fare_of(tx, ride_id=ride_id)
    parts = await queries.list_parts(tx, ride_id=ride_id)
    shares = equal_parts(fare_minor or 0, invited=len(parts))
    taken_minor = 0
    for part in parts:
        share_minor = shares[part["position"]]
        taken_minor += await _end(tx, split, part, share_minor=share_minor, now=now)
    await queries.mark_settled(tx, ride_id=ride_id, now=now)
    data = {"ride_id": str(ride_id), "amount_minor": taken_minor}
    tx.emit(Event("fare_split.settled", (split["rider_id"],), data), at=now)
    return True


async def _end(tx: Transaction, split: Any, part: Any, *, share_minor: int, now: datetime) -> int:
    """Take an accepted part, or let it go; return what was taken."""
    if part["state"] == PartState.INVITED:
        await queries.end_part(
            tx, part_id=part["id"], state=PartState.LAPSED, amount_minor=None, journal_id=None
        )
    if part["state"] != PartState.ACCEPTED:
        return 0
    amount_minor = min(share_minor, int(part["most_minor"]))
    state, journal_id = PartState.FREED, None
    if amount_minor == 0:
        await ledger.release_fare(tx, hold_id=part["hold_id"], now=now)
    else:
        state = PartState.PAID
        recipe = postings.fare_share(
            co_rider_id=await queries.rider_account(tx, member_id=part["member_id"]),
            rider_id=await queries.rider_account(tx, member_id=split["rider_id"]),
            amount_minor=amount_minor,
        )
        journal_id = await ledger.post(
            tx,
            recipe,
            scope="fare_share",
            key=str(part["id"]),
            subject_id=split["ride_id"],
            now=now,
            hold_id=part["hold_id"],
        )
    await queries.end_part(
        tx,
        part_id=part["id"],
        state=state,
        amount_minor=amount_minor or None,
        journal_id=journal_id,
    )
    data = {"ride_id": str(split["ride_id"]), "state": state, "amount_minor": amount_minor}
    tx.emit(Event("fare_split.part_ended", (part["member_id"],), data), at=now)
    return amount_minor


async def view_split(reader: Transaction, *, ride_id: UUID, rider_id: UUID) -> list[Any]:
    """Return the parts of a split to who booked the ride.

    Raises:
        NotFound: the ride is not theirs, or its fare is not shared.
    """
    ride = await queries.find_split(reader, ride_id=ride_id, rider_id=rider_id)
    if ride is None:
        raise NotFound
    return await queries.list_parts(reader, ride_id=ride_id)
