"""Members in good standing support a proposal, once each, unseen; enough of them carry it on."""

from datetime import timedelta

import asyncpg
import httpx
import pytest

from app.assembly.stream import ASSEMBLY_STREAM
from tests.app.assembly.proposals.stories import join_register, read, submit
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person
from tests.steps import slug, take


@pytest.fixture
async def ada(owner: asyncpg.Connection) -> Person:
    return await join_register(owner)


async def test_with_as_many_as_were_needed_the_deliberation_begins(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person
) -> None:
    address = await submit(client, ada)
    members = [ada, *[await join_register(owner) for _ in range(5)]]

    answers = [(await take(client, one, f"{address}/support")).json() for one in members[:5]]

    assert [answer["supporters"] for answer in answers] == [1, 2, 3, 4, 5]
    assert [answer["stage"] for answer in answers] == ["seeking_support"] * 4 + ["deliberation"]
    assert slug(await take(client, members[5], f"{address}/support")) == "proposal-step-refused"
    told = await owner.fetch("select type from event_log where stream_id = $1", ASSEMBLY_STREAM)
    assert [row["type"] for row in told] == ["proposal.submitted", "proposal.deliberation_began"]


async def test_how_many_are_needed_grows_with_the_active_members_and_is_fixed_at_submission(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person
) -> None:
    small = await submit(client, ada)
    staff = await owner.fetchval("select admitted_by from membership limit 1")
    await owner.execute(
        "with made as (insert into member (id, phone, language, joined_at) select uuidv7(),"
        " '+42378' || (100000 + n), 'en', $1 from generate_series(1, 199) n returning id)"
        " insert into membership (id, member_id, house, shares_minor, applied_at, shares_paid_at,"
        " admitted_at, admitted_by, last_active_at)"
        " select uuidv7(), id, 'riders', 0, $2, $2, $2, $3, $1 from made",
        FRIDAY_EVENING,
        FRIDAY_EVENING - timedelta(days=400),
        staff,
    )
    large = await submit(client, ada)

    # Of 200 active members 3 % are 6; of one, the statutes' least of 5.
    assert (await read(client, ada, large))["supporters_needed"] == 6
    assert (await read(client, ada, small))["supporters_needed"] == 5


async def test_support_counts_once_and_can_be_taken_back(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person
) -> None:
    address = await submit(client, ada)
    bo = await join_register(owner, name="Bo")
    path = f"{address}/support"

    assert slug(await take(client, bo, f"{path}/withdraw")) == "not-supported"
    assert (await take(client, bo, path)).json()["supporters"] == 1
    assert slug(await take(client, bo, path)) == "already-supported"
    assert (await read(client, bo, address))["i_support"]
    assert (await take(client, bo, f"{path}/withdraw")).json()["supporters"] == 0
    assert not (await read(client, bo, address))["i_support"]
    assert await owner.fetchval("select count(*) from proposal_support") == 0
    assert (await take(client, bo, path)).json()["supporters"] == 1


async def test_nobody_is_shown_who_supports_not_even_the_author(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person
) -> None:
    address = await submit(client, ada)
    bo = await join_register(owner, name="Bonaventura")
    before = await owner.fetchval("select count(*) from event_log")

    await take(client, bo, f"{address}/support")

    shown = [
        (await client.get(path, headers=ada.headers)).text
        for path in (address, "/v1/proposals", f"{address}/comments")
    ]
    assert '"supporters":1' in shown[0]
    assert not any(str(bo.id) in text or bo.id.hex in text or "Bonav" in text for text in shown)
    # No event says when somebody came, so that nobody sees who had just come in.
    assert await owner.fetchval("select count(*) from event_log") == before


async def test_after_its_time_nobody_supports_any_more(
    client: httpx.AsyncClient, ada: Person, clock: StandingClock, owner: asyncpg.Connection
) -> None:
    address = await submit(client, ada)
    await owner.execute("update proposal set due_at = $1", FRIDAY_EVENING + timedelta(hours=1))

    clock.pass_time(3600 - 0.001)
    assert (await take(client, ada, f"{address}/support")).status_code == 200
    clock.pass_time(0.001)

    assert slug(await take(client, ada, f"{address}/support/withdraw")) == "proposal-step-refused"
    assert slug(await take(client, ada, f"{address}/support")) == "proposal-step-refused"


async def test_who_has_left_supports_no_more_and_counts_no_longer(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person
) -> None:
    address = await submit(client, ada)
    bo = await join_register(owner, name="Bo")
    assert (await take(client, bo, f"{address}/support")).json()["supporters"] == 1
    await owner.execute("update membership set left_at = $1", FRIDAY_EVENING)

    assert (await read(client, ada, address))["supporters"] == 0

    assert slug(await take(client, ada, f"{address}/support")) == "not-in-the-register"
