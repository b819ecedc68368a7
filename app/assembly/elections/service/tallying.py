"""Counts a box by the manifest's rule, and writes the tally down, or why there is none."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.assembly.elections.queries import elections
from app.assembly.proposals.service import Proposal, take_step
from app.assembly.statutes import StatutesInForce
from app.assembly.stream import ASSEMBLY_STREAM
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from governance.ballot_box import Ballot, BallotBox
from governance.ballot_rule import BALLOT_RULES
from governance.manifest import Manifest, canonical
from governance.proposal import Step, VoidGround


@dataclass(frozen=True, slots=True)
class Count:
    """What a box says: the rule's result, and how many ballots counted in each house."""

    result: dict[str, Any]
    counted: tuple[int, ...]


def count_box(manifest: Manifest, *, box: BallotBox) -> Count:
    """Count the newest ballot of each vote key by the manifest's rule.

    The box took only ballots that `check_ballot` and the rule admit; `verify.recount` looks again.
    """
    newest: dict[bytes, Ballot] = {}
    for ballot in box.ballots:
        known = newest.get(ballot.vote_key)
        if known is None or known.sequence < ballot.sequence:
            newest[ballot.vote_key] = ballot
    values = [
        [ballot.value for ballot in newest.values() if ballot.house_no == house_no]
        for house_no in range(len(manifest.houses))
    ]
    result = BALLOT_RULES[manifest.rule].decide(values, manifest.parameters)
    return Count(result, tuple(len(of_house) for of_house in values))


def package_hash(package: Mapping[str, Any]) -> bytes:
    """Return the SHA-256 of a public package's canonical text."""
    return hashlib.sha256(canonical(package)).digest()


async def tally(
    tx: Transaction,
    *,
    proposal: Proposal,
    election: elections.Election,
    count: Count,
    package: Mapping[str, Any],
    statutes: StatutesInForce,
    now: datetime,
) -> Proposal:
    """Write a verified count down and publish it; return the proposal in its objection window."""
    await elections.record_tally(
        tx,
        tally_id=new_id(),
        election_id=election.id,
        rule=election.terms.rule,
        result=count.result,
        counted=count.counted,
        package_hash=package_hash(package),
    )
    for step in (Step.TALLY, Step.PUBLISH):
        proposal = await take_step(tx, proposal=proposal, step=step, now=now, statutes=statutes)
    return proposal


async def void_for_faults(
    tx: Transaction,
    *,
    proposal: Proposal,
    election: elections.Election,
    faults: Sequence[tuple[str, str]],
    statutes: StatutesInForce,
    now: datetime,
) -> Proposal:
    """Void a vote whose own recount finds faults, and name them; nothing was announced yet."""
    await elections.insert_faults(tx, election_id=election.id, faults=faults)
    named = sorted({kind for kind, _ in faults})
    data = {
        "election_id": str(election.id),
        "proposal_id": str(election.proposal_id),
        "faults": named,
    }
    tx.emit(Event("election.proof_failed", (ASSEMBLY_STREAM, proposal.id), data), at=now)
    return await take_step(
        tx,
        proposal=proposal,
        step=Step.VOID,
        now=now,
        statutes=statutes,
        void_ground=VoidGround.PROOF_FAILED,
    )
