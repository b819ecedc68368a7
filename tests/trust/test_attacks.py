"""Each attack on a vote is carried out, and is refused by name or found and named by a recount.

The verdict "no fault" on the same vote before the attack stands in `attacks.hold`.
"""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from app.issuer import papers
from app.settings import Settings
from app.voting.checking import Verdict, check, object_to_count
from app.voting.errors import FalseTermsError, VotingError
from governance.ballot_box import ballot_from, sign_root
from governance.manifest import canonical, manifest_from
from governance.verify import FaultKind
from governance.vote_key import new_vote_key
from tests.app.assembly.elections.town import ISSUERS, SERVER, Town, open_town
from tests.conftest import StandingClock
from tests.steps import slug, take
from tests.trust.attacks import (
    Board,
    DatabaseOwner,
    Held,
    Operator,
    all_issuers_without_their_logs,
    ballot_not_sent,
    begin,
    copied_credential,
    duplicate,
    forge,
    hold,
    one_dishonest_issuer,
    other_value,
    stolen_credentials,
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"issuers": ISSUERS, "ballot_batch": 3})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "issuers"


@pytest.fixture
async def town(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, home: Path
) -> AsyncIterator[Town]:
    async with open_town(app, owner, clock, home) as town:
        yield town


@pytest.fixture
async def held(town: Town, home: Path) -> Held:
    """An honest vote, counted and published, in which no recount finds a fault."""
    return await hold(town, home)


async def post(held: Held, ballot: dict[str, Any]) -> httpx.Response:
    return await held.town.http.post(f"{SERVER}/v1/elections/{held.election}/ballots", json=ballot)


# A voter, or whoever pretends to be one, through the public API.


async def test_the_api_refuses_ballots_that_are_changed_copied_or_stamped_by_one(
    town: Town, home: Path
) -> None:
    held = await begin(town, home)
    await held.vote(0)
    manifest, mine = await held.manifest(), held.voter(0).wallet.votes[held.election]
    [sent] = mine.ballots
    stranger, auditors = new_vote_key(), Operator(held, 0)
    honest = stolen_credentials(sent.document)
    own = auditors.stamp(manifest, key=stranger)

    changed = await post(held, {**sent.document, "value": 1_350})
    copied = await post(held, forge(manifest, key=stranger, credentials=honest))
    one_stamp = await post(held, forge(manifest, key=stranger, credentials=[own, own]))
    too_few = await post(held, forge(manifest, key=stranger, credentials=[own]))
    beyond_the_rule = await post(
        held, forge(manifest, key=mine.key, credentials=honest, value=2_050)
    )
    another = forge(manifest, key=mine.key, credentials=honest, value=1_350)
    second_of_one_number = await post(held, another)

    refusals = (changed, copied, one_stamp, too_few, beyond_the_rule)
    assert [slug(answer) for answer in refusals] == ["ballot-refused"] * 5
    assert "not signed by its vote key" in changed.json()["detail"]
    assert "issuer 0 is not for this ballot" in copied.json()["detail"]
    assert "issuer 1 is not for this ballot" in one_stamp.json()["detail"]
    assert slug(second_of_one_number) == "ballot-sequence-taken"


async def test_a_ballot_sent_twice_lies_in_the_box_once_and_a_late_one_not_at_all(
    town: Town, home: Path
) -> None:
    held = await begin(town, home)
    await held.vote(0, 1, 3)
    [sent] = held.voter(0).wallet.votes[held.election].ballots
    again = await post(held, sent.document)
    await town.round()
    after_its_batch = await post(held, sent.document)
    late = await held.town.voters[held.people[4].id].get_credentials(held.election)
    await held.close()

    refused = await post(held, ballot_not_sent(late))

    assert again.json() == after_its_batch.json() == sent.receipt
    assert slug(refused) == "vote-closed"
    found = await held.recount()
    assert (found.faults, found.counted) == ([], [2, 1])


# The cooperative's own secretary: the whole database, and the board's key.


@pytest.mark.parametrize(
    ("attack", "kind"),
    [
        (other_value, FaultKind.CHANGED_BALLOT),
        (copied_credential, FaultKind.COPIED_CREDENTIAL),
        (one_dishonest_issuer, FaultKind.DISHONEST_ISSUER),
        (all_issuers_without_their_logs, FaultKind.MORE_BALLOTS),
        (duplicate, FaultKind.DUPLICATE),
    ],
)
async def test_a_box_refilled_under_roots_signed_anew_names_what_was_done(
    held: Held, attack: Any, kind: FaultKind
) -> None:
    """Roots, result and package hash all fit what lies in the box then."""
    refilled = await attack(held, (await held.package())["ballots"])

    await Board(held).refill(lambda _: refilled)

    assert await held.named(with_keepsakes=False) == {kind}
    # Whoever kept the honest roots sees that the box was rewritten, whatever lies in it.
    assert await held.named() & {FaultKind.FORGED_ROOT, FaultKind.LATE}


