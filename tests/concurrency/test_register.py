"""However many act on one membership or one key at once, it is done once and nothing breaks."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

import asyncpg
import httpx
import pytest

from app.audit.report import audit
from app.members.roles import Role
from tests.conftest import FRIDAY_EVENING
from tests.factories import Person, make_member

STAFF = 6
ROUNDS = 15
REASON = "You are a member of our sister cooperative."


@pytest.fixture
async def staff(owner: asyncpg.Connection) -> list[Person]:
    return [await make_member(owner, Role.STAFF, now=FRIDAY_EVENING) for _ in range(STAFF)]


async def apply(client: httpx.AsyncClient, person: Person) -> httpx.Response:
    return await client.post("/v1/memberships", json={"house": "riders"}, headers=person.act)


async def decide(
    client: httpx.AsyncClient, by: Person, membership_id: str, what: str
) -> httpx.Response:
    body = {"reason": REASON} if what == "refuse" else None
    return await client.post(f"/v1/memberships/{membership_id}/{what}", json=body, headers=by.act)


async def leave(client: httpx.AsyncClient, person: Person) -> httpx.Response:
    return await client.post("/v1/me/membership/leave", headers=person.act)


async def at_once(acts: Iterable[Awaitable[httpx.Response]]) -> Counter[tuple[int, str]]:
    """What became of these, all begun together: statuses, and problems where refused."""
    answers = await asyncio.gather(*acts)
    return Counter(
        (answer.status_code, answer.json()["type"] if answer.status_code >= 400 else "")
        for answer in answers
    )


async def test_who_applies_eight_times_at_once_has_applied_once(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    for _ in range(ROUNDS):
        ada = await make_member(owner, now=FRIDAY_EVENING)
        assert await at_once(apply(client, ada) for _ in range(8)) == {
            (201, ""): 1,
            (409, "/problems/membership-exists"): 7,
        }


async def test_a_share_that_six_book_at_once_is_booked_once(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: list[Person]
) -> None:
    for _ in range(ROUNDS):
        ada = await make_member(owner, now=FRIDAY_EVENING)
        membership_id = (await apply(client, ada)).json()["id"]
        assert await at_once(decide(client, one, membership_id, "shares") for one in staff) == {
            (200, ""): 1,
            (409, "/problems/share-paid-before"): STAFF - 1,
        }
    assert await owner.fetchval("select count(*) from journal") == ROUNDS


async def test_an_applicant_whom_three_admit_and_three_refuse_at_once_is_one_of_both(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: list[Person]
) -> None:
    became: Counter[str] = Counter()
    for _ in range(ROUNDS):
        ada = await make_member(owner, now=FRIDAY_EVENING)
        membership_id = (await apply(client, ada)).json()["id"]
        await decide(client, staff[0], membership_id, "shares")
        seen = await at_once(
            decide(client, one, membership_id, ("admit", "refuse")[number % 2])
            for number, one in enumerate(staff)
        )
        assert seen == {(200, ""): 1, (409, "/problems/membership-decided"): STAFF - 1}
        row = await owner.fetchrow(
            "select admitted_at, refused_at from membership where id = $1", membership_id
        )
        became["admitted" if row["admitted_at"] else "refused"] += 1
    assert became.total() == ROUNDS


async def test_who_leaves_while_being_admitted_is_off_the_register_either_way(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: list[Person]
) -> None:
    for _ in range(ROUNDS):
        ada = await make_member(owner, now=FRIDAY_EVENING)
        membership_id = (await apply(client, ada)).json()["id"]
        await decide(client, staff[0], membership_id, "shares")
        left, *decided = await asyncio.gather(
            leave(client, ada), *(decide(client, one, membership_id, "admit") for one in staff[:3])
        )
        assert left.status_code == 200
        assert Counter(answer.status_code for answer in decided) in ({409: 3}, {200: 1, 409: 2})
    assert await owner.fetchval("select count(*) from membership where left_at is null") == 0
    assert (await audit(owner)).first_violation is None


async def test_of_eight_keys_set_at_once_the_member_has_one_and_the_rest_are_history(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ada = await make_member(owner, now=FRIDAY_EVENING)
    set_key = _setter(client)
    for _ in range(ROUNDS):
        keys = [secrets.token_hex(32) for _ in range(8)]
        assert await at_once(set_key(ada, key) for key in keys) == {(200, ""): 8}
    current = await owner.fetchval("select count(*) from member_key where replaced_at is null")
    assert current == 1
    assert await owner.fetchval("select count(*) from member_key") == ROUNDS * 8


async def test_of_eight_members_who_set_one_key_at_once_one_has_it(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    people = [await make_member(owner, now=FRIDAY_EVENING) for _ in range(8)]
    set_key = _setter(client)
    own = {person.id: secrets.token_hex(32) for person in people}
    for person in people:
        await set_key(person, own[person.id])
    taken = {(200, ""): 1, (409, "/problems/member-key-taken"): 7}
    key = secrets.token_hex(32)
    assert await at_once(set_key(person, key) for person in people) == taken
    # Whoever was refused still has the key of before.
    rows = await owner.fetch("select public_key from member_key where replaced_at is null")
    kept = {row["public_key"].hex() for row in rows}
    assert len(kept) == 8
    assert len(kept & set(own.values())) == 7
    assert key in kept


def _setter(
    client: httpx.AsyncClient,
) -> Callable[[Person, str], Awaitable[httpx.Response]]:
    async def set_key(person: Person, key: str) -> httpx.Response:
        body = {"public_key": key}
        return await client.put("/v1/me/member-key", json=body, headers=person.act)

    return set_key
