"""The key on a member's own device: the cooperative keeps its public half and nothing else."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.events import Event
from app.members.errors import MemberKeyTaken
from app.members.queries import register as queries


@dataclass(frozen=True, slots=True)
class MemberKeySet:
    """The public key that a member has now, and since when."""

    public_key: bytes
    set_at: datetime


async def set_member_key(
    tx: Transaction, *, member_id: UUID, public_key: bytes, now: datetime
) -> MemberKeySet:
    """Give a member this key in the place of the one before; the same again changes nothing.

    Rolls frozen from now on carry it; a roll that was frozen keeps the key it was frozen with.
    The member is told, so that a key set by somebody else's hand does not go unseen.

    Raises:
        MemberKeyTaken: the key is somebody else's, or was replaced before.
    """
    await queries.lock_member(tx, member_id=member_id)
    current = await queries.find_key(tx, member_id=member_id)
    if current is not None and current["public_key"] == public_key:
        return MemberKeySet(public_key, current["set_at"])
    if not await queries.replace_key(tx, member_id=member_id, public_key=public_key, now=now):
        raise MemberKeyTaken
    tx.emit(Event("member_key.set", (member_id,), {"public_key": public_key.hex()}), at=now)
    return MemberKeySet(public_key, now)
