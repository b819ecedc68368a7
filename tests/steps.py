"""Steps of a story, taken as clients take them: ask a price, book, drive."""

from datetime import datetime
from typing import Any

import httpx
from fastapi import FastAPI

from tests.factories import Person

VADUZ = {"lat": 47.1410, "lng": 9.5209}
BALZERS = {"lat": 47.0660, "lng": 9.5030}
TRIESEN = {"lat": 47.1067, "lng": 9.5282}
IN_THE_ALPS = {"lat": 47.0800, "lng": 9.6000}


async def ask_price(
    client: httpx.AsyncClient,
    rider: Person,
    *,
    pickup: Any = VADUZ,
    dropoff: Any = BALZERS,
    pickup_at: datetime | None = None,
    **sharing: Any,
) -> dict[str, Any]:
    body = {"pickup": pickup, "dropoff": dropoff, **sharing}
    if pickup_at is not None:
        body["pickup_at"] = pickup_at.isoformat()
    answer = await client.post("/v1/quotes", json=body, headers=rider.act)
    assert answer.status_code == 201, answer.text
    quote: dict[str, Any] = answer.json()
    return quote


async def book(client: httpx.AsyncClient, rider: Person, **ends: Any) -> dict[str, Any]:
    quote = await ask_price(client, rider, **ends)
    answer = await client.post("/v1/rides", json={"quote_id": quote["id"]}, headers=rider.act)
    assert answer.status_code == 201, answer.text
    ride: dict[str, Any] = answer.json()
    return ride


async def stand(app: FastAPI, driver: Person, *, at: Any = VADUZ, now: datetime) -> None:
    """The driver's telephone says where it is."""
    await app.state.positions.refresh_shifts(app.state.database)
    app.state.positions.report(driver.id, lat=at["lat"], lng=at["lng"], device_at=now, now=now)


async def offered(app: FastAPI, client: httpx.AsyncClient, driver: Person) -> dict[str, Any]:
    """One dispatch tick; return the offer that it made to this driver."""
    await app.state.dispatcher.run_once()
    answer = await client.get("/v1/offers", headers=driver.headers)
    [offer] = answer.json()["items"]
    return dict(offer)


async def take(client: httpx.AsyncClient, person: Person, path: str, **body: Any) -> httpx.Response:
    """Take one step of a ride or an offer."""
    return await client.post(path, headers=person.act, json=body or None)


async def assigned_ride(
    app: FastAPI, client: httpx.AsyncClient, *, rider: Person, driver: Person, now: datetime
) -> str:
    """A ride that this driver accepted; return its id."""
    ride = await book(client, rider)
    await stand(app, driver, now=now)
    offer = await offered(app, client, driver)
    answer = await take(client, driver, f"/v1/offers/{offer['id']}/accept")
    assert answer.status_code == 200, answer.text
    return str(ride["id"])


def slug(answer: httpx.Response) -> str:
    """The name of the problem that an answer is."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).removeprefix("/problems/")
