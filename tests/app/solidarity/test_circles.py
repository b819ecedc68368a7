"""A circle is small, begins with the twentieth, and its people confirm who is ill."""

import asyncio
from collections import Counter

import asyncpg
import httpx
import pytest

from app.audit.report import audit
from app.foundation.database import Database
from app.members.roles import Role
from tests.app.solidarity.scene import CIRCLES, LEAVES, TIER, confirm, make_circle, report
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import make_member
from tests.steps import slug, take

TODAY = "2026-05-22"


async def test_a_circle_begins_with_the_twentieth_and_is_full_with_the_fiftieth(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database
) -> None:
    circle = await make_circle(owner, database, now=FRIDAY_EVENING, many=19)
    late = [await make_member(owner, Role.DRIVER, now=FRIDAY_EVENING) for _ in range(34)]
    path = f"{CIRCLES}/{circle.id}/join"

    before = (await client.get(CIRCLES, headers=late[0].headers)).json()["items"]
    first = await take(client, late[0], path, tier_minor=TIER)
    # The thirty places left are raced for by thirty-three.
    raced = await asyncio.gather(
        *(take(client, person, path, tier_minor=TIER) for person in late[1:])
    )

    assert (before[0]["members"], before[0]["has_begun"]) == (19, False)
    assert first.json()["has_begun"] is True
    assert Counter(answer.status_code for answer in raced) == {201: 30, 409: 3}
    [full] = {slug(answer) for answer in raced if answer.status_code == 409}
    assert full == "circle-full"
    [after] = (await client.get(CIRCLES, headers=late[0].headers)).json()["items"]
    assert (after["members"], after["places_left"]) == (50, 0)
    assert (await audit(owner)).first_violation is None


async def test_a_full_circle_takes_nobody_even_past_the_program(
    owner: asyncpg.Connection, database: Database
) -> None:
    circle = await make_circle(owner, database, now=FRIDAY_EVENING, many=50)
    person = await make_member(owner, Role.DRIVER, now=FRIDAY_EVENING)

    with pytest.raises(asyncpg.PostgresError, match="50 members at most"):
        await owner.execute(
            "insert into circle_membership (id, circle_id, member_id, tier_minor, joined_at)"
            " values (uuidv7(), $1, $2, 100000, $3)",
            circle.id,
            person.id,
            FRIDAY_EVENING,
        )


async def test_only_drivers_join_one_circle_at_a_time_with_an_amount_to_choose_from(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database
) -> None:
    circle = await make_circle(owner, database, now=FRIDAY_EVENING, many=2)
    rider = await make_member(owner, now=FRIDAY_EVENING)
    driver = await make_member(owner, Role.DRIVER, now=FRIDAY_EVENING)
    path = f"{CIRCLES}/{circle.id}/join"

    assert slug(await take(client, rider, path, tier_minor=TIER)) == "role-missing"
    assert slug(await take(client, driver, path, tier_minor=TIER + 1)) == "tier-unknown"
    assert (await take(client, driver, path, tier_minor=TIER)).status_code == 201
    assert slug(await take(client, driver, path, tier_minor=TIER)) == "in-a-circle"
    assert slug(await take(client, driver, CIRCLES, name="Night drivers")) == "circle-name-taken"
    assert (await take(client, driver, f"{CIRCLES}/leave")).status_code == 200
    assert slug(await take(client, driver, f"{CIRCLES}/leave")) == "not-in-a-circle"


async def test_two_of_the_circle_confirm_and_who_is_ill_never_does(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
) -> None:
    circle = await make_circle(owner, database, now=clock.now())
    other = await make_circle(owner, database, now=clock.now(), name="Day drivers")
    ill, peer, second = circle.members[:3]
    leave = await report(client, ill, TODAY)

    seen = (await client.get(LEAVES, headers=peer.headers)).json()["items"]
    assert [one["member_name"] for one in seen] == ["Driver 0"]
    assert (await client.get(LEAVES, headers=other.members[0].headers)).json()["items"] == []
    assert (await client.get(LEAVES, headers=ill.headers)).json()["items"] == []
    assert slug(await confirm(client, ill, leave["id"])) == "not-yours-to-confirm"
    assert slug(await confirm(client, other.members[0], leave["id"])) == "not-found"
    once = await confirm(client, peer, leave["id"])
    again = await confirm(client, peer, leave["id"])
    decided = await confirm(client, second, leave["id"])

    assert (once.json()["confirmations"], again.json()["is_confirmed"]) == (1, False)
    assert decided.json()["is_confirmed"] is True
    assert decided.json()["gifts_from"] == "2026-06-21"
    assert (await client.get(LEAVES, headers=peer.headers)).json()["items"] == []
    assert (await audit(owner)).first_violation is None


async def test_two_stewards_who_confirm_at_once_confirm_once(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
) -> None:
    circle = await make_circle(owner, database, now=clock.now())
    stewards = [await make_member(owner, Role.STAFF, now=clock.now()) for _ in range(4)]
    leave = await report(client, circle.members[0], TODAY)

    answers = await asyncio.gather(*(confirm(client, one, leave["id"]) for one in stewards))

    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json()["is_confirmed"] for answer in answers)
    told = "select count(*) from event_log where type = 'sick_leave.confirmed'"
    assert await owner.fetchval(told) == 1
    assert await owner.fetchval("select count(*) from sick_leave_confirmation") == 1
    assert (await audit(owner)).first_violation is None


@pytest.mark.parametrize("day", ["2026-05-23", "2026-05-21"])
async def test_nobody_is_ill_from_tomorrow_or_from_before_they_joined(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database, day: str
) -> None:
    circle = await make_circle(owner, database, now=FRIDAY_EVENING)
    answer = await take(client, circle.members[0], "/v1/me/sick-leaves", began_on=day)
    assert slug(answer) == "day-out-of-range"


async def test_an_illness_is_said_once_and_ended_once(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database
) -> None:
    circle = await make_circle(owner, database, now=FRIDAY_EVENING)
    ill, recovery = circle.members[0], "/v1/me/sick-leaves/recovery"
    outsider = await make_member(owner, now=FRIDAY_EVENING)

    assert slug(await take(client, ill, recovery, ended_on=TODAY)) == "not-reported"
    await report(client, ill, TODAY)
    twice = await take(client, ill, "/v1/me/sick-leaves", began_on=TODAY)
    too_early = await take(client, ill, recovery, ended_on="2026-05-21")
    ended = await take(client, ill, recovery, ended_on=TODAY)
    own = (await client.get("/v1/me/solidarity", headers=ill.headers)).json()
    alone = await take(client, outsider, "/v1/me/sick-leaves", began_on=TODAY)

    assert slug(twice) == "reported-before"
    assert slug(too_early) == "day-out-of-range"
    assert ended.json()["ended_on"] == TODAY
    assert [leave["ended_on"] for leave in own["sick_leaves"]] == [TODAY]
    assert own["membership"]["circle_name"] == "Night drivers"
    assert slug(alone) == "not-in-a-circle"


async def test_a_small_circle_confirms_nobody(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database
) -> None:
    circle = await make_circle(owner, database, now=FRIDAY_EVENING, many=19)
    leave = await report(client, circle.members[0], TODAY)
    answer = await confirm(client, circle.members[1], leave["id"])
    assert slug(answer) == "circle-too-small"


async def test_what_is_stored_of_an_illness_is_when_and_nothing_about_why(
    owner: asyncpg.Connection,
) -> None:
    columns = await owner.fetch(
        "select column_name from information_schema.columns"
        " where table_name like 'sick_leave%' and data_type = 'text'"
    )
    assert columns == []
