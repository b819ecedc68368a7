"""Two people erase a person from the proofs of the books, and all that is left still comes out."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.report import AuditReport, audit
from app.audit.seals import RECOUNT
from app.foundation.database import Database
from app.foundation.ids import new_id
from app.ledger import seal_queries
from app.ledger import service as ledger
from app.ledger.seals import seal_block
from app.members.roles import Role
from governance.electorate import House
from governance.verify import check_proof
from tests.conftest import StandingClock
from tests.factories import Person, make_member, make_voter
from tests.steps import take

KEY = Ed25519PrivateKey.generate()
TIP = (
    "select post_journal('test', $1::uuid::text, '', 'tip', $1, null, $2, array[r.id],"
    " array[d.id], array[100::bigint], null) from account r, account d"
    " where r.member_id = $3 and r.kind = 'rider' and d.member_id = $4 and d.kind = 'driver'"
)
WITHOUT_SALTS = "select count(*) from seal_leaf l left join journal_salt s using (journal_id)"
PROMISES = {
    RECOUNT,
    "seals follow each other",
    "salts keep their guard",
    "the register keeps its guard",
    "two people erase",
    "who was erased is gone",
    "salts went by erasures",
}


@dataclass
class Town:
    """A rider who tipped a driver and took it back, another one who did not, and staff."""

    client: httpx.AsyncClient
    owner: asyncpg.Connection
    database: Database
    clock: StandingClock
    gone: Person
    stays: Person
    driver: Person
    first: Person
    second: Person

    async def tip(self, rider: Person) -> int:
        posted: int = await self.owner.fetchval(
            TIP, new_id(), self.clock.now(), rider.id, self.driver.id
        )
        return posted

    async def take_back(self, number: int) -> None:
        await self.owner.execute(
            "select reverse_journal($1, 'not meant', $2, $3)",
            number,
            self.driver.id,
            self.clock.now(),
        )

    async def seal(self) -> None:
        while await seal_block(self.database, key=KEY, now=self.clock.now()):
            pass
        self.clock.pass_time(60)

    async def ask(self, *, by: Person | None = None) -> httpx.Response:
        path = f"/v1/members/{self.gone.id}/erasures"
        return await take(self.client, by or self.first, path)

    async def asked(self) -> str:
        answer = await self.ask()
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def confirm(self, erasure: str, *, by: Person | None = None) -> httpx.Response:
        return await take(self.client, by or self.second, f"/v1/erasures/{erasure}/confirm")

    async def proof(self, person: Person, number: int) -> dict[str, Any]:
        answer = await self.client.get(f"/v1/me/journals/{number}/proof", headers=person.headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def secrets(self, person: Person) -> list[Any]:
        answer = await self.client.get("/v1/me/book-secrets", headers=person.headers)
        return list(answer.json()["items"])


@pytest.fixture
async def town(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
) -> Town:
    now = clock.now()
    return Town(
        client=client,
        owner=owner,
        database=database,
        clock=clock,
        gone=await make_member(owner, now=now),
        stays=await make_member(owner, now=now),
        driver=await make_member(owner, Role.RIDER, Role.DRIVER, now=now),
        first=await make_member(owner, Role.STAFF, now=now),
        second=await make_member(owner, Role.STAFF, now=now),
    )


def slug(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


def broken(report: AuditReport) -> list[str]:
    return [str(one.first) for one in report.checks if one.name in PROMISES and one.violations]


async def test_the_persons_proofs_go_and_the_seals_and_everybody_elses_proofs_still_hold(
    town: Town,
) -> None:
    shared, other = await town.tip(town.gone), await town.tip(town.stays)
    await town.take_back(shared)
    await town.seal()
    before = await town.proof(town.gone, shared)
    assert check_proof(before).faults == []

    answer = await town.confirm(await town.asked())

    assert answer.status_code == 200, answer.text
    assert answer.json()["confirmed_by"] == str(town.second.id)
    assert await town.secrets(town.gone) == []
    assert len(await town.secrets(town.driver)) == 1
    for person in (town.gone, town.driver):
        left = await town.proof(person, shared)
        assert (left["salt"], left["hidden_part"]) == (None, None)
        assert left["shown"] == before["shown"]
        assert check_proof(left).faults == []
    for person in (town.stays, town.driver):
        whole = await town.proof(person, other)
        assert whole["hidden_part"] is not None
        assert check_proof(whole).faults == []
    report = await audit(town.owner)
    assert broken(report) == []
    assert {one.name for one in report.checks if one.name in PROMISES and one.counted} == PROMISES


async def test_what_is_logged_says_nothing_about_the_person(town: Town) -> None:
    await town.seal()
    erasure = await town.asked()
    await town.confirm(erasure)

    events = await town.database.events_after([(town.gone.id, 0)])

    assert [event.type for event in events] == ["erasure.asked", "erasure.confirmed"]
    assert all(event.data == {"erasure_id": erasure} for event in events)


async def test_what_goes_and_what_stays_is_said_in_sentences(town: Town) -> None:
    view = (await town.ask()).json()

    assert [text for part in ("goes", "stays") for text in view[part] if "salt" in text]
    assert "telephone number" in view["stays"][-1]
    assert all(text.endswith(".") for part in ("goes", "stays") for text in view[part])


async def test_nobody_is_erased_while_money_stands_on_an_account(town: Town) -> None:
    number = await town.tip(town.gone)
    await town.seal()
    erasure = await town.asked()

    refused = await town.confirm(erasure)
    await town.take_back(number)
    await town.seal()
    done = await town.confirm(erasure)

    assert (refused.status_code, slug(refused)) == (409, "money-stands")
    assert done.status_code == 200, done.text


async def test_nobody_is_erased_while_money_is_set_aside(town: Town) -> None:
    hold_id = new_id()
    async with town.database.transaction() as tx:
        await ledger.hold_fare(
            tx, hold_id=hold_id, rider_id=town.gone.id, fare_minor=300, now=town.clock.now()
        )
    erasure = await town.asked()

    refused = await town.confirm(erasure)
    async with town.database.transaction() as tx:
        await ledger.release_fare(tx, hold_id=hold_id, now=town.clock.now())

    assert (refused.status_code, slug(refused)) == (409, "money-stands")
    assert (await town.confirm(erasure)).status_code == 200


async def test_nobody_is_erased_while_a_booking_waits_for_its_seal(town: Town) -> None:
    await town.take_back(await town.tip(town.gone))
    erasure = await town.asked()

    refused = await town.confirm(erasure)
    await town.seal()
    done = await town.confirm(erasure)

    assert (refused.status_code, slug(refused)) == (409, "seal-awaited")
    assert done.status_code == 200, done.text
    assert await town.owner.fetchval(f"{WITHOUT_SALTS} where s.salt is null") == 2


async def test_nothing_is_erased_where_it_is_refused(town: Town) -> None:
    await town.tip(town.gone)
    await town.seal()
    await town.confirm(await town.asked())

    assert await town.owner.fetchval(f"{WITHOUT_SALTS} where s.salt is null") == 0
    assert len(await town.secrets(town.gone)) == 1
    assert await town.owner.fetchval("select count(*) from line_code") == 0


async def test_an_erasure_waits_for_who_is_sealing(town: Town) -> None:
    """A journal sealed between the keeping of codes and the deletion would have no code."""
    await town.take_back(await town.tip(town.gone))
    erasure = await town.asked()
    async with town.database.transaction() as sealing:
        assert await seal_queries.take_turn(sealing)
        confirming = asyncio.create_task(town.confirm(erasure))
        await asyncio.sleep(0.2)
        assert not confirming.done()

    assert slug(await confirming) == "seal-awaited"


async def test_whoever_asks_does_not_confirm(town: Town) -> None:
    erasure = await town.asked()

    refused = await town.confirm(erasure, by=town.first)

    assert (refused.status_code, slug(refused)) == (409, "own-erasure")
    assert (await town.confirm(erasure)).status_code == 200


async def test_nobody_asks_or_confirms_about_themselves(town: Town) -> None:
    town.gone = await make_member(town.owner, Role.STAFF, now=town.clock.now())

    assert slug(await town.ask(by=town.gone)) == "own-case"
    erasure = await town.asked()
    assert slug(await town.confirm(erasure, by=town.gone)) == "own-case"


async def test_of_two_who_confirm_at_once_one_is_first(town: Town) -> None:
    await town.take_back(await town.tip(town.gone))
    await town.seal()
    third = await make_member(town.owner, Role.STAFF, now=town.clock.now())
    erasure = await town.asked()

    answers = await asyncio.gather(
        *(town.confirm(erasure, by=one) for one in (town.second, third) for _ in range(3))
    )

    assert Counter(one.status_code for one in answers) == {200: 1, 409: 5}
    assert {slug(one) for one in answers if one.status_code == 409} == {"erasure-decided"}
    events = await town.database.events_after([(town.gone.id, 0)])
    assert [event.type for event in events] == ["erasure.asked", "erasure.confirmed"]


async def test_of_two_who_ask_at_once_one_is_first(town: Town) -> None:
    answers = await asyncio.gather(*(town.ask(by=one) for one in (town.first, town.second)))

    assert sorted(one.status_code for one in answers) == [201, 409]
    assert {slug(one) for one in answers if one.status_code == 409} == {"erasure-exists"}


async def test_a_member_leaves_before_they_are_erased(town: Town) -> None:
    town.gone = await make_voter(town.owner, House.RIDERS, now=town.clock.now())

    refused = await town.ask()
    await take(town.client, town.gone, "/v1/me/membership/leave")
    asked = await town.ask()

    assert (refused.status_code, slug(refused)) == (409, "still-a-member")
    assert asked.status_code == 201


async def test_who_came_back_since_is_not_erased(town: Town) -> None:
    erasure = await town.asked()
    await take(town.client, town.gone, "/v1/memberships", house="riders")

    assert slug(await town.confirm(erasure)) == "still-a-member"


async def test_a_withdrawn_erasure_is_never_confirmed_and_may_be_asked_again(town: Town) -> None:
    erasure = await town.asked()
    withdrawn = await take(town.client, town.first, f"/v1/erasures/{erasure}/withdraw")

    assert withdrawn.json()["withdrawn_by"] == str(town.first.id)
    assert slug(await town.confirm(erasure)) == "erasure-decided"
    again = await town.asked()
    listed = await town.client.get("/v1/erasures", headers=town.second.headers)
    assert [one["id"] for one in listed.json()["items"]] == [again, erasure]


async def test_a_repeat_with_the_same_key_erases_nothing_more(town: Town) -> None:
    path = f"/v1/erasures/{await town.asked()}/confirm"
    key = town.second.act

    first, again = [await town.client.post(path, headers=key) for _ in range(2)]

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_only_staff_asks_confirms_withdraws_and_reads(town: Town) -> None:
    erasure = await town.asked()
    for path in (
        f"/v1/members/{town.gone.id}/erasures",
        f"/v1/erasures/{erasure}/confirm",
        f"/v1/erasures/{erasure}/withdraw",
    ):
        assert slug(await take(town.client, town.stays, path)) == "role-missing"
    listed = await town.client.get("/v1/erasures", headers=town.gone.headers)
    assert listed.status_code == 403


async def test_nobody_and_nothing_there_is_not_found(town: Town) -> None:
    for path in (f"/v1/members/{new_id()}/erasures", f"/v1/erasures/{new_id()}/confirm"):
        assert (await take(town.client, town.first, path)).status_code == 404


@pytest.mark.parametrize(
    "statement",
    [
        "delete from erasure",
        "truncate erasure",
        "update erasure set confirmed_by = asked_by, confirmed_at = asked_at",
        "update erasure set asked_by = withdrawn_by",
    ],
)
async def test_the_database_itself_keeps_who_decided(town: Town, statement: str) -> None:
    erasure = await town.asked()
    await take(town.client, town.second, f"/v1/erasures/{erasure}/withdraw")

    with pytest.raises(asyncpg.PostgresError):
        await town.owner.execute(statement)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("update erasure set confirmed_by = asked_by", "was not decided by two others"),
        (
            "insert into journal_salt select journal_id, substr(sha256('s'), 1, 16) from seal_leaf",
            "left salts of what was sealed before",
        ),
        ("delete from erasure", "is gone and nobody in it was erased"),
    ],
)
async def test_an_audit_names_an_erasure_that_did_not_go_as_promised(
    town: Town, fault: str, named: str
) -> None:
    await town.take_back(await town.tip(town.gone))
    await town.seal()
    await town.confirm(await town.asked())
    assert broken(await audit(town.owner)) == []

    transaction = town.owner.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        await town.owner.execute("set local session_replication_role = replica")
        await town.owner.execute(
            "alter table erasure drop constraint somebody_else_confirms_an_erasure"
        )
        await town.owner.execute(fault)
        found = broken(await audit(town.owner))
    finally:
        await transaction.rollback()

    assert [one for one in found if named in one]
