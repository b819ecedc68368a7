"""Promises of the recount: nobody is stamped who may not vote, nor more than the log says."""

from typing import Any

import pytest

from governance.credential import IssuanceLog, publish_log
from governance.verify import FaultKind, recount
from tests.governance.election import (
    CLOSES_AT,
    SALT,
    VALUES,
    Election,
    election,
    honest_election,
    keys,
    kinds,
    member_hash,
    the_fault,
)


@pytest.fixture
def honest() -> Election:
    return honest_election()


@pytest.fixture
def package(honest: Election) -> dict[str, Any]:
    return honest.package()


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


@pytest.mark.parametrize("name", ["issuance", "revocations"])
def test_a_log_or_a_revocation_by_another_hand_is_caught(name: str) -> None:
    vote = election()
    vote.revoke(vote.rolls[0][15])
    vote.publish([vote.vote(vote.rolls[0][0], 1_200)], at=CLOSES_AT)
    package = vote.package()
    package[name][0]["signature"] = "00" * 64
    assert the_fault(package).kind is FaultKind.FALSE_LOG


def test_an_issuer_without_a_log_is_caught(package: dict[str, Any]) -> None:
    fault = the_fault({**package, "issuance": package["issuance"][:1]})
    assert fault.kind is FaultKind.FALSE_LOG
    assert "sister co-op" in fault.detail


def test_a_changed_roll_is_caught(package: dict[str, Any]) -> None:
    package["rolls"][0][-1] = member_hash("stranger", salt=SALT)
    assert FaultKind.FALSE_ROLL in kinds(package)
