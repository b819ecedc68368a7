"""A rider who stays in a wheelchair is fetched by a car that takes one, or is told the truth."""

from datetime import timedelta

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import BALZERS, TRIESEN, VADUZ, ask_price, book, offered, slug, stand, take


@pytest.fixture
async def ada(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, now=FRIDAY_EVENING, name="Ada")


@pytest.fixture
async def without(owner: asyncpg.Connection) -> Person:
    return await make_driver(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def taking(owner: asyncpg.Connection) -> Person:
    return await make_driver(owner, now=FRIDAY_EVENING, takes_wheelchair=True)


async def offers_to(client: httpx.AsyncClient, driver: Person) -> int:
    return len((await client.get("/v1/offers", headers=driver.headers)).json()["items"])


@pytest.mark.parametrize("shared", [False, True])
async def test_only_a_car_that_takes_a_wheelchair_is_asked_though_others_are_nearer(
    app: FastAPI,
    client: httpx.AsyncClient,
    ada: Person,
    without: Person,
    taking: Person,
    *,
    shared: bool,
) -> None:
    await stand(app, without, at=VADUZ, now=FRIDAY_EVENING)
    await stand(app, taking, at=TRIESEN, now=FRIDAY_EVENING)
    ride = await book(client, ada, wheelchair=True, shared=shared)

    offer = await offered(app, client, taking)

    assert (offer["ride_id"], offer["wheelchair"]) == (ride["id"], True)
    assert await offers_to(client, without) == 0
    accepted = await take(client, taking, f"/v1/offers/{offer['id']}/accept")
    assert accepted.status_code == 200, accepted.text


async def test_a_ride_without_a_wheelchair_is_for_every_car(
    app: FastAPI, client: httpx.AsyncClient, ada: Person, without: Person
) -> None:
    await stand(app, without, now=FRIDAY_EVENING)
    await book(client, ada)

    assert (await offered(app, client, without))["wheelchair"] is False


async def test_no_wheelchair_joins_the_run_of_a_car_that_takes_none(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person, without: Person
) -> None:
    await make_driver(owner, now=FRIDAY_EVENING, on_shift=False, takes_wheelchair=True)
    await stand(app, without, now=FRIDAY_EVENING)
    await book(client, ada, shared=True)
    offer = await offered(app, client, without)
    await take(client, without, f"/v1/offers/{offer['id']}/accept")
    cem = await make_member(owner, now=FRIDAY_EVENING)
    ends = {"pickup": VADUZ, "dropoff": BALZERS, "shared": True}
    await book(client, cem, **ends, wheelchair=True)

    refused = await app.state.dispatcher.run_once()
    dan = await make_member(owner, now=FRIDAY_EVENING)
    await book(client, dan, **ends)
    joined = await app.state.dispatcher.run_once()

    assert (refused.offers, joined.offers) == (0, 1)


async def test_a_ride_booked_ahead_waits_for_a_car_that_takes_the_wheelchair(
    app: FastAPI,
    client: httpx.AsyncClient,
    clock: StandingClock,
    owner: asyncpg.Connection,
    ada: Person,
    without: Person,
) -> None:
    taking = await make_driver(owner, now=FRIDAY_EVENING, takes_wheelchair=True)
    pickup_at = clock.now() + timedelta(minutes=31)
    await book(client, ada, wheelchair=True, pickup_at=pickup_at)
    clock.pass_time(31 * 60)
    await stand(app, without, now=clock.now())
    await owner.execute("update ride set state = 'requested' where state = 'scheduled'")

    first = await app.state.dispatcher.run_once()
    await stand(app, taking, now=clock.now())

    assert first.offers == 0
    assert (await offered(app, client, taking))["wheelchair"] is True


async def test_who_changed_the_car_after_the_offer_cannot_accept_it(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person, taking: Person
) -> None:
    await stand(app, taking, now=FRIDAY_EVENING)
    ride = await book(client, ada, wheelchair=True)
    offer = await offered(app, client, taking)
    await owner.execute("update vehicle set takes_wheelchair = false")

    answer = await take(client, taking, f"/v1/offers/{offer['id']}/accept")

    assert (answer.status_code, slug(answer)) == (409, "car-takes-no-wheelchair")
    assert await owner.fetchval("select state from ride where id = $1", ride["id"]) == "requested"


async def test_the_reasons_speak_of_the_wheelchair_in_the_drivers_language(
    app: FastAPI, client: httpx.AsyncClient, ada: Person, without: Person, taking: Person
) -> None:
    await stand(app, without, at=VADUZ, now=FRIDAY_EVENING)
    await stand(app, taking, at=VADUZ, now=FRIDAY_EVENING)
    await book(client, ada, wheelchair=True)
    offer = await offered(app, client, taking)

    asked = await client.get(
        f"/v1/offers/{offer['id']}/explanation",
        headers=taking.headers | {"Accept-Language": "nl"},
    )
    [seen] = (await client.get("/v1/me/rounds", headers=without.headers)).json()["items"]
    path = f"/v1/me/rounds/{seen['tick_id']}"
    passed = (await client.get(path, headers=without.headers)).json()

    assert (
        "De reiziger brengt een rolstoel mee; jouw auto neemt die mee." in asked.json()["sentence"]
    )
    assert passed["why"] == "declined_before"
    assert "takes no wheelchair" in passed["sentence"]


async def test_a_price_with_a_wheelchair_is_refused_where_no_car_takes_one(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person, without: Person
) -> None:
    body = {"pickup": VADUZ, "dropoff": BALZERS, "wheelchair": True}

    none = await client.post("/v1/quotes", json=body, headers=ada.act)
    await make_driver(owner, now=FRIDAY_EVENING, on_shift=False, takes_wheelchair=True)

    assert (none.status_code, slug(none)) == (409, "no-car-takes-wheelchair")
    assert (await ask_price(client, ada, wheelchair=True))["pickup_eta_s"] is None


@pytest.mark.parametrize(("wheelchair", "is_near"), [(True, False), (False, True)])
async def test_the_time_until_a_driver_comes_speaks_of_cars_that_take_the_wheelchair(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    ada: Person,
    without: Person,
    taking: Person,
    *,
    wheelchair: bool,
    is_near: bool,
) -> None:
    for driver, place in ((without, VADUZ), (taking, BALZERS)):
        await owner.execute(
            "insert into driver_position (driver_id, lat, lng, at) values ($1, $2, $3, $4)",
            driver.id,
            place["lat"],
            place["lng"],
            FRIDAY_EVENING,
        )

    quote = await ask_price(client, ada, wheelchair=wheelchair)

    assert (quote["pickup_eta_s"] <= 180) is is_near
