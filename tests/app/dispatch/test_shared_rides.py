"""Who shares rides for less, within limits, in one car, and knows nothing of the others."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.audit.report import audit
from app.dispatch.pool_record import unpack_pool
from app.dispatch.replaying import replay_newest_pools
from app.dispatch.service import forget_rounds
from app.foundation.database import Transaction
from matching.travel import Point
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import (
    BALZERS,
    TRIESEN,
    VADUZ,
    ask_price,
    assigned_ride,
    book,
    offered,
    slug,
    stand,
    take,
)

SCHAAN = {"lat": 47.1650, "lng": 9.5087}  # north of Vaduz; Triesen and Balzers lie south of it
FAR_NORTH = {"lat": 47.2190, "lng": 9.5250}  # Ruggell, as far from Vaduz as Balzers


@pytest.fixture
async def ada(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, now=FRIDAY_EVENING, name="Ada Secret")


@pytest.fixture
async def cem(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, now=FRIDAY_EVENING, name="Cem Hidden")


@pytest.fixture
async def driver(owner: asyncpg.Connection) -> Person:
    return await make_driver(owner, now=FRIDAY_EVENING)


async def accept(client: httpx.AsyncClient, driver: Person, offer: dict[str, Any]) -> str:
    answer = await take(client, driver, f"/v1/offers/{offer['id']}/accept")
    assert answer.status_code == 200, answer.text
    return str(offer["ride_id"])


async def offers_to(client: httpx.AsyncClient, driver: Person) -> list[Any]:
    return list((await client.get("/v1/offers", headers=driver.headers)).json()["items"])


async def run_of(client: httpx.AsyncClient, driver: Person) -> list[tuple[str, str]]:
    """The ride and the kind of each stop that the driver has still to make."""
    run = (await client.get("/v1/me/run", headers=driver.headers)).json()
    return [(stop["ride_id"], stop["kind"]) for stop in run["stops"]]


async def accept_booked(
    app: FastAPI, client: httpx.AsyncClient, rider: Person, driver: Person
) -> str:
    """A shared ride of this rider, accepted by this driver; its id."""
    await book(client, rider, shared=True)
    return await accept(client, driver, await offered(app, client, driver))


@pytest.fixture
async def under_way(
    app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, ada: Person, driver: Person
) -> str:
    """Ada's shared ride from Vaduz to Balzers, Ada on board; its id."""
    await stand(app, driver, at=VADUZ, now=clock.now())
    ride_id = await accept_booked(app, client, ada, driver)
    for step in ("arrive", "start"):
        assert (await take(client, driver, f"/v1/rides/{ride_id}/{step}")).status_code == 200
    clock.pass_time(60)
    await stand(app, driver, at=VADUZ, now=clock.now())
    return ride_id


async def test_a_shared_price_is_below_the_price_alone_and_says_how_late_it_may_get(
    client: httpx.AsyncClient, ada: Person
) -> None:
    alone = await ask_price(client, ada)
    shared = await ask_price(client, ada, shared=True, seats=2)

    assert (alone["shared"], alone["seats"], alone["solo_fare_minor"]) == (False, 1, None)
    assert (shared["shared"], shared["seats"]) == (True, 2)
    assert shared["solo_fare_minor"] == alone["fare_minor"]
    assert shared["fare_minor"] == alone["fare_minor"] * 8000 // 10_000
    assert sum(item["amount_minor"] for item in shared["items"]) == shared["fare_minor"]
    assert shared["commission_minor"] + shared["driver_net_minor"] == shared["fare_minor"]
    assert shared["max_wait_s"] == 600
    assert shared["max_delay_s"] == round(600 + 0.2 * shared["duration_s"])


async def test_a_shared_ride_cannot_be_booked_ahead(client: httpx.AsyncClient, ada: Person) -> None:
    body = {
        "pickup": VADUZ,
        "dropoff": BALZERS,
        "shared": True,
        "pickup_at": "2026-05-23T15:00:00+00:00",
    }

    answer = await client.post("/v1/quotes", json=body, headers=ada.act)

    assert (answer.status_code, slug(answer)) == (422, "invalid-request")


async def test_the_database_refuses_a_shared_fare_above_the_fare_alone(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person
) -> None:
    await ask_price(client, ada, shared=True)

    with pytest.raises(asyncpg.CheckViolationError, match="never_above_alone"):
        await owner.execute("update quote set solo_fare_minor = fare_minor - 1")


async def test_a_ride_that_is_over_cannot_begin_again_beside_one_of_the_other_kind(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    cem: Person,
    driver: Person,
    ada: Person,
) -> None:
    await stand(app, driver, at=VADUZ, now=clock.now())
    shared_id = await accept_booked(app, client, ada, driver)
    for step in ("arrive", "start", "complete"):
        assert (await take(client, driver, f"/v1/rides/{shared_id}/{step}")).status_code == 200
    await assigned_ride(app, client, rider=cem, driver=driver, now=clock.now())

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await owner.execute(
            "update ride set state = 'under_way', ended_at = null where id = $1", UUID(shared_id)
        )

    assert refused.value.constraint_name == "nobody_drives_alone_and_shared"


