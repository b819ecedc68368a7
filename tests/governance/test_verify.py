"""Promises of the recount: an honest election passes, and each attack is caught and named."""

import ast
import copy
import json
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from governance import verify
from governance.ballot_box import cast
from governance.credential import IssuanceLog, publish_log
from governance.manifest import manifest_from, seal_manifest
from governance.verify import FaultKind, recount
from governance.vote_key import new_vote_key
from tests.governance.election import (
    CLOSES_AT,
    NUMBER,
    OPENS_AT,
    PUBLISHED_BY,
    SALT,
    Election,
    announce,
    election,
    forged,
    keys,
    kinds,
    member_hash,
    signed,
)

VALUES = (1_200, 1_200, 1_300, 1_300, 1_300, 1_400, 1_500, 1_600, 1_000)


@pytest.fixture(scope="module")
def honest() -> Election:
    vote = election()
    ballots = [vote.vote(*one) for one in zip(vote.rolls[0], VALUES, strict=False)]
    vote.publish(ballots[:4], at=OPENS_AT + timedelta(days=2))
    vote.publish(ballots[4:], at=PUBLISHED_BY)
    return vote


@pytest.fixture
def package(honest: Election) -> dict[str, Any]:
    return honest.package()


def the_fault(package: dict[str, Any], **kept: Any) -> verify.Fault:
    (fault,) = recount(package, **kept).faults
    return fault


def test_an_honest_election_has_no_fault(package: dict[str, Any], honest: Election) -> None:
    receipts = [honest.receipt(ballot) for ballot in honest.box.ballots]
    found = recount(json.loads(json.dumps(package)), receipts=receipts, roots=honest.roots)
    assert (found.faults, found.counted, found.result) == ([], [9], {"value": 1_300})


def test_a_changed_value_is_caught(package: dict[str, Any]) -> None:
    def change(ballots: list[dict[str, Any]]) -> None:
        ballots[3]["value"] = 2_000

    assert the_fault(forged(package, change)).kind is FaultKind.CHANGED_BALLOT


def test_copied_credentials_are_caught(package: dict[str, Any], honest: Election) -> None:
    def stuff(ballots: list[dict[str, Any]]) -> None:
        stolen = honest.box.ballots[0].credentials
        ballots.append(
            cast(honest.manifest, key=new_vote_key(), value=2_000, credentials=stolen).document()
        )

    fault = the_fault(forged(package, stuff))
    assert fault.kind is FaultKind.COPIED_CREDENTIAL
    assert "secretary, sister co-op" in fault.detail


@pytest.mark.parametrize("other_stamp", ["copied", "missing", "own"])
def test_one_dishonest_issuer_is_caught_and_the_missing_stamp_named(
    package: dict[str, Any], honest: Election, other_stamp: str
) -> None:
    key = new_vote_key()
    true = honest.credential(key, issuer_no=0)
    others = {
        "copied": [honest.box.ballots[0].credentials[1]],
        "missing": [],
        "own": [true],
    }[other_stamp]

    def stuff(ballots: list[dict[str, Any]]) -> None:
        ballot = cast(honest.manifest, key=key, value=2_000, credentials=[true, *others])
        ballots.append(ballot.document())

    fault = the_fault(forged(package, stuff))
    assert fault.kind is FaultKind.DISHONEST_ISSUER
    assert "no stamp of sister co-op" in fault.detail


def test_a_duplicated_ballot_is_caught_and_counts_once(package: dict[str, Any]) -> None:
    cheat = forged(package, lambda ballots: ballots.append(copy.deepcopy(ballots[0])))
    assert the_fault(cheat).kind is FaultKind.DUPLICATE
    assert recount(cheat).counted == [9]


def test_a_false_result_is_caught(package: dict[str, Any]) -> None:
    fault = the_fault({**package, "result": {"value": 1_800}})
    assert fault.kind is FaultKind.FALSE_RESULT
    assert fault.detail == 'announced {"value":1800}, counted {"value":1300}'


