"""Members as people: what they say of themselves, who was appointed, who is suspended and why."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.members.errors import NotSuspended, OwnCase, SuspensionExists
from app.members.phones import normalise_phone
from app.members.queries import people as queries
from app.members.roles import Role


@dataclass(frozen=True, slots=True)
class Me:
    """A member, as they see themselves."""

    id: UUID
    phone: str | None
    name: str
    language: str
    roles: list[Role]
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class SuspensionInForce:
    """Why and since when a member is suspended."""

    reason: str
    since: datetime


async def get_me(reader: Transaction, *, member_id: UUID) -> Me:
    """Return what is known of a signed-in member."""
    row = await queries.find_member(reader, member_id=member_id)
    assert row is not None, "a session belongs to a member"
    roles = [Role(role) for role in row["roles"]]
    return Me(row["id"], row["phone"], row["name"], row["language"], roles, row["joined_at"])


async def change_me(
    tx: Transaction, *, member_id: UUID, name: str | None, language: str | None
) -> Me:
    """Change what is given and return the member as they are now."""
    await queries.update_member(tx, member_id=member_id, name=name, language=language)
    return await get_me(tx, member_id=member_id)


async def appoint(tx: Transaction, *, phone: str, role: Role, now: datetime) -> UUID:
    """Give the member with this number a role, by whoever runs the server; return the member.

    Where the number has no member yet, it has one afterwards.

    Raises:
        PhoneNumberInvalid: this is not a telephone number.
    """
    member = await queries.make_member(
        tx, member_id=new_id(), phone=normalise_phone(phone), now=now
    )
    member_id: UUID = member["id"]
    for granted in (Role.RIDER, role):
        await queries.grant_role(tx, member_id=member_id, role=granted, by=None, now=now)
    return member_id


async def suspend_member(
    tx: Transaction, *, member_id: UUID, by: UUID, reason: str, now: datetime
) -> None:
    """Suspend a member, at once and everywhere. A person decides it, about another, with a reason.

    Raises:
        OwnCase: nobody suspends themselves.
        NotFound: there is no such member.
        SuspensionExists: the member is suspended already.
    """
    if member_id == by:
        raise OwnCase
    if await queries.find_member(tx, member_id=member_id) is None:
        raise NotFound
    made = await queries.insert_suspension(
        tx, suspension_id=new_id(), member_id=member_id, by=by, reason=reason, now=now
    )
    if made is None:
        raise SuspensionExists
    # The reason stays out of the log, which is never deleted; the member reads it from its table.
    tx.emit(Event("member.suspended", (member_id,)), at=now)


async def reinstate_member(
    tx: Transaction, *, member_id: UUID, by: UUID, reason: str | None, now: datetime
) -> None:
    """End a member's suspension; the reason, if there is one, is told to the member.

    Raises:
        OwnCase: nobody reinstates themselves.
        NotFound: there is no such member.
        NotSuspended: the member is not suspended.
    """
    if member_id == by:
        raise OwnCase
    if await queries.find_member(tx, member_id=member_id) is None:
        raise NotFound
    if await queries.lift_suspension(tx, member_id=member_id, by=by, now=now) is None:
        raise NotSuspended
    told = {} if reason is None else {"reason": reason}
    tx.emit(Event("member.reinstated", (member_id,), told), at=now)


async def find_suspension(reader: Transaction, *, member_id: UUID) -> SuspensionInForce | None:
    """Return why and since when a member is suspended, or None."""
    row = await queries.find_suspension(reader, member_id=member_id)
    return None if row is None else SuspensionInForce(row["reason"], row["since"])