async def test_a_ballot_dropped_after_the_count_is_named_by_its_receipt(held: Held) -> None:
    board = Board(held)
    victim = held.voter(2).wallet.votes[held.election].ballots[0].document

    await board.refill(lambda ballots: [one for one in ballots if one != victim])

    assert await held.named(with_keepsakes=False) == set()
    found = await held.recount()
    leaf = ballot_from(victim).leaf().hex()
    dropped = [fault.detail for fault in found.faults if fault.kind is FaultKind.DROPPED]
    assert len(dropped) == 1
    assert leaf[:12] in dropped[0]


async def test_a_ballot_dropped_before_it_was_published_is_named_by_its_receipt(
    town: Town, home: Path
) -> None:
    """The strongest moment: it waits sealed, no root knows it, and the program counts in faith."""
    held = await begin(town, home)
    await held.vote(0, 3)
    await DatabaseOwner(held).change(
        "delete from pending_ballot where blind_index = (select min(blind_index)"
        " from pending_ballot)"
    )
    await held.close()

    assert await held.named(with_keepsakes=False) == set()
    assert await held.named() == {FaultKind.DROPPED}
    wrong = {
        number: [finding.sentence for finding in findings if finding.verdict is Verdict.WRONG]
        for number in (0, 3)
        for findings in [await check(held.voter(number), held.election)]
    }
    [victim] = [number for number, sentences in wrong.items() if sentences]
    assert any("do not hold yours" in sentence for sentence in wrong[victim])

    # In the objection window the receipt alone, without a name, voids the vote.
    await object_to_count(held.voter(victim), held.election)
    assert await town.stage(held.proposal_id) == "void"
    shown = await town.get(f"/v1/elections/{held.election}")
    assert [fault["kind"] for fault in shown["faults"]] == [FaultKind.DROPPED]


async def test_a_result_that_nobody_counted_is_named(held: Held) -> None:
    await DatabaseOwner(held).announce({"value": 1_350})

    found = await held.recount(with_keepsakes=False)

    [fault] = found.faults
    assert fault.kind is FaultKind.FALSE_RESULT
    assert fault.detail == 'announced {"value":1350}, counted {"value":1200}'


@pytest.mark.parametrize("dated", ["honestly", "back"])
async def test_a_late_ballot_is_named_and_one_dated_back_by_whoever_kept_a_root(
    town: Town, home: Path, dated: str
) -> None:
    held = await begin(town, home)
    await held.vote(0, 1, 3)
    stamped = await held.voter(4).get_credentials(held.election)
    await held.close()
    await held.keep_roots()
    published_by = stamped.terms.manifest.published_by

    await Board(held).refill(
        lambda ballots: [*ballots, ballot_not_sent(stamped)],
        published_at=published_by + timedelta(seconds=1) if dated == "honestly" else held.last_at,
        keep_roots=True,
    )

    alone = await held.named(with_keepsakes=False)
    assert alone == ({FaultKind.LATE} if dated == "honestly" else set())
    # It is not counted any more where it is known to be late, and the result was fitted to it.
    fitted = {FaultKind.FALSE_RESULT} if dated == "back" else set()
    assert await held.named() == {FaultKind.LATE} | fitted


@pytest.mark.parametrize("signer", ["the board", "somebody"])
async def test_a_forged_root_is_named(held: Held, signer: str) -> None:
    manifest, board = await held.manifest(), Board(held)
    key = board.key if signer == "the board" else Ed25519PrivateKey.generate()
    forged = sign_root(
        manifest, leaves=[bytes(32)] * 5, board_key=key, published_at=manifest.closes_at
    )

    await board.change("update board_root set document = $1 where size = 5", json.dumps(forged))

    found = await held.recount(with_keepsakes=False)
    assert {fault.kind for fault in found.faults} == {FaultKind.FORGED_ROOT}
    why = {"the board": "the box gives another root", "somebody": "not signed by the board"}
    assert why[signer] in found.faults[0].detail


# Whoever opened the vote wants other terms in the middle of it.


