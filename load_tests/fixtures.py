"""Members for a measurement, written straight into the database by SQL, past the API."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import orjson

from app.foundation.ids import new_id
from app.members.access import token_hash
from app.members.roles import Role

_LASTS = timedelta(hours=1)
_FARE_MINOR = 1_850
_CREDIT_MINOR = 50_000
_PICKUP, _DROPOFF = (47.1410, 9.5209), (47.2119, 9.5256)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRider:
    """A signed-in rider with an account and one unexpired quote."""

    member_id: UUID
    token: str
    quote_id: UUID
    key: str

    def request(self) -> str:
        """Return the whole HTTP request that books the quote."""
        body = orjson.dumps(self.body).decode()
        return (
            "POST /v1/rides HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.token}\r\nIdempotency-Key: {self.key}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    @property
    def body(self) -> dict[str, str]:
        """What the rider sends."""
        return {"quote_id": str(self.quote_id)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedDriver:
    """A driver on shift who holds a ticket for one socket."""

    member_id: UUID
    ticket: str


async def prepare_riders(owner: asyncpg.Connection, *, count: int) -> list[PreparedRider]:
    """Return new riders, each able to book once within the hour."""
    riders = [
        PreparedRider(
            member_id=new_id(),
            token=secrets.token_urlsafe(32),
            quote_id=new_id(),
            key=secrets.token_hex(8),
        )
        for _ in range(count)
    ]
    now = datetime.now(UTC)
    async with owner.transaction():
        await sign_in(owner, [(r.member_id, r.token) for r in riders], Role.RIDER, now)
        await owner.execute(
            "with opened as (insert into account (id, kind, member_id, currency, opened_at)"
            "  select uuidv7(), 'rider', m.id, c.currency, $3"
            "  from cooperative c, unnest($1::uuid[]) as m(id) returning id)"
            " insert into balance (account_id, lowest_minor) select id, $2 from opened",
            [rider.member_id for rider in riders],
            -_CREDIT_MINOR,
            now,
        )
        await _quote(owner, riders, now)
    return riders


async def sign_in(
    owner: asyncpg.Connection, people: list[tuple[UUID, str]], role: Role, now: datetime
) -> dict[UUID, UUID]:
    """The people are members, signed in under their tokens; return their sessions."""
    first = await owner.fetchval("select count(*) from member")
    await owner.copy_records_to_table(
        "member",
        columns=["id", "phone", "name", "language", "joined_at"],
        records=[
            (one, f"+4237{first + n:08}", "Ada", "en", now) for n, (one, _) in enumerate(people)
        ],
    )
    await owner.copy_records_to_table(
        "member_role",
        columns=["member_id", "role", "granted_at"],
        records=[(one, role, now) for one, _ in people],
    )
    sessions = {one: new_id() for one, _ in people}
    until = now + _LASTS
    await owner.copy_records_to_table(
        "session",
        columns=[
            "id",
            "member_id",
            "access_hash",
            "access_expires_at",
            "refresh_hash",
            "refresh_expires_at",
            "started_at",
        ],
        records=[
            (sessions[one], one, token_hash(token), until, secrets.token_bytes(32), until, now)
            for one, token in people
        ],
    )
    return sessions


async def _quote(owner: asyncpg.Connection, riders: list[PreparedRider], now: datetime) -> None:
    """Each rider has a quote at the share in force."""
    await owner.execute(
        "insert into quote (id, rider_id, pickup_lat, pickup_lng, pickup_name, dropoff_lat,"
        " dropoff_lng, dropoff_name, distance_m, duration_s, is_estimate, items, currency,"
        " fare_minor, commission_bp, commission_minor, driver_net_minor, policy_version_id,"
        " tariff_version_id, quoted_at, expires_at)"
        " select x.id, x.rider, $3, $4, 'Vaduz', $5, $6, 'Bendern', 9200, 720, false,"
        " jsonb_build_array(jsonb_build_object('label', 'base', 'amount_minor', $7::bigint)),"
        " c.currency, $7::bigint, p.bp, $7::bigint * p.bp / 10000,"
        " $7::bigint - $7::bigint * p.bp / 10000, p.id, t.id, $8, $9"
        " from unnest($1::uuid[], $2::uuid[]) as x(id, rider), cooperative c,"
        " (select id, (value #>> '{}')::int as bp from policy_version"
        "  where key = 'commission_bp' order by effective_from desc limit 1) p,"
        " (select id from tariff_version order by effective_from desc limit 1) t",
        [rider.quote_id for rider in riders],
        [rider.member_id for rider in riders],
        *_PICKUP,
        *_DROPOFF,
        _FARE_MINOR,
        now,
        now + _LASTS,
    )


async def prepare_drivers(owner: asyncpg.Connection, *, count: int) -> list[PreparedDriver]:
    """Return new drivers on shift, each with a ticket that is good for one socket."""
    drivers = [
        PreparedDriver(member_id=new_id(), ticket=secrets.token_urlsafe(32)) for _ in range(count)
    ]
    now = datetime.now(UTC)
    async with owner.transaction():
        people = [(d.member_id, secrets.token_urlsafe(32)) for d in drivers]
        sessions = await sign_in(owner, people, Role.DRIVER, now)
        await owner.copy_records_to_table(
            "socket_ticket",
            columns=["ticket_hash", "session_id", "expires_at"],
            records=[(token_hash(d.ticket), sessions[d.member_id], now + _LASTS) for d in drivers],
        )
        await owner.execute(
            "with d as (select uuidv7() as application, uuidv7() as car, x.id, row_number() over ()"
            "  from unnest($1::uuid[]) as x(id)),"
            " a as (insert into driver_application (id, member_id, state, submitted_at, decided_at,"
            "  decided_by) select application, id, 'admitted', $3, $3, $2 from d),"
            " v as (insert into vehicle (id, member_id, application_id, make, model, colour, plate,"
            "  seats) select car, id, application, 'Skoda', 'Enyaq', 'green', 'FL 1', 4 from d)"
            " insert into shift (id, driver_id, vehicle_id, started_at)"
            " select uuidv7(), id, car, $3 from d",
            [driver.member_id for driver in drivers],
            (await prepare_riders(owner, count=1))[0].member_id,
            now,
        )
    return drivers


async def settle(owner: asyncpg.Connection) -> None:
    """The planner knows the tables, and no earlier writing is flushed during what follows."""
    await owner.execute("vacuum analyze")
    await owner.execute("checkpoint")
