"""A session: two tokens that rotate, an end that takes effect at once, tickets for its sockets."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.foundation.database import Database, Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.members.access import Actor, token_hash
from app.members.errors import RefreshRefused
from app.members.keys import Keys
from app.members.queries import people, register
from app.members.queries import sessions as queries
from app.members.roles import Role
from app.settings import Settings

TICKET_LASTS = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The keys of a signed-in device, in clear for the only time."""

    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime
    member_id: UUID
    roles: list[Role]
    new_member: bool


@dataclass(frozen=True, slots=True)
class SocketTicket:
    """A pass for one socket."""

    ticket: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Pair:
    access: str
    access_expires_at: datetime
    refresh: str
    refresh_expires_at: datetime


def _new_pair(session_id: UUID, *, keys: Keys, settings: Settings, now: datetime) -> _Pair:
    # A refresh token names its session under our seal: so a token of any age is recognised as
    # used, and nobody can end a session by inventing one.
    return _Pair(
        access=secrets.token_urlsafe(32),
        access_expires_at=now + timedelta(seconds=settings.access_token_s),
        refresh=keys.seal("refresh", f"{session_id}.{secrets.token_urlsafe(32)}"),
        refresh_expires_at=now + timedelta(seconds=settings.refresh_token_s),
    )


def _tokens(pair: _Pair, *, member_id: UUID, roles: list[Role], new_member: bool) -> Tokens:
    return Tokens(
        access_token=pair.access,
        access_expires_at=pair.access_expires_at,
        refresh_token=pair.refresh,
        refresh_expires_at=pair.refresh_expires_at,
        member_id=member_id,
        roles=roles,
        new_member=new_member,
    )


async def start_session(
    tx: Transaction,
    *,
    keys: Keys,
    settings: Settings,
    member_id: UUID,
    new_member: bool,
    now: datetime,
) -> Tokens:
    """Begin a session of a member and return its tokens; only their hashes are kept."""
    session_id = new_id()
    pair = _new_pair(session_id, keys=keys, settings=settings, now=now)
    await queries.insert_session(
        tx,
        session_id=session_id,
        member_id=member_id,
        access_hash=token_hash(pair.access),
        access_expires_at=pair.access_expires_at,
        refresh_hash=token_hash(pair.refresh),
        refresh_expires_at=pair.refresh_expires_at,
        now=now,
    )
    await register.refresh_activity(tx, member_id=member_id, now=now)
    roles = await people.list_roles(tx, member_id=member_id)
    return _tokens(pair, member_id=member_id, roles=roles, new_member=new_member)


async def refresh(
    database: Database, *, keys: Keys, settings: Settings, refresh_token: str, now: datetime
) -> Tokens:
    """Replace both tokens of a session.

    A refresh token that was used before is in two hands, and one of them is a thief's: it ends the
    session for both.

    Raises:
        RefreshRefused: the token is used, ended, too old or not ours.
    """
    sealed = keys.unseal("refresh", refresh_token)
    if sealed is None:
        raise RefreshRefused
    session_id = UUID(sealed.partition(".")[0])
    pair = _new_pair(session_id, keys=keys, settings=settings, now=now)
    async with database.transaction() as tx:
        member_id = await queries.rotate_session(
            tx,
            session_id=session_id,
            used_hash=token_hash(refresh_token),
            access_hash=token_hash(pair.access),
            access_expires_at=pair.access_expires_at,
            refresh_hash=token_hash(pair.refresh),
            refresh_expires_at=pair.refresh_expires_at,
            now=now,
        )
        if member_id is None:
            # The end must be committed, so the refusal is raised after the transaction.
            await _end(tx, session_id=session_id, now=now)
        else:
            await register.refresh_activity(tx, member_id=member_id, now=now)
            roles = await people.list_roles(tx, member_id=member_id)
    if member_id is None:
        raise RefreshRefused
    return _tokens(pair, member_id=member_id, roles=roles, new_member=False)


async def sign_out(tx: Transaction, *, session_id: UUID, now: datetime) -> None:
    """End one session at once; its tokens and sockets end with it."""
    await _end(tx, session_id=session_id, now=now)


async def sign_out_everywhere(tx: Transaction, *, member_id: UUID, now: datetime) -> int:
    """End every session of a member at once; return how many there were."""
    ended = await queries.end_sessions_of(tx, member_id=member_id, now=now)
    for session_id in ended:
        _tell_signed_out(tx, member_id=member_id, session_id=session_id, now=now)
    return len(ended)


async def _end(tx: Transaction, *, session_id: UUID, now: datetime) -> None:
    member_id = await queries.end_session(tx, session_id=session_id, now=now)
    if member_id is not None:
        _tell_signed_out(tx, member_id=member_id, session_id=session_id, now=now)


def _tell_signed_out(tx: Transaction, *, member_id: UUID, session_id: UUID, now: datetime) -> None:
    tx.emit(Event("member.signed_out", (member_id,), {"session_id": str(session_id)}), at=now)


async def open_socket_ticket(tx: Transaction, *, session_id: UUID, now: datetime) -> SocketTicket:
    """Make a pass with which one socket opens within 30 seconds; only its hash is kept."""
    ticket = SocketTicket(secrets.token_urlsafe(32), now + TICKET_LASTS)
    await queries.insert_ticket(
        tx,
        ticket_hash=token_hash(ticket.ticket),
        session_id=session_id,
        expires_at=ticket.expires_at,
    )
    return ticket


async def redeem_ticket(tx: Transaction, *, ticket: str, now: datetime) -> Actor | None:
    """Take the ticket away and return whose it was.

    None where it is unknown, used or too old, or where its session ended or its member is
    suspended.
    """
    row = await queries.take_ticket(tx, ticket_hash=token_hash(ticket), now=now)
    if row is None:
        return None
    roles = frozenset(Role(role) for role in row["roles"])
    return Actor(member_id=row["member_id"], session_id=row["session_id"], roles=roles)


async def live_sessions(
    reader: Transaction, *, session_ids: Iterable[UUID], now: datetime
) -> set[UUID]:
    """Return which of these sessions still run, of members who are not suspended."""
    return await queries.list_live_sessions(reader, session_ids=list(session_ids), now=now)
