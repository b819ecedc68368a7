"""Offers are exclusive, timed, free to decline, made to who may drive, and explained."""

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.foundation.database import Database
from app.members.roles import Role
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import BALZERS, TRIESEN, VADUZ, book, offered, slug, stand, take


@pytest.fixture
async def rider(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def driver(owner: asyncpg.Connection) -> Person:
    return await make_driver(owner, now=FRIDAY_EVENING)


async def test_an_offer_shows_the_destination_the_pickup_and_the_net_pay(
    app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, rider: Person, driver: Person
) -> None:
    await book(client, rider)
    await stand(app, driver, at=TRIESEN, now=clock.now())

    offer = await offered(app, client, driver)

    assert abs(offer["dropoff"]["lat"] - BALZERS["lat"]) < 0.01
    assert 60 < offer["pickup_s"] < 900
    assert 3_000 < offer["pickup_m"] < 5_000
    assert offer["driver_net_minor"] == offer["fare_minor"] - offer["commission_minor"]


async def test_the_nearer_driver_is_asked_and_told_why(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    far = await make_driver(owner, now=FRIDAY_EVENING)
    await book(client, rider)
    await stand(app, driver, at=VADUZ, now=clock.now())
    await stand(app, far, at=BALZERS, now=clock.now())

    offer = await offered(app, client, driver)

    assert (await client.get("/v1/offers", headers=far.headers)).json()["items"] == []
    why = (await client.get(f"/v1/offers/{offer['id']}/explanation", headers=driver.headers)).json()
    assert (why["candidates"], why["rank"], why["riders"], why["drivers"]) == (2, 1, 1, 2)
    assert sum(term["cost_s"] for term in why["terms"]) == pytest.approx(why["cost_s"])
    assert why["runner_up_cost_s"] > why["cost_s"]
    assert "2 drivers were near enough" in why["sentence"]
    foreign = await client.get(f"/v1/offers/{offer['id']}/explanation", headers=far.headers)
    assert (foreign.status_code, slug(foreign)) == (404, "not-found")


async def test_two_rides_go_to_two_drivers_so_that_all_wait_least(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    other_rider = await make_member(owner, now=FRIDAY_EVENING)
    other_driver = await make_driver(owner, now=FRIDAY_EVENING)
    await book(client, rider, pickup=VADUZ, dropoff=BALZERS)
    await book(client, other_rider, pickup=BALZERS, dropoff=VADUZ)
    await stand(app, driver, at=VADUZ, now=clock.now())
    await stand(app, other_driver, at=BALZERS, now=clock.now())

    result = await app.state.dispatcher.run_once()

    assert result.offers == 2
    pairs = await owner.fetch(
        "select o.driver_id, r.rider_id from offer o join ride r on r.id = o.ride_id"
    )
    assert {tuple(pair) for pair in pairs} == {
        (driver.id, rider.id),
        (other_driver.id, other_rider.id),
    }


async def test_a_declined_ride_goes_to_somebody_else_and_never_back(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    other = await make_driver(owner, now=FRIDAY_EVENING)
    await book(client, rider)
    await stand(app, driver, at=VADUZ, now=clock.now())
    offer = await offered(app, client, driver)
    declined = await take(client, driver, f"/v1/offers/{offer['id']}/decline")

    nobody = await app.state.dispatcher.run_once()
    await stand(app, other, at=BALZERS, now=clock.now())
    second = await offered(app, client, other)

    assert declined.json()["state"] == "declined"
    assert nobody.offers == 0
    assert second["ride_id"] == offer["ride_id"]


async def test_declining_changes_nothing_about_the_next_offer(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    await book(client, rider)
    await stand(app, driver, at=VADUZ, now=clock.now())
    offer = await offered(app, client, driver)
    await take(client, driver, f"/v1/offers/{offer['id']}/decline")
    other_rider = await make_member(owner, now=FRIDAY_EVENING)
    await book(client, other_rider, pickup=VADUZ, dropoff=TRIESEN)

    second = await offered(app, client, driver)

    assert second["ride_id"] != offer["ride_id"]


async def test_an_offer_ends_after_the_voted_time(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    await book(client, rider)
    await stand(app, driver, now=clock.now())
    offer = await offered(app, client, driver)
    clock.pass_time(15)

    late = await take(client, driver, f"/v1/offers/{offer['id']}/accept")
    await app.state.dispatcher.run_once()

    assert (late.status_code, slug(late)) == (409, "offer-no-longer-open")
    assert await owner.fetchval("select state from offer") == "expired"
    assert await owner.fetchval("select state from ride") == "requested"


async def test_an_offer_is_withdrawn_when_the_rider_cancels(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    ride = await book(client, rider)
    await stand(app, driver, now=clock.now())
    offer = await offered(app, client, driver)
    await take(client, rider, f"/v1/rides/{ride['id']}/cancel", reason="")

    answer = await take(client, driver, f"/v1/offers/{offer['id']}/accept")
    await app.state.dispatcher.run_once()

    assert (answer.status_code, slug(answer)) == (409, "offer-no-longer-open")
    assert await owner.fetchval("select state from offer") == "withdrawn"
    heard = [event.type for event in await database.events_after([(driver.id, 0)])]
    assert heard == ["offer.made", "offer.withdrawn"]


async def test_an_offer_of_somebody_else_answers_like_one_that_never_was(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    stranger = await make_driver(owner, now=FRIDAY_EVENING)
    await book(client, rider)
    await stand(app, driver, now=clock.now())
    offer = await offered(app, client, driver)

    foreign = await take(client, stranger, f"/v1/offers/{offer['id']}/accept")
    never = await take(client, stranger, f"/v1/offers/{ride_like(offer['id'])}/accept")

    assert (foreign.status_code, slug(foreign)) == (never.status_code, slug(never))
    assert await owner.fetchval("select state from offer") == "open"


def ride_like(offer_id: str) -> str:
    return offer_id[:-4] + ("0000" if not offer_id.endswith("0000") else "1111")


@pytest.mark.parametrize(
    "reason", ["off shift", "paper out of date", "suspended", "no position", "busy"]
)
async def test_nobody_is_offered_a_ride_who_may_not_take_it(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    reason: str,
) -> None:
    await stand(app, driver, now=clock.now())
    staff = await make_member(owner, Role.STAFF, now=FRIDAY_EVENING)
    match reason:
        case "off shift":
            await owner.execute("update shift set ended_at = started_at")
        case "paper out of date":
            await owner.execute(
                "update document set expires_on = $1 where kind = 'driving_licence'",
                FRIDAY_EVENING.date().replace(day=21),
            )
        case "suspended":
            await owner.execute(
                "insert into suspension (id, member_id, by_member_id, reason, since)"
                " values (uuidv7(), $1, $2, 'a complaint is looked at', $3)",
                driver.id,
                staff.id,
                clock.now(),
            )
        case "no position":
            clock.pass_time(31)
        case "busy":
            await book(client, await make_member(owner, now=FRIDAY_EVENING))
            offer = await offered(app, client, driver)
            await take(client, driver, f"/v1/offers/{offer['id']}/accept")
    await book(client, rider)

    result = await app.state.dispatcher.run_once()

    assert result.offers == 0


async def test_a_paper_is_good_to_the_end_of_its_last_day_in_the_citys_time(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    await owner.execute("update document set expires_on = $1", FRIDAY_EVENING.date())
    clock.moment = FRIDAY_EVENING.replace(hour=21, minute=59)  # 23:59 in Vaduz
    await owner.execute(
        "update session set access_expires_at = access_expires_at + interval '1 day'"
    )
    await stand(app, driver, now=clock.now())
    await book(client, rider)

    assert (await app.state.dispatcher.run_once()).offers == 1


async def test_a_tick_keeps_what_it_saw_and_how_it_was_solved(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    await book(client, rider)
    await stand(app, driver, now=clock.now())

    await app.state.dispatcher.run_once()

    tick = await owner.fetchrow("select * from dispatch_tick")
    assert (tick["riders"], tick["drivers"], tick["candidates"], tick["offers"]) == (1, 1, 1, 1)
    assert tick["solve_ms"] <= tick["tick_ms"]
