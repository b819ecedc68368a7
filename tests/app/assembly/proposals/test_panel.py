"""A panel is drawn by lot, so that anybody can draw it again, and writes one page for each side."""

import hashlib
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from app.members.roles import Role
from governance.panel import draw_panel
from tests.app.assembly.proposals.stories import deliberate, join_register, read
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_member
from tests.steps import slug, take

HOUR_S = 3600
SOURCE = {
    "source": "Swiss Lotto of 22 May 2026, SHA-256 of its numbers",
    "public_at": (FRIDAY_EVENING + timedelta(hours=1)).isoformat(),
}
RANDOMNESS = {"randomness": hashlib.sha256(b"3 8 15 16 23 42").hexdigest()}


@pytest.fixture
async def staff(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, Role.STAFF, now=FRIDAY_EVENING, name="Staff")


@pytest.fixture
async def ada(owner: asyncpg.Connection) -> Person:
    return await join_register(owner)


@pytest.fixture
async def proposal(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person
) -> tuple[str, list[Person]]:
    """Ada's number under deliberation: its address, and the other members."""
    return await deliberate(client, owner, ada)


def pseudonym(address: str, person: Person) -> str:
    """What everybody can compute of themselves."""
    salt = bytes.fromhex(address.rpartition("/")[2].replace("-", ""))
    return hashlib.sha256(salt + str(person.id).encode()).hexdigest()


async def drawn_panel(
    client: httpx.AsyncClient, staff: Person, address: str, clock: StandingClock
) -> dict[str, Any]:
    await take(client, staff, f"{address}/panel", **SOURCE)
    clock.pass_time(HOUR_S)
    answer = await take(client, staff, f"{address}/panel/draw", **RANDOMNESS)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def write(
    client: httpx.AsyncClient,
    person: Person,
    address: str,
    side: str,
    *,
    body: str = "A page.",
    version: str | None = '"0"',
) -> httpx.Response:
    headers = person.act | ({"If-Match": version} if version else {})
    return await client.put(f"{address}/panel/pages/{side}", json={"body": body}, headers=headers)


async def test_anybody_can_draw_the_panel_again_and_find_themselves_on_the_list(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    proposal: tuple[str, list[Person]],
    ada: Person,
    staff: Person,
    clock: StandingClock,
) -> None:
    address, members = proposal
    await owner.execute(
        "insert into policy_version (id, key, value, effective_from, source, tally_id)"
        " select uuidv7(), 'panel_size', '2', effective_from + interval '1 second', 'tally',"
        " uuidv7() from policy_version where key = 'panel_size'"
    )
    clock.pass_time(2)

    panel = await drawn_panel(client, staff, address, clock)

    assert panel["listed"] == sorted(pseudonym(address, member) for member in members)
    assert pseudonym(address, ada) not in panel["listed"]  # The author does not judge herself.
    again = draw_panel(panel["listed"], size=2, randomness=bytes.fromhex(panel["randomness"]))
    assert panel["drawn"] == list(again)
    for member in members:
        assert (await read(client, member, f"{address}/panel"))["me"] == pseudonym(address, member)
    told = await owner.fetch("select stream_id from event_log where type = 'proposal.drew_you'")
    assert {pseudonym(address, m) for m in members if m.id in {row[0] for row in told}} == set(
        again
    )


async def test_the_randomness_comes_after_the_list_and_once(
    client: httpx.AsyncClient,
    proposal: tuple[str, list[Person]],
    staff: Person,
    clock: StandingClock,
) -> None:
    address, _ = proposal
    path = f"{address}/panel"

    known = {**SOURCE, "public_at": FRIDAY_EVENING.isoformat()}
    assert slug(await take(client, staff, path, **known)) == "panel-too-early"
    assert slug(await take(client, staff, f"{path}/draw", **RANDOMNESS)) == "panel-unknown"
    listed = await take(client, staff, path, **SOURCE)
    assert (listed.status_code, listed.json()["drawn"]) == (201, [])
    assert slug(await take(client, staff, path, **SOURCE)) == "panel-exists"
    clock.pass_time(HOUR_S - 1)
    assert slug(await take(client, staff, f"{path}/draw", **RANDOMNESS)) == "panel-too-early"
    clock.pass_time(1)
    short = await take(client, staff, f"{path}/draw", randomness="8f" * 15)
    assert slug(short) == "invalid-request"
    assert (await take(client, staff, f"{path}/draw", **RANDOMNESS)).status_code == 200
    assert slug(await take(client, staff, f"{path}/draw", **RANDOMNESS)) == "panel-exists"


async def test_only_staff_set_up_a_panel(
    client: httpx.AsyncClient, proposal: tuple[str, list[Person]], ada: Person
) -> None:
    address, _ = proposal

    assert slug(await take(client, ada, f"{address}/panel", **SOURCE)) == "role-missing"
    assert slug(await take(client, ada, f"{address}/panel/draw", **RANDOMNESS)) == "role-missing"
    missing = await client.get(f"{address}/panel", headers=ada.headers)
    assert slug(missing) == "panel-unknown"


async def test_the_drawn_write_a_page_for_each_side_and_nobody_writes_both(
    client: httpx.AsyncClient,
    proposal: tuple[str, list[Person]],
    ada: Person,
    staff: Person,
    clock: StandingClock,
) -> None:
    address, (bo, cy, dan, *_) = proposal
    await drawn_panel(client, staff, address, clock)

    assert (await write(client, bo, address, "for")).json()["version"] == 1
    assert (await write(client, cy, address, "against", body="Another.")).json()["version"] == 1
    assert slug(await write(client, bo, address, "against")) == "not-on-the-panel"
    assert slug(await write(client, ada, address, "for")) == "not-on-the-panel"
    assert slug(await write(client, dan, address, "for")) == "version-changed"
    assert slug(await write(client, dan, address, "for", version=None)) == "version-missing"
    again = await write(client, dan, address, "for", body="Better.", version='"1"')
    assert again.json()["version"] == 2

    pages = (await read(client, ada, f"{address}/panel"))["pages"]
    assert [(page["side"], page["body"]) for page in pages] == [
        ("for", "Better."),
        ("against", "Another."),
    ]


async def test_a_page_has_two_hundred_words_at_most(
    client: httpx.AsyncClient,
    proposal: tuple[str, list[Person]],
    staff: Person,
    clock: StandingClock,
) -> None:
    address, (bo, *_) = proposal
    await drawn_panel(client, staff, address, clock)

    assert slug(await write(client, bo, address, "for", body="word " * 201)) == "page-too-long"
    assert (await write(client, bo, address, "for", body="word " * 200)).status_code == 200
