"""Steps of what follows a ride, as people take them."""

from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from app.audit.report import audit
from tests.conftest import StandingClock
from tests.factories import Person
from tests.steps import assigned_ride, book, take


@dataclass
class Road:
    """A rider, a driver, two people of staff, and the program between them."""

    app: FastAPI
    client: httpx.AsyncClient
    owner: asyncpg.Connection
    clock: StandingClock
    rider: Person
    driver: Person
    first: Person
    second: Person

    async def ride(self, *, lasts_s: float = 600, rider: Person | None = None) -> str:
        """A completed ride; return its id."""
        ride_id = await self.assigned(rider=rider)
        await self.finish(ride_id, lasts_s=lasts_s)
        return ride_id

    async def assigned(self, *, rider: Person | None = None) -> str:
        return await assigned_ride(
            self.app,
            self.client,
            rider=rider or self.rider,
            driver=self.driver,
            now=self.clock.now(),
        )

    async def booked(self) -> str:
        return str((await book(self.client, self.rider))["id"])

    async def finish(self, ride_id: str, *, lasts_s: float = 600) -> None:
        self.clock.pass_time(lasts_s)
        for step in ("arrive", "start", "complete"):
            answer = await self.do(self.driver, f"/v1/rides/{ride_id}/{step}")
            assert answer.status_code == 200, answer.text

    async def do(self, person: Person, path: str, **body: Any) -> httpx.Response:
        return await take(self.client, person, path, **body)

    async def pass_days(self, days: float) -> None:
        """Sessions of tests last for a day."""
        self.clock.pass_time(days * 86_400)
        await self.owner.execute(
            "update session set access_expires_at = access_expires_at + interval '1 day' * $1",
            days,
        )

    async def settled(self, ride_id: str) -> Any:
        return await self.owner.fetchrow(
            "select * from ride_settlement where ride_id = $1::uuid", ride_id
        )

    async def stands(self, person: Person, kind: str) -> int:
        """What stands on a member's account."""
        return int(
            await self.owner.fetchval(
                "select posted_minor from balance b join account a on a.id = b.account_id"
                " where a.member_id = $1 and a.kind = $2",
                person.id,
                kind,
            )
        )

    async def held(self, person: Person) -> int:
        return int(
            await self.owner.fetchval(
                "select held_minor from balance b join account a on a.id = b.account_id"
                " where a.member_id = $1 and a.kind = 'rider'",
                person.id,
            )
        )

    async def house(self, kind: str) -> int:
        return int(
            await self.owner.fetchval(
                "select coalesce(sum(case when credit_id = a.id then amount_minor"
                " else -amount_minor end), 0) from account a"
                " left join transfer on a.id in (credit_id, debit_id)"
                " where a.kind = $1 and a.member_id is null",
                kind,
            )
        )

    async def told(self, person: Person, event: str) -> list[dict[str, Any]]:
        """The data of each such event in a member's own stream."""
        events = await self.app.state.database.events_after([(person.id, 0)])
        return [one.data for one in events if one.type == event]

    async def audited(self) -> None:
        """Every promise is kept."""
        violation = (await audit(self.owner)).first_violation
        assert violation is None, violation
