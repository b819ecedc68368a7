"""Makes what tests need, straight in the database: members signed in, drivers on shift."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg

from app.foundation.ids import new_id
from app.members.access import token_hash
from app.members.roles import DocumentKind, Role


@dataclass(frozen=True)
class Person:
    """A member who is signed in, and what their client sends."""

    id: UUID
    phone: str
    token: str
    session_id: UUID
    vehicle_id: UUID | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def act(self) -> dict[str, str]:
        """Headers of a new act: signed in, under a key of its own."""
        return self.headers | {"Idempotency-Key": secrets.token_hex(8)}


async def make_member(
    owner: asyncpg.Connection, *roles: Role, now: datetime, name: str = "Ada"
) -> Person:
    """A member with these roles (a rider where none is named), signed in for a day."""
    person = Person(
        id=new_id(),
        phone=f"+4237{secrets.randbelow(10**7):07}",
        token=secrets.token_urlsafe(32),
        session_id=new_id(),
    )
    await owner.execute(
        "insert into member (id, phone, name, language, joined_at) values ($1, $2, $3, 'en', $4)",
        person.id,
        person.phone,
        name,
        now,
    )
    for role in roles or (Role.RIDER,):
        await owner.execute(
            "insert into member_role (member_id, role, granted_at) values ($1, $2, $3)",
            person.id,
            role,
            now,
        )
        if role in (Role.RIDER, Role.DRIVER):
            await owner.execute(
                "select open_account($1, $2, $3, 'CHF', $4, $5)",
                new_id(),
                role,
                person.id,
                -50_000 if role is Role.RIDER else 0,
                now,
            )
    await owner.execute(
        "insert into session (id, member_id, access_hash, access_expires_at, refresh_hash,"
        " refresh_expires_at, started_at) values ($1, $2, $3, $4, $5, $4, $6)",
        person.session_id,
        person.id,
        token_hash(person.token),
        now + timedelta(days=1),
        token_hash(secrets.token_urlsafe(32)),
        now,
    )
    return person


async def make_driver(
    owner: asyncpg.Connection,
    *,
    now: datetime,
    on_shift: bool = True,
    papers_until: date | None = None,
) -> Person:
    """A driver whom a colleague admitted, with a car and papers, on shift unless told otherwise."""
    staff = await make_member(owner, Role.STAFF, now=now, name="Staff")
    person = await make_member(owner, Role.RIDER, Role.DRIVER, now=now, name="Bo")
    application_id, vehicle_id = new_id(), new_id()
    await owner.execute(
        "insert into driver_application"
        " (id, member_id, state, submitted_at, decided_at, decided_by)"
        " values ($1, $2, 'admitted', $3, $3, $4)",
        application_id,
        person.id,
        now,
        staff.id,
    )
    await owner.execute(
        "insert into vehicle (id, member_id, application_id, make, model, colour, plate, seats)"
        " values ($1, $2, $3, 'Skoda', 'Enyaq', 'green', 'FL 12345', 4)",
        vehicle_id,
        person.id,
        application_id,
    )
    for kind in DocumentKind:
        await owner.execute(
            "insert into document (id, member_id, application_id, kind, number, expires_on)"
            " values ($1, $2, $3, $4, 'A-1', $5)",
            new_id(),
            person.id,
            application_id,
            kind,
            papers_until or now.date() + timedelta(days=365),
        )
    if on_shift:
        await owner.execute(
            "insert into shift (id, driver_id, vehicle_id, started_at) values ($1, $2, $3, $4)",
            new_id(),
            person.id,
            vehicle_id,
            now,
        )
    return Person(person.id, person.phone, person.token, person.session_id, vehicle_id)
