"""What may go wrong while a vote runs: issuers away, crashes, memberships that end, false boxes."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import structlog

from app.assembly.stream import ASSEMBLY_STREAM
from app.voting.errors import VotingError
from governance.electorate import House
from governance.manifest import member_hash
from governance.verify import recount
from tests.app.assembly.ballots.scene import forget_process
from tests.app.assembly.elections.town import SERVER, Town
from tests.steps import slug, take


async def deliberation_ends(town: Town, proposal_id: UUID) -> None:
    await town.go_to(
        await town.owner.fetchval("select due_at from proposal where id = $1", proposal_id)
    )


@pytest.mark.parametrize("part", ["/v1", "/keys", "/manifest"])
async def test_a_vote_opens_when_the_issuer_that_was_away_has_sealed_too(
    town: Town, part: str
) -> None:
    await town.settle(drivers=1, riders=1)
    proposal_id = await town.propose()
    town.lines[1].cut_at = (part,)
    await deliberation_ends(town, proposal_id)
    await town.round(3)
    assert await town.stage(proposal_id) == "frozen"

    town.lines[1].cut_at = ()
    await town.round(2)

    assert await town.stage(proposal_id) == "credentials_open"
    # The one that answered was asked for its keys once.
    assert sum(asked.endswith("/keys") for asked in town.lines[0].asked) == 1


async def test_a_vote_that_an_issuer_never_seals_is_void(town: Town) -> None:
    await town.settle(drivers=1, riders=1)
    proposal_id = await town.propose()
    town.lines[0].cut_at = ("/manifest",)
    await town.freeze(proposal_id)

    await town.pass_time(days=2)
    await town.round()

    row = await town.owner.fetchrow(
        "select stage, void_ground from proposal where id = $1", proposal_id
    )
    assert tuple(row) == ("void", "not_signed")


async def test_without_two_issuers_a_proposal_waits_in_its_deliberation(town: Town) -> None:
    await town.settle(drivers=1, riders=1)
    proposal_id = await town.propose()
    app = town.app
    issuers = app.state.settings.issuers
    app.state.settings = app.state.settings.model_copy(update={"issuers": issuers[:1]})
    town.new_process()
    await deliberation_ends(town, proposal_id)

    await town.round(2)
    assert await town.stage(proposal_id) == "deliberation"

    app.state.settings = app.state.settings.model_copy(update={"issuers": issuers})
    town.new_process()
    await town.round(2)
    assert await town.stage(proposal_id) == "credentials_open"


async def test_a_crash_after_any_answer_loses_nothing_and_asks_nothing_twice_in_another_way(
    town: Town,
) -> None:
    await town.settle(drivers=2, riders=1)
    proposal_id = await town.propose()
    await deliberation_ends(town, proposal_id)
    manifests = set()
    # The lines of both issuers break after each other's every step, and so does the process.
    for cut in [("/keys",), ("/manifest",), ()]:
        for line in town.lines:
            line.cut_at = cut
            town.new_process()
            await town.round()
            manifests.add(
                await town.owner.fetchval(
                    "select encode(manifest_hash, 'hex') from election where proposal_id = $1",
                    proposal_id,
                )
            )
    times = await town.owner.fetchrow(
        "select p.opens_at, p.closes_at, e.id::text as election from proposal p"
        " join election e on e.proposal_id = p.id where p.id = $1",
        proposal_id,
    )
    await town.go_to(times["opens_at"])
    await town.round()
    for person in town.members[House.DRIVERS]:
        await town.vote(times["election"], person, 1200)
    await town.go_to(times["closes_at"])
    for line, stage in zip(town.lines, ("voting", "objection_window"), strict=True):
        # Whoever has given its log is not asked again, and is not missed.
        line.cut_at = ("/log",)
        town.new_process()
        await town.round()
        line.cut_at = ()
        assert await town.stage(proposal_id) == stage

    assert len(manifests - {None}) == 1


async def test_a_vote_that_cannot_be_counted_in_time_is_void(town: Town) -> None:
    await town.settle(drivers=1, riders=1)
    proposal_id = await town.propose()
    election = await town.open_voting(proposal_id)
    town.lines[0].cut_at = ("/log",)
    await town.close(proposal_id)
    assert await town.stage(proposal_id) == "voting"

    await town.pass_time(days=2)
    await town.round()

    row = await town.owner.fetchrow(
        "select stage, void_ground from proposal where id = $1", proposal_id
    )
    assert tuple(row) == ("void", "not_counted")
    answer = await town.http.get(f"{SERVER}/v1/elections/{election}/result")
    assert slug(answer) == "not-counted-yet"


async def test_a_box_that_does_not_verify_voids_the_vote_and_names_the_fault(town: Town) -> None:
    await town.settle(drivers=2, riders=1)
    proposal_id = await town.propose()
    election = await town.open_voting(proposal_id)
    for person in town.members[House.DRIVERS]:
        await town.vote(election, person, 1200)
    await town.vote(election, town.members[House.RIDERS][0], 1200)
    await town.round()
    # Somebody with the owner's rights changes a ballot that lies in the box.
    await town.owner.execute("set session_replication_role = replica")
    await town.owner.execute(
        "update ballot set document = jsonb_set(document, '{value}', '1800')"
        " where leaf = (select min(leaf) from ballot)"
    )
    await town.owner.execute("set session_replication_role = origin")
    await town.close(proposal_id)

    shown = await town.get(f"/v1/elections/{election}")
    row = await town.owner.fetchrow(
        "select stage, void_ground from proposal where id = $1", proposal_id
    )
    assert tuple(row) == ("void", "proof_failed")
    assert "a ballot was changed after its voter signed it" in {
        fault["kind"] for fault in shown["faults"]
    }
    assert await town.owner.fetchval("select count(*) from tally") == 0


def lose_batch_keys(town: Town) -> dict[Path, bytes]:
    """Somebody cleared the folder of keys; return what was in it."""
    lost = {}
    for path in (town.app.state.settings.home / "ballot-keys").glob("*.key"):
        lost[path] = path.read_bytes()
        path.unlink()
    forget_process()
    assert lost
    return lost


async def vote_of_which_the_key_is_lost(town: Town) -> tuple[UUID, str, dict[Path, bytes]]:
    await town.settle(drivers=1, riders=1)
    proposal_id = await town.propose()
    election = await town.open_voting(proposal_id)
    # Fewer than a batch: nobody would have to open them before the close.
    for house in House:
        await town.vote(election, town.members[house][0], 1200)
    return proposal_id, election, lose_batch_keys(town)


async def alarms(town: Town) -> list[str]:
    rows = await town.owner.fetch(
        "select data::text as data from event_log where stream_id = $1"
        " and type = 'election.ballots_unreadable'",
        ASSEMBLY_STREAM,
    )
    return [json.loads(row["data"])["election_id"] for row in rows]


async def test_all_members_hear_once_that_nobody_can_open_the_ballots_that_wait(
    town: Town,
) -> None:
    proposal_id, election, lost = await vote_of_which_the_key_is_lost(town)
    with structlog.testing.capture_logs() as written:
        for _ in range(3):
            await town.pass_time(minutes=1)
            town.new_process()
            await town.round()

    errors = [line["event"] for line in written if line["log_level"] == "error"]
    assert errors == ["election.ballots.unreadable"]
    assert await alarms(town) == [election]
    assert await town.stage(proposal_id) == "voting"
    # Whoever finds the keys saves the vote.
    for path, content in lost.items():
        path.write_bytes(content)
    await town.close(proposal_id)
    assert await town.stage(proposal_id) == "objection_window"


async def test_a_vote_whose_ballots_nobody_can_open_is_void_at_its_close(town: Town) -> None:
    proposal_id, election, _ = await vote_of_which_the_key_is_lost(town)

    await town.close(proposal_id)
    await town.round(2)

    shown = await town.get(f"/v1/elections/{election}")
    row = await town.owner.fetchrow(
        "select stage, void_ground from proposal where id = $1", proposal_id
    )
    assert tuple(row) == ("void", "proof_failed")
    assert shown["faults"] == [
        {
            "kind": "receipted ballots are in no box, since nobody can open them",
            "detail": "the key of 2 ballots that wait for their batch is gone",
        }
    ]
    assert await town.owner.fetchval("select count(*) from tally") == 0


# Memberships that end.


async def test_who_leaves_before_fetching_a_stamp_gets_none(town: Town) -> None:
    await town.settle(drivers=2, riders=1)
    proposal_id = await town.propose()
    election = await town.open_voting(proposal_id)
    leaver, stayer = town.members[House.DRIVERS]
    answer = await take(town.http, leaver, f"{SERVER}/v1/me/membership/leave")
    assert answer.status_code == 200, answer.text
    await town.pass_time(minutes=1)
    await town.round()

    with pytest.raises(VotingError, match="your membership has ended"):
        await town.vote(election, leaver, 1300)
    await town.vote(election, stayer, 1300)
    await town.vote(election, town.members[House.RIDERS][0], 1300)
    await town.close(proposal_id)

    package = json.loads((await town.http.get(f"{SERVER}/v1/elections/{election}/package")).content)
    assert recount(package).faults == []
    [revocation] = package["revocations"]
    assert revocation["stamped_before"] == [0, 0]
    assert recount(package).counted == [1, 1]


async def test_a_revocation_reaches_the_issuer_that_was_away_and_the_logs_fit_it(
    town: Town,
) -> None:
    await town.settle(drivers=3, riders=1)
    proposal_id = await town.propose()
    election = await town.open_voting(proposal_id)
    leaver, first, later = town.members[House.DRIVERS]
    await town.vote(election, first, 1300)
    await town.vote(election, leaver, 1250)
    await take(town.http, leaver, f"{SERVER}/v1/me/membership/leave")
    await town.pass_time(minutes=1)
    town.lines[1].cut_at = ("/revocations",)
    await town.round()
    town.new_process()
    town.lines[1].cut_at = ()
    await town.vote(election, later, 1300)
    await town.round()
    await town.close(proposal_id)

    package = json.loads((await town.http.get(f"{SERVER}/v1/elections/{election}/package")).content)
    [revocation] = package["revocations"]
    assert recount(package).faults == []
    # A stamp that was given cannot be taken back; what each issuer had given by then stands here.
    assert revocation["stamped_before"] == [2, 3]
    assert await town.stage(proposal_id) == "objection_window"


# What members are told.


async def test_members_hear_that_they_are_on_the_roll_and_who_lacks_a_key_in_time(
    town: Town,
) -> None:
    await town.settle(drivers=1, riders=1)
    keyless = await town.add(House.RIDERS)
    proposal_id = await town.propose()
    await town.round(2)
    assert [kind for kind, _ in await town.told(keyless)] == ["election.key_missing"]

    await town.freeze(proposal_id)
    await town.round()

    [_, (kind, told)] = await town.told(keyless)
    assert (kind, told["has_key"], told["house"]) == ("election.on_roll", False, "riders")
    driver = town.members[House.DRIVERS][0]
    kinds = [kind for kind, _ in await town.told(driver)]
    assert kinds.count("election.on_roll") == 1
    assert "election.key_missing" not in kinds


async def test_only_those_without_all_stamps_are_reminded_once_at_each_time(town: Town) -> None:
    await town.settle(drivers=2, riders=1)
    proposal_id = await town.propose()
    election = await town.open_voting(proposal_id)
    voter, sleeper = town.members[House.DRIVERS]
    await town.vote(election, voter, 1300)
    closes_at = await town.owner.fetchval(
        "select closes_at from proposal where id = $1", proposal_id
    )
    for hours in (73, 71, 70, 25, 23):
        await town.go_to(closes_at - timedelta(hours=hours))
        town.new_process()
        await town.round(2)

    def reminders(told: list[tuple[str, dict[str, object]]]) -> int:
        return sum(kind == "election.reminder" for kind, _ in told)

    assert reminders(await town.told(sleeper)) == 2
    assert reminders(await town.told(voter)) == 0


async def test_who_is_named_on_a_log_is_asked_whether_it_was_them_by_each_issuer(
    town: Town,
) -> None:
    await town.settle(drivers=2, riders=1)
    election = await town.open_voting(await town.propose())
    voter, other = town.members[House.DRIVERS]
    await town.vote(election, voter, 1300)
    await town.pass_time(hours=2)
    await town.round(3)

    asked = [told["issuer"] for kind, told in await town.told(voter) if kind == "credential.issued"]
    assert sorted(asked) == ["Auditors", "Sister cooperative"]
    assert "credential.issued" not in {kind for kind, _ in await town.told(other)}
    seat = await town.get(f"/v1/elections/{election}/me", voter)
    assert seat["issued"] == [True, True]
    assert (await town.get(f"/v1/elections/{election}"))["issued"] == 1


async def test_a_member_computes_her_own_line_of_the_roll_and_nobody_elses(town: Town) -> None:
    await town.settle(drivers=2, riders=1)
    election = await town.open_voting(await town.propose())
    ada, bo = town.members[House.DRIVERS]
    seats = {
        person.id: await town.get(f"/v1/elections/{election}/me", person) for person in (ada, bo)
    }
    keys = {person.id: town.voters[person.id].wallet.key.public.hex() for person in (ada, bo)}
    salt = bytes.fromhex(seats[ada.id]["salt"])

    rolls = (await town.get(f"/v1/elections/{election}/rolls"))["rolls"]
    own = member_hash(f"{ada.id}:{keys[ada.id]}", salt=salt)
    assert own == seats[ada.id]["member"]
    assert own in rolls[0]
    assert member_hash(f"{bo.id}:{keys[bo.id]}", salt=salt) not in rolls[0]
    secret = await town.owner.fetchval("select encode(salt, 'hex') from election")
    assert secret not in json.dumps([*seats.values(), await town.get(f"/v1/elections/{election}")])


async def test_no_event_ever_says_that_somebody_voted(town: Town) -> None:
    await town.settle(drivers=3, riders=2)
    proposal_id = await town.propose()
    election = await town.open_voting(proposal_id)
    people = [*town.members[House.DRIVERS], *town.members[House.RIDERS]]
    for person in people[:4]:
        await town.voters[person.id].get_credentials(election)
    await town.voters[people[0].id].cast(election, 1300)
    await town.close(proposal_id)

    # She who cast and those who only fetched their stamps heard the same.
    kinds = [sorted(kind for kind, _ in await town.told(person)) for person in people[:4]]
    assert all(kind == kinds[0] for kind in kinds)


async def test_a_stranger_is_told_that_they_are_not_on_the_roll(town: Town) -> None:
    await town.settle(drivers=1, riders=1)
    election = await town.freeze(await town.propose())
    stranger = await town.add(House.RIDERS)

    seat = await town.get(f"/v1/elections/{election}/me", stranger)

    assert (seat["on_roll"], seat["issued"]) == (False, [False, False])


async def test_a_vote_nobody_knows_is_not_found(town: Town) -> None:
    election = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
    for part in ("", "/rolls", "/result", "/package"):
        answer = await town.http.get(f"{SERVER}/v1/elections/{election}{part}")
        assert (answer.status_code, slug(answer)) == (404, "election-unknown")
