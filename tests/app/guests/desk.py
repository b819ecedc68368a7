"""A dispatcher's desk: guests who telephone, their rides, and the texts that leave the house."""

import json
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from app.audit import guests as promises
from app.foundation.database import Database
from app.guests.texts import tell_guests
from app.members.roles import Role
from app.members.sms import FileSms
from app.settings import Settings
from tests.app.payments.acts import CLIENT
from tests.conftest import StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import BALZERS, VADUZ, offered, stand, take

PHONE = "+4237654321"


@dataclass
class Desk:
    """A dispatcher at the telephone, a driver on the road, and the texts that left the house."""

    app: FastAPI
    client: httpx.AsyncClient
    owner: asyncpg.Connection
    clock: StandingClock
    settings: Settings
    dispatcher: Person
    driver: Person

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database

    async def guest(self, name: str = "Ospelt", phone: str | None = PHONE) -> str:
        body = {"name": name} | ({"phone": phone} if phone else {})
        answer = await take(self.client, self.dispatcher, "/v1/guests", **body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def quote(self, guest_id: str, **wish: Any) -> httpx.Response:
        path = f"/v1/guests/{guest_id}/quotes"
        body = {"pickup": VADUZ, "dropoff": BALZERS, **wish}
        return await take(self.client, self.dispatcher, path, **body)

    async def ask(self, guest_id: str, quote_id: str, **payment: Any) -> httpx.Response:
        body = {"quote_id": quote_id, "payment_method": "cash", **payment}
        return await take(self.client, self.dispatcher, f"/v1/guests/{guest_id}/rides", **body)

    async def book(self, guest_id: str, **payment: Any) -> dict[str, Any]:
        quote = await self.quote(guest_id)
        assert quote.status_code == 201, quote.text
        answer = await self.ask(guest_id, quote.json()["id"], **payment)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def drive(self, ride: dict[str, Any], *steps: str) -> httpx.Response:
        await stand(self.app, self.driver, now=self.clock.now())
        offer = await offered(self.app, self.client, self.driver)
        answer = await take(self.client, self.driver, f"/v1/offers/{offer['id']}/accept")
        for step in steps:
            assert answer.is_success, answer.text
            answer = await take(self.client, self.driver, f"/v1/rides/{ride['id']}/{step}")
        assert answer.is_success, answer.text
        return answer

    async def client_of_ours(self, **terms: Any) -> str:
        staff = await make_member(self.owner, Role.STAFF, now=self.clock.now())
        answer = await take(self.client, staff, "/v1/contract-clients", **CLIENT | terms)
        return str(answer.json()["id"])

    async def listed(self, path: str = "/v1/guest-rides") -> list[Any]:
        answer = await self.client.get(path, headers=self.dispatcher.headers)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def tell(self) -> int:
        return await tell_guests(self.database, self.sms, now=self.clock.now())

    @property
    def sms(self) -> FileSms:
        assert self.settings.sms_file is not None
        return FileSms(self.settings.sms_file, self.clock)

    def texts(self) -> list[dict[str, str]]:
        path = self.settings.sms_file
        assert path is not None
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    async def faults(self) -> list[str]:
        found = []
        for statement in (promises.GUESTS_PAY_AS_AGREED, promises.GUESTS_ARE_GUARDED):
            rows = await self.owner.fetch(statement)
            assert rows
            found += [row["fault"] for row in rows if row["fault"]]
        return found


async def make_desk(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    settings: Settings,
) -> Desk:
    dispatcher = await make_member(owner, Role.DISPATCHER, now=clock.now(), name="Eli")
    driver = await make_driver(owner, now=clock.now())
    return Desk(app, client, owner, clock, settings, dispatcher, driver)


async def member_with(desk: Desk, phone: str = "+4237771234") -> Person:
    """A member who signed in, whose number is one that could be given out."""
    member = await make_member(desk.owner, now=desk.clock.now(), name="Ada Lovelace")
    await desk.owner.execute("update member set phone = $2 where id = $1", member.id, phone)
    return replace(member, phone=phone)