def test_a_dropped_ballot_is_caught_by_its_receipt(
    package: dict[str, Any], honest: Election
) -> None:
    dropped = honest.box.ballots[2]
    cheat = forged(package, lambda ballots: ballots.remove(dropped.document()))
    assert recount(cheat).faults == []
    fault = the_fault(cheat, receipts=[honest.receipt(dropped)])
    assert fault.kind is FaultKind.DROPPED
    assert dropped.leaf().hex()[:12] in fault.detail


def test_a_receipt_that_is_not_the_boards_proves_nothing(
    package: dict[str, Any], honest: Election
) -> None:
    invented = {**honest.receipt(honest.box.ballots[0]), "leaf": "00" * 32}
    assert kinds(package, receipts=[invented]) == {FaultKind.FALSE_RECEIPT}


def test_terms_under_which_one_issuer_suffices_are_named(package: dict[str, Any]) -> None:
    first, second = package["manifest"]["issuers"]
    for issuers in ([first], [first, {**second, "moduli": first["moduli"]}]):
        weak = copy.deepcopy(package)
        weak["manifest"]["issuers"] = issuers
        assert FaultKind.WEAK_TERMS in kinds(weak)


def test_a_rule_changed_without_the_issuers_is_caught(package: dict[str, Any]) -> None:
    package["manifest"]["parameters"] = {**NUMBER, "to_raise": [1, 2, True]}
    package = announce(package)
    assert FaultKind.CHANGED_TERMS in kinds(package)
    assert any("secretary did not sign" in fault.detail for fault in recount(package).faults)


def test_a_rule_changed_by_all_issuers_under_way_is_caught(
    package: dict[str, Any], honest: Election
) -> None:
    package["manifest"]["parameters"] = {**NUMBER, "largest_step": None}
    manifest = manifest_from(package["manifest"])
    package["seals"] = [seal_manifest(manifest, seal_key=seal).hex() for seal in keys().seals]
    package["issuance"] = [
        publish_log(manifest, log=honest.log(number, 0), seal_key=seal)
        for number, seal in enumerate(keys().seals)
    ]
    package["roots"] = [
        signed({**one, "manifest": manifest.hash().hex()}, domain=b"meent-root:1", key=keys().board)
        for one in package["roots"]
    ]
    found = recount(announce(package))
    assert {fault.kind for fault in found.faults} == {FaultKind.CHANGED_TERMS}
    assert len(found.faults) == len(VALUES)


def test_a_ballot_under_a_root_after_the_close_is_late_and_does_not_count() -> None:
    vote = election()
    ballots = [vote.vote(*one) for one in zip(vote.rolls[0], VALUES, strict=False)]
    vote.publish(ballots[:-1], at=CLOSES_AT)
    vote.publish(ballots[-1:], at=PUBLISHED_BY + timedelta(seconds=1))
    package = vote.package()
    fault = the_fault(package)
    assert fault.kind is FaultKind.LATE
    assert "ballots 8 to 8" in fault.detail
    assert recount(package).counted == [8]


def test_a_late_ballot_dated_back_is_caught_by_a_root_someone_kept() -> None:
    vote = election()
    ballots = [vote.vote(*one) for one in zip(vote.rolls[0], VALUES, strict=False)]
    vote.publish(ballots[:-1], at=PUBLISHED_BY)
    kept = vote.roots[-1]
    vote.publish(ballots[-1:], at=PUBLISHED_BY)
    package = vote.package()
    assert recount(package).faults == []
    assert kinds(package, roots=[kept]) >= {FaultKind.LATE}


def test_a_ballot_before_the_opening_is_caught() -> None:
    vote = election()
    vote.publish([vote.vote(vote.rolls[0][0], 1_200)], at=OPENS_AT - timedelta(seconds=1))
    assert the_fault(vote.package()).kind is FaultKind.EARLY


def test_a_forged_root_is_caught(package: dict[str, Any]) -> None:
    last = package["roots"][-1]
    for document, key, why in (
        ({**last, "root": "00" * 32}, keys().board, "the box gives another root"),
        (last, keys().seals[0], "not signed by the board"),
    ):
        forgery = signed(document, domain=b"meent-root:1", key=key)
        fault = the_fault({**package, "roots": [package["roots"][0], forgery]})
        assert fault.kind is FaultKind.FORGED_ROOT
        assert why in fault.detail


