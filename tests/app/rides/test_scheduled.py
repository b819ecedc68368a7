"""A ride is booked ahead for a window, reminded of once, and looked for when its time is near."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.audit.report import audit
from app.foundation.database import Database
from app.rides import scheduled
from app.rides.service import give_up_searches
from matching.replay.day import Rules
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import BALZERS, VADUZ, ask_price, book, slug, stand, take

MINUTE = timedelta(minutes=1)
AT_SIX = FRIDAY_EVENING + timedelta(hours=3)


@pytest.fixture
async def rider(owner: asyncpg.Connection) -> Person:
    # What ten long rides cost may be owed.
    rider = await make_member(owner, now=FRIDAY_EVENING)
    await owner.execute("update balance set lowest_minor = -1000000")
    return rider


async def released(database: Database, clock: StandingClock, *, at: datetime) -> None:
    """The clock stands at `at`, and the schedule's worker has done its round."""
    clock.moment = at
    await scheduled.keep_schedule(database, now=at)


async def state_of(client: httpx.AsyncClient, rider: Person, ride: Any) -> str:
    answer = await client.get(f"/v1/rides/{ride['id']}", headers=rider.headers)
    return str(answer.json()["state"])


async def heard(database: Database, person: Person) -> list[str]:
    return [event.type for event in await database.events_after([(person.id, 0)])]


async def held_minor(owner: asyncpg.Connection, rider: Person) -> int:
    return int(
        await owner.fetchval(
            "select held_minor from balance b join account a on a.id = b.account_id"
            " where a.member_id = $1 and a.kind = 'rider'",
            rider.id,
        )
    )


def test_a_replay_keeps_the_times_of_the_live_city() -> None:
    rules = Rules()

    assert scheduled.WINDOW.total_seconds() == rules.pickup_window_s
    assert scheduled.SEARCH_AHEAD.total_seconds() == rules.search_ahead_s


async def test_a_price_for_later_is_locked_with_its_moment_and_promises_no_near_driver(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, rider: Person
) -> None:
    driver = await make_driver(owner, now=FRIDAY_EVENING)
    await owner.execute(
        "insert into driver_position (driver_id, lat, lng, at) values ($1, $2, $3, $4)",
        driver.id,
        VADUZ["lat"],
        VADUZ["lng"],
        FRIDAY_EVENING,
    )

    later = await ask_price(client, rider, pickup_at=AT_SIX)
    now = await ask_price(client, rider)

    assert datetime.fromisoformat(later["pickup_at"]) == AT_SIX
    assert (now["pickup_at"], now["pickup_eta_s"] is None) == (None, False)
    assert later["pickup_eta_s"] is None
    assert later["policy_version_id"] == now["policy_version_id"]


@pytest.fixture
def rush_hour_at_six(app: FastAPI) -> Iterator[None]:
    """Driving takes twice as long on Fridays at eight in the evening, which is six in UTC."""
    roads = app.state.roads
    before = roads.calibration
    hours = [1.0] * 168
    hours[4 * 24 + 20] = 2.0
    roads.calibrate(replace(before, hour_of_week=tuple(hours)))
    yield
    roads.calibrate(before)


@pytest.mark.usefixtures("rush_hour_at_six")
async def test_a_price_for_later_rests_on_that_hours_travel_times(
    client: httpx.AsyncClient, rider: Person
) -> None:
    now = await ask_price(client, rider)
    later = await ask_price(client, rider, pickup_at=AT_SIX)

    assert later["distance_m"] == now["distance_m"]
    assert later["duration_s"] > 1.5 * now["duration_s"]
    assert later["fare_minor"] > now["fare_minor"]


@pytest.mark.parametrize(
    ("ahead", "status"),
    [
        (timedelta(minutes=-5), 422),
        (timedelta(minutes=30) - timedelta(seconds=1), 422),
        (timedelta(minutes=30), 201),
        (timedelta(days=30), 201),
        (timedelta(days=30, seconds=1), 422),
    ],
)
async def test_a_ride_is_booked_from_half_an_hour_to_thirty_days_ahead(
    client: httpx.AsyncClient, rider: Person, ahead: timedelta, status: int
) -> None:
    body = {
        "pickup": VADUZ,
        "dropoff": BALZERS,
        "pickup_at": (FRIDAY_EVENING + ahead).isoformat(),
    }

    answer = await client.post("/v1/quotes", json=body, headers=rider.act)

    assert answer.status_code == status, answer.text
    if status == 422:
        assert slug(answer) == "pickup-time-not-bookable"
        assert answer.json()["earliest"] == (FRIDAY_EVENING + 30 * MINUTE).isoformat()


async def test_a_moment_without_a_zone_could_mean_any_hour_and_is_refused(
    client: httpx.AsyncClient, rider: Person
) -> None:
    body = {"pickup": VADUZ, "dropoff": BALZERS, "pickup_at": "2026-05-22T18:00:00"}

    answer = await client.post("/v1/quotes", json=body, headers=rider.act)

    assert (answer.status_code, slug(answer)) == (422, "invalid-request")


