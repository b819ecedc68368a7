"""Each offer, and each round without one, is explained to the driver concerned alone."""

import asyncio
import json
from datetime import timedelta
from subprocess import CompletedProcess
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.dispatch import service
from app.dispatch.schemas import RoundExplanationView
from app.dispatch.solver import MOST_QUESTIONS, Solver
from app.foundation.database import Database
from app.foundation.problems import TooManyRequests
from app.main import _workers
from matching.passed_over import PassedOver
from matching.record import unpack
from tests.app.commands import meent, new_home
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import BALZERS, TRIESEN, VADUZ, book, offered, slug, stand, take


@pytest.fixture
async def rider(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def near(owner: asyncpg.Connection) -> Person:
    return await make_driver(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def far(owner: asyncpg.Connection) -> Person:
    return await make_driver(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def offer(
    app: FastAPI,
    client: httpx.AsyncClient,
    clock: StandingClock,
    rider: Person,
    near: Person,
    far: Person,
) -> dict[str, Any]:
    """One rider in Vaduz; the driver there is asked, the one in Triesen is not."""
    await book(client, rider, pickup=VADUZ, dropoff=BALZERS)
    await stand(app, near, at=VADUZ, now=clock.now())
    await stand(app, far, at=TRIESEN, now=clock.now())
    return await offered(app, client, near)


async def explained(
    client: httpx.AsyncClient, driver: Person, path: str, *, accept: str | None = None
) -> httpx.Response:
    headers = driver.headers | ({"Accept-Language": accept} if accept else {})
    return await client.get(path, headers=headers)


async def rounds_of(client: httpx.AsyncClient, driver: Person, **page: Any) -> Any:
    answer = await client.get("/v1/me/rounds", params=page, headers=driver.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_offer_tells_every_term_the_prices_and_the_versions(
    client: httpx.AsyncClient, owner: asyncpg.Connection, near: Person, offer: dict[str, Any]
) -> None:
    why = (await explained(client, near, f"/v1/offers/{offer['id']}/explanation")).json()

    assert {term["name"]: term["label"] for term in why["terms"]}["pickup"] == (
        "the drive to the pickup"
    )
    assert sum(term["cost_s"] for term in why["terms"]) == pytest.approx(why["cost_s"])
    assert why["solver"]
    assert why["solver_version"]
    assert why["program_version"]
    assert why["weights"]["max_pickup_s"] == 1200
    in_force = await owner.fetchval("select id from policy_version where key = 'offer_time_s'")
    used = {policy["key"]: policy for policy in why["policies"]}
    assert used["offer_time_s"]["version_id"] == str(in_force)
    assert used["offer_time_s"]["value"] == 15


@pytest.mark.parametrize(
    ("accept", "language", "words"),
    [
        (None, "en", "2 drivers were near enough"),
        ("nl-BE, en;q=0.5", "nl", "2 chauffeurs waren dichtbij genoeg"),
        ("fr", "fr", "2 chauffeurs, dont vous, étaient assez proches"),
    ],
)
async def test_a_driver_reads_the_reason_in_the_language_asked_for(
    client: httpx.AsyncClient,
    near: Person,
    offer: dict[str, Any],
    accept: str | None,
    language: str,
    words: str,
) -> None:
    path = f"/v1/offers/{offer['id']}/explanation"
    answer = await explained(client, near, path, accept=accept)

    assert answer.headers["content-language"] == language == answer.json()["language"]
    assert "Accept-Language" in answer.headers["vary"]
    assert words in answer.json()["sentence"]


async def test_a_driver_who_asks_for_no_language_reads_their_own(
    client: httpx.AsyncClient, owner: asyncpg.Connection, near: Person, offer: dict[str, Any]
) -> None:
    await owner.execute("update member set language = 'fr-BE' where id = $1", near.id)

    answer = await explained(client, near, f"/v1/offers/{offer['id']}/explanation")

    assert answer.headers["content-language"] == "fr"


async def test_an_offer_of_an_earlier_release_is_still_explained(
    client: httpx.AsyncClient, owner: asyncpg.Connection, near: Person, offer: dict[str, Any]
) -> None:
    await owner.execute(
        "update offer set explanation = explanation - array['rider_price_s', 'driver_price_s',"
        " 'gap', 'program_version', 'weights', 'policies']"
    )

    answer = await explained(client, near, f"/v1/offers/{offer['id']}/explanation")

    assert answer.status_code == 200
    assert answer.json()["policies"] == []


async def test_what_a_round_decided_from_replays_to_the_same_result(
    owner: asyncpg.Connection, offer: dict[str, Any], near: Person
) -> None:
    row = await owner.fetchrow(
        "select i.record, t.objective_ds from dispatch_input i"
        " join dispatch_tick t on t.id = i.tick_id join offer o on o.tick_id = t.id"
        " where o.id = $1",
        offer["id"],
    )

    record = unpack(row["record"])
    again = record.replay()

    assert record.agrees_with(again)
    assert again.objective_ds == row["objective_ds"]
    [pairing] = again.pairings
    assert record.problem.supply.ids[pairing.driver] == near.id
    assert str(record.problem.demand.ids[pairing.rider]) == offer["ride_id"]


async def test_no_place_is_stored_with_a_round(
    owner: asyncpg.Connection, offer: dict[str, Any]
) -> None:
    record = unpack(await owner.fetchval("select record from dispatch_input"))

    assert not record.problem.demand.lat.any()
    assert not record.problem.supply.lng.any()


async def test_a_driver_passed_over_learns_why_and_what_it_would_have_cost(
    client: httpx.AsyncClient, far: Person, offer: dict[str, Any]
) -> None:
    [seen] = (await rounds_of(client, far))["items"]
    why = (await explained(client, far, f"/v1/me/rounds/{seen['tick_id']}")).json()

    assert (seen["riders"], seen["drivers"], seen["offers"]) == (1, 2, 1)
    assert (why["why"], why["rank"], why["candidates"]) == ("needed_nowhere", 2, 2)
    assert why["riders_in_reach"] == 1
    assert why["extra_s"] == pytest.approx(why["cost_s"] - why["chosen_cost_s"])
    assert why["pickup_s"] > why["chosen_pickup_s"]
    assert sum(term["cost_s"] for term in why["terms"]) == pytest.approx(why["cost_s"])
    assert "others were nearer than you" in why["sentence"]


@pytest.mark.parametrize(("accept", "words"), [("nl", "dichterbij dan jij"), ("fr", "que vous")])
async def test_a_round_is_told_in_the_language_asked_for(
    client: httpx.AsyncClient, far: Person, offer: dict[str, Any], accept: str, words: str
) -> None:
    [seen] = (await rounds_of(client, far))["items"]

    answer = await explained(client, far, f"/v1/me/rounds/{seen['tick_id']}", accept=accept)

    assert answer.headers["content-language"] == accept
    assert words in answer.json()["sentence"]


async def test_a_round_names_no_other_person_and_no_place(
    client: httpx.AsyncClient, rider: Person, near: Person, far: Person, offer: dict[str, Any]
) -> None:
    [seen] = (await rounds_of(client, far))["items"]
    answer = await explained(client, far, f"/v1/me/rounds/{seen['tick_id']}")
    told = answer.text

    assert set(answer.json()) == set(RoundExplanationView.model_fields)
    for secret in (rider.id, near.id, offer["id"], offer["ride_id"], near.phone, rider.phone):
        assert str(secret) not in told
    for place in (VADUZ, TRIESEN):
        assert str(place["lat"])[:5] not in told
    assert not {"lat", "lng", "cell"} & set(RoundExplanationView.model_fields)


async def test_a_round_is_shown_to_nobody_whom_it_did_not_pass_over(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    rider: Person,
    near: Person,
    far: Person,
    offer: dict[str, Any],
) -> None:
    [seen] = (await rounds_of(client, far))["items"]
    path = f"/v1/me/rounds/{seen['tick_id']}"
    absent = path[:-4] + ("0000" if not path.endswith("0000") else "1111")
    elsewhere = await make_driver(owner, now=FRIDAY_EVENING)

    assert (await rounds_of(client, near))["items"] == []
    for person, asked in ((near, path), (elsewhere, path), (far, absent)):
        answer = await explained(client, person, asked)
        assert (answer.status_code, slug(answer)) == (404, "not-found")
    no_driver = await explained(client, rider, path)
    assert (no_driver.status_code, slug(no_driver)) == (403, "role-missing")


async def test_who_declined_the_only_ride_is_told_that_nobody_is_asked_twice(
    app: FastAPI, client: httpx.AsyncClient, near: Person, far: Person, offer: dict[str, Any]
) -> None:
    await take(client, near, f"/v1/offers/{offer['id']}/decline")

    await app.state.dispatcher.run_once()

    [seen] = (await rounds_of(client, near))["items"]
    why = (await explained(client, near, f"/v1/me/rounds/{seen['tick_id']}")).json()
    assert (why["why"], why["rank"], why["cost_s"]) == ("declined_before", None, None)


async def test_rounds_come_in_pages_without_a_gap_or_a_double(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    far: Person,
    offer: dict[str, Any],
) -> None:
    first = await owner.fetchrow("select * from dispatch_input")
    await owner.execute(
        "insert into dispatch_tick select uuidv7(), at + n * interval '2 s', riders, drivers,"
        " candidates, offers, solver, objective_ds, solve_ms, tick_ms"
        " from dispatch_tick, generate_series(1, 6) as n"
    )
    await owner.execute(
        "insert into dispatch_input select t.id, t.at, $1, $2 from dispatch_tick t"
        " where t.id <> $3",
        first["record"],
        first["passed_over"],
        first["tick_id"],
    )

    seen, cursor = [], None
    while True:
        page = await rounds_of(client, far, limit=3, **({"cursor": cursor} if cursor else {}))
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len({one["tick_id"] for one in seen}) == len(seen) == 7
    assert [one["at"] for one in seen] == sorted((one["at"] for one in seen), reverse=True)


async def test_what_a_round_decided_from_is_forgotten_and_its_offers_stay_explained(
    client: httpx.AsyncClient,
    database: Database,
    near: Person,
    far: Person,
    clock: StandingClock,
    offer: dict[str, Any],
) -> None:
    [seen] = (await rounds_of(client, far))["items"]

    async def forget(**passed: float) -> int:
        async with database.transaction() as tx:
            return await service.forget_rounds(
                tx, now=clock.now() + timedelta(**passed), keep_days=14
            )

    assert await forget(days=14) == 0
    assert await forget(days=14, seconds=1) == 1

    assert (await rounds_of(client, far))["items"] == []
    gone = await explained(client, far, f"/v1/me/rounds/{seen['tick_id']}")
    assert (gone.status_code, slug(gone)) == (404, "not-found")
    still = await explained(client, near, f"/v1/offers/{offer['id']}/explanation")
    assert still.status_code == 200


@pytest.mark.parametrize(
    "way", ["update dispatch_input set record = ''", "truncate dispatch_input"]
)
async def test_the_program_cannot_rewrite_what_a_round_decided_from(
    database: Database, offer: dict[str, Any], way: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction() as tx:
            await tx.execute(way)


async def test_the_housekeeping_forgets_by_the_setting(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, offer: dict[str, Any]
) -> None:
    [tidy] = [one for one in _workers(app, app.state.dispatcher) if one.name == "housekeeping"]
    kept = "select count(*) from dispatch_input"

    await tidy.run_once()
    assert await owner.fetchval(kept) == 1
    clock.pass_time(app.state.settings.explanation_days * 24 * 3600 + 1)
    await tidy.run_once()
    assert await owner.fetchval(kept) == 0


async def test_a_stored_round_is_decided_again_from_the_command_line(
    dsn: str, owner: asyncpg.Connection, offer: dict[str, Any]
) -> None:
    with new_home() as home:

        async def replay_round(one: str, *options: str) -> CompletedProcess[str]:
            return await asyncio.to_thread(
                meent, home, "replay-round", one, *options, database_url=dsn
            )

        same = await replay_round(offer["id"], "--json")
        await owner.execute("update dispatch_tick set objective_ds = objective_ds + 1")
        other = await replay_round(offer["id"])
        absent = await replay_round(offer["ride_id"])

    assert same.returncode == 0, same.stderr
    assert json.loads(same.stdout)["pairs"][0][0] == offer["ride_id"]
    assert "the result is the same" in same.stderr
    assert other.returncode == absent.returncode == 1
    assert "when decided again" in other.stderr
    assert "nothing is stored" in absent.stderr


async def test_not_even_the_owner_edits_what_a_round_decided_from(
    owner: asyncpg.Connection, offer: dict[str, Any]
) -> None:
    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await owner.execute("update dispatch_input set record = ''")


async def test_of_many_who_ask_at_once_some_are_told_to_come_again(
    app: FastAPI, owner: asyncpg.Connection, far: Person, offer: dict[str, Any]
) -> None:
    record = await owner.fetchval("select record from dispatch_input")
    solver: Solver = app.state.solver

    answers = await asyncio.gather(
        *(solver.explain(record, driver_id=far.id) for _ in range(MOST_QUESTIONS + 3)),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, PassedOver) for answer in answers) == MOST_QUESTIONS
    assert sum(isinstance(answer, TooManyRequests) for answer in answers) == 3
    assert isinstance(await solver.explain(record, driver_id=far.id), PassedOver)
