"""A driver's month as it really comes: rides, a fee, tips, cash, a correction, a payout."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

from app.foundation.database import Database
from app.foundation.ids import new_id
from app.ledger import corrections, postings, service
from app.ledger.accounts import JournalKind
from app.ledger.postings import Recipe, TransferLine
from tests.conftest import StandingClock
from tests.factories import Person
from tests.steps import BALZERS, VADUZ, assigned_ride, stand, take


@dataclass
class Street:
    """A driver and a rider in a city with the program on."""

    app: FastAPI
    client: httpx.AsyncClient
    owner: asyncpg.Connection
    database: Database
    clock: StandingClock
    rider: Person
    driver: Person

    async def drive(self, *, minutes: int = 12) -> str:
        """A ride that was taken, driven and completed; return its id."""
        ride_id = await assigned_ride(
            self.app, self.client, rider=self.rider, driver=self.driver, now=self.clock.now()
        )
        await self.step(ride_id, "arrive", after_s=300)
        await self.step(ride_id, "start", after_s=60)
        await stand(self.app, self.driver, at=BALZERS, now=self.clock.now())
        await self.step(ride_id, "complete", after_s=minutes * 60)
        await stand(self.app, self.driver, at=VADUZ, now=self.clock.now())
        self.clock.pass_time(600)
        return ride_id

    async def step(self, ride_id: str, step: str, *, after_s: int = 0) -> None:
        self.clock.pass_time(after_s)
        answer = await take(self.client, self.driver, f"/v1/rides/{ride_id}/{step}")
        assert answer.status_code == 200, answer.text

    async def post(self, recipe: Recipe, *, subject: str | None = None) -> int:
        """Book a recipe as a room of its own would."""
        subject_id = UUID(subject) if subject else new_id()
        async with self.database.transaction() as tx:
            return await service.post(
                tx,
                recipe,
                scope="test",
                key=str(new_id()),
                subject_id=subject_id,
                now=self.clock.now(),
            )

    async def account(self, kind: str, person: Person | None = None) -> UUID:
        found: UUID = await self.owner.fetchval(
            "select id from account where kind = $1 and member_id is not distinct from $2",
            kind,
            person.id if person else None,
        )
        return found

    async def tip(self, ride_id: str, amount_minor: int) -> None:
        recipe = postings.tip(
            rider_id=await self.account("rider", self.rider),
            driver_id=await self.account("driver", self.driver),
            amount_minor=amount_minor,
        )
        await self.post(recipe, subject=ride_id)

    async def give_back(self, ride_id: str, amount_minor: int, *, reason: str) -> None:
        """A part of a fare goes back: the driver's part and the cooperative's."""
        rider = await self.account("rider", self.rider)
        lines = [
            TransferLine(await self.account("driver", self.driver), rider, amount_minor),
            TransferLine(await self.account("commission_income"), rider, amount_minor // 10),
        ]
        async with self.database.transaction() as tx:
            await corrections.post_adjustment(
                tx,
                postings.adjustment(lines),
                scope="test",
                key=ride_id,
                subject_id=UUID(ride_id),
                reason=reason,
                decided_by=None,
                now=self.clock.now(),
            )

    async def take_back(self, ride_id: str, *, reason: str) -> None:
        journal_id = await self.owner.fetchval(
            "select id from journal where subject_id = $1 and kind = 'ride_fare'", UUID(ride_id)
        )
        async with self.database.transaction() as tx:
            await corrections.reverse_journal(
                tx,
                journal_id=journal_id,
                reason=reason,
                decided_by=None,
                now=self.clock.now(),
            )

    async def fee(self, amount_minor: int, commission_minor: int) -> None:
        recipe = postings.ride_fare(
            rider_id=await self.account("rider", self.rider),
            driver_id=await self.account("driver", self.driver),
            commission_income_id=await self.account("commission_income"),
            pass_through_id=await self.account("pass_through"),
            fare_minor=amount_minor,
            commission_minor=commission_minor,
            kind=JournalKind.RIDE_FEE,
        )
        await self.post(recipe)

    async def cash(self, ride_id: str, amount_minor: int) -> None:
        """The rider paid in cash; its journal names the payment, and that one the ride."""
        await self.owner.execute("set session_replication_role = replica")
        payment_id = await self.owner.fetchval(
            "insert into payment (id, ride_id, rider_id, kind, key, method, state, amount_minor,"
            " captured_minor, begun_at)"
            " values ($1, $2, $3, 'extra', 'cash', 'cash', 'captured', $4, $4, $5)"
            " returning id",
            new_id(),
            UUID(ride_id),
            self.rider.id,
            amount_minor,
            self.clock.now(),
        )
        await self.owner.execute("set session_replication_role = origin")
        recipe = postings.cash_taken(
            driver_id=await self.account("driver", self.driver),
            rider_id=await self.account("rider", self.rider),
            amount_minor=amount_minor,
        )
        await self.post(recipe, subject=str(payment_id))

    async def top_up(self, amount_minor: int) -> None:
        recipe = postings.pay_floor(
            platform_costs_id=await self.account("platform_costs"),
            driver_id=await self.account("driver", self.driver),
            amount_minor=amount_minor,
        )
        await self.post(recipe)

    async def pay_out(self, amount_minor: int) -> None:
        recipe = postings.payout(
            driver_id=await self.account("driver", self.driver),
            payout_clearing_id=await self.account("payout_clearing"),
            amount_minor=amount_minor,
        )
        await self.post(recipe)

    async def something_new(self, amount_minor: int) -> None:
        """A journal of which statements do not know anything."""
        line = TransferLine(
            await self.account("investment_pot"),
            await self.account("driver", self.driver),
            amount_minor,
        )
        await self.post(Recipe(JournalKind.BAD_DEBT, (line,)))

    async def stay_signed_in(self) -> None:
        await self.owner.execute(
            "update session set access_expires_at = $1, refresh_expires_at = $1",
            self.clock.now() + timedelta(days=2),
        )

    async def get(self, path: str, person: Person | None = None) -> httpx.Response:
        await self.stay_signed_in()
        return await self.client.get(path, headers=(person or self.driver).headers)

    async def earnings(self, query: str = "span=month") -> dict[str, Any]:
        answer = await self.get(f"/v1/me/earnings?{query}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def balance(self) -> int:
        return int(
            await self.owner.fetchval(
                "select posted_minor from balance b join account a on a.id = b.account_id"
                " where a.member_id = $1 and a.kind = 'driver'",
                self.driver.id,
            )
        )


async def mixed_month(street: Street) -> dict[str, str]:
    """Three rides with all that may come after them; return their ids."""
    plain = await street.drive()
    tipped = await street.drive(minutes=20)
    wrong = await street.drive()
    await street.tip(tipped, 350)
    await street.cash(plain, 2000)
    await street.give_back(tipped, 500, reason="=the way was longer than needed")
    await street.take_back(wrong, reason="it was another rider")
    await street.fee(800, 120)
    await street.top_up(1234)
    await street.something_new(77)
    await street.pay_out(1500)
    return {"plain": plain, "tipped": tipped, "wrong": wrong}