async def test_a_booked_ride_has_a_window_holds_its_fare_and_nobody_looks_for_a_driver(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    rider: Person,
) -> None:
    driver = await make_driver(owner, now=FRIDAY_EVENING)
    await stand(app, driver, now=clock.now())

    ride = await book(client, rider, pickup_at=AT_SIX)
    tick = await app.state.dispatcher.run_once()

    assert ride["state"] == "scheduled"
    assert datetime.fromisoformat(ride["pickup_from"]) == AT_SIX
    assert datetime.fromisoformat(ride["pickup_until"]) == AT_SIX + 10 * MINUTE
    assert await held_minor(owner, rider) == ride["fare_minor"]
    assert tick.riders == 0
    assert await heard(database, rider) == ["ride.scheduled"]


async def test_a_rider_takes_a_ride_now_beside_the_rides_booked_ahead(
    client: httpx.AsyncClient, rider: Person
) -> None:
    await book(client, rider, pickup_at=AT_SIX)
    await book(client, rider, pickup_at=AT_SIX + timedelta(hours=1))

    ride = await book(client, rider)

    assert ride["state"] == "requested"


@pytest.mark.parametrize(
    ("minutes_after", "status"), [(-9, 409), (0, 409), (9, 409), (-10, 201), (10, 201)]
)
async def test_two_windows_of_one_rider_never_overlap(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    rider: Person,
    minutes_after: int,
    status: int,
) -> None:
    first = await book(client, rider, pickup_at=AT_SIX)
    quote = await ask_price(client, rider, pickup_at=AT_SIX + minutes_after * MINUTE)

    answer = await take(client, rider, "/v1/rides", quote_id=quote["id"])

    assert answer.status_code == status, answer.text
    if status == 409:
        assert slug(answer) == "ride-booked-for-then"
        assert answer.json()["ride_id"] == first["id"]
        assert await held_minor(owner, rider) == first["fare_minor"]


async def test_a_cancelled_ride_makes_room_for_another_at_that_time(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database, rider: Person
) -> None:
    first = await book(client, rider, pickup_at=AT_SIX)

    cancelled = await take(client, rider, f"/v1/rides/{first['id']}/cancel", reason="the train")

    assert cancelled.json()["state"] == "cancelled"
    assert await held_minor(owner, rider) == 0
    assert await heard(database, rider) == ["ride.scheduled", "ride.cancelled"]
    assert (await book(client, rider, pickup_at=AT_SIX))["state"] == "scheduled"


async def test_of_five_bookings_for_one_time_at_once_one_stands(
    client: httpx.AsyncClient, owner: asyncpg.Connection, rider: Person
) -> None:
    quotes = [await ask_price(client, rider, pickup_at=AT_SIX + n * MINUTE) for n in range(5)]

    answers = await asyncio.gather(
        *(take(client, rider, "/v1/rides", quote_id=quote["id"]) for quote in quotes)
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert await owner.fetchval("select count(*) from hold") == 1


async def test_nobody_books_more_rides_ahead_than_one_member_may_not_even_at_once(
    client: httpx.AsyncClient, owner: asyncpg.Connection, rider: Person
) -> None:
    most = scheduled.MOST_SCHEDULED
    quotes = [
        await ask_price(client, rider, pickup_at=AT_SIX + timedelta(hours=n))
        for n in range(most + 3)
    ]

    answers = await asyncio.gather(
        *(take(client, rider, "/v1/rides", quote_id=quote["id"]) for quote in quotes)
    )

    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] * most + [409] * 3
    refused = [slug(answer) for answer in answers if answer.status_code == 409]
    assert refused == ["too-many-scheduled-rides"] * 3
    assert await owner.fetchval("select count(*) from ride") == most


async def test_the_rider_is_reminded_once_half_an_hour_before_by_whichever_process_is_first(
    client: httpx.AsyncClient, database: Database, rider: Person
) -> None:
    ride = await book(client, rider, pickup_at=AT_SIX)
    early, due = AT_SIX - 31 * MINUTE, AT_SIX - 30 * MINUTE
    assert await scheduled.remind(database, now=early) == 0

    told = await asyncio.gather(*(scheduled.remind(database, now=due) for _ in range(4)))
    again = await scheduled.remind(database, now=due + MINUTE)

    assert (sum(told), again) == (1, 0)
    events = await database.events_after([(rider.id, 0)])
    assert [event.type for event in events] == ["ride.scheduled", "ride.reminder"]
    assert events[-1].data["ride_id"] == ride["id"]
    assert datetime.fromisoformat(events[-1].data["pickup_from"]) == AT_SIX


async def test_a_cancelled_ride_is_not_reminded_of(
    client: httpx.AsyncClient, database: Database, rider: Person
) -> None:
    ride = await book(client, rider, pickup_at=AT_SIX)
    await take(client, rider, f"/v1/rides/{ride['id']}/cancel", reason="")

    assert await scheduled.remind(database, now=AT_SIX - 20 * MINUTE) == 0