async def test_a_rule_changed_under_way_is_seen_by_members_issuers_and_the_recount(
    town: Town, home: Path
) -> None:
    held = await begin(town, home)
    await held.vote(0, 1)
    honest = await held.manifest()
    document = json.loads(canonical(honest.document()))
    document["parameters"]["largest_step"] = 2_000
    other = manifest_from(document)
    board = Board(held)
    published = (await town.get(f"/v1/elections/{held.election}/rolls"))["rolls"]
    lines = [[{"member": member, "key": ""} for member in roll] for roll in published]
    body = json.dumps({"manifest": document, "rolls": lines}).encode()
    path = papers.manifest_path(held.election)
    ordered = await town.http.post(
        ISSUERS[0] + path,
        content=body,
        headers={
            papers.ORDER_HEADER: papers.sign_order(path, body=body, board_key=board.key),
            "Content-Type": "application/json",
        },
    )
    await board.change(
        "update election set manifest = $1, manifest_hash = $2", json.dumps(document), other.hash()
    )

    with pytest.raises(FalseTermsError, match="Not every issuer has signed these terms"):
        await held.vote(3)
    with pytest.raises(VotingError):
        await held.voter(0).revote(held.election, 1_250)
    await held.close()

    assert slug(ordered) == "another-manifest"
    assert FaultKind.CHANGED_TERMS in await held.refused_to_count()


async def test_a_rule_changed_after_the_count_is_named(held: Held) -> None:
    document = (await held.package())["manifest"]
    document["parameters"]["largest_step"] = 2_000
    owner = DatabaseOwner(held)

    await owner.change(
        "update election set manifest = $1, manifest_hash = $2",
        json.dumps(document),
        manifest_from(document).hash(),
    )
    await owner.announce_what_is_counted()

    found = await held.recount(with_keepsakes=False)
    changed = [fault.detail for fault in found.faults if fault.kind is FaultKind.CHANGED_TERMS]
    assert any("Auditors did not sign these terms" in detail for detail in changed)
    assert any("cast under other terms" in detail for detail in changed)


# Before the count the program recounts for itself, and voids rather than publishes.


OTHER_VALUE = """
    update ballot set document = jsonb_set(document, '{value}', '1350')
    where leaf = (select min(leaf) from ballot)"""
OTHER_ROOT = """
    update board_root set document = jsonb_set(document, '{root}', to_jsonb(repeat('00', 32)))"""
ONE_LESS = "delete from ballot where leaf = (select min(leaf) from ballot)"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        (OTHER_VALUE, FaultKind.CHANGED_BALLOT),
        (OTHER_ROOT, FaultKind.FORGED_ROOT),
        (ONE_LESS, FaultKind.FORGED_ROOT),
    ],
)
async def test_a_box_changed_under_way_is_never_counted(
    town: Town, home: Path, sql: str, kind: FaultKind
) -> None:
    held = await begin(town, home)
    await held.vote(0, 1, 3)
    await town.round()
    await DatabaseOwner(held).change(sql)

    await held.close()

    assert kind in await held.refused_to_count()


# A membership that has ended.


async def test_a_ballot_stamped_after_the_end_of_a_membership_voids_the_vote(
    town: Town, home: Path
) -> None:
    """Both issuers cheat in their books, and their stamps are true: the record still tells."""
    held = await begin(town, home)
    await held.vote(1, 3)
    answer = await take(town.http, held.people[0], f"{SERVER}/v1/me/membership/leave")
    assert answer.status_code == 200, answer.text
    await town.pass_time(minutes=1)
    await town.round()
    with pytest.raises(VotingError, match="your membership has ended"):
        await held.vote(0)
    manifest, key = await held.manifest(), new_vote_key()
    member = (await town.get(f"/v1/elections/{held.election}/me", held.people[0]))["member"]
    operators = [Operator(held, number) for number in range(2)]
    stamps = [operator.stamp(manifest, key=key) for operator in operators]
    for operator in operators:
        operator.change_book(
            "insert into stamp (election, house_no, member, segment, blinded_hash)"
            " values (?, 0, ?, 1, ?)",
            held.election,
            member,
            bytes(32),
        )
    taken = await post(held, forge(manifest, key=key, credentials=stamps))
    assert taken.status_code == 201, "a true stamp does not tell whose it is"

    await held.close()

    assert await held.refused_to_count() == {FaultKind.REVOKED, FaultKind.MORE_BALLOTS}


# The file that everybody runs.


async def test_meent_verify_says_so_on_the_exported_package(held: Held, tmp_path: Path) -> None:
    file, receipt = tmp_path / "package.json", tmp_path / "receipt.json"
    receipt.write_text(json.dumps(held.receipts()[0]))

    async def said() -> tuple[int, str]:
        file.write_text(json.dumps(await held.package()))
        command = [sys.executable, "governance/verify.py", str(file), "--receipt", str(receipt)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: ASYNC221
        return ended.returncode, ended.stdout

    honest = await said()
    await Board(held).refill(lambda ballots: [ballots[0] | {"value": 1_350}, *ballots[1:]])
    forged = await said()

    assert honest[0] == 0
    assert "no fault: every check passed" in honest[1]
    assert forged[0] == 1
    assert "FAULT: a ballot was changed after its voter signed it" in forged[1]
