"""A shift is begun with valid papers and a car of one's own, and never ends under a rider."""

from datetime import date
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.foundation.ids import new_id
from app.rides.lifecycle import DRIVING_STATES, RideState
from tests.conftest import StandingClock
from tests.factories import Person, make_driver, make_member


async def start(client: httpx.AsyncClient, driver: Person, **body: Any) -> httpx.Response:
    return await client.post("/v1/shifts", headers=driver.act, json=body)


async def end(client: httpx.AsyncClient, driver: Person) -> httpx.Response:
    return await client.post("/v1/shifts/current/end", headers=driver.act)


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def events(owner: asyncpg.Connection, driver: Person) -> list[str]:
    rows = await owner.fetch(
        "select type from event_log where stream_id = $1 order by seq", driver.id
    )
    return [row["type"] for row in rows]


async def test_a_shift_begins_and_ends_and_both_are_told(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=clock.now(), on_shift=False)
    begun = await start(client, driver)
    assert begun.status_code == 201, begun.text
    assert begun.json()["vehicle_id"] == str(driver.vehicle_id)
    assert begun.json()["started_at"] == "2026-05-22T15:00:00+00:00"
    current = await client.get("/v1/shifts/current", headers=driver.headers)
    assert (current.status_code, current.json()) == (200, begun.json())
    clock.pass_time(60)
    ended = await end(client, driver)
    assert ended.status_code == 200
    assert ended.json() == begun.json() | {"ended_at": "2026-05-22T15:01:00+00:00"}
    assert await events(owner, driver) == ["shift.started", "shift.ended"]
    gone = await client.get("/v1/shifts/current", headers=driver.headers)
    assert problem(gone) == (409, "no-open-shift")


async def test_without_a_body_the_newest_car_is_taken(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=clock.now(), on_shift=False)
    newer = new_id()
    await owner.execute(
        "insert into vehicle select $1, member_id, application_id, make, model, colour, 'FL 2',"
        " seats"
        " from vehicle where id = $2",
        newer,
        driver.vehicle_id,
    )
    begun = await client.post("/v1/shifts", headers=driver.act)
    assert begun.json()["vehicle_id"] == str(newer)
    await end(client, driver)
    older = await start(client, driver, vehicle_id=str(driver.vehicle_id))
    assert older.json()["vehicle_id"] == str(driver.vehicle_id)


async def test_somebody_elses_car_is_no_car(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=clock.now(), on_shift=False)
    other = await make_driver(owner, now=clock.now(), on_shift=False)
    refused = await start(client, driver, vehicle_id=str(other.vehicle_id))
    assert problem(refused) == (409, "no-such-vehicle")
    assert await events(owner, driver) == []


async def test_a_second_shift_is_refused_while_one_is_open(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=clock.now())
    assert problem(await start(client, driver)) == (409, "shift-already-open")
    assert await owner.fetchval("select count(*) from shift") == 1


async def test_papers_hold_until_the_end_of_their_last_day_where_the_cooperative_is(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(
        owner, now=clock.now(), on_shift=False, papers_until=date(2026, 5, 22)
    )
    clock.pass_time(6 * 3600 + 3599)  # 21:59:59 UTC is one second before midnight in Vaduz
    assert (await start(client, driver)).status_code == 201
    await end(client, driver)
    clock.pass_time(1)
    refused = await start(client, driver)
    assert problem(refused) == (409, "driver-document-expired")
    assert await owner.fetchval("select count(*) from shift where ended_at is null") == 0


@pytest.mark.parametrize("state", list(RideState))
async def test_a_shift_does_not_end_under_a_rider(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, state: RideState
) -> None:
    driver, rider = (
        await make_driver(owner, now=clock.now()),
        await make_member(owner, now=clock.now()),
    )
    await owner.execute("set session_replication_role = replica")
    await owner.execute(
        "insert into ride (id, rider_id, driver_id, quote_id, hold_id, state, requested_at,"
        " search_until, pickup_from, pickup_until, ended_at, cancelled_by)"
        " values ($1, $2, $3, $4, $5, $6::text, $7, $7, $7, $7::timestamptz + interval '10 min',"
        " case when $6 in ('completed', 'cancelled', 'no_driver', 'no_show')"
        "   then $7::timestamptz end, case when $6 = 'cancelled' then 'rider' end)",
        new_id(),
        rider.id,
        driver.id,
        new_id(),
        new_id(),
        str(state),
        clock.now(),
    )
    await owner.execute("set session_replication_role = origin")
    answer = await end(client, driver)
    if state in DRIVING_STATES:
        assert problem(answer) == (409, "ride-under-way")
        assert await events(owner, driver) == []
    else:
        assert answer.status_code == 200, answer.text


async def test_off_duty_means_not_followed(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=clock.now(), on_shift=False)
    positions, database = app.state.positions, app.state.database

    def report() -> str:
        clock.pass_time(2)
        return str(
            positions.report(driver.id, lat=47.14, lng=9.52, device_at=clock.now(), now=clock.now())
        )

    assert report() == "off_shift"
    await start(client, driver)
    assert report() == "accepted"
    await positions.flush(database)
    assert await owner.fetchval("select count(*) from driver_position") == 1
    await end(client, driver)
    assert await owner.fetchval("select count(*) from driver_position") == 0
    assert report() == "off_shift"
    assert positions.find(driver.id) is None
    assert positions.fresh([driver.id], now=clock.now()).ids == ()
    await positions.keep(database, now=clock.now())
    assert await owner.fetchval("select count(*) from driver_position") == 0


async def test_a_repeated_start_answers_the_same_and_does_not_follow_a_driver_who_ended_it(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=clock.now(), on_shift=False)
    key = driver.act
    first = await client.post("/v1/shifts", headers=key, json={})
    await end(client, driver)
    again = await client.post("/v1/shifts", headers=key, json={})
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert driver.id not in app.state.positions._on_shift


async def test_shifts_are_for_drivers(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    rider = await make_member(owner, now=clock.now())
    assert problem(await start(client, rider)) == (403, "role-missing")
    assert problem(await end(client, rider)) == (403, "role-missing")
    current = await client.get("/v1/shifts/current", headers=rider.headers)
    assert problem(current) == (403, "role-missing")


async def test_who_is_not_on_shift_cannot_end_one(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    driver = await make_driver(owner, now=clock.now(), on_shift=False)
    assert problem(await end(client, driver)) == (409, "no-open-shift")


@pytest.mark.parametrize("body", [{"vehicle_id": "1"}, {"car": "green"}, [], "x"])
async def test_a_request_of_the_wrong_form_is_refused(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, body: Any
) -> None:
    driver = await make_driver(owner, now=clock.now(), on_shift=False)
    answer = await client.post("/v1/shifts", headers=driver.act, json=body)
    assert problem(answer) == (422, "invalid-request")
