"""Promises of the statutory audit: two auditors, and never one, stop a vote for a public reason."""

import asyncio
import json
from uuid import UUID

import asyncpg
import httpx
import pytest

from app.assembly.stream import ASSEMBLY_STREAM
from app.foundation.ids import new_id
from app.members.roles import Role
from governance.electorate import House
from tests.app.assembly.elections.town import SERVER, Town
from tests.factories import Person, make_member
from tests.steps import slug, take

REASON = "Twelve members on the roll were admitted without a share."


async def auditor(town: Town) -> Person:
    person = await make_member(town.owner, Role.AUDITOR, now=town.clock.now())
    await town.owner.execute("update session set access_expires_at = '2027-05-22'")
    return person


async def ask(town: Town, election: str, person: Person, reason: str = REASON) -> httpx.Response:
    path = f"{SERVER}/v1/elections/{election}/audit-stops"
    return await take(town.http, person, path, reason=reason)


async def confirm(town: Town, election: str, stop_id: str, person: Person) -> httpx.Response:
    path = f"{SERVER}/v1/elections/{election}/audit-stops/{stop_id}/confirm"
    return await take(town.http, person, path)


async def begin(town: Town) -> tuple[UUID, str]:
    await town.settle(drivers=1, riders=1)
    proposal_id = await town.propose()
    return proposal_id, await town.freeze(proposal_id)


async def reach(town: Town, proposal_id: UUID, election: str, stage: str) -> None:
    if stage in ("voting", "objection_window"):
        await town.open_voting_now(proposal_id)
    if stage == "objection_window":
        for house in House:
            await town.vote(election, town.members[house][0], 1200)
        await town.close(proposal_id)
    assert await town.stage(proposal_id) == stage


@pytest.mark.parametrize("stage", ["credentials_open", "voting", "objection_window"])
async def test_two_auditors_stop_a_vote_until_it_is_enacted(town: Town, stage: str) -> None:
    proposal_id, election = await begin(town)
    first, second = await auditor(town), await auditor(town)
    await reach(town, proposal_id, election, stage)

    asked = await ask(town, election, first)
    alone = await town.stage(proposal_id)
    confirmed = await confirm(town, election, asked.json()["id"], second)

    assert (asked.status_code, confirmed.status_code) == (201, 200), confirmed.text
    assert alone == stage
    assert confirmed.json()["stage"] == "void"
    row = await town.owner.fetchrow(
        "select stage, void_ground from proposal where id = $1", proposal_id
    )
    assert tuple(row) == ("void", "audit")
    await town.pass_time(days=30)
    await town.round()
    assert (
        await town.owner.fetchval("select count(*) from policy_version where source='tally'") == 0
    )


async def test_everybody_reads_the_reason_and_nobody_who_gave_it(town: Town) -> None:
    _, election = await begin(town)
    first, second = await auditor(town), await auditor(town)
    stop_id = (await ask(town, election, first)).json()["id"]
    await confirm(town, election, stop_id, second)

    shown = await town.get(f"/v1/elections/{election}")
    rows = await town.owner.fetch(
        "select type, data::text as data from event_log where stream_id = $1"
        " and type like 'election.stop%' order by seq",
        ASSEMBLY_STREAM,
    )

    assert shown["audit_stops"] == [{"id": stop_id, "reason": REASON, "auditors": 2}]
    told = [(row["type"], json.loads(row["data"])) for row in rows]
    assert [(kind, data["by"], data["reason"]) for kind, data in told] == [
        ("election.stop_asked", "one auditor", REASON),
        ("election.stopped", "two auditors", REASON),
    ]
    for person in (first, second):
        assert str(person.id) not in json.dumps(shown) + repr(told)


async def test_one_auditor_alone_stops_nothing(town: Town) -> None:
    proposal_id, election = await begin(town)
    one = await auditor(town)
    stop_id = (await ask(town, election, one)).json()["id"]

    own = await confirm(town, election, stop_id, one)
    again = await ask(town, election, one)

    assert (slug(own), slug(again)) == ("two-auditors-needed", "stop-asked")
    assert await town.stage(proposal_id) == "credentials_open"
    with pytest.raises(asyncpg.CheckViolationError, match="two_auditors_stop_a_vote"):
        await town.owner.execute(
            "insert into audit_confirmation select id, asked_by, asked_by, now() from audit_stop"
        )
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await town.owner.execute(
            "insert into audit_confirmation select id, $1, asked_by, now() from audit_stop",
            (await auditor(town)).id,
        )


async def test_an_auditor_keeps_out_of_the_vote_on_their_own_proposal(town: Town) -> None:
    proposal_id, election = await begin(town)
    author_id = await town.owner.fetchval(
        "select author_id from proposal where id = $1", proposal_id
    )
    other = await auditor(town)
    author = await auditor(town)
    # She who wrote the proposal is an auditor too: her session is hers, whoever it was made for.
    await town.owner.execute(
        "insert into member_role (member_id, role, granted_at) values ($1, 'auditor', now())",
        author_id,
    )
    await town.owner.execute(
        "update session set member_id = $1 where id = $2", author_id, author.session_id
    )
    stop_id = (await ask(town, election, other)).json()["id"]

    answers = [await ask(town, election, author), await confirm(town, election, stop_id, author)]

    assert [slug(answer) for answer in answers] == ["own-proposal"] * 2
    assert await town.stage(proposal_id) == "credentials_open"


async def test_nobody_else_stops_a_vote_and_not_without_a_reason(town: Town) -> None:
    proposal_id, election = await begin(town)
    one = await auditor(town)
    staff = await make_member(town.owner, Role.STAFF, now=town.clock.now())
    await town.owner.execute("update session set access_expires_at = '2027-05-22'")
    stop_id = (await ask(town, election, one)).json()["id"]
    another = await auditor(town)

    answers = {
        "staff asks": await ask(town, election, staff),
        "staff confirms": await confirm(town, election, stop_id, staff),
        "short": await ask(town, election, another, "   I do not like it.  "),
        "no such stop": await confirm(town, election, str(new_id()), another),
        "no such vote": await confirm(town, str(new_id()), stop_id, another),
    }

    assert {name: slug(answer) for name, answer in answers.items()} == {
        "staff asks": "role-missing",
        "staff confirms": "role-missing",
        "short": "invalid-request",
        "no such stop": "stop-unknown",
        "no such vote": "election-unknown",
    }
    assert await town.stage(proposal_id) == "credentials_open"


async def test_what_is_enacted_or_void_is_not_stopped(town: Town) -> None:
    proposal_id, election = await begin(town)
    first, second, third = [await auditor(town) for _ in range(3)]
    await reach(town, proposal_id, election, "objection_window")
    stop_id = (await ask(town, election, first)).json()["id"]
    await town.finish(proposal_id)

    late = [await confirm(town, election, stop_id, second), await ask(town, election, third)]

    assert [slug(answer) for answer in late] == ["nothing-to-stop"] * 2
    assert await town.stage(proposal_id) == "enacted"


async def test_two_who_confirm_at_once_void_a_vote_once(town: Town) -> None:
    proposal_id, election = await begin(town)
    first, second, third = [await auditor(town) for _ in range(3)]
    stop_id = (await ask(town, election, first)).json()["id"]

    answers = await asyncio.gather(
        *(confirm(town, election, stop_id, person) for person in (second, third))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await town.owner.fetchval("select count(*) from audit_confirmation") == 1
    assert await town.stage(proposal_id) == "void"
    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await town.owner.execute("delete from audit_confirmation")
