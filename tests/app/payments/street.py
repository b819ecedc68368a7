"""Rides that are over, made in the database, and a worker's rounds with a card provider."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.ledger import postings
from app.ledger import service as ledger
from app.payments import sending, service
from app.payments.local_provider.adapter import SIGNATURE_HEADER, LocalPort
from app.payments.local_provider.server import LocalProvider
from tests.conftest import StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import ask_price, assigned_ride, offered, stand, take

_COPY = (
    "insert into {table} select (jsonb_populate_record(t, $2::text::jsonb)).* from {table} t"
    " where id = $1"
)


@dataclass
class Street:
    """A rider, a driver, and completed rides of theirs without any payment."""

    app: FastAPI
    client: httpx.AsyncClient
    owner: asyncpg.Connection
    clock: StandingClock
    rider: Person
    driver: Person
    pattern: Any

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database

    @property
    def double(self) -> LocalProvider:
        double: LocalProvider = self.app.state.card_provider.double
        return double

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def port(self, *, timeout_s: float = 10.0) -> LocalPort:
        return LocalPort(self.double, timeout_s=timeout_s)

    async def ride(self) -> UUID:
        """A completed ride like the first one, with a quote and a hold of its own."""
        ids = {table: new_id() for table in ("quote", "hold", "ride")}
        own = {
            "quote": (self.pattern["quote_id"], {}),
            "hold": (self.pattern["hold_id"], {}),
            "ride": (
                self.pattern["id"],
                {"quote_id": str(ids["quote"]), "hold_id": str(ids["hold"])},
            ),
        }
        for table, (source, more) in own.items():
            values = json.dumps({"id": str(ids[table]), **more})
            await self.owner.execute(_COPY.format(table=table), source, values)
        await self.owner.execute(
            "insert into hold_end (hold_id, outcome, ended_at) values ($1, 'voided', $2)",
            ids["hold"],
            self.now,
        )
        return ids["ride"]

    async def owe(self, tx: Transaction, amount_minor: int, *, ride_id: UUID) -> None:
        """The rider owes the driver so much more for a ride, or so much less."""
        ids = await tx.row(
            "select (select id from account where kind = 'rider' and member_id = $1) as rider,"
            " (select id from account where kind = 'driver' and member_id = $2) as driver",
            self.rider.id,
            self.driver.id,
        )
        recipe = (
            postings.tip(rider_id=ids["rider"], driver_id=ids["driver"], amount_minor=amount_minor)
            if amount_minor > 0
            else postings.tip(
                rider_id=ids["driver"], driver_id=ids["rider"], amount_minor=-amount_minor
            )
        )
        await ledger.post(
            tx, recipe, scope="test", key=str(new_id()), subject_id=ride_id, now=self.now
        )

    async def card(self, token: str = "tok_visa", label: str = "card ending 4242") -> Any:  # noqa: S107 - no password
        answer = await self.client.post(
            "/v1/me/payment-methods",
            json={"token": token, "label": label, "is_default": True},
            headers=self.rider.act,
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def hear(self, body: bytes, signature: str) -> int:
        answer = await self.client.post(
            "/v1/payment-webhooks/local", content=body, headers={SIGNATURE_HEADER: signature}
        )
        return answer.status_code

    async def work(self, port: Any = None) -> None:
        """Rounds of the worker until nothing is due now, and all events told."""
        port = port or self.app.state.card_provider.port
        while await sending.run_once(self.database, port, now=self.now):
            pass
        await self.double.tell_all(self.hear)

    async def payment(self, ride_id: UUID, kind: str = "ride") -> Any:
        return await self.owner.fetchrow(
            "select * from payment where ride_id = $1 and kind = $2 order by id desc limit 1",
            ride_id,
            kind,
        )

    async def standing(self, kind: str, owner_id: UUID | None = None) -> int:
        """What an account holds, by its transfers alone; credit positive."""
        return int(
            await self.owner.fetchval(
                "select coalesce(sum(case when t.credit_id = a.id then t.amount_minor"
                " else -t.amount_minor end), 0) from account a"
                " left join transfer t on a.id in (t.credit_id, t.debit_id) where a.kind = $1"
                " and ($2::uuid is null or $2 in (a.member_id, a.partner_id))",
                kind,
                owner_id,
            )
        )


WHOLE = ("arrive", "start", "complete")


async def request(s: Street, method: str, **ends: Any) -> httpx.Response:
    """The rider asks a price and books it, to be paid in this way."""
    quote = await ask_price(s.client, s.rider, **ends)
    body = {"quote_id": quote["id"], "payment_method": method}
    return await s.client.post("/v1/rides", json=body, headers=s.rider.act)


async def drive(s: Street, ride: dict[str, Any], *steps: str) -> httpx.Response:
    """The driver accepts the ride and takes these steps with it."""
    await stand(s.app, s.driver, now=s.now)
    offer = await offered(s.app, s.client, s.driver)
    answer = await take(s.client, s.driver, f"/v1/offers/{offer['id']}/accept")
    for step in steps:
        assert answer.is_success, answer.text
        answer = await take(s.client, s.driver, f"/v1/rides/{ride['id']}/{step}")
    return answer


async def begin(s: Street, *, amount_minor: int = 4000, method: str = "card") -> UUID:
    """A ride that is over and whose payment begins only now; return its id."""
    ride_id = await s.ride()
    async with s.database.transaction() as tx:
        await service.begin(
            tx,
            ride_id=ride_id,
            rider_id=s.rider.id,
            method=method,
            amount_minor=amount_minor,
            now=s.now,
        )
    return ride_id


async def settle(s: Street, ride_id: UUID, amount_minor: int) -> None:
    """The ride cost the rider so much."""
    async with s.database.transaction() as tx:
        await s.owe(tx, amount_minor, ride_id=ride_id)
        await service.settle(
            tx,
            ride_id=ride_id,
            rider_id=s.rider.id,
            driver_id=s.driver.id,
            amount_minor=amount_minor,
            took_place=True,
            now=s.now,
        )


async def refund(s: Street, ride_id: UUID, amount_minor: int, key: str = "dispute") -> None:
    """So much of what the ride cost goes back to the rider."""
    async with s.database.transaction() as tx:
        await s.owe(tx, -amount_minor, ride_id=ride_id)
        await service.refund(
            tx,
            ride_id=ride_id,
            rider_id=s.rider.id,
            key=key,
            amount_minor=amount_minor,
            now=s.now,
        )


async def make_street(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> Street:
    rider = await make_member(owner, now=clock.now())
    driver = await make_driver(owner, now=clock.now())
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    for step in ("arrive", "start", "complete"):
        answer = await take(client, driver, f"/v1/rides/{ride_id}/{step}")
        assert answer.is_success, answer.text
    pattern = await owner.fetchrow("select * from ride where id = $1", UUID(ride_id))
    await owner.execute("update session set access_expires_at = access_expires_at + interval '1 y'")
    # Limits are looked at by tests of their own.
    await owner.execute(
        "update balance set lowest_minor = -1000000000 where account_id in"
        " (select id from account where member_id = any($1))",
        [rider.id, driver.id],
    )
    return Street(app, client, owner, clock, rider, driver, pattern)
