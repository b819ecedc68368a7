"""Of all who carry a proposal on at once, exactly one does; nobody counts twice."""

import asyncio
from collections import Counter
from datetime import timedelta

import asyncpg
import httpx
from fastapi import FastAPI

from app.assembly.proposals import service
from app.assembly.proposals.errors import StepRefused
from app.assembly.statutes import statutes_in_force
from governance.proposal import Step
from tests.app.assembly.proposals.stories import (
    NUMBER,
    TEXT,
    deliberate,
    draft,
    join_register,
    read,
    submit,
)
from tests.conftest import FRIDAY_EVENING
from tests.steps import slug, take

ROUNDS = 10
DECIDING = "select count(*) from event_log where type = 'proposal.deliberation_began'"


async def test_of_supporters_who_come_at_once_exactly_one_begins_the_deliberation(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    author = await join_register(owner)
    members = [await join_register(owner) for _ in range(8)]
    for number in range(1, ROUNDS + 1):
        address = await submit(client, author)

        answers = await asyncio.gather(*(take(client, m, f"{address}/support") for m in members))

        # Five are needed; whoever comes later finds the deliberation begun.
        assert Counter(answer.status_code for answer in answers) == {200: 5, 409: 3}
        assert (await read(client, author, address))["supporters"] == 5
        # Each is told to two streams.
        assert await owner.fetchval(DECIDING) == 2 * number


async def test_one_member_who_supports_many_times_at_once_counts_once(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    author = await join_register(owner)
    address = await submit(client, author)

    answers = await asyncio.gather(*(take(client, author, f"{address}/support") for _ in range(8)))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    assert (await read(client, author, address))["supporters"] == 1


async def test_of_two_edits_of_one_version_one_stands(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    author = await join_register(owner)
    address = f"/v1/proposals/{(await draft(client, author))['id']}"

    answers = await asyncio.gather(
        *(
            client.put(
                address, json=NUMBER | {"title": title}, headers=author.act | {"If-Match": '"1"'}
            )
            for title in ("One", "Other")
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412]
    [stands] = [answer.json()["title"] for answer in answers if answer.is_success]
    assert (await read(client, author, address))["title"] == stands


async def test_of_two_amendments_accepted_at_once_one_makes_the_next_version(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    author = await join_register(owner)
    address, members = await deliberate(client, owner, author, **TEXT)
    amendments = []
    for number, member in enumerate(members[:2]):
        body = {"base_number": 1, "text": f"Version {number}.\n", "reason": "So."}
        answer = await take(client, member, f"{address}/amendments", **body)
        amendments.append(f"{address}/amendments/{answer.json()['id']}")

    answers = await asyncio.gather(*(take(client, author, f"{a}/accept") for a in amendments))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert [slug(each) for each in answers if not each.is_success] == ["amendment-stale"]
    assert (await read(client, author, address))["text_number"] == 2


async def test_what_two_workers_freeze_at_once_is_frozen_once_and_holds_the_newest_text(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    author = await join_register(owner)
    address, members = await deliberate(client, owner, author, **TEXT)
    body = {"base_number": 1, "text": "Newest.\n", "reason": "So."}
    answer = await take(client, members[0], f"{address}/amendments", **body)
    later = FRIDAY_EVENING + timedelta(days=60)
    [stale] = await _due(app)
    await take(client, author, f"{address}/amendments/{answer.json()['id']}/accept")
    [fresh] = await _due(app)

    async def freeze(proposal: service.Proposal) -> str | None:
        try:
            async with app.state.database.transaction() as tx:
                statutes = await statutes_in_force(tx, at=later)
                frozen = await service.take_step(
                    tx, proposal=proposal, step=Step.FREEZE, now=later, statutes=statutes
                )
        except StepRefused:
            return None
        return frozen.text

    results = await asyncio.gather(freeze(stale), freeze(fresh), freeze(fresh))

    assert results[0] is None
    assert sorted(results[1:], key=str) == ["Newest.\n", None]


async def _due(app: FastAPI) -> list[service.Proposal]:
    async with app.state.database.reading() as reader:
        later = FRIDAY_EVENING + timedelta(days=60)
        return await service.proposals_due(reader, at=later, limit=10)
