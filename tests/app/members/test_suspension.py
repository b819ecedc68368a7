"""A person suspends a person, with a reason; it is felt at once and can be read."""

import asyncio
from collections import Counter

import asyncpg
import httpx
import pytest

from app.foundation.database import Database
from app.foundation.ids import new_id
from app.members.roles import Role
from tests.conftest import StandingClock
from tests.factories import Person, make_member

REASON = "Three riders reported the same dangerous overtaking."


@pytest.fixture
async def staff(owner: asyncpg.Connection, clock: StandingClock) -> Person:
    return await make_member(owner, Role.STAFF, now=clock.now())


@pytest.fixture
async def ada(owner: asyncpg.Connection, clock: StandingClock) -> Person:
    return await make_member(owner, now=clock.now())


async def suspend(client: httpx.AsyncClient, *, by: Person, whom: Person) -> httpx.Response:
    address = f"/v1/members/{whom.id}/suspend"
    return await client.post(address, json={"reason": REASON}, headers=by.act)


async def test_a_suspension_takes_effect_at_the_next_request_and_says_why(
    client: httpx.AsyncClient, database: Database, staff: Person, ada: Person
) -> None:
    assert (await suspend(client, by=staff, whom=ada)).json() == {
        "member_id": str(ada.id),
        "suspended": True,
    }

    for method, address in (("GET", "/v1/me"), ("POST", "/v1/socket-tickets")):
        closed = await client.request(method, address, headers=ada.headers)
        assert closed.status_code == 403
        assert closed.json()["type"] == "/problems/member-suspended"
    why = await client.get("/v1/me/suspension", headers=ada.headers)
    assert (why.json()["suspended"], why.json()["reason"]) == (True, REASON)
    events = await database.events_after([(ada.id, 0)])
    assert [event.type for event in events] == ["member.suspended"]
    assert REASON not in str(events)


async def test_a_reinstated_member_goes_on(
    client: httpx.AsyncClient, database: Database, staff: Person, ada: Person
) -> None:
    address = f"/v1/members/{ada.id}/reinstate"
    assert (await client.post(address, headers=staff.act)).status_code == 409
    await suspend(client, by=staff, whom=ada)
    assert (await client.post(address, headers=staff.act)).status_code == 200

    assert (await client.get("/v1/me", headers=ada.headers)).status_code == 200
    why = await client.get("/v1/me/suspension", headers=ada.headers)
    assert why.json() == {"suspended": False, "reason": None, "since": None}
    events = await database.events_after([(ada.id, 0)])
    assert [event.type for event in events] == ["member.suspended", "member.reinstated"]


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "too short"}, {"reason": " " * 20}]
)
async def test_a_suspension_needs_a_reason(
    client: httpx.AsyncClient, staff: Person, ada: Person, body: dict[str, str]
) -> None:
    answer = await client.post(f"/v1/members/{ada.id}/suspend", json=body, headers=staff.act)

    assert answer.status_code == 422
    assert (await client.get("/v1/me", headers=ada.headers)).status_code == 200


async def test_nobody_suspends_themselves_and_only_staff_suspends(
    client: httpx.AsyncClient, staff: Person, ada: Person
) -> None:
    own = await suspend(client, by=staff, whom=staff)
    assert (own.status_code, own.json()["type"]) == (403, "/problems/own-case")
    stranger = await suspend(client, by=ada, whom=staff)
    assert (stranger.status_code, stranger.json()["type"]) == (403, "/problems/role-missing")


async def test_of_many_suspensions_at_once_one_stands(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person, ada: Person
) -> None:
    answers = await asyncio.gather(*(suspend(client, by=staff, whom=ada) for _ in range(8)))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    assert await owner.fetchval("select count(*) from suspension") == 1


async def test_an_unknown_member_cannot_be_suspended(
    client: httpx.AsyncClient, staff: Person
) -> None:
    address = f"/v1/members/{new_id()}/suspend"
    answer = await client.post(address, json={"reason": REASON}, headers=staff.act)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("reason", "by_self", "promise"),
    [
        ("too short", False, "suspensions_have_a_reason"),
        (REASON, True, "nobody_suspends_themselves"),
    ],
)
async def test_the_database_itself_refuses_a_suspension_that_may_not_be(
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: Person,
    ada: Person,
    reason: str,
    by_self: bool,  # noqa: FBT001 - a case of the table above
    promise: str,
) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await owner.execute(
            "insert into suspension (id, member_id, by_member_id, reason, since)"
            " values ($1, $2, $3, $4, $5)",
            new_id(),
            ada.id,
            ada.id if by_self else staff.id,
            reason,
            clock.now(),
        )
    assert refused.value.constraint_name == promise


async def test_the_database_itself_refuses_a_suspension_by_no_person(
    owner: asyncpg.Connection, clock: StandingClock, ada: Person
) -> None:
    insert = (
        "insert into suspension (id, member_id, by_member_id, reason, since)"
        " values ($1, $2, $3, $4, $5)"
    )
    with pytest.raises(asyncpg.NotNullViolationError):
        await owner.execute(insert, new_id(), ada.id, None, REASON, clock.now())
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await owner.execute(insert, new_id(), ada.id, new_id(), REASON, clock.now())