async def test_of_many_workers_at_once_one_begins_the_search(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database
) -> None:
    for _ in range(5):
        await book(client, await make_member(owner, now=FRIDAY_EVENING), pickup_at=AT_SIX)
    early, due = AT_SIX - 15 * MINUTE - timedelta(seconds=1), AT_SIX - 15 * MINUTE
    assert await scheduled.release(database, now=early) == 0

    begun = await asyncio.gather(*(scheduled.release(database, now=due) for _ in range(4)))

    assert sum(begun) == 5
    events = "select count(*) from event_log e join ride r on r.id = e.stream_id where e.type = $1"
    assert await owner.fetchval(events, "ride.search_began") == 5
    rides = await owner.fetch("select state, search_until from ride")
    assert {tuple(ride) for ride in rides} == {("requested", AT_SIX + 10 * MINUTE)}


async def test_what_stops_between_two_steps_is_taken_up_by_the_next_round(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database, rider: Person
) -> None:
    """A process that dies in the middle of a step is a transaction that never commits."""
    await book(client, rider, pickup_at=AT_SIX)
    due = AT_SIX - 15 * MINUTE

    for step in (scheduled.remind, scheduled.release):
        cut_short = asyncio.create_task(step(database, now=due))
        for _ in range(3):
            await asyncio.sleep(0)
        cut_short.cancel()
        await asyncio.gather(cut_short, return_exceptions=True)
    await scheduled.keep_schedule(database, now=due)
    await scheduled.keep_schedule(database, now=due)

    told = ["ride.scheduled", "ride.reminder", "ride.search_began"]
    assert await heard(database, rider) == told
    assert (await audit(owner)).violations == 0


async def test_a_search_begins_when_the_riders_other_ride_is_over(
    client: httpx.AsyncClient, database: Database, clock: StandingClock, rider: Person
) -> None:
    ahead = await book(client, rider, pickup_at=AT_SIX)
    clock.moment = AT_SIX - 16 * MINUTE
    other = await book(client, rider)

    await released(database, clock, at=AT_SIX - 14 * MINUTE)
    waits = await state_of(client, rider, ahead)
    await take(client, rider, f"/v1/rides/{other['id']}/cancel", reason="")
    await released(database, clock, at=AT_SIX - 13 * MINUTE)

    assert (waits, await state_of(client, rider, ahead)) == ("scheduled", "requested")


async def test_a_ride_booked_for_now_at_the_moment_of_release_leaves_one_open_ride(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database, clock: StandingClock
) -> None:
    for _ in range(10):
        rider = await make_member(owner, now=FRIDAY_EVENING)
        clock.moment = FRIDAY_EVENING
        await book(client, rider, pickup_at=AT_SIX)
        clock.moment = AT_SIX - 14 * MINUTE
        quote = await ask_price(client, rider)

        answer, _ = await asyncio.gather(
            take(client, rider, "/v1/rides", quote_id=quote["id"]),
            scheduled.release(database, now=clock.now()),
        )

        states = await owner.fetch("select state from ride where rider_id = $1", rider.id)
        both = {200: [], 201: ["requested", "scheduled"], 409: ["requested"]}[answer.status_code]
        assert sorted(row["state"] for row in states) == both


async def test_a_window_that_closes_under_another_ride_is_cancelled_and_the_money_is_let_go(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    rider: Person,
) -> None:
    ahead = await book(client, rider, pickup_at=AT_SIX)
    clock.moment = AT_SIX - 16 * MINUTE
    other = await book(client, rider)
    await released(database, clock, at=AT_SIX + 10 * MINUTE - timedelta(seconds=1))
    assert await state_of(client, rider, ahead) == "scheduled"

    await released(database, clock, at=AT_SIX + 10 * MINUTE)

    shown = (await client.get(f"/v1/rides/{ahead['id']}", headers=rider.headers)).json()
    assert (shown["state"], shown["cancelled_by"]) == ("cancelled", "platform")
    assert "window closed" in shown["reason"]
    assert await held_minor(owner, rider) == other["fare_minor"]
    assert (await audit(owner)).violations == 0


async def test_a_search_that_finds_nobody_ends_with_the_pickup_window(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    rider: Person,
) -> None:
    ride = await book(client, rider, pickup_at=AT_SIX)
    await released(database, clock, at=AT_SIX - 15 * MINUTE)

    almost = await give_up_searches(database, now=AT_SIX + 10 * MINUTE - timedelta(seconds=1))
    over = await give_up_searches(database, now=AT_SIX + 10 * MINUTE)

    assert (almost, over) == (0, 1)
    clock.moment = AT_SIX + 10 * MINUTE
    assert await state_of(client, rider, ride) == "no_driver"
    assert await held_minor(owner, rider) == 0
