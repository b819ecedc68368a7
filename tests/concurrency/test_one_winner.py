"""Of all who come at once, one wins; the others are told so, and nothing breaks."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

from app.foundation.ids import new_id
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import ask_price, assigned_ride, book, offered, stand, take

ROUNDS = 200
DRIVERS = 20


async def test_of_twenty_drivers_who_accept_one_offer_one_gets_it(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    drivers = [await make_driver(owner, now=FRIDAY_EVENING) for _ in range(DRIVERS)]
    tick_id = new_id()
    await owner.execute(
        "insert into dispatch_tick values ($1, $2, 1, 20, 20, 20, 'by hand', 0, 0, 0)",
        tick_id,
        clock.now(),
    )
    answers: Counter[tuple[int, ...]] = Counter()

    for number in range(ROUNDS):
        rider = await make_member(owner, now=FRIDAY_EVENING)
        ride = await book(client, rider)
        offer_id = await _offer(owner, tick_id, ride["id"], drivers[number % DRIVERS], clock)

        async def accept(driver: Person, offer_id: object = offer_id) -> int:
            return (await take(client, driver, f"/v1/offers/{offer_id}/accept")).status_code

        codes = await asyncio.gather(*(accept(driver) for driver in drivers))
        answers[tuple(sorted(codes))] += 1
        await owner.execute(
            "update ride set state = 'cancelled', cancelled_by = 'rider', ended_at = $1",
            clock.now(),
        )

    assert answers == {(200, *[409] * (DRIVERS - 1)): ROUNDS}


async def test_of_twenty_drivers_who_were_asked_in_turn_the_one_in_time_gets_the_ride(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    drivers = [await make_driver(owner, now=FRIDAY_EVENING) for _ in range(DRIVERS)]
    rider = await make_member(owner, now=FRIDAY_EVENING)
    ride = await book(client, rider)
    tick_id = new_id()
    await owner.execute(
        "insert into dispatch_tick values ($1, $2, 1, 20, 20, 20, 'by hand', 0, 0, 0)",
        tick_id,
        clock.now(),
    )
    offers = []
    for driver in drivers:
        await owner.execute("update offer set state = 'expired', decided_at = offered_at")
        offers.append(await _offer(owner, tick_id, ride["id"], driver, clock))

    answers = await asyncio.gather(
        *(
            take(client, driver, f"/v1/offers/{offer_id}/accept")
            for driver, offer_id in zip(drivers, offers, strict=True)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200, *[409] * (DRIVERS - 1)]


async def _offer(
    owner: asyncpg.Connection, tick_id: UUID, ride_id: str, driver: Person, clock: StandingClock
) -> object:
    return await owner.fetchval(
        "insert into offer (id, tick_id, ride_id, driver_id, state, offered_at, expires_at,"
        " pickup_s, pickup_m, explanation) values ($1, $2, $3, $4, 'open', $5, $6, 60, 400, '{}')"
        " returning id",
        new_id(),
        tick_id,
        ride_id,
        driver.id,
        clock.now(),
        clock.now() + timedelta(seconds=15),
    )


async def test_two_bookings_with_one_key_at_once_make_one_ride(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    for number in range(20):
        rider = await make_member(owner, now=FRIDAY_EVENING)
        quote = await ask_price(client, rider)
        headers = rider.headers | {"Idempotency-Key": f"same-{number}"}

        answers = await asyncio.gather(
            *(
                client.post("/v1/rides", json={"quote_id": quote["id"]}, headers=headers)
                for _ in range(2)
            )
        )

        assert {answer.status_code for answer in answers} <= {201, 409}
        rides = await owner.fetch("select id from ride where rider_id = $1", rider.id)
        assert len(rides) == 1
        # Whoever was told to wait asks again and gets the first answer.
        again = await client.post("/v1/rides", json={"quote_id": quote["id"]}, headers=headers)
        assert again.json()["id"] == str(rides[0]["id"])


async def test_a_rider_with_two_keys_at_once_has_one_ride(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    quotes = [await ask_price(client, rider) for _ in range(5)]

    answers = await asyncio.gather(
        *(take(client, rider, "/v1/rides", quote_id=quote["id"]) for quote in quotes)
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert await owner.fetchval("select count(*) from hold") == 1


async def test_accept_and_cancel_at_once_leave_one_truth(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=FRIDAY_EVENING)
    outcomes: Counter[str] = Counter()
    for _ in range(20):
        rider = await make_member(owner, now=FRIDAY_EVENING)
        ride = await book(client, rider)
        await stand(app, driver, now=clock.now())
        offer = await offered(app, client, driver)

        accepted, cancelled = await asyncio.gather(
            take(client, driver, f"/v1/offers/{offer['id']}/accept"),
            take(client, rider, f"/v1/rides/{ride['id']}/cancel", reason=""),
        )

        # A ride may be cancelled after it was accepted, but never accepted after it was cancelled.
        assert cancelled.status_code == 200
        assert accepted.status_code in (200, 409)
        state = await owner.fetchval("select state from ride where id = $1", ride["id"])
        outcomes[state] += 1
        clock.pass_time(2)
    assert outcomes == {"cancelled": 20}


async def test_complete_twice_at_once_books_one_fare(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    driver = await make_driver(owner, now=FRIDAY_EVENING)
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    await take(client, driver, f"/v1/rides/{ride_id}/arrive")
    await take(client, driver, f"/v1/rides/{ride_id}/start")

    answers = await asyncio.gather(
        *(take(client, driver, f"/v1/rides/{ride_id}/complete") for _ in range(10))
    )

    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 9]
    assert await owner.fetchval("select count(*) from journal") == 1
