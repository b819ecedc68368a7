"""`meent audit` recounts every vote: what the database cannot check, it finds."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.audit.elections import RECOUNT
from app.audit.report import Check, audit
from app.foundation.ids import new_id
from governance.electorate import House
from tests.app.assembly.elections.town import Town


async def recounted(town: Town) -> Check:
    report = await audit(town.owner)
    return next(check for check in report.checks if check.name == RECOUNT)


async def enacted_vote(town: Town) -> str:
    await town.settle(drivers=1, riders=1)
    people = [town.members[house][0] for house in House]
    return await town.hold(await town.propose(), [(person, 1200) for person in people])


async def test_an_honest_vote_and_its_policy_are_recounted_without_fault(town: Town) -> None:
    await enacted_vote(town)

    report = await audit(town.owner)
    check = await recounted(town)

    assert report.violations == 0, report.first_violation
    assert (check.counted, check.violations) == (2, 0)


async def false_result(town: Town) -> tuple[UUID, str]:
    """Two voted for 12 %, and 13.5 % is written down; return proposal and election."""
    await town.settle(drivers=1, riders=1)
    proposal_id = await town.propose()
    election = await town.open_voting(proposal_id)
    for house in House:
        await town.vote(election, town.members[house][0], 1200)
    await town.close(proposal_id)
    await town.owner.execute("set session_replication_role = replica")
    await town.owner.execute("""update tally set result = '{"value": 1350}'""")
    await town.owner.execute("set session_replication_role = origin")
    return proposal_id, election


async def test_a_result_that_was_changed_in_the_objection_window_is_not_enacted(
    town: Town,
) -> None:
    proposal_id, election = await false_result(town)

    await town.finish(proposal_id)

    shown = await town.get(f"/v1/elections/{election}")
    assert await town.stage(proposal_id) == "void"
    assert [fault["kind"] for fault in shown["faults"]] == [
        "the announced result is not what the ballots say"
    ]
    voted = await town.owner.fetchval("select count(*) from policy_version where source = 'tally'")
    assert voted == 0


async def test_a_result_the_program_made_up_within_the_terms_is_found(town: Town) -> None:
    """The one way around a count: the program itself counts, and lies within floor and ceiling."""
    proposal_id, election = await false_result(town)
    due_at = await town.owner.fetchval("select due_at from proposal where id = $1", proposal_id)
    await town.go_to(due_at + timedelta(seconds=1))
    now = town.clock.now()
    async with town.app.state.database.transaction() as tx:
        tally = await tx.value("select id from tally")
        await tx.execute(
            "select enact_tally($1, $2, $3, $4)", new_id(), tally, now + timedelta(days=15), now
        )

    check = await recounted(town)

    assert check.violations > 0
    assert check.first is not None
    assert f"election {election}" in check.first


@pytest.mark.parametrize(
    "forged",
    [
        "update policy_version set value = '1300' where source = 'tally'",
        "update policy_version set key = 'offer_time_s' where source = 'tally'",
        "update ballot set document = jsonb_set(document, '{value}', '1350')",
        "delete from ballot where leaf = (select min(leaf) from ballot)",
        "delete from issuance_log where issuer_no = 0",
        "delete from election_roll where house_no = 0",
        "update election set manifest = jsonb_set(manifest, '{parameters,floor}', '1000')",
    ],
)
async def test_what_an_owner_of_the_database_changed_later_is_found(
    town: Town, forged: str
) -> None:
    await enacted_vote(town)
    await town.owner.execute("set session_replication_role = replica")
    await town.owner.execute(forged)
    await town.owner.execute("set session_replication_role = origin")

    assert (await recounted(town)).violations > 0


async def test_a_policy_that_names_a_tally_nobody_made_is_found(town: Town) -> None:
    await town.owner.execute(
        "insert into policy_version (id, key, value, effective_from, source, tally_id)"
        " values ($1, 'commission_bp', '900', now(), 'tally', $2)",
        new_id(),
        UUID(int=7),
    )

    check = await recounted(town)

    assert (check.counted, check.violations) == (1, 1)
