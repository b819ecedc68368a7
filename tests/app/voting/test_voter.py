"""Promises of the voters' client: a vote from key to count, and what it refuses to believe."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.voting.checking import Verdict, check, fetch_package, recount_package
from app.voting.client import Voter
from app.voting.errors import FalseTermsError, RefusedError, VotingError
from app.voting.wallet import Wallet, WalletFile
from governance.vote_key import vote_key_from_words
from tests.app.voting.town import DAY, Sent, Town, When, decided, people

FARE = 1_300


async def said(voter: Voter, election: str, verdict: Verdict) -> list[str]:
    findings = await check(voter, election)
    return [finding.sentence for finding in findings if finding.verdict is verdict]


async def test_a_vote_goes_from_key_to_count_and_each_voter_sees_it_counted(town: Town) -> None:
    members = await people(town.owner, town.clock, count=3)
    voters = [await town.voter(member) for member in members]
    election = await town.hold_vote(members)
    values = [1_200, 1_250, 1_400]
    for voter, value in zip(voters, values, strict=True):
        await voter.get_credentials(election)
        receipt = await voter.cast(election, value)
        assert receipt["due_at"] == "2026-05-29T17:00:00Z"
    assert "promised to be in the box by" in str(await said(voters[0], election, Verdict.WAITS))
    await town.publish()
    assert "Your ballot for 12 % is in the box." in await said(voters[0], election, Verdict.GOOD)
    package = await town.count()
    assert town.manifest is not None
    assert package["result"] == decided(town.manifest, [values])
    for voter in voters:
        assert await said(voter, election, Verdict.WRONG) == []
        assert await said(voter, election, Verdict.WAITS) == []
        found = recount_package(voter, election, await fetch_package(voter, election))
        assert (found.faults, found.counted) == ([], [3])
    good = await said(voters[1], election, Verdict.GOOD)
    assert "Published and counted for you: 12.5 %." in good
    assert "Auditors stamped for you, and you asked." in good


async def test_both_houses_vote_on_their_own_rolls(town: Town) -> None:
    members = await people(town.owner, town.clock, count=2)
    voters = [await town.voter(member) for member in members]
    election = await town.hold_vote(members[:1], members[1:])
    for voter in voters:
        await voter.get_credentials(election)
        await voter.cast(election, FARE)
    await town.count()
    found = recount_package(voters[1], election, await fetch_package(voters[1], election))
    assert (found.faults, found.counted, found.result) == ([], [1, 1], {"value": FARE})


async def test_whoever_changes_their_mind_is_counted_once_with_the_newest(town: Town) -> None:
    [member] = await people(town.owner, town.clock, count=1)
    voter = await town.voter(member)
    election = await town.hold_vote([member])
    await voter.get_credentials(election)
    with pytest.raises(VotingError, match="have not voted here yet"):
        await voter.revote(election, 1_400)
    await voter.cast(election, 1_200)
    await voter.revote(election, 1_400)
    package = await town.count()
    assert package["result"] == {"value": 1_400}
    assert "Published and counted for you: 14 %." in await said(voter, election, Verdict.GOOD)


async def test_a_ballot_and_its_proof_travel_without_a_name(town: Town) -> None:
    [member] = await people(town.owner, town.clock, count=1)
    voter = await town.voter(member)
    election = await town.hold_vote([member])
    await voter.get_credentials(election)
    await voter.cast(election, FARE)
    await town.publish()
    await check(voter, election)
    vote = voter.wallet.votes[election]
    secret = [vote.key.public.hex(), vote.ballots[0].document["signature"]]
    secret += [credential["signature"] for credential in vote.credentials if credential]
    named = [sent for sent in town.sent if {"authorization", "cookie"} & sent.headers.keys()]
    assert {sent.path for sent in named} == {"/v1/me/member-key", f"/v1/elections/{election}/me"}
    at_issuers = [sent for sent in town.sent if sent.path.startswith("/issuer-")]
    assert len(at_issuers) >= 2
    for sent in [*named, *at_issuers]:
        assert not any(text.encode() in sent.body for text in secret)
        assert not any(text in sent.path for text in secret)
    [cast] = [sent for sent in town.sent if sent.path.endswith("/ballots")]
    assert str(member.id).encode() not in cast.body
    assert vote.member.encode() not in cast.body


@pytest.mark.parametrize("when", When)
async def test_a_crash_at_any_request_costs_no_vote(town: Town, tmp_path: Path, when: When) -> None:
    [member] = await people(town.owner, town.clock, count=1)
    file = WalletFile(tmp_path / "wallet.json")
    await town.voter(member, wallet=file.load(), keep=file.keep)
    election = await town.hold_vote([member])
    crashed: list[str] = []

    class Crash(BaseException):
        """The process is no more."""

    def crash(sent: Sent, now: When) -> None:
        if now is when and sent.path not in crashed:
            crashed.append(sent.path)
            raise Crash

    town.breaks = crash
    while True:
        # Each life gets one request further than the one before, and knows the disk alone.
        voter = town.client(member, file.load(), keep=file.keep)
        try:
            await voter.get_credentials(election)
            await voter.cast(election, FARE)
        except Crash:
            continue
        break
    steps = [path.rpartition("/")[2] for path in crashed]
    assert steps == [election, "rolls", "me", "stamps", "stamps", "ballots"]
    town.breaks = None
    for issuer_no in range(2):
        [log] = await town.logs(issuer_no)
        assert log["members"] == [voter.wallet.votes[election].member]
    package = await town.count()
    assert len(package["ballots"]) == 1
    assert await said(voter, election, Verdict.WRONG) == []
    assert file.load() == voter.wallet


async def test_twelve_words_bring_a_vote_back_on_another_device(town: Town) -> None:
    [member] = await people(town.owner, town.clock, count=1)
    lost = await town.voter(member)
    election = await town.hold_vote([member])
    await lost.get_credentials(election)
    await lost.cast(election, 1_200)
    member_words = lost.wallet.key.words()
    vote_words = lost.wallet.votes[election].key.words()

    found = town.client(member)
    await found.register_key(vote_key_from_words(member_words))
    with pytest.raises(VotingError, match="given in your name to another key"):
        await town.client(member, Wallet(member_key=found.wallet.member_key)).get_credentials(
            election
        )
    await found.get_credentials(election, key=vote_key_from_words(vote_words))
    assert found.wallet.votes[election].credentials == lost.wallet.votes[election].credentials
    await found.cast(election, 1_400)
    package = await town.count()
    assert package["result"] == {"value": 1_400}
    assert "Published and counted for you: 14 %." in await said(found, election, Verdict.GOOD)
    with pytest.raises(VotingError, match="another key for this vote"):
        await found.get_credentials(election, key=vote_key_from_words(member_words))


@pytest.mark.parametrize(
    ("part", "lie", "words"),
    [
        (
            "",
            lambda shown: shown | {"manifest_hash": "00" * 32},
            "not the ones that were announced",
        ),
        ("", lambda shown: shown | {"seals": shown["seals"][::-1]}, "Not every issuer has signed"),
        ("", lambda shown: shown | {"seals": shown["seals"][:1]}, "Not every issuer has signed"),
        ("", lambda shown: shown | {"issuers": shown["issuers"][::-1]}, "is shown as"),
        ("", lambda shown: shown | {"id": "another"}, "belong to another vote"),
        ("", lambda shown: shown | {"seals": ["no hex"]}, "cannot be read"),
        ("/rolls", lambda shown: {"rolls": [shown["rolls"][0][1:]]}, "not the one that was frozen"),
        ("/me", lambda shown: shown | {"member": "00" * 32}, "the published roll lacks you"),
    ],
)
async def test_terms_that_do_not_hold_together_are_refused_before_anything_is_asked(
    town: Town, part: str, lie: Any, words: str
) -> None:
    [member] = await people(town.owner, town.clock, count=1)
    voter = await town.voter(member)
    election = await town.hold_vote([member])
    town.lies = {f"{election}{part}": lie}
    with pytest.raises(FalseTermsError, match=words):
        await voter.get_credentials(election)
    assert voter.wallet.votes == {}
    assert not [sent for sent in town.sent if sent.path.endswith("/stamps")]


async def test_terms_that_were_changed_since_are_noticed(town: Town) -> None:
    [member] = await people(town.owner, town.clock, count=1)
    voter = await town.voter(member)
    election = await town.hold_vote([member])
    await voter.get_credentials(election)
    voter.wallet.votes[election].manifest["question"] = "Another?"
    with pytest.raises(FalseTermsError, match="changed since you began"):
        await voter.fetch_election(election)


async def test_a_false_stamp_and_a_false_receipt_are_noticed(town: Town) -> None:
    [member] = await people(town.owner, town.clock, count=1)
    voter = await town.voter(member)
    election = await town.hold_vote([member])
    town.lies = {"/stamps": lambda shown: shown | {"stamp": "0f" * 256}}
    with pytest.raises(FalseTermsError, match="Auditors gave something that is no stamp"):
        await voter.get_credentials(election)
    town.lies = {}
    with pytest.raises(VotingError, match="stamps for this vote are not here yet"):
        await voter.cast(election, FARE)
    await voter.get_credentials(election)
    town.lies = {"/ballots": lambda shown: shown | {"leaf": "00" * 32}}
    with pytest.raises(FalseTermsError, match="no true receipt"):
        await voter.cast(election, FARE)
    town.lies = {}
    assert "was perhaps not sent" in str(await said(voter, election, Verdict.WAITS))
    await voter.cast(election, FARE)
    assert len(voter.wallet.votes[election].ballots) == 1


async def test_a_box_that_drops_changes_or_forgets_is_noticed(town: Town) -> None:
    members = await people(town.owner, town.clock, count=2)
    voters = [await town.voter(member) for member in members]
    election = await town.hold_vote(members)
    for voter in voters:
        await voter.get_credentials(election)
        await voter.cast(election, FARE)
        await town.publish()
        await check(voter, election)
    kept = dict(voters[0].wallet.votes[election].root or {})
    assert kept["size"] == 1
    good = await said(voters[0], election, Verdict.GOOD)
    assert (
        "The box holds 2 ballots, signed by the board, and has only grown since you last looked."
        in good
    )

    async def wrong(part: str, lie: Any) -> str:
        town.lies = {part: lie}
        voters[0].wallet.votes[election].root = kept
        found = await said(voters[0], election, Verdict.WRONG)
        town.lies = {}
        return str(found)

    assert "was changed since you last looked" in await wrong(
        "/consistency", lambda shown: shown | {"proof": ["00" * 32]}
    )
    assert "not signed by the board" in await wrong(
        "/roots",
        lambda shown: {"items": [root | {"root": "00" * 32} for root in shown["items"]]},
    )
    assert "lost what was in it" in await wrong("/roots", lambda shown: shown | {"items": []})
    assert "no true proof" in await wrong("/inclusion", lambda shown: shown | {"index": 7})
    await town.count()
    assert "do not hold yours" in await wrong("/package", lambda shown: shown | {"ballots": []})
    await town.owner.execute("set session_replication_role = replica; delete from ballot")
    await town.owner.execute("set session_replication_role = origin")
    town.clock.pass_time(2 * DAY.total_seconds())
    found = await said(voters[0], election, Verdict.WRONG)
    assert (
        "Your ballot for 13 % is missing from the box. Stop the count by your receipt:"
        f" meent vote object {election}" in found
    )


async def test_a_stamp_that_nobody_asked_for_is_noticed(town: Town) -> None:
    members = await people(town.owner, town.clock, count=1)
    thief, owner = await town.voter(members[0]), town.client(members[0])
    owner.wallet.member_key = thief.wallet.member_key
    election = await town.hold_vote(members)
    assert await said(owner, election, Verdict.WRONG) == []
    await thief.get_credentials(election)
    [first, second] = await said(owner, election, Verdict.WRONG)
    assert first.startswith("Auditors has stamped in your name, but not for this wallet.")
    assert second.startswith("Sister cooperative has stamped in your name")
    town.lies = {"/log": lambda shown: {"logs": [shown["logs"][0] | {"members": []}]}}
    [first, _] = await said(thief, election, Verdict.WRONG)
    assert first == "Auditors stamped for you, but its public log leaves you out."
    town.lies = {
        f"/{thief.wallet.votes[election].member}": lambda shown: shown | {"key": "cd" * 32}
    }
    [first, _] = await said(thief, election, Verdict.WRONG)
    assert first == "Auditors holds a key of yours that is not the one in this wallet."


async def test_a_ballot_may_wait_for_a_random_moment_but_not_past_the_close(town: Town) -> None:
    [member] = await people(town.owner, town.clock, count=1)
    voter = await town.voter(member)
    election = await town.hold_vote([member])
    await voter.get_credentials(election)
    began = town.clock.now()
    await voter.cast(election, FARE, at_random_within=timedelta(hours=2))
    assert began < town.clock.now() < began + timedelta(hours=2)
    assert town.manifest is not None
    await voter.cast(election, 1_350, at_random_within=timedelta(days=70))
    assert town.clock.now() < town.manifest.closes_at


async def test_what_cannot_be_done_is_told_plainly(town: Town) -> None:
    members = await people(town.owner, town.clock, count=2)
    voter, stranger = [await town.voter(member) for member in members]
    election = await town.hold_vote(members[:1])
    with pytest.raises(VotingError, match=r"not on the roll of this vote\. You are"):
        await stranger.get_credentials(election)
    await voter.get_credentials(election)
    with pytest.raises(VotingError, match="does not take this value"):
        await voter.cast(election, 1_301)
    with pytest.raises(VotingError, match="not counted yet"):
        await fetch_package(voter, election)
    await voter.register_key(voter.wallet.votes[election].key)
    voter.wallet.votes.clear()
    with pytest.raises(VotingError, match="another member key of yours"):
        await voter.get_credentials(election)
    anonymous = Voter(Wallet(), server=town.url, open_http=town.http)
    with pytest.raises(VotingError, match="You are not signed in"):
        await anonymous.standing(election)
    with pytest.raises(RefusedError, match="There is no such"):
        await voter.fetch_election("019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1b")


async def test_a_closed_vote_takes_no_ballot(town: Town) -> None:
    [member] = await people(town.owner, town.clock, count=1)
    voter = await town.voter(member)
    election = await town.hold_vote([member])
    await voter.get_credentials(election)
    await town.count()
    with pytest.raises(RefusedError, match="The vote is closed") as refused:
        await voter.cast(election, FARE)
    assert refused.value.slug == "vote-closed"


async def test_a_server_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")

    def nobody() -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(away))

    monkeypatch.setattr("app.voting.connection.FIRST_PAUSE_S", 0.001)
    voter = Voter(Wallet(), server="http://meent.test", open_http=nobody)
    with pytest.raises(VotingError, match=r"No answer from meent\.test"):
        await voter.list_elections()


async def test_whoever_is_shown_another_members_line_notices(town: Town) -> None:
    ada, bo = await people(town.owner, town.clock, count=2)
    voters = [await town.voter(person) for person in (ada, bo)]
    election = await town.hold_vote([ada, bo])
    shown = await voters[1].standing(election)
    assert "Your line on the roll is made of you and of your key." in await said(
        voters[0], election, Verdict.GOOD
    )

    # Two members share one line, and the line that is free takes a voter who is nobody.
    town.lies = {f"{election}/me": lambda _: shown}
    wrong = await said(voters[0], election, Verdict.WRONG)
    assert any("not made of you and of the key in this wallet" in line for line in wrong)
    with pytest.raises(FalseTermsError, match="Your line is not yours alone"):
        await voters[0].get_credentials(election)
    assert not [sent for sent in town.sent if sent.path.endswith("/stamps")]
    # A salt that was made to fit does not help: it is of one length.
    town.lies = {f"{election}/me": lambda own: own | {"salt": own["salt"] + "00"}}
    with pytest.raises(FalseTermsError, match="Your line is not yours alone"):
        await voters[0].get_credentials(election)