def test_ballots_under_no_root_are_caught(package: dict[str, Any]) -> None:
    cheat = announce({**package, "roots": package["roots"][:1]})
    assert the_fault(cheat).kind is FaultKind.FORGED_ROOT
    assert recount(cheat).counted == [4]


def test_a_box_rewritten_after_a_root_was_kept_is_caught(
    package: dict[str, Any], honest: Election
) -> None:
    cheat = forged(package, lambda ballots: ballots.pop(0) and None)
    assert kinds(cheat, roots=honest.roots) == {FaultKind.FORGED_ROOT}


def test_a_ballot_after_the_end_of_a_membership_is_caught_and_both_issuers_named() -> None:
    vote = election()
    ballots = [vote.vote(*one) for one in zip(vote.rolls[0], VALUES, strict=False)]
    gone = vote.rolls[0][15]
    vote.revoke(gone)
    vote.publish([*ballots, vote.vote(gone, 2_000)], at=CLOSES_AT)
    faults = recount(vote.package()).faults
    revoked = [fault for fault in faults if fault.kind is FaultKind.REVOKED]
    assert [fault.detail.split(",")[0] for fault in revoked] == ["secretary", "sister co-op"]
    assert all(gone[:12] in fault.detail for fault in revoked)
    assert {fault.kind for fault in faults} == {FaultKind.REVOKED, FaultKind.MORE_BALLOTS}


def test_a_log_reordered_to_hide_a_late_stamp_is_caught() -> None:
    vote = election()
    ballots = [vote.vote(*one) for one in zip(vote.rolls[0], VALUES, strict=False)]
    vote.revoke(vote.rolls[0][15])
    vote.publish([*ballots, vote.vote(vote.rolls[0][15], 2_000)], at=CLOSES_AT)
    for log in vote.logs:
        log[0].insert(0, log[0].pop())
    assert kinds(vote.package()) == {FaultKind.FALSE_LOG}


def test_who_was_stamped_before_the_end_of_a_membership_keeps_the_vote() -> None:
    vote = election()
    ballots = [vote.vote(*one) for one in zip(vote.rolls[0], VALUES, strict=False)]
    vote.revoke(vote.rolls[0][0])
    vote.publish(ballots, at=CLOSES_AT)
    assert recount(vote.package()).faults == []


def test_all_issuers_together_cannot_exceed_the_names_they_logged() -> None:
    vote = election()
    ballots = [vote.vote(*one) for one in zip(vote.rolls[0], VALUES, strict=False)]
    vote.publish(ballots, at=CLOSES_AT)
    for log in vote.logs:
        log[0].pop()
    fault = recount(vote.package()).faults[0]
    assert fault.kind is FaultKind.MORE_BALLOTS
    assert "9 voters, 8 valid stamps" in fault.detail


@pytest.mark.parametrize("entry", ["a stranger", "a member twice"])
def test_a_log_with_false_names_is_caught(
    package: dict[str, Any], honest: Election, entry: str
) -> None:
    name = member_hash("stranger", salt=SALT) if entry == "a stranger" else honest.rolls[0][0]
    log = IssuanceLog(0, 0, (*honest.logs[0][0], name))
    package["issuance"][0] = publish_log(honest.manifest, log=log, seal_key=keys().seals[0])
    assert the_fault(package).kind is FaultKind.FALSE_LOG


def test_a_changed_roll_is_caught(package: dict[str, Any]) -> None:
    package["rolls"][0][-1] = member_hash("stranger", salt=SALT)
    assert FaultKind.FALSE_ROLL in kinds(package)


def test_an_order_that_tells_who_voted_when_is_caught(honest: Election) -> None:
    backwards = forged(honest.package(), lambda _: None)
    backwards["ballots"].reverse()
    assert FaultKind.TELLING_ORDER in kinds(backwards)


