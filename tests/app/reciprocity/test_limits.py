"""Promises about credit between cooperatives: refused beforehand, and nothing has changed."""

import asyncio
from uuid import UUID

import asyncpg
import httpx
import pytest

from app.reciprocity.papers import public_half
from tests.app.reciprocity.sisters import Sister, held, own_id, post, register, stands
from tests.conftest import StandingClock
from tests.factories import make_member
from tests.steps import slug


@pytest.fixture
def sister() -> Sister:
    return Sister()


async def test_of_twenty_guests_at_once_only_as_many_come_as_their_cooperative_may_owe(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, sister: Sister
) -> None:
    await register(client, owner, public_key=public_half(sister.key), they_may_owe_minor=5_500)
    us = await own_id(client)
    letters = [sister.letter(us, now=clock.now(), limit_minor=1000) for _ in range(20)]

    answers = await asyncio.gather(*(client.post("/v1/visits", json=letter) for letter in letters))

    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(answers) - len(refused) == 5
    assert {slug(answer) for answer in refused} == {"peer-limit-reached"}
    assert await held(owner, "peer_cooperative") == 5000
    assert await owner.fetchval("select count(*) from visit") == 5
    assert await owner.fetchval("select count(*) from member where phone is null") == 5


async def test_of_twenty_letters_at_once_only_as_many_are_given_as_we_may_owe(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, sister: Sister
) -> None:
    path = await register(client, owner, public_key=public_half(sister.key), we_may_owe_minor=5_500)
    members = [await make_member(owner, now=clock.now()) for _ in range(20)]

    answers = await asyncio.gather(
        *(post(client, member, f"{path}/letters", limit_minor=1000) for member in members)
    )

    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(answers) - len(refused) == 5
    assert {slug(answer) for answer in refused} == {"peer-limit-reached"}
    assert await owner.fetchval("select count(*) from guest_letter") == 5
    assert await held(owner, "rider") == 5000


async def test_a_letter_is_refused_that_the_members_own_account_does_not_cover(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, sister: Sister
) -> None:
    path = await register(
        client, owner, public_key=public_half(sister.key), we_may_owe_minor=900_000
    )
    member = await make_member(owner, now=clock.now())

    answer = await post(client, member, f"{path}/letters", limit_minor=50_001)

    assert slug(answer) == "credit-limit-reached"
    assert await held(owner, "rider") == 0


async def test_the_same_letter_again_is_the_same_visitor_and_holds_nothing_more(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, sister: Sister
) -> None:
    await register(client, owner, public_key=public_half(sister.key))
    letter = sister.letter(await own_id(client), now=clock.now())

    answers = await asyncio.gather(*(client.post("/v1/visits", json=letter) for _ in range(4)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["member_id"] for answer in answers}) == 1
    assert await held(owner, "peer_cooperative") == 5000
    headers = {"Authorization": f"Bearer {answers[0].json()['access_token']}"}
    me = (await client.get("/v1/me", headers=headers)).json()
    assert (me["name"], me["phone"], me["roles"]) == ("Gast", None, ["rider"])


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"host": str(UUID(int=7))}, "paper-not-signed"),
        ({"currency": "EUR"}, "paper-not-signed"),
        ({"expires_at": "2027-01-01T00:00:00Z"}, "paper-not-signed"),
        ({"issued_at": "2026-05-20T15:00:00Z", "expires_at": "2026-05-21T15:00:00Z"}, "visit-over"),
        ({"home": str(UUID(int=7))}, "not-found"),
    ],
)
async def test_a_letter_that_is_not_for_us_or_now_is_refused(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    sister: Sister,
    changed: dict[str, str],
    refusal: str,
) -> None:
    await register(client, owner, public_key=public_half(sister.key))
    letter = sister.letter(await own_id(client), now=clock.now(), **changed)

    answer = await client.post("/v1/visits", json=letter)

    assert slug(answer) == refusal
    assert await owner.fetchval("select count(*) from visit") == 0


async def test_a_letter_with_another_limit_than_was_signed_is_refused(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, sister: Sister
) -> None:
    await register(client, owner, public_key=public_half(sister.key))
    letter = sister.letter(await own_id(client), now=clock.now())
    letter["paper"]["limit_minor"] += 1

    assert slug(await client.post("/v1/visits", json=letter)) == "paper-not-signed"


async def test_a_paused_sister_exchanges_no_new_rides_but_is_paid_for_those_that_were(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, sister: Sister
) -> None:
    path = await register(client, owner, public_key=public_half(sister.key))
    member = await make_member(owner, now=clock.now())
    given = await post(client, member, f"{path}/letters", limit_minor=5000)
    letter_id = given.json()["letter"]["paper"]["letter_id"]
    us = await own_id(client)
    await owner.execute(
        "update peer set paused_by = $1, paused_at = $2, pause_reason = 'why'",
        member.id,
        clock.now(),
    )

    letter = sister.letter(us, now=clock.now())
    assert slug(await client.post("/v1/visits", json=letter)) == "peer-paused"
    more = await post(client, member, f"{path}/letters", limit_minor=5)
    assert slug(more) == "peer-paused"
    claim = sister.claim(us, letter_id, 700, now=clock.now())
    answer = await client.post(f"{path}/clearings", json=claim)
    assert answer.json()["paper"]["state"] == "accepted"
    assert await stands(owner) == 700
