"""Who is asking: the signed-in member behind a token, with roles, at the door of every room."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Depends, Header, Request
from fastapi.requests import HTTPConnection
from fastapi.responses import Response

from app.foundation.clock import Clock
from app.foundation.commands import Command, check_key, fingerprint
from app.foundation.database import Database, Transaction
from app.foundation.problems import IdempotencyKeyMissing, MalformedBody
from app.foundation.web import json_response
from app.members.errors import MemberSuspended, NotSignedIn, RoleMissing
from app.members.queries import sessions
from app.members.roles import Role
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Actor:
    """The member who asks, by which session, with which roles."""

    member_id: UUID
    session_id: UUID
    roles: frozenset[Role]


def token_hash(token: str) -> bytes:
    """Return what the database keeps of a token. A random token needs no slow hash."""
    return hashlib.sha256(token.encode()).digest()


# These are coroutines though they wait for nothing: FastAPI sends plain functions to a thread,
# which costs more than they do.
async def get_database(connection: HTTPConnection) -> Database:
    """Return the program's database."""
    database: Database = connection.app.state.database
    return database


async def get_clock(connection: HTTPConnection) -> Clock:
    """Return the program's clock."""
    clock: Clock = connection.app.state.clock
    return clock


async def get_settings(connection: HTTPConnection) -> Settings:
    """Return the program's settings."""
    settings: Settings = connection.app.state.settings
    return settings


async def get_now(clock: Annotated[Clock, Depends(get_clock)]) -> datetime:
    """Return the moment at which this request is served."""
    return clock.now()


DatabaseDep = Annotated[Database, Depends(get_database)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
Now = Annotated[datetime, Depends(get_now)]


@dataclass(frozen=True, slots=True)
class Bearer:
    """The member behind an access token, who may be suspended."""

    actor: Actor
    suspended: bool


async def get_bearer(
    database: DatabaseDep, now: Now, authorization: Annotated[str | None, Header()] = None
) -> Bearer:
    """Return the member behind the access token; asked anew each time, so revoking is immediate.

    Raises:
        NotSignedIn: no token, or one that is unknown, ended or too old.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn
    async with database.reading() as reader:
        row = await sessions.find_session(reader, access_hash=token_hash(token), now=now)
    if row is None:
        raise NotSignedIn
    roles = frozenset(Role(role) for role in row["roles"])
    actor = Actor(member_id=row["member_id"], session_id=row["session_id"], roles=roles)
    return Bearer(actor, suspended=row["suspended"])


async def get_actor(bearer: Annotated[Bearer, Depends(get_bearer)]) -> Actor:
    """Return the member who asks.

    Raises:
        MemberSuspended: a person suspended this member.
    """
    if bearer.suspended:
        raise MemberSuspended
    return bearer.actor


async def get_actor_even_suspended(bearer: Annotated[Bearer, Depends(get_bearer)]) -> Actor:
    """Return the member who asks, for the few things that a suspended person may still do."""
    return bearer.actor


SignedIn = Annotated[Actor, Depends(get_actor)]
SignedInEvenSuspended = Annotated[Actor, Depends(get_actor_even_suspended)]


def requires(*roles: Role) -> Callable[[Actor], Awaitable[Actor]]:
    """Return a dependency that lets through members with at least one of these roles."""

    async def check(actor: SignedIn) -> Actor:
        if actor.roles.isdisjoint(roles):
            raise RoleMissing
        return actor

    return check


Rider = Annotated[Actor, Depends(requires(Role.RIDER))]
Driver = Annotated[Actor, Depends(requires(Role.DRIVER))]
Dispatcher = Annotated[Actor, Depends(requires(Role.DISPATCHER, Role.STAFF))]
Staff = Annotated[Actor, Depends(requires(Role.STAFF))]
Auditor = Annotated[Actor, Depends(requires(Role.AUDITOR))]


@dataclass(frozen=True, slots=True)
class MemberCommand:
    """A command of a signed-in member; ``answer`` acts once and renders what was answered."""

    actor: Actor
    command: Command

    @property
    def now(self) -> datetime:
        """The moment at which this command is served."""
        return self.command.now

    async def answer(
        self, act: Callable[[Transaction], Awaitable[Any]], *, status: int = 200
    ) -> Response:
        """Act, commit, and only then make the answer."""
        answer = await self.command.run(act, status=status)
        headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
        return json_response(answer.body, status=answer.status, headers=headers)


IdempotencyKey = Annotated[
    str | None,
    Header(
        description="Any text of 1 to 255 characters, new for each act. A repeat with the same"
        " key never acts twice and gets the first answer again.",
        examples=["0190a1c2-7d3e-7c41-9a5b-0b6f6f1f2a3b"],
    ),
]


async def get_command(
    request: Request,
    actor: SignedIn,
    database: DatabaseDep,
    now: Now,
    idempotency_key: IdempotencyKey = None,
) -> MemberCommand:
    """Return the caller's command.

    Raises:
        IdempotencyKeyMissing: the header is missing, empty or too long.
        MalformedBody: the body is not JSON.
    """
    return await _command(request, actor, database, now, idempotency_key)


async def get_command_even_suspended(
    request: Request,
    actor: SignedInEvenSuspended,
    database: DatabaseDep,
    now: Now,
    idempotency_key: IdempotencyKey = None,
) -> MemberCommand:
    """Return the caller's command, for what is a right of members: staff suspend nobody's vote.

    Raises:
        IdempotencyKeyMissing: the header is missing, empty or too long.
        MalformedBody: the body is not JSON.
    """
    return await _command(request, actor, database, now, idempotency_key)


async def _command(
    request: Request, actor: Actor, database: Database, now: datetime, key: str | None
) -> MemberCommand:
    checked = check_key(key)
    raw = await request.body()
    try:
        body = orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        # Operations without a body model would not notice.
        raise MalformedBody from None
    asked = fingerprint(request.method, request.url.path, body)
    return MemberCommand(actor, Command(database, actor.member_id, checked, asked, now))


Acting = Annotated[MemberCommand, Depends(get_command)]
ActingEvenSuspended = Annotated[MemberCommand, Depends(get_command_even_suspended)]
COMMAND_PROBLEMS_EVEN_SUSPENDED = (IdempotencyKeyMissing, MalformedBody, NotSignedIn)
COMMAND_PROBLEMS = (*COMMAND_PROBLEMS_EVEN_SUSPENDED, MemberSuspended)
