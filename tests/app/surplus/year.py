"""The published worked year in the real books: fares, commission, hours, costs, other income."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import asyncpg
import httpx

from app.foundation.database import Database
from app.foundation.ids import new_id
from app.members.roles import Role
from governance.electorate import House
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_member, make_voter

# [SINCE, UNTIL) in UTC is whole days in Vaduz, which is two hours ahead in May.
SINCE = datetime.fromisoformat("2025-05-21T22:00:00Z")
UNTIL = datetime.fromisoformat("2026-05-21T22:00:00Z")
# Fare of each ride, rides and hours; a guest is on no register.
WORKED = {
    "ada": (42_000, 100, 1900),
    "bo": (31_500, 100, 1500),
    "cem": (18_000, 100, 1000),
    "dia": (10_000, 90, 450),
    "eli": (7_500, 60, 300),
    "guest": (15_000, 100, 500),
}
POTS = {
    "reserve": Fraction(4, 15),
    "dividend": Fraction(16, 45),
    "solidarity": Fraction(1, 5),
    "investment": Fraction(8, 45),
}
COMMISSION_BP = 1500


@dataclass(frozen=True)
class Town:
    """A cooperative whose year is over; two of its staff close it."""

    client: httpx.AsyncClient
    owner: asyncpg.Connection
    database: Database
    clock: StandingClock
    rider: Person
    first: Person
    second: Person

    async def driver(self, name: str = "Ada", *, on_register: bool = True) -> Person:
        """A driver, on the register of drivers since before the year unless told otherwise."""
        if not on_register:
            return await make_member(self.owner, Role.RIDER, Role.DRIVER, now=FRIDAY_EVENING)
        person = await make_voter(self.owner, House.DRIVERS, now=FRIDAY_EVENING, name=name)
        await self.keep_register(person, admitted_at=SINCE - timedelta(days=9))
        return person

    async def keep_register(
        self, person: Person, *, admitted_at: datetime, left_at: datetime | None = None
    ) -> None:
        """Let a member have come, and gone, at other moments."""
        await self.owner.execute("set session_replication_role = replica")
        await self.owner.execute(
            "update membership set applied_at = $2, shares_paid_at = $2, admitted_at = $2,"
            " left_at = $3 where member_id = $1",
            person.id,
            admitted_at,
            left_at,
        )
        await self.owner.execute("set session_replication_role = origin")

    async def drive(
        self,
        driver: Person,
        fares_minor: list[int],
        *,
        engaged: timedelta,
        first_at: datetime = SINCE,
    ) -> list[int]:
        """Book completed rides one after the other, each equally long; return their journals."""
        each = engaged / len(fares_minor)
        await self.owner.execute(
            "update balance set lowest_minor = -1000000000000 where account_id ="
            " (select id from account where member_id = $1 and kind = 'rider')",
            self.rider.id,
        )
        rides = [(new_id(), fare, first_at + each * n) for n, fare in enumerate(fares_minor)]
        await self.owner.execute("set session_replication_role = replica")
        await self.owner.executemany(
            "insert into ride (id, rider_id, driver_id, quote_id, hold_id, state, seats, is_shared,"
            " requested_at, search_until, assigned_at, started_at, ended_at) values"
            " ($1, $2, $3, uuidv7(), uuidv7(), 'completed', 1, false, $4, $4, $4, $4, $5)",
            [(ride, self.rider.id, driver.id, at, at + each) for ride, _, at in rides],
        )
        await self.owner.execute("set session_replication_role = origin")
        return [
            await self.owner.fetchval(
                "select post_journal('ride_fare', $1::uuid::text, '', 'ride_fare', $1, null, $2,"
                " array[r.id, d.id], array[d.id, c.id], array[$3::bigint, $4], null)"
                " from account r, account d, account c where r.member_id = $5 and r.kind = 'rider'"
                " and d.member_id = $6 and d.kind = 'driver' and c.kind = 'commission_income'",
                ride,
                at + each - timedelta(seconds=1),
                fare,
                fare * COMMISSION_BP // 10_000,
                self.rider.id,
                driver.id,
            )
            for ride, fare, at in rides
        ]

    async def wait(self, *, days: int) -> None:
        """Let days pass; everybody stays signed in."""
        self.clock.pass_time(days * 86_400)
        await self.owner.execute(
            "update session set access_expires_at = $1, refresh_expires_at = $1",
            self.clock.now() + timedelta(days=1),
        )

    async def pay(
        self, amount_minor: int, *, kind: str = "platform_cost", day: str = "2026-03-01"
    ) -> None:
        """Book a cost, or another income."""
        body = {"kind": kind, "purpose": "other", "amount_minor": amount_minor, "day": day}
        answer = await self.client.post(
            "/v1/costs", json=body | {"document": "Invoice 1"}, headers=self.first.act
        )
        assert answer.status_code == 201, answer.text

    async def decide(self, key: str, value: Any, *, since: datetime = SINCE) -> None:
        """What a vote, or the founding, would have set."""
        await self.owner.execute("set session_replication_role = replica")
        await self.owner.execute(
            "insert into policy_version (id, key, value, effective_from, source, tally_id)"
            " values ($1, $2, $3::text::jsonb, $4, 'tally', $1)",
            new_id(),
            key,
            json.dumps(value),
            since,
        )
        await self.owner.execute("set session_replication_role = origin")

    async def vote_pots(self, pots: dict[str, Fraction], *, since: datetime = SINCE) -> None:
        shares = [[share.numerator, share.denominator] for share in pots.values()]
        await self.decide("surplus_pots", {"pots": list(pots), "shares": shares}, since=since)

    async def prepare(
        self, *, since: datetime = SINCE, until: datetime = UNTIL, by: Person | None = None
    ) -> httpx.Response:
        body = {"since": since.isoformat(), "until": until.isoformat()}
        headers = (by or self.first).act
        return await self.client.post("/v1/surplus/periods", json=body, headers=headers)

    async def confirm(self, period_id: str, *, by: Person | None = None) -> httpx.Response:
        path = f"/v1/surplus/periods/{period_id}/confirm"
        return await self.client.post(path, headers=(by or self.second).act)

    async def close(self, *, since: datetime = SINCE, until: datetime = UNTIL) -> dict[str, Any]:
        """Prepare by one and confirm by the other."""
        prepared = await self.prepare(since=since, until=until)
        assert prepared.status_code == 201, prepared.text
        closed = await self.confirm(prepared.json()["id"])
        assert closed.status_code == 200, closed.text
        return dict(closed.json())

    async def house(self) -> dict[str, int]:
        """What every house account holds, credit positive."""
        rows = await self.owner.fetch(
            "select a.kind, coalesce(sum(case when t.credit_id = a.id then t.amount_minor"
            " else -t.amount_minor end), 0)::bigint as minor from account a"
            " left join transfer t on a.id in (t.credit_id, t.debit_id)"
            " where a.member_id is null group by 1"
        )
        return {row["kind"]: row["minor"] for row in rows}

    async def own(self, person: Person, what: str) -> Any:
        answer = await self.client.get(f"/v1/me/{what}", headers=person.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def worked_year(town: Town, *, costs_minor: int = 1_240_000) -> dict[str, Person]:
    people = {}
    for name, (fare, rides, hours) in WORKED.items():
        people[name] = await town.driver(name, on_register=name != "guest")
        await town.drive(people[name], [fare] * rides, engaged=timedelta(hours=hours))
    await town.pay(costs_minor)
    await town.pay(60_000, kind="other_income")
    await town.vote_pots(POTS)
    return people


def amounts(period: dict[str, Any]) -> dict[str, int]:
    """The amount of each step of a close by its key."""
    return {step["key"]: step["amount_minor"] for step in period["steps"]}


async def found_before(owner: asyncpg.Connection) -> None:
    """Let the cooperative be founded before the year, as one is that closes it."""
    await owner.execute(
        "set session_replication_role = replica;"
        " update cooperative set founded_at = '2025-01-01Z';"
        " update policy_version set effective_from = '2025-01-01Z';"
        " set session_replication_role = origin"
    )


async def redeem(town: Town, person: Person, *, by: Person | None = None) -> httpx.Response:
    path = f"/v1/members/{person.id}/capital/redeem"
    return await town.client.post(path, headers=(by or town.first).act)


async def bring(town: Town, amount_minor: int) -> None:
    """Money comes to the bank from riders who paid what they owed."""
    await town.owner.execute(
        "select post_journal('member_share', $1, '', 'member_share', uuidv7(), null, $2,"
        " array[b.id], array[r.id], array[$3::bigint], null) from account b, account r"
        " where b.kind = 'bank' and r.kind = 'rider' and r.member_id = $4",
        str(town.clock.now()),
        town.clock.now(),
        amount_minor,
        town.rider.id,
    )


async def former_member(town: Town, *, lots: int = 2) -> Person:
    """A driver with refunds of so many periods, each 9,000 of capital, who left a year ago."""
    ada = await town.driver()
    ends = [SINCE, *(SINCE + timedelta(days=30 * n) for n in range(1, lots + 1))]
    for since, until in pairwise(ends):
        await town.drive(ada, [100_000], engaged=timedelta(hours=1), first_at=since)
        await town.close(since=since, until=until)
    await town.keep_register(ada, admitted_at=SINCE, left_at=UNTIL)
    return ada