async def test_two_who_share_ride_in_one_car_and_each_pays_less_than_alone(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    cem: Person,
    driver: Person,
    under_way: str,
) -> None:
    joining = await book(client, cem, pickup=TRIESEN, dropoff=BALZERS, shared=True)

    offer = await offered(app, client, driver)
    why = (await client.get(f"/v1/offers/{offer['id']}/explanation", headers=driver.headers)).json()
    joined = await accept(client, driver, offer)
    stops = await run_of(client, driver)

    assert joined == joining["id"]
    assert offer["shared"]
    assert 0 < offer["added_s"] < 400
    assert why["added_s"] == pytest.approx(offer["added_s"], abs=1)
    assert "fits in with the ride that you are driving" in why["sentence"]
    assert sorted(stops) == sorted(
        [(joined, "pickup"), (joined, "dropoff"), (under_way, "dropoff")]
    )
    for step in ("arrive", "start"):
        assert (await take(client, driver, f"/v1/rides/{joined}/{step}")).status_code == 200
    paid = []
    for ride_id, kind in await run_of(client, driver):
        assert kind == "dropoff"
        paid.append((await take(client, driver, f"/v1/rides/{ride_id}/complete")).json())
    assert await run_of(client, driver) == []
    alone = await owner.fetchval("select sum(solo_fare_minor) from quote where is_shared")
    assert sum(one["fare_minor"] for one in paid) < alone
    earned = await owner.fetchval(
        "select b.posted_minor from balance b join account a on a.id = b.account_id"
        " where a.member_id = $1 and a.kind = 'driver'",
        driver.id,
    )
    assert earned == sum(one["driver_net_minor"] for one in paid)
    report = await audit(owner)
    assert report.violations == 0, report.first_violation


async def test_nobody_learns_who_else_rides_along_or_where_to(
    app: FastAPI,
    client: httpx.AsyncClient,
    ada: Person,
    cem: Person,
    driver: Person,
    under_way: str,
) -> None:
    before = (await client.get(f"/v1/rides/{under_way}", headers=ada.headers)).json()
    await book(client, cem, pickup=TRIESEN, dropoff=BALZERS, shared=True)
    joined = await accept(client, driver, await offered(app, client, driver))

    hers = await client.get(f"/v1/rides/{under_way}", headers=ada.headers)
    his = await client.get(f"/v1/rides/{joined}", headers=cem.headers)
    foreign = await client.get(f"/v1/rides/{joined}", headers=ada.headers)
    run = await client.get("/v1/me/run", headers=ada.headers)

    assert (before["shared"], before["sharing_with"]) == (True, 0)
    assert (hers.json()["sharing_with"], his.json()["sharing_with"]) == (1, 1)
    for told, other_ride, other_name in ((hers, joined, "Cem"), (his, under_way, "Ada")):
        assert other_ride not in told.text
        assert other_name not in told.text
    assert hers.json()["car"]["driver_name"] == "Bo"
    assert "Triesen" not in hers.text
    assert (foreign.status_code, run.status_code) == (404, 403)


async def test_an_offer_to_join_is_decided_again_to_the_same_run_from_what_is_stored(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    cem: Person,
    driver: Person,
    under_way: str,
) -> None:
    await book(client, cem, pickup=TRIESEN, dropoff=BALZERS, shared=True)
    offer = await offered(app, client, driver)
    reader = Transaction(owner)

    [same] = await replay_newest_pools(reader, newest=5)
    kept = unpack_pool(await owner.fetchval("select record from dispatch_pool"))
    await owner.execute("update offer set run = '{\"stops\": []}' where id = $1", offer["id"])
    [other] = await replay_newest_pools(reader, newest=5)
    async with app.state.database.transaction() as tx:
        await forget_rounds(tx, now=clock.now() + timedelta(days=2), keep_days=1)

    assert (same.offers, same.explained, same.fault) == (1, 1, None)
    assert other.fault == "made an offer to join that is not decided again"
    places = {car.place for car in kept.cars} | {party.pickup for party in kept.waiting}
    assert places == {Point(lat=0.0, lng=0.0)}  # Where anybody was is not kept.
    assert await replay_newest_pools(reader, newest=5) == []


async def test_who_shares_is_told_how_many_ride_along_and_not_who(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    ada: Person,
    cem: Person,
    driver: Person,
    under_way: str,
) -> None:
    await book(client, cem, pickup=TRIESEN, dropoff=BALZERS, shared=True)
    joined = await accept(client, driver, await offered(app, client, driver))
    await take(client, cem, f"/v1/rides/{joined}/cancel", reason="")

    told = await owner.fetch(
        "select stream_id, data::text from event_log where type = 'ride.company_changed'"
        " order by stream_id = $1, seq",
        ada.id,
    )

    heard = [json.loads(row["data"]) for row in told if row["stream_id"] == ada.id]
    assert heard == [
        {"ride_id": under_way, "sharing_with": 1},
        {"ride_id": under_way, "sharing_with": 0},
    ]
    assert {row["stream_id"] for row in told} == {ada.id, UUID(under_way)}


