"""Idle drivers are told where to wait: one place each, with its reason, and no strings attached."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import asyncpg
import h3.api.basic_int as h3
import httpx
import orjson
import pytest
from fastapi import FastAPI

from app.dispatch.solver import Solver
from app.dispatch.words import GRAMMARS
from app.outlook.advisor import SETTLES, Advisor
from app.outlook.forecast import Guess
from app.outlook.sharing import LONGEST_DRIVE_S
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import BALZERS, TRIESEN, VADUZ, assigned_ride, book, offered, stand, take

# On the road between two villages.
BETWEEN = {"lat": 47.0907, "lng": 9.5216}


@pytest.fixture
async def driver(app: FastAPI, owner: asyncpg.Connection, clock: StandingClock) -> Person:
    """A driver who waits where hardly anybody asks."""
    driver = await make_driver(owner, now=FRIDAY_EVENING)
    await stand(app, driver, at=BETWEEN, now=clock.now())
    return driver


async def hint_of(client: httpx.AsyncClient, driver: Person, **headers: str) -> Any:
    answer = await client.get("/v1/me/hint", headers=driver.headers | headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told(owner: asyncpg.Connection, driver: Person) -> list[Any]:
    rows = await owner.fetch(
        "select data from event_log where stream_id = $1 and type = 'hint.given' order by seq",
        driver.id,
    )
    return [orjson.loads(row["data"]) for row in rows]


async def test_who_waits_where_nobody_asks_is_told_a_better_place_and_why(
    app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, driver: Person
) -> None:
    before = await hint_of(client, driver)
    given = await app.state.advisor.run_once()
    after = await hint_of(client, driver)

    hint = after["hint"]
    assert (before["advice"], before["hint"]) == ("stand_well", None)
    assert given == 1
    assert after["advice"] == "wait_there"
    assert 0 < hint["drive_s"] <= LONGEST_DRIVE_S
    assert hint["expected_requests"] > 0.5
    assert (hint["drivers_there"], hint["within_s"], hint["based_on"]) == (0, 1800, "city")
    assert hint["place"]["name"] in after["sentences"][0]
    guess, advice = after["sentences"][-2:]
    assert guess.startswith("That is still a guess for such a city")
    assert advice == "This is advice: following it or not has no effect on anything."
    assert 'meent_hints_total{based_on="city"}' in (await client.get("/metrics")).text


@pytest.mark.parametrize("language", list(GRAMMARS))
async def test_a_hint_is_told_in_the_language_that_is_asked_for(
    app: FastAPI, client: httpx.AsyncClient, driver: Person, language: str
) -> None:
    await app.state.advisor.run_once()
    answer = await client.get("/v1/me/hint", headers=driver.headers | {"Accept-Language": language})
    advice = {"en": "This is advice", "nl": "Dit is een advies", "fr": "C'est un conseil"}

    assert answer.headers["Content-Language"] == answer.json()["language"] == language
    assert answer.json()["sentences"][-1].startswith(advice[language])
    assert "{" not in answer.json()["sentence"]


async def test_a_hint_is_told_once_and_holds_until_it_could_be_followed(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    driver: Person,
) -> None:
    await app.state.advisor.run_once()
    first = await hint_of(client, driver)
    for _ in range(5):
        clock.pass_time(60)
        await stand(app, driver, at=BETWEEN, now=clock.now())
        await app.state.advisor.run_once()
    later = await hint_of(client, driver)
    clock.moment = datetime.fromisoformat(first["hint"]["good_until"])
    await stand(app, driver, at=BETWEEN, now=clock.now())
    over = await hint_of(client, driver)
    again = await app.state.advisor.run_once()

    assert later == first
    assert over["advice"] == "stand_well"
    # The same place once more is no news.
    assert again == 0
    assert (await hint_of(client, driver))["hint"]["place"] == first["hint"]["place"]
    # The event names no place: the log is kept.
    [event] = await told(owner, driver)
    until = FRIDAY_EVENING + timedelta(seconds=first["hint"]["drive_s"]) + SETTLES
    assert event == {"made_at": FRIDAY_EVENING.isoformat(), "good_until": until.isoformat()}


async def test_who_has_arrived_stands_well(
    app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, driver: Person
) -> None:
    await app.state.advisor.run_once()
    place = (await hint_of(client, driver))["hint"]["place"]
    clock.pass_time(600)
    await stand(app, driver, at=place, now=clock.now())

    there = await hint_of(client, driver)

    assert (there["advice"], there["hint"]) == ("stand_well", None)
    assert there["sentence"].startswith("You stand well where you are")


async def test_who_has_a_ride_gets_no_hint_and_loses_the_old_one(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    driver: Person,
) -> None:
    await app.state.advisor.run_once()
    rider = await make_member(owner, now=FRIDAY_EVENING)
    await book(client, rider, pickup=VADUZ, dropoff=BALZERS)
    offer = await offered(app, client, driver)
    while_asked = await hint_of(client, driver)
    await take(client, driver, f"/v1/offers/{offer['id']}/accept")

    busy = await hint_of(client, driver)
    given = await app.state.advisor.run_once()

    assert while_asked["advice"] == "wait_there"
    assert (busy["advice"], busy["hint"]) == ("has_ride", None)
    assert given == 0
    assert await owner.fetchval("select count(*) from waiting_hint") == 0


@pytest.mark.parametrize("reason", ["off shift", "silent", "papers over"])
async def test_nobody_is_told_anything_who_could_not_be_asked_for_a_ride(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    driver: Person,
    reason: str,
) -> None:
    match reason:
        case "off shift":
            await take(client, driver, "/v1/shifts/current/end")
        case "silent":
            clock.pass_time(31)
        case "papers over":
            await owner.execute("update document set expires_on = '2026-01-01'")

    assert await app.state.advisor.run_once() == 0
    assert (await hint_of(client, driver))["advice"] == (
        "off_shift" if reason == "off shift" else "stand_well"
    )


async def test_a_hint_is_forgotten_when_the_shift_ends(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, driver: Person
) -> None:
    await app.state.advisor.run_once()
    await take(client, driver, "/v1/shifts/current/end")
    told_off = await hint_of(client, driver)
    await app.state.advisor.run_once()

    assert told_off["advice"] == "off_shift"
    assert await owner.fetchval("select count(*) from waiting_hint") == 0


async def test_a_hint_is_for_drivers_alone_and_each_sees_their_own(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, driver: Person
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    other = await make_driver(owner, now=FRIDAY_EVENING)
    await app.state.advisor.run_once()

    assert (await client.get("/v1/me/hint")).status_code == 401
    assert (await client.get("/v1/me/hint", headers=rider.headers)).status_code == 403
    assert (await hint_of(client, other))["hint"] is None


async def test_drivers_who_wait_together_are_shared_out(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    for _ in range(25):
        one = await make_driver(owner, now=FRIDAY_EVENING)
        await stand(app, one, at=VADUZ, now=clock.now())
    # Three rounds: who was sent before counts in the next.
    for _ in range(3):
        await app.state.advisor.run_once()
        one = await make_driver(owner, now=FRIDAY_EVENING)
        await stand(app, one, at=VADUZ, now=clock.now())
    rows = await owner.fetch("select cell, expected_requests, drive_s from waiting_hint")

    sent = Counter(row["cell"] for row in rows)
    expected = {row["cell"]: row["expected_requests"] for row in rows}
    assert len(rows) > 5
    assert len(sent) > 3
    assert all(sent[cell] <= ceil(expected[cell]) + 1 for cell in sent)
    assert all(0 < row["drive_s"] <= LONGEST_DRIVE_S for row in rows)


async def test_who_was_sent_there_and_who_ends_a_ride_there_are_counted(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    # Riders ask in the middle of Vaduz and nowhere else.
    app.state.advisor._guess = Guess({h3.latlng_to_cell(*VADUZ.values(), 8): 1.0}, 10.0)
    counted = []
    for number in range(3):
        if number == 2:
            busy = await make_driver(owner, now=FRIDAY_EVENING)
            rider = await make_member(owner, now=FRIDAY_EVENING)
            await stand(app, busy, at=BALZERS, now=clock.now())
            await book(client, rider, pickup=BALZERS, dropoff=VADUZ)
            offer = await offered(app, client, busy)
            await take(client, busy, f"/v1/offers/{offer['id']}/accept")
        waits = await make_driver(owner, now=FRIDAY_EVENING)
        await stand(app, waits, at=TRIESEN, now=clock.now())
        await app.state.advisor.run_once()
        counted.append((await hint_of(client, waits))["hint"]["drivers_there"])

    assert counted == [0, 1, 3]


async def test_two_programs_on_one_database_tell_a_driver_one_place(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    driver: Person,
) -> None:
    state = app.state
    another = Advisor(
        database=state.database,
        clock=clock,
        roads=state.roads,
        positions=state.positions,
        solver=state.solver,
        city=state.city,
        places=state.places,
    )
    # Elsewhere riders are expected somewhere else.
    another._guess = Guess({h3.latlng_to_cell(*BALZERS.values(), 8): 1.0}, 30.0)

    given = await asyncio.gather(state.advisor.run_once(), another.run_once())

    assert sorted(given) == [0, 1]
    assert len(await told(owner, driver)) == 1
    assert (await hint_of(client, driver))["advice"] == "wait_there"


async def test_where_there_is_no_time_to_share_out_nobody_is_told_anything(
    app: FastAPI, client: httpx.AsyncClient, driver: Person
) -> None:
    with Solver(deadline_s=1e-6) as hurried:
        app.state.advisor._solver = hurried

        assert await app.state.advisor.run_once() == 0

    assert (await hint_of(client, driver))["advice"] == "stand_well"


@asynccontextmanager
async def _hints_locked_away(owner: asyncpg.Connection) -> AsyncIterator[None]:
    """The program's role may not even read the hints."""
    await owner.execute("revoke all on waiting_hint from meent_app")
    try:
        yield
    finally:
        await owner.execute("grant select, insert, update, delete on waiting_hint to meent_app")


async def test_dispatch_offers_and_pays_without_a_look_at_the_hints(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    driver: Person,
) -> None:
    await app.state.advisor.run_once()
    rider = await make_member(owner, now=FRIDAY_EVENING)
    assert (await hint_of(client, driver))["hint"] is not None

    async with _hints_locked_away(owner):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.state.advisor.run_once()
        ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
        for step in ("arrive", "start", "complete"):
            answer = await take(client, driver, f"/v1/rides/{ride_id}/{step}")
            assert answer.status_code == 200, answer.text
