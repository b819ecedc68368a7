"""To erase a person from the proofs of the books: one of staff asks, another one confirms."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.pagination import Page, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.ledger.seals import erase_person
from app.members.errors import ErasureDecided, ErasureExists, OwnCase, OwnErasure, StillAMember
from app.members.queries import erasures as queries
from app.members.queries import people


async def ask_erasure(tx: Transaction, *, member_id: UUID, by: UUID, now: datetime) -> Any:
    """Enter that a person is to be erased, and tell them; return the row. Nothing is erased yet.

    Raises:
        OwnCase: nobody asks it about themselves.
        NotFound: there is no such person.
        StillAMember: they are on the register, or applied to be.
        ErasureExists: somebody asked before.
    """
    if member_id == by:
        raise OwnCase
    if await people.find_member(tx, member_id=member_id) is None:
        raise NotFound
    if await queries.is_or_applies(tx, member_id=member_id):
        raise StillAMember
    made = await queries.insert_erasure(
        tx, erasure_id=new_id(), member_id=member_id, asked_by=by, now=now
    )
    if made is None:
        raise ErasureExists
    return await _told(tx, "asked", erasure_id=made, now=now)


async def confirm_erasure(tx: Transaction, *, erasure_id: UUID, by: UUID, now: datetime) -> Any:
    """Erase the person from the proofs of the books, for good, and tell them; return the row.

    Raises:
        NotFound: nobody asked for this.
        ErasureDecided: it was confirmed or withdrawn before.
        OwnErasure: the same person asked for it.
        OwnCase: it is about themselves.
        StillAMember: they came back to the register since.
        MoneyStands: money stands on an account of theirs, or is set aside there.
        SealAwaited: a booking of theirs waits for its seal.
    """
    erasure = await _undecided(tx, erasure_id=erasure_id)
    if erasure["asked_by"] == by:
        raise OwnErasure
    if erasure["member_id"] == by:
        raise OwnCase
    if await queries.is_or_applies(tx, member_id=erasure["member_id"]):
        raise StillAMember
    await erase_person(tx, member_id=erasure["member_id"])
    await queries.confirm(tx, erasure_id=erasure_id, by=by, now=now)
    return await _told(tx, "confirmed", erasure_id=erasure_id, now=now)


async def withdraw_erasure(tx: Transaction, *, erasure_id: UUID, by: UUID, now: datetime) -> Any:
    """Give up an erasure that nobody confirmed, and tell the person; return the row.

    Raises:
        NotFound: nobody asked for this.
        ErasureDecided: it was confirmed or withdrawn before.
    """
    await _undecided(tx, erasure_id=erasure_id)
    await queries.withdraw(tx, erasure_id=erasure_id, by=by, now=now)
    return await _told(tx, "withdrawn", erasure_id=erasure_id, now=now)


async def list_erasures(reader: Transaction, *, cursor: str | None, limit: int) -> Page[Any]:
    """Return a page of erasures, the newest first.

    Raises:
        InvalidRequest: the cursor was not made here.
    """
    rows = await queries.list_erasures(reader, before=decode_cursor(cursor), limit=limit + 1)
    return make_page(rows, limit=limit, key=lambda row: row["id"])


async def _undecided(tx: Transaction, *, erasure_id: UUID) -> Any:
    erasure = await queries.lock_erasure(tx, erasure_id=erasure_id)
    if erasure is None:
        raise NotFound
    if erasure["confirmed_at"] is not None or erasure["withdrawn_at"] is not None:
        raise ErasureDecided
    return erasure


async def _told(tx: Transaction, what: str, *, erasure_id: UUID, now: datetime) -> Any:
    """Tell the person, without a word about them in what is logged; return the row."""
    row = await queries.find_erasure(tx, erasure_id=erasure_id)
    assert row is not None, "this transaction has just written or locked it"
    tx.emit(Event(f"erasure.{what}", (row["member_id"],), {"erasure_id": str(erasure_id)}), at=now)
    return row
