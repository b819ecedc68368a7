"""A year in the books: rides as the ledger has them, driven by whom, with their fares."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import asyncpg
import httpx

from app.foundation.ids import new_id
from app.members.roles import Role
from governance.electorate import House
from tests.conftest import FRIDAY_EVENING
from tests.factories import Person, make_member, make_voter

BEGAN = FRIDAY_EVENING - timedelta(days=360)
YESTERDAY = FRIDAY_EVENING - timedelta(hours=18)  # and still signed in today


async def make_year_driver(owner: asyncpg.Connection, *, on_register: bool = True) -> Person:
    """A driver whose account takes fares, on the register of drivers unless told otherwise."""
    if on_register:
        return await make_voter(owner, House.DRIVERS, now=YESTERDAY)
    return await make_member(owner, Role.RIDER, Role.DRIVER, now=YESTERDAY)


async def book_rides(
    owner: asyncpg.Connection,
    *,
    driver: Person,
    rider: Person,
    fares_minor: list[int],
    engaged: timedelta,
    first_at: datetime = BEGAN,
    apart: timedelta | None = None,
) -> None:
    """Book completed rides of so many fares, one after another; each lasts equally long."""
    each = engaged / len(fares_minor)
    await owner.execute(
        "update balance set lowest_minor = -1000000000000 where account_id ="
        " (select id from account where member_id = $1 and kind = 'rider')",
        rider.id,
    )
    rides = [
        (new_id(), fare, first_at + (apart or each) * at) for at, fare in enumerate(fares_minor)
    ]
    await owner.execute("set session_replication_role = replica")
    await owner.executemany(
        "insert into ride (id, rider_id, driver_id, quote_id, hold_id, state, seats, is_shared,"
        " requested_at, search_until, assigned_at, started_at, ended_at) values"
        " ($1, $2, $3, uuidv7(), uuidv7(), 'completed', 1, false, $4, $4, $4, $4, $5)",
        [(ride, rider.id, driver.id, begun, begun + each) for ride, _, begun in rides],
    )
    await owner.execute("set session_replication_role = origin")
    await owner.executemany(
        "select post_journal('ride_fare', $1::uuid::text, '', 'ride_fare', $1, null, $2,"
        " array[r.id], array[d.id], array[$3::bigint], null) from account r, account d"
        " where r.member_id = $4 and r.kind = 'rider'"
        " and d.member_id = $5 and d.kind = 'driver'",
        [(ride, begun + each, fare, rider.id, driver.id) for ride, fare, begun in rides],
    )


# The worked year that is published with the rules: fare of each ride, rides and hours.
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


@dataclass(frozen=True)
class Town:
    """A cooperative after a year."""

    client: httpx.AsyncClient
    owner: asyncpg.Connection
    staff: Person
    rider: Person

    async def drivers(self, **years: tuple[list[int], float]) -> dict[str, Person]:
        """Drivers with their fares and hours; a guest is on no register."""
        people = {}
        for name, (fares_minor, hours) in years.items():
            people[name] = await make_year_driver(self.owner, on_register=name != "guest")
            await book_rides(
                self.owner,
                driver=people[name],
                rider=self.rider,
                fares_minor=fares_minor,
                engaged=timedelta(hours=hours),
            )
        return people

    async def pay(
        self, amount_minor: int, *, kind: str = "platform_cost", day: str = "2026-03-01"
    ) -> str:
        body = {
            "kind": kind,
            "purpose": "other",
            "amount_minor": amount_minor,
            "day": day,
            "document": "Invoice 1",
        }
        answer = await self.client.post("/v1/costs", json=body, headers=self.staff.act)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def vote_pots(self) -> None:
        """What a vote would have set: how the divisible part goes over the pots."""
        shares = [[share.numerator, share.denominator] for share in POTS.values()]
        value = json.dumps({"pots": list(POTS), "shares": shares})
        await self.owner.execute("set session_replication_role = replica")
        await self.owner.execute(
            "insert into policy_version (id, key, value, effective_from, source, tally_id)"
            " values ($1, 'surplus_pots', $2::text::jsonb, $3, 'tally', $1)",
            new_id(),
            value,
            FRIDAY_EVENING,
        )
        await self.owner.execute("set session_replication_role = origin")

    async def ask(self, person: Person) -> dict[str, Any]:
        answer = await self.client.get("/v1/me/forecast", headers=person.headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def at_shares(self, person: Person) -> dict[int, dict[str, Any]]:
        return {share["commission_bp"]: share for share in (await self.ask(person))["shares"]}


async def worked_year(town: Town) -> dict[str, Person]:
    people = await town.drivers(
        **{name: ([fare] * rides, hours) for name, (fare, rides, hours) in WORKED.items()}
    )
    await town.pay(1_240_000)
    await town.pay(60_000, kind="other_income")
    await town.vote_pots()
    return people