async def test_who_would_make_another_too_late_does_not_join(
    app: FastAPI,
    client: httpx.AsyncClient,
    cem: Person,
    driver: Person,
    under_way: str,
) -> None:
    await book(client, cem, pickup=VADUZ, dropoff=FAR_NORTH, shared=True)

    result = await app.state.dispatcher.run_once()

    assert result.offers == 0
    assert await offers_to(client, driver) == []
    assert await run_of(client, driver) == [(under_way, "dropoff")]


async def test_who_shares_is_served_alone_where_nobody_else_does(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    cem: Person,
    driver: Person,
    under_way: str,
) -> None:
    free = await make_driver(owner, now=FRIDAY_EVENING)
    await stand(app, free, at=VADUZ, now=clock.now())
    ride = await book(client, cem, pickup=VADUZ, dropoff=FAR_NORTH, shared=True)

    offer = await offered(app, client, free)

    assert offer["ride_id"] == ride["id"]
    assert offer["added_s"] is None
    assert offer["fare_minor"] == ride["fare_minor"]


async def test_who_is_to_follow_into_a_car_is_held_until_its_driver_has_said_yes(
    app: FastAPI,
    client: httpx.AsyncClient,
    clock: StandingClock,
    ada: Person,
    cem: Person,
    driver: Person,
    owner: asyncpg.Connection,
) -> None:
    spare = await make_driver(owner, now=FRIDAY_EVENING)
    await book(client, ada, pickup=SCHAAN, dropoff=BALZERS, shared=True)
    await book(client, cem, pickup=VADUZ, dropoff=BALZERS, shared=True)
    await stand(app, driver, at=SCHAAN, now=clock.now())
    await stand(app, spare, at=SCHAAN, now=clock.now())

    first = await app.state.dispatcher.run_once()
    while_asked = await app.state.dispatcher.run_once()
    [asked] = [one for one in (driver, spare) if await offers_to(client, one)]
    [offer] = await offers_to(client, asked)
    leader = await accept(client, asked, offer)
    joining = await offered(app, client, asked)
    follower = await accept(client, asked, joining)

    assert (first.offers, first.held) == (1, 1)
    assert (while_asked.offers, while_asked.held) == (0, 0)  # Nothing to write: all wait.
    stops = await run_of(client, asked)
    assert stops[:2] == [(leader, "pickup"), (follower, "pickup")]
    assert sorted(stops[2:]) == sorted([(leader, "dropoff"), (follower, "dropoff")])


async def test_a_driver_who_declines_company_is_not_asked_again_and_another_comes(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    cem: Person,
    driver: Person,
    under_way: str,
) -> None:
    ride = await book(client, cem, pickup=TRIESEN, dropoff=BALZERS, shared=True)
    offer = await offered(app, client, driver)
    await take(client, driver, f"/v1/offers/{offer['id']}/decline")
    free = await make_driver(owner, now=FRIDAY_EVENING)
    await stand(app, free, at=VADUZ, now=clock.now())

    second = await offered(app, client, free)

    assert second["ride_id"] == ride["id"]
    assert await offers_to(client, driver) == []
    assert await run_of(client, driver) == [(under_way, "dropoff")]


async def test_a_party_is_offered_to_nobody_whose_car_is_too_small(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    ada: Person,
    driver: Person,
) -> None:
    await stand(app, driver, at=VADUZ, now=clock.now())
    await book(client, ada, seats=5)

    too_small = await app.state.dispatcher.run_once()
    await owner.execute("update vehicle set seats = 5 where id = $1", driver.vehicle_id)
    large_enough = await app.state.dispatcher.run_once()

    assert (too_small.offers, large_enough.offers) == (0, 1)


async def test_no_party_joins_that_does_not_fit_beside_the_others(
    app: FastAPI, client: httpx.AsyncClient, cem: Person, driver: Person, under_way: str
) -> None:
    await book(client, cem, pickup=TRIESEN, dropoff=BALZERS, shared=True, seats=4)

    result = await app.state.dispatcher.run_once()

    assert result.offers == 0


async def test_a_quote_to_share_says_when_the_car_under_way_would_come(
    app: FastAPI, client: httpx.AsyncClient, cem: Person, driver: Person, under_way: str
) -> None:
    quote = await ask_price(client, cem, pickup=TRIESEN, dropoff=BALZERS, shared=True)
    nowhere = await ask_price(client, cem, pickup=VADUZ, dropoff=FAR_NORTH, shared=True)
    alone = await ask_price(client, cem, pickup=TRIESEN, dropoff=BALZERS)

    assert 0 < quote["pickup_eta_s"] <= 600
    assert quote["pickup_eta_s"] % 60 == 0
    assert quote["arrival_eta_s"] > quote["pickup_eta_s"]
    assert (nowhere["pickup_eta_s"], nowhere["arrival_eta_s"]) == (None, None)
    assert alone["pickup_eta_s"] is None
