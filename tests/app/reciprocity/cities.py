"""A cooperative on a real port, and the weather between two of them."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

from app.audit import invariants
from app.reciprocity.service.outbox import Outbox
from tests.app.reciprocity.sisters import post, stands
from tests.conftest import StandingClock
from tests.factories import Person
from tests.steps import assigned_ride, take


class Weather(httpx.AsyncHTTPTransport):
    """A network that now and then loses what is said, loses the answer, or says it twice."""

    def __init__(self) -> None:
        super().__init__()
        self.storm = 0.0
        self.dice = random.Random(5)
        self.lost = self.unheard = self.doubled = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.dice.random() < self.storm:
            self.lost += 1
            raise httpx.ConnectError("lost on its way")
        answer = await super().handle_async_request(request)
        await answer.aread()
        if self.dice.random() < self.storm:
            self.doubled += 1
            answer = await super().handle_async_request(request)
            await answer.aread()
        if self.dice.random() < self.storm:
            self.unheard += 1
            raise httpx.ReadTimeout("the answer was lost")
        return answer


@dataclass
class City:
    """A cooperative: its program, its books, its outbox into the weather."""

    app: FastAPI
    owner: asyncpg.Connection
    clock: StandingClock
    url: str
    client: httpx.AsyncClient
    outside: httpx.AsyncClient
    id: UUID = field(default_factory=lambda: UUID(int=0))
    peer_path: str = ""

    @property
    def weather(self) -> Weather:
        transport = self.outside._transport
        assert isinstance(transport, Weather)
        return transport

    @property
    def outbox(self) -> Outbox:
        state = self.app.state
        return Outbox(state.database, self.clock, state.settings.home, self.outside)

    async def letter(self, member: Person, limit_minor: int) -> httpx.Response:
        """This cooperative vouches for a member with the other one."""
        return await post(self.client, member, f"{self.peer_path}/letters", limit_minor=limit_minor)

    async def visit(self, letter: Any) -> Person:
        """A guest comes with a letter of the other cooperative."""
        answer = await self.client.post("/v1/visits", json=letter)
        assert answer.status_code == 201, answer.text
        opened = answer.json()
        member_id = UUID(opened["member_id"])
        return Person(member_id, "", opened["access_token"], member_id)

    async def drive(self, rider: Person, driver: Person) -> int:
        """A ride from its price to its end; returns the fare."""
        now = self.clock.now()
        ride_id = await assigned_ride(self.app, self.client, rider=rider, driver=driver, now=now)
        for step in ("arrive", "start"):
            await take(self.client, driver, f"/v1/rides/{ride_id}/{step}")
        answer = await take(self.client, driver, f"/v1/rides/{ride_id}/complete")
        assert answer.status_code == 200, answer.text
        return int(answer.json()["fare_minor"])

    async def kill_outbox(self) -> None:
        """Begin a round and cut it off at any moment."""
        round_ = asyncio.create_task(self.outbox.run_once())
        await asyncio.sleep(self.weather.dice.uniform(0, 0.08))
        round_.cancel()
        await asyncio.gather(round_, return_exceptions=True)

    async def unsaid(self) -> int:
        """How much waits: claims without an answer, and visitors who owe what is not claimed."""
        return int(
            await self.owner.fetchval(
                "select (select count(*) from clearing where state = 'pending')"
                " + (select count(*) from visit v join balance b on b.account_id = v.account_id"
                " where b.posted_minor <> 0)"
            )
        )

    async def stands(self) -> int:
        return await stands(self.owner)

    async def check_books(self) -> None:
        """The audit finds no fault in what is promised of money."""
        for invariant in invariants.ALL:
            if invariant.promise == "G5":
                rows = await self.owner.fetch(invariant.sql)
                assert [row["fault"] for row in rows if row["fault"]] == [], invariant.name


async def ride_out(*cities: City) -> None:
    """In fair weather, let the outboxes work until nothing waits."""
    for city in cities:
        city.weather.storm = 0.0
    for _ in range(200):  # the longest pause of a claim is a quarter of an hour
        for city in cities:
            await city.outbox.run_once()
        cities[0].clock.pass_time(5)
        if not any([await city.unsaid() for city in cities]):
            return
    raise AssertionError("the outboxes never came to an end")