def test_the_highest_sequence_of_a_key_counts() -> None:
    vote = election(parameters={**NUMBER, "quorums": [0]})
    key, credentials = vote.register(vote.rolls[0][0])
    for sequence, value in ((0, 1_800), (2, 1_300), (1, 1_200)):
        ballot = cast(
            vote.manifest, key=key, value=value, credentials=credentials, sequence=sequence
        )
        vote.publish([ballot], at=CLOSES_AT)
    found = recount(vote.package())
    assert (found.faults, found.counted, found.result) == ([], [1], {"value": 1_300})


def test_two_ballots_with_one_sequence_are_caught_and_neither_counts() -> None:
    vote = election()
    key, credentials = vote.register(vote.rolls[0][0])
    vote.publish(
        [
            cast(vote.manifest, key=key, value=value, credentials=credentials)
            for value in (1_300, 1_400)
        ],
        at=CLOSES_AT,
    )
    assert the_fault(vote.package()).kind is FaultKind.SAME_SEQUENCE
    assert recount(vote.package()).counted == [0]


@pytest.mark.parametrize("value", [2_050, 1_210, True, "1200", None, [1_200]])
def test_a_value_the_rule_does_not_take_is_caught(value: object) -> None:
    vote = election()
    vote.publish([vote.vote(vote.rolls[0][0], value)], at=CLOSES_AT)
    assert the_fault(vote.package()).kind is FaultKind.FALSE_VALUE


def test_a_rider_cannot_vote_as_a_driver() -> None:
    vote = election(sizes=(3, 3), rule="two_houses", parameters={**NUMBER, "quorums": [1, 1]})
    key, credentials = vote.register(vote.rolls[1][0], house_no=1)
    vote.publish(
        [cast(vote.manifest, key=key, value=1_200, credentials=credentials, house_no=0)],
        at=CLOSES_AT,
    )
    assert the_fault(vote.package()).kind is FaultKind.FALSE_CREDENTIAL


def test_a_broken_package_is_a_fault_and_never_an_exception(package: dict[str, Any]) -> None:
    for name in package:
        for wrong in (None, 7, "text", [None], {"a": 1}):
            if name != "result":
                assert kinds({**package, name: wrong}), (name, wrong)
    for name in package["ballots"][0]:
        for wrong in (None, 7.5, "zz", [], {}):
            cheat = copy.deepcopy(package)
            cheat["ballots"][0][name] = wrong
            assert kinds(cheat), (name, wrong)


def test_six_hundred_ballots_of_a_thousand_members_are_recounted_in_two_seconds() -> None:
    vote = election(sizes=(1_000,), parameters={**NUMBER, "quorums": [201]})
    ballots = [
        vote.vote(member, 800 + 50 * (number % 17))
        for number, member in enumerate(vote.rolls[0][:600])
    ]
    for first in range(0, 600, 100):
        vote.publish(ballots[first : first + 100], at=OPENS_AT + timedelta(days=1 + first // 100))
    package = vote.package()
    started = time.perf_counter()
    found = recount(package)
    assert time.perf_counter() - started < 2
    assert (found.faults, found.counted) == ([], [600])


def test_the_file_alone_recounts_and_says_what_it_found(
    package: dict[str, Any], honest: Election, tmp_path: Path
) -> None:
    alone = shutil.copy(verify.__file__, tmp_path / "recount.py")
    dropped = forged(package, lambda ballots: ballots.remove(honest.box.ballots[2].document()))
    files = {
        "honest.json": package,
        "dropped.json": dropped,
        "receipt.json": honest.receipt(honest.box.ballots[2]),
    }
    for name, document in files.items():
        (tmp_path / name).write_text(json.dumps(document))
    (tmp_path / "fraction.json").write_text('{"share": 0.5}')

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-I", alone, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout

    code, said = run("honest.json", "--receipt", "receipt.json")
    assert (code, 'result counted:  {"value":1300}' in said) == (0, True)
    code, said = run("dropped.json", "--receipt", "receipt.json")
    assert (code, "FAULT: a receipted ballot is missing from the box" in said) == (1, True)
    assert run("fraction.json")[0] == run("nowhere.json")[0] == 2


def test_the_file_needs_python_and_cryptography_only() -> None:
    names = set()
    for node in ast.walk(ast.parse(Path(verify.__file__).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).split(".")[0])
    assert names - sys.stdlib_module_names == {"cryptography"}
