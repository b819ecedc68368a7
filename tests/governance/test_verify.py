"""Promises of the recount: each attack on ballots, box or terms is caught and named."""

import copy
from datetime import timedelta
from typing import Any

import pytest

from governance.ballot_box import cast
from governance.credential import publish_log
from governance.manifest import manifest_from, seal_manifest
from governance.verify import FaultKind, recount
from governance.vote_key import new_vote_key
from tests.governance.election import (
    CLOSES_AT,
    NUMBER,
    OPENS_AT,
    PUBLISHED_BY,
    VALUES,
    Election,
    announce,
    election,
    forged,
    honest_election,
    keys,
    kinds,
    signed,
    the_fault,
)


@pytest.fixture
def honest() -> Election:
    return honest_election()


@pytest.fixture
def package(honest: Election) -> dict[str, Any]:
    return honest.package()


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
    short = {**second, "moduli": ["ff" * 192]}
    for issuers in ([first], [first, {**second, "moduli": first["moduli"]}], [first, short]):
        weak = copy.deepcopy(package)
        weak["manifest"]["issuers"] = issuers
        assert FaultKind.WEAK_TERMS in kinds(weak)


def test_a_missing_seal_is_caught(package: dict[str, Any]) -> None:
    assert the_fault({**package, "seals": package["seals"][:1]}).kind is FaultKind.CHANGED_TERMS


def test_a_root_or_a_receipt_under_other_terms_is_caught(
    package: dict[str, Any], honest: Election
) -> None:
    other = {"manifest": "00" * 32}
    last = signed({**package["roots"][-1], **other}, domain=b"meent-root:1", key=keys().board)
    cheat = {**package, "roots": [package["roots"][0], last]}
    assert the_fault(cheat).kind is FaultKind.CHANGED_TERMS
    receipt = {**honest.receipt(honest.box.ballots[0]), **other}
    receipt = signed(receipt, domain=b"meent-receipt:1", key=keys().board)
    assert the_fault(package, receipts=[receipt]).kind is FaultKind.CHANGED_TERMS


def test_roots_that_do_not_follow_each_other_are_caught(package: dict[str, Any]) -> None:
    first, last = package["roots"]
    earlier = {**last, "published_at": first["published_at"].replace("2027", "2026")}
    earlier = signed(earlier, domain=b"meent-root:1", key=keys().board)
    for roots in ([first, last, first], [first, earlier]):
        faults = recount({**package, "roots": roots}).faults
        assert any("do not follow each other" in fault.detail for fault in faults)


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


def test_a_sequence_that_is_no_number_is_caught() -> None:
    vote = election()
    key, credentials = vote.register(vote.rolls[0][0])
    ballot = cast(vote.manifest, key=key, value=1_200, credentials=credentials, sequence=True)
    vote.publish([ballot], at=CLOSES_AT)
    assert the_fault(vote.package()).kind is FaultKind.UNREADABLE


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
