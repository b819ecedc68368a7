"""A ride goes from request to its end by the steps of one table, and each step is paid for once."""

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.foundation.database import Database
from app.rides.lifecycle import (
    CLOSED_STATES,
    FIRST_EVENTS,
    TRANSITIONS,
    UNFINISHED_STATES,
    RideState,
    Step,
)
from app.rides.service import give_up_searches
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import TRIESEN, ask_price, assigned_ride, book, slug, stand, take


@pytest.fixture
async def rider(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def driver(owner: asyncpg.Connection) -> Person:
    return await make_driver(owner, now=FRIDAY_EVENING)


def test_nothing_leads_out_of_a_closed_state_and_something_leads_into_each() -> None:
    sources = {source for step in TRANSITIONS.values() for source in step.sources}
    targets = {step.target for step in TRANSITIONS.values()}

    assert sources == set(UNFINISHED_STATES)
    assert targets | set(FIRST_EVENTS) == set(RideState)
    assert set(CLOSED_STATES) <= targets
    assert set(TRANSITIONS) == set(Step)


async def test_a_ride_is_driven_to_its_end_and_its_fare_is_split(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())

    for step in ("arrive", "start", "complete"):
        clock.pass_time(60)
        answer = await take(client, driver, f"/v1/rides/{ride_id}/{step}")
        assert answer.status_code == 200, answer.text

    ride = (await client.get(f"/v1/rides/{ride_id}", headers=rider.headers)).json()
    done = answer.json()
    assert ride["state"] == "completed"
    assert ride["car"]["plate"] == "FL 12345"
    assert done["fare_minor"] == done["commission_minor"] + done["driver_net_minor"]
    balances = dict(
        await owner.fetch(
            "select a.kind, b.posted_minor from account a join balance b on b.account_id = a.id"
            " where (a.member_id, a.kind) in (($1, 'rider'), ($2, 'driver'))",
            rider.id,
            driver.id,
        )
    )
    assert balances == {"rider": -done["fare_minor"], "driver": done["driver_net_minor"]}
    held = await owner.fetch("select outcome from hold_end")
    assert [row["outcome"] for row in held] == ["posted"]


async def test_each_party_hears_every_step_in_its_own_stream(
    app: FastAPI,
    client: httpx.AsyncClient,
    database: Database,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    await take(client, driver, f"/v1/rides/{ride_id}/arrive")

    of_rider = await database.events_after([(rider.id, 0)])
    of_driver = await database.events_after([(driver.id, 0)])

    assert [event.type for event in of_rider] == [
        "ride.requested",
        "ride.assigned",
        "ride.driver_arrived",
    ]
    assert [event.seq for event in of_rider] == [1, 2, 3]
    assert [event.type for event in of_driver] == [
        "offer.made",
        "ride.assigned",
        "ride.driver_arrived",
    ]


async def test_one_key_books_one_ride_however_often_it_is_sent(
    client: httpx.AsyncClient, owner: asyncpg.Connection, rider: Person
) -> None:
    quote = await ask_price(client, rider)
    headers = rider.headers | {"Idempotency-Key": "book-once"}

    first = await client.post("/v1/rides", json={"quote_id": quote["id"]}, headers=headers)
    again = await client.post("/v1/rides", json={"quote_id": quote["id"]}, headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await owner.fetchval("select count(*) from ride") == 1


async def test_a_key_taken_for_something_else_is_refused(
    client: httpx.AsyncClient, rider: Person
) -> None:
    one, two = await ask_price(client, rider), await ask_price(client, rider)
    headers = rider.headers | {"Idempotency-Key": "only-one"}
    await client.post("/v1/rides", json={"quote_id": one["id"]}, headers=headers)

    other = await client.post("/v1/rides", json={"quote_id": two["id"]}, headers=headers)

    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")


async def test_a_refusal_is_answered_the_same_again_although_things_have_changed(
    client: httpx.AsyncClient, rider: Person, clock: StandingClock
) -> None:
    first_ride = await book(client, rider)
    quote = await ask_price(client, rider)
    headers = rider.headers | {"Idempotency-Key": "too-early"}
    refused = await client.post("/v1/rides", json={"quote_id": quote["id"]}, headers=headers)
    await take(client, rider, f"/v1/rides/{first_ride['id']}/cancel", reason="")

    again = await client.post("/v1/rides", json={"quote_id": quote["id"]}, headers=headers)

    assert (refused.status_code, slug(refused)) == (409, "open-ride-exists")
    assert (again.status_code, slug(again)) == (409, "open-ride-exists")


async def test_a_command_without_a_key_is_refused(client: httpx.AsyncClient, rider: Person) -> None:
    quote = await ask_price(client, rider)

    answer = await client.post("/v1/rides", json={"quote_id": quote["id"]}, headers=rider.headers)

    assert (answer.status_code, slug(answer)) == (400, "idempotency-key-missing")


async def test_an_expired_quote_is_refused_and_nothing_is_held(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, rider: Person
) -> None:
    quote = await ask_price(client, rider)
    clock.pass_time(120)

    answer = await take(client, rider, "/v1/rides", quote_id=quote["id"])

    assert (answer.status_code, slug(answer)) == (409, "quote-expired")
    assert await owner.fetchval("select count(*) from hold") == 0


async def test_a_quote_holds_until_the_last_moment(
    client: httpx.AsyncClient, clock: StandingClock, rider: Person
) -> None:
    quote = await ask_price(client, rider)
    clock.pass_time(119.999)

    answer = await take(client, rider, "/v1/rides", quote_id=quote["id"])

    assert answer.status_code == 201


async def test_a_quote_is_booked_once(client: httpx.AsyncClient, rider: Person) -> None:
    quote = await ask_price(client, rider)
    first = await take(client, rider, "/v1/rides", quote_id=quote["id"])
    await take(client, rider, f"/v1/rides/{first.json()['id']}/cancel", reason="")

    second = await take(client, rider, "/v1/rides", quote_id=quote["id"])

    assert (second.status_code, slug(second)) == (409, "quote-already-booked")


async def test_a_strangers_quote_cannot_be_booked(
    client: httpx.AsyncClient, owner: asyncpg.Connection, rider: Person
) -> None:
    stranger = await make_member(owner, now=FRIDAY_EVENING)
    quote = await ask_price(client, rider)

    answer = await take(client, stranger, "/v1/rides", quote_id=quote["id"])

    assert (answer.status_code, slug(answer)) == (404, "not-found")


async def test_nobody_owes_more_than_the_account_allows(
    client: httpx.AsyncClient, owner: asyncpg.Connection, rider: Person
) -> None:
    await owner.execute("update balance set posted_minor = lowest_minor + 100")
    quote = await ask_price(client, rider)

    answer = await take(client, rider, "/v1/rides", quote_id=quote["id"])

    assert (answer.status_code, slug(answer)) == (409, "credit-limit-reached")
    assert await owner.fetchval("select count(*) from ride") == 0


async def test_a_rider_cancels_until_the_ride_begins_and_the_money_is_let_go(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())

    answer = await take(client, rider, f"/v1/rides/{ride_id}/cancel", reason="the train came")

    assert answer.json()["state"] == "cancelled"
    ride = (await client.get(f"/v1/rides/{ride_id}", headers=driver.headers)).json()
    assert (ride["cancelled_by"], ride["reason"]) == ("rider", "the train came")
    assert (
        await owner.fetchval(
            "select held_minor from balance b join account a on a.id ="
            " b.account_id where a.member_id = $1 and a.kind = 'rider'",
            rider.id,
        )
        == 0
    )


async def test_a_ride_under_way_is_not_cancelled(
    app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, rider: Person, driver: Person
) -> None:
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    await take(client, driver, f"/v1/rides/{ride_id}/arrive")
    await take(client, driver, f"/v1/rides/{ride_id}/start")

    answer = await take(client, rider, f"/v1/rides/{ride_id}/cancel", reason="")

    assert (answer.status_code, slug(answer)) == (409, "wrong-ride-state")
    assert answer.json()["state"] == "under_way"


async def test_a_driver_who_withdraws_is_not_asked_again_and_another_one_is(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    other = await make_driver(owner, now=FRIDAY_EVENING)

    answer = await take(client, driver, f"/v1/rides/{ride_id}/withdraw", reason="a flat tyre")
    await stand(app, other, at=TRIESEN, now=clock.now())
    await app.state.dispatcher.run_once()

    assert answer.json()["state"] == "requested"
    offers = await owner.fetch("select driver_id from offer where state = 'open'")
    assert [row["driver_id"] for row in offers] == [other.id]


async def test_a_no_show_waits_for_the_free_waiting_time(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    await take(client, driver, f"/v1/rides/{ride_id}/arrive")
    clock.pass_time(179)
    early = await take(client, driver, f"/v1/rides/{ride_id}/no-show")
    clock.pass_time(1)

    late = await take(client, driver, f"/v1/rides/{ride_id}/no-show")

    assert (early.status_code, slug(early)) == (409, "too-early-for-no-show")
    assert late.json()["state"] == "no_show"
    assert late.json()["fee_minor"] == 1000
    settled = await owner.fetchrow("select kind, fare_minor, driver_net_minor from ride_settlement")
    assert tuple(settled or ()) == ("fee", 1000, 850)


async def test_a_ride_that_finds_nobody_in_time_ends_and_the_money_is_let_go(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    rider: Person,
) -> None:
    ride = await book(client, rider)
    clock.pass_time(599)
    assert await give_up_searches(database, now=clock.now()) == 0
    clock.pass_time(1)

    assert await give_up_searches(database, now=clock.now()) == 1

    shown = (await client.get(f"/v1/rides/{ride['id']}", headers=rider.headers)).json()
    assert shown["state"] == "no_driver"
    assert await owner.fetchval("select outcome from hold_end") == "voided"


@pytest.mark.parametrize("step", ["arrive", "start", "complete", "withdraw", "no-show", "cancel"])
async def test_a_strangers_ride_does_not_exist(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    step: str,
) -> None:
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    stranger = await make_driver(owner, now=FRIDAY_EVENING)

    body = {"reason": ""} if step in ("withdraw", "cancel") else {}
    answer = await take(client, stranger, f"/v1/rides/{ride_id}/{step}", **body)

    assert (answer.status_code, slug(answer)) == (404, "not-found")
    seen = await client.get(f"/v1/rides/{ride_id}", headers=stranger.headers)
    assert seen.status_code == 404


@pytest.mark.parametrize("step", ["start", "complete", "no-show"])
async def test_no_step_is_taken_out_of_order(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    step: str,
) -> None:
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())

    answer = await take(client, driver, f"/v1/rides/{ride_id}/{step}")

    assert (answer.status_code, slug(answer)) == (409, "wrong-ride-state")
    assert await owner.fetchval("select state from ride") == "assigned"


async def test_lists_are_paged_without_a_miss_or_a_double(
    client: httpx.AsyncClient, rider: Person
) -> None:
    booked = []
    for _ in range(5):
        ride = await book(client, rider)
        booked.append(ride["id"])
        await take(client, rider, f"/v1/rides/{ride['id']}/cancel", reason="")

    seen, cursor = [], None
    while True:
        more: dict[str, str] = {"cursor": cursor} if cursor else {}
        page = (
            await client.get("/v1/rides", params={"limit": 2, **more}, headers=rider.headers)
        ).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == booked[::-1]


async def test_each_member_reads_in_the_books_what_a_ride_cost_and_earned(
    app: FastAPI,
    client: httpx.AsyncClient,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    for step in ("arrive", "start"):
        await take(client, driver, f"/v1/rides/{ride_id}/{step}")
    done = (await take(client, driver, f"/v1/rides/{ride_id}/complete")).json()

    of_rider = (await client.get("/v1/me/account", headers=rider.headers)).json()
    of_driver = (await client.get("/v1/me/account", headers=driver.headers)).json()

    assert [line["amount_minor"] for line in of_rider["lines"]] == [-done["fare_minor"]]
    assert [line["amount_minor"] for line in of_driver["lines"]] == [
        done["fare_minor"],
        -done["commission_minor"],
    ]
    [earned] = [a for a in of_driver["accounts"] if a["kind"] == "driver"]
    assert earned["posted_minor"] == done["driver_net_minor"]
    assert all(line["subject_id"] == ride_id for line in of_driver["lines"])
