"""Promises about a sister's claims: booked once, answered for good, rejected with a reason."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from app.audit import invariants
from app.members.roles import Role
from app.reciprocity import papers
from app.reciprocity.papers import public_half
from app.reciprocity.service.claims import claim_due, take_answer
from app.reciprocity.service.peers import own_of
from tests.app.reciprocity.sisters import Sister, held, own_id, post, register, stands
from tests.conftest import StandingClock
from tests.factories import Person, make_member
from tests.steps import slug

LIMIT_MINOR = 5000


@dataclass
class Given:
    """A letter that we gave for a member, and how the sister claims on it."""

    client: httpx.AsyncClient
    owner: asyncpg.Connection
    clock: StandingClock
    sister: Sister
    path: str
    us: UUID
    letter_id: str
    member: Person

    def claim(self, amount_minor: int, **other: Any) -> Any:
        letter_id = other.pop("letter_id", self.letter_id)
        return self.sister.claim(self.us, letter_id, amount_minor, now=self.clock.now(), **other)

    async def send(self, claim: Any) -> httpx.Response:
        return await self.client.post(f"{self.path}/clearings", json=claim)

    async def verdict(self, claim: Any) -> tuple[str, str | None]:
        answer = await self.send(claim)
        assert answer.status_code == 200, answer.text
        paper = answer.json()["paper"]
        return paper["state"], paper["reason"]


@pytest.fixture
async def given(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> Given:
    sister = Sister()
    path = await register(client, owner, public_key=public_half(sister.key))
    member = await make_member(owner, now=clock.now())
    answer = await post(client, member, f"{path}/letters", limit_minor=LIMIT_MINOR)
    letter_id = answer.json()["letter"]["paper"]["letter_id"]
    us = await own_id(client)
    return Given(client, owner, clock, sister, path, us, letter_id, member)


async def test_a_claim_that_comes_eight_times_at_once_is_booked_once(given: Given) -> None:
    claim = given.claim(1200)

    answers = await asyncio.gather(*(given.send(claim) for _ in range(8)))

    first = answers[0].json()
    assert all(answer.json() == first for answer in answers)
    assert await stands(given.owner) == 1200
    assert await held(given.owner, "rider") == LIMIT_MINOR - 1200
    assert await given.owner.fetchval("select count(*) from journal where kind='peer_ride'") == 1


async def test_our_answer_is_signed(given: Given) -> None:
    answer = (await given.send(given.claim(1200))).json()
    card = (await given.client.get("/v1/peers/self")).json()

    assert papers.is_signed(
        answer["paper"],
        signature=answer["signature"],
        public_key=bytes.fromhex(card["public_key"]),
    )


async def test_no_more_is_paid_than_we_vouched_for(given: Given) -> None:
    assert await given.verdict(given.claim(4000)) == ("accepted", None)
    too_much = given.claim(1001)

    assert await given.verdict(too_much) == ("rejected", "letter_spent")
    assert await given.verdict(given.claim(1000)) == ("accepted", None)
    assert await given.verdict(too_much) == ("rejected", "letter_spent")
    assert await stands(given.owner) == LIMIT_MINOR


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"letter_id": str(UUID(int=5))}, "unknown_letter"),
        ({"currency": "EUR"}, "wrong_currency"),
    ],
)
async def test_a_claim_that_is_not_ours_to_pay_stays_rejected_with_its_reason(
    given: Given, changed: dict[str, str], reason: str
) -> None:
    claim = given.claim(700, **changed)

    assert await given.verdict(claim) == ("rejected", reason)
    assert await given.verdict(claim) == ("rejected", reason)
    assert await stands(given.owner) == 0


async def test_a_claim_after_the_last_day_is_rejected(given: Given) -> None:
    given.clock.pass_time(8 * 24 * 3600)

    assert await given.verdict(given.claim(700)) == ("rejected", "too_late")


async def test_an_id_that_comes_with_other_content_is_refused(given: Given) -> None:
    claim = given.claim(700)
    await given.send(claim)
    other = given.claim(900, clearing_id=claim["paper"]["clearing_id"])

    assert slug(await given.send(other)) == "clearing-differs"
    assert await stands(given.owner) == 700


@pytest.mark.parametrize("field", ["amount_minor", "payer", "closes"])
async def test_a_claim_that_was_changed_on_its_way_is_refused(given: Given, field: str) -> None:
    claim = given.claim(700)
    claim["paper"][field] = {"amount_minor": 7000, "payer": str(UUID(int=1)), "closes": True}[field]

    assert slug(await given.send(claim)) == "paper-not-signed"
    assert await stands(given.owner) == 0


async def test_what_is_given_back_before_it_was_claimed_waits_and_is_not_rejected(
    given: Given,
) -> None:
    back = given.claim(-300)

    assert slug(await given.send(back)) == "clearing-out-of-order"
    assert await given.verdict(given.claim(700)) == ("accepted", None)
    assert await given.verdict(back) == ("accepted", None)
    assert await stands(given.owner) == 400


async def test_a_rejected_claim_of_ours_is_reversed_with_its_reason_until_a_person_claims_again(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, app: Any
) -> None:
    sister, own = Sister(), own_of(papers.load_own_key(app.state.settings.home))
    path = await register(client, owner, public_key=public_half(sister.key))
    opened = await client.post("/v1/visits", json=sister.letter(own.id, now=clock.now()))
    await _owe(owner, UUID(opened.json()["member_id"]), 900, clock)
    database = app.state.database
    await claim_due(database, own=own, now=clock.now())
    assert await stands(owner) == -900
    claim_id = await owner.fetchval("select id from clearing")

    verdict = sister.sign({"state": "rejected", "reason": "letter_spent"})
    for _ in range(2):
        async with database.transaction() as tx:
            await take_answer(tx, clearing_id=claim_id, answer=verdict, now=clock.now())

    assert await stands(owner) == 0
    assert "letter_spent" in await owner.fetchval("select reason from journal_reason")
    assert await claim_due(database, own=own, now=clock.now()) == 0
    staff = await make_member(owner, Role.STAFF, now=clock.now())
    visit_id = await owner.fetchval("select id from visit")
    again = await post(client, staff, f"{path}/visits/{visit_id}/claim")
    assert again.status_code == 200, again.text
    assert await claim_due(database, own=own, now=clock.now()) == 1
    assert await stands(owner) == -900
    for invariant in invariants.ALL:
        if "sister" in invariant.name or "clearing" in invariant.name:
            rows = await owner.fetch(invariant.sql)
            assert [row["fault"] for row in rows if row["fault"]] == [], invariant.name


async def _owe(
    owner: asyncpg.Connection, member_id: UUID, amount_minor: int, clock: StandingClock
) -> None:
    """Let a visitor owe something, as a ride would."""
    await owner.execute(
        "select post_journal('test', $1::uuid::text, '', 'ride_fee', $1::uuid, null, $2,"
        " array[own.id], array[house.id], array[$3::bigint], null) from account house, account own"
        " where house.kind = 'other_income' and own.kind = 'rider' and own.member_id = $1",
        member_id,
        clock.now(),
        amount_minor,
    )


async def test_whoever_proposed_a_sister_does_not_confirm_it(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    staff = await make_member(owner, Role.STAFF, now=clock.now())
    body = {
        "name": "Züri",
        "base_url": "https://zueri.example",
        "public_key": public_half(Sister().key).hex(),
        "they_may_owe_minor": 1,
        "we_may_owe_minor": 1,
    }
    proposed = (await post(client, staff, "/v1/peers", **body)).json()

    answer = await post(client, staff, f"/v1/peers/{proposed['id']}/confirm")

    assert slug(answer) == "own-peer-proposal"
    assert slug(await post(client, staff, "/v1/peers", **body)) == "peer-known"
    letter = await post(client, staff, f"/v1/peers/{proposed['id']}/letters", limit_minor=1)
    assert slug(letter) == "role-missing"
