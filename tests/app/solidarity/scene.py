"""What stories of solidarity need: circles, money, and payments that failed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

from app.audit.elections import RECOUNT
from app.audit.report import audit
from app.foundation.database import Database
from app.foundation.ids import new_id
from app.members.roles import Role
from app.solidarity.service.circles import join_circle, open_circle
from tests.app.payouts.till import balance, earn, house
from tests.conftest import StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import assigned_ride, take

CIRCLES = "/v1/solidarity/circles"
LEAVES = "/v1/solidarity/sick-leaves"
GUARANTEES = "/v1/solidarity/guarantees"
TIER = 100_000


@dataclass(frozen=True)
class Circle:
    """A circle and who is in it."""

    id: UUID
    members: list[Person]


async def long_sessions(owner: asyncpg.Connection) -> None:
    """Let sessions, which last for a day in tests, outlast a story of years."""
    await owner.execute(
        "update session set access_expires_at = access_expires_at + interval '3650 d',"
        " refresh_expires_at = refresh_expires_at + interval '3650 d'"
    )


async def make_circle(
    owner: asyncpg.Connection,
    database: Database,
    *,
    now: datetime,
    many: int = 20,
    name: str = "Night drivers",
) -> Circle:
    """A circle of so many drivers, all of one tier."""
    members = [
        await make_member(owner, Role.DRIVER, now=now, name=f"Driver {number}")
        for number in range(many)
    ]
    async with database.transaction() as tx:
        circle = await open_circle(tx, name=name, opened_by=members[0].id, now=now)
        for member in members:
            await join_circle(
                tx, circle_id=circle["id"], member_id=member.id, tier_minor=TIER, now=now
            )
    await long_sessions(owner)
    return Circle(circle["id"], members)


async def fill_fund(owner: asyncpg.Connection, amount_minor: int, clock: StandingClock) -> None:
    """Put money into the fund, as the close of a period does."""
    await owner.execute(
        "select post_journal('test', $1::uuid::text, '', 'surplus_share', $1::uuid, null, $2,"
        " array[bank.id], array[fund.id], array[$3::bigint], null) from account fund, account bank"
        " where fund.kind = 'solidarity_fund' and bank.kind = 'bank'",
        new_id(),
        clock.now(),
        amount_minor,
    )


async def fund_of(owner: asyncpg.Connection) -> int:
    """What is in the fund."""
    return await house(owner, "solidarity_fund")


async def give_wages(
    owner: asyncpg.Connection, people: list[Person], amount_minor: int, clock: StandingClock
) -> None:
    """Put money on drivers' accounts and leave the fund as it was."""
    for person in people:
        await earn(owner, person, amount_minor, clock)
    await fill_fund(owner, amount_minor * len(people), clock)


async def vote(owner: asyncpg.Connection, key: str, value: int, *, at: datetime) -> None:
    """A later row of a policy, as a tally would enact it: in force a second after `at`."""
    await owner.execute(
        "insert into policy_version (id, key, value, effective_from, source, tally_id) values"
        " (uuidv7(), $1, to_jsonb($2::int), $3::timestamptz + interval '1 second', 'tally',"
        " uuidv7())",
        key,
        value,
        at,
    )


async def faults(owner: asyncpg.Connection) -> set[str]:
    """What the audit finds, but that the vote of a test was never counted."""
    report = await audit(owner)
    return {check.name for check in report.checks if check.violations} - {RECOUNT}


async def report(client: httpx.AsyncClient, person: Person, began_on: str) -> dict[str, Any]:
    answer = await client.post(
        "/v1/me/sick-leaves", json={"began_on": began_on}, headers=person.act
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def confirm(client: httpx.AsyncClient, person: Person, leave_id: str) -> httpx.Response:
    return await client.post(f"{LEAVES}/{leave_id}/confirm", headers=person.act)


@dataclass(frozen=True)
class FailedRide:
    """A ride that was driven and paid to its driver, and the payment of it that failed."""

    ride_id: str
    payment_id: UUID
    rider: Person
    driver: Person
    fare_minor: int


async def rider_balance(owner: asyncpg.Connection, person: Person) -> int:
    return int(
        await owner.fetchval(
            "select posted_minor from balance b join account a on a.id = b.account_id"
            " where a.member_id = $1 and a.kind = 'rider'",
            person.id,
        )
    )


async def fail_payment(
    owner: asyncpg.Connection, *, ride_id: str, rider: Person, amount_minor: int, at: datetime
) -> UUID:
    """A payment of a ride that failed for good, as the room of payments keeps it."""
    payment_id = new_id()
    await owner.execute(
        "insert into payment (id, ride_id, rider_id, kind, key, method, state, amount_minor,"
        " begun_at, failed_at, failure) values ($1, $2::text::uuid, $3, 'extra', $1::uuid::text,"
        " 'balance', 'failed', $4, $5, $5, 'declined')",
        payment_id,
        ride_id,
        rider.id,
        amount_minor,
        at,
    )
    return payment_id


async def failed_ride(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> FailedRide:
    """A ride to its end, whose card then fails for good."""
    rider = await make_member(owner, now=clock.now())
    driver = await make_driver(owner, now=clock.now())
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    for step in ("arrive", "start", "complete"):
        answer = await take(client, driver, f"/v1/rides/{ride_id}/{step}")
        assert answer.status_code == 200, answer.text
    fare = -await rider_balance(owner, rider)
    payment_id = await fail_payment(
        owner, ride_id=ride_id, rider=rider, amount_minor=fare, at=clock.now()
    )
    return FailedRide(ride_id, payment_id, rider, driver, fare)


__all__ = ["balance", "earn", "house"]
