"""Voices as they are lent, taken back, handed back, and returned by time or by leaving."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.open_votes import queries
from app.assembly.open_votes.errors import (
    LentTooLong,
    NoSuchDelegation,
    TakerNotEligible,
    VoiceAlreadyLent,
)
from app.assembly.open_votes.rules import LONGEST, Topic
from app.assembly.open_votes.service.carrying import topic_lock
from app.assembly.proposals.errors import NotInTheRegister
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.pagination import Page, make_page
from app.members.service.register import house_of


async def lend_voice(
    tx: Transaction,
    *,
    giver_id: UUID,
    taker_id: UUID,
    topic: Topic,
    expires_at: datetime,
    now: datetime,
) -> dict[str, Any]:
    """Lend the giver's voice on a topic, tell both, and return the delegation.

    It counts in every open vote on the topic that closes while it is lent, under way or to come.

    Raises:
        NotInTheRegister: the giver is no member in good standing.
        TakerNotEligible: the taker is no such member of the giver's house, or both are one.
        LentTooLong: the end is not after now, or more than a year away.
        VoiceAlreadyLent: the giver's voice on this topic is lent.
    """
    house = await house_of(tx, member_id=giver_id, at=now)
    taken_in = await house_of(tx, member_id=taker_id, at=now)
    if house is None:
        raise NotInTheRegister
    if giver_id == taker_id or house is not taken_in:
        raise TakerNotEligible
    await queries.share_lock(tx, name=topic_lock(topic))
    at = await queries.moment_after_tallies(tx, topic=topic, now=now)
    if not at < expires_at <= at + LONGEST:
        raise LentTooLong
    for row in await queries.end_expired(tx, giver_id=giver_id, topic=topic, at=at):
        _tell_ended(tx, row, at=now)
    row = await queries.insert_delegation(
        tx,
        delegation_id=new_id(),
        giver_id=giver_id,
        taker_id=taker_id,
        topic=topic,
        given_at=at,
        expires_at=expires_at,
    )
    if row is None:
        raise VoiceAlreadyLent
    tx.emit(Event("delegation.given", (giver_id, taker_id), _told(row)), at=now)
    return dict(row)


async def revoke_delegation(
    tx: Transaction, *, delegation_id: UUID, member_id: UUID, now: datetime
) -> dict[str, Any]:
    """End a lent voice, by its giver or its taker, tell both, and return the delegation.

    Votes that closed before keep it; any that closes later does not count it.

    Raises:
        NoSuchDelegation: it is not this member's, or has ended.
    """
    known = await queries.find_delegation(tx, delegation_id=delegation_id, member_id=member_id)
    if known is None:
        raise NoSuchDelegation
    await queries.share_lock(tx, name=topic_lock(known["topic"]))
    at = await queries.moment_after_tallies(tx, topic=known["topic"], now=now)
    row = await queries.end_delegation(tx, delegation_id=delegation_id, member_id=member_id, at=at)
    if row is None:
        raise NoSuchDelegation
    _tell_ended(tx, row, at=now)
    return dict(row)


async def return_voices(tx: Transaction, *, now: datetime, limit: int = 100) -> int:
    """End up to `limit` voices that expired or whose taker or giver left; return how many.

    Both are told. No count waits for this: a voice lent to somebody who left counts for nobody
    from that moment, and one that expired for nobody either.
    """
    rows = await queries.end_lapsed(tx, at=now, limit=limit)
    for row in rows:
        _tell_ended(tx, row, at=now)
    return len(rows)


async def list_own_delegations(
    reader: Transaction, *, member_id: UUID, before: UUID | None, limit: int
) -> Page[Any]:
    """Return a page of the voices that a member lent or was lent, newest first."""
    rows = await queries.list_own_delegations(
        reader, member_id=member_id, before=before, limit=limit + 1
    )
    return make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))


def _told(row: Any) -> dict[str, Any]:
    return {
        "delegation_id": str(row["id"]),
        "giver_id": str(row["giver_id"]),
        "taker_id": str(row["taker_id"]),
        "topic": row["topic"],
        "expires_at": row["expires_at"].isoformat(),
    }


def _tell_ended(tx: Transaction, row: Any, *, at: datetime) -> None:
    told = _told(row) | {"ending": row["ending"]}
    tx.emit(Event("delegation.ended", (row["giver_id"], row["taker_id"]), told), at=at)
