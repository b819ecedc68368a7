"""Makes what tests need, straight in the database: members signed in, drivers on shift."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from uuid import UUID

import asyncpg

from app.foundation.ids import new_id
from app.members.access import token_hash
from app.members.roles import DocumentKind, Role
from governance.electorate import House

# Counted on: drawn by lot, two of four hundred members would have one number now and then.
_NUMBERS = count(secrets.randbelow(10**7))


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
        phone=f"+4237{next(_NUMBERS) % 10**7:07}",
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
    takes_wheelchair: bool = False,
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
        "insert into vehicle (id, member_id, application_id, make, model, colour, plate, seats,"
        " takes_wheelchair) values ($1, $2, $3, 'Skoda', 'Enyaq', 'green', 'FL 12345', 4, $4)",
        vehicle_id,
        person.id,
        application_id,
        takes_wheelchair,
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


async def make_voter(
    owner: asyncpg.Connection,
    house: House,
    *,
    now: datetime,
    name: str = "Eva",
    key: bytes | None = None,
) -> Person:
    """A member on the register since `now`, share paid and booked, with a member key if given."""
    roles = (Role.RIDER, Role.DRIVER) if house is House.DRIVERS else (Role.RIDER,)
    person = await make_member(owner, *roles, now=now, name=name)
    staff_id = await owner.fetchval(
        "insert into member (id, phone, name, joined_at) values ($1, '+4230000000', 'Staff', $2)"
        " on conflict (phone) do update set name = 'Staff' returning id",
        new_id(),
        now,
    )
    membership_id, share_minor = new_id(), 10_000 if house is House.DRIVERS else 2_000
    await owner.execute(
        "insert into membership (id, member_id, house, shares_minor, applied_at, shares_paid_at,"
        " shares_booked_by, admitted_at, admitted_by, last_active_at)"
        " values ($1, $2, $3, $4, $5, $5, $6, $5, $6, $5)",
        membership_id,
        person.id,
        house,
        share_minor,
        now,
        staff_id,
    )
    await owner.execute(
        "select post_journal('member_share', $1::uuid::text, '', 'member_share', $1, null, $2,"
        " array(select id from account where kind = 'bank'),"
        " array[open_account($3, 'member_share', $4, 'CHF', 0, $2)], array[$5::bigint], null)",
        membership_id,
        now,
        new_id(),
        person.id,
        share_minor,
    )
    if key is not None:
        await owner.execute(
            "insert into member_key (public_key, member_id, set_at) values ($1, $2, $3)",
            key,
            person.id,
            now,
        )
    return person


async def suspend(owner: asyncpg.Connection, person: Person, *, by: Person, at: datetime) -> None:
    """A person suspended this one, for a reason, and nobody has lifted it."""
    await owner.execute(
        "insert into suspension (id, member_id, by_member_id, reason, since)"
        " values ($1, $2, $3, 'reported three times', $4)",
        new_id(),
        person.id,
        by.id,
        at,
    )
