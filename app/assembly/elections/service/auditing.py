"""The statutory audit: two auditors together stop a vote, for a reason that everybody reads."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.elections.errors import (
    ElectionUnknown,
    NothingToStop,
    OwnProposal,
    StopAsked,
    StopUnknown,
    TwoAuditorsNeeded,
)
from app.assembly.elections.queries import audits, elections
from app.assembly.proposals.queries.proposals import lock_proposal
from app.assembly.proposals.service import Proposal, get_proposal, take_step
from app.assembly.statutes import statutes_in_force
from app.assembly.stream import ASSEMBLY_STREAM
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from governance.proposal import TRANSITIONS, Step, VoidGround


async def ask_to_stop(
    tx: Transaction, *, election_id: UUID, auditor_id: UUID, reason: str, now: datetime
) -> dict[str, Any]:
    """Publish that an auditor wants a vote stopped; it goes on until a second one confirms.

    Raises:
        ElectionUnknown, NothingToStop, OwnProposal: as they say.
        StopAsked: this auditor has asked before.
    """
    proposal = await _hold(tx, election_id=election_id, auditor_id=auditor_id)
    stop_id = new_id()
    if not await audits.insert_stop(
        tx, stop_id=stop_id, election_id=election_id, reason=reason, by=auditor_id, now=now
    ):
        raise StopAsked
    stop = {"id": str(stop_id), "reason": reason, "auditors": 1}
    _tell(tx, "election.stop_asked", election_id=election_id, proposal=proposal, stop=stop, now=now)
    return stop | {"election_id": str(election_id), "stage": str(proposal.stage)}


async def confirm_stop(
    tx: Transaction, *, election_id: UUID, stop_id: UUID, auditor_id: UUID, now: datetime
) -> dict[str, Any]:
    """Void the vote: a second auditor agrees with the first.

    Raises:
        ElectionUnknown, NothingToStop, OwnProposal, StopUnknown: as they say.
        TwoAuditorsNeeded: who asked does not confirm.
    """
    proposal = await _hold(tx, election_id=election_id, auditor_id=auditor_id)
    asked = await audits.find_stop(tx, stop_id=stop_id, election_id=election_id)
    if asked is None:
        raise StopUnknown
    if asked["asked_by"] == auditor_id:
        raise TwoAuditorsNeeded
    await audits.insert_confirmation(
        tx, stop_id=stop_id, asked_by=asked["asked_by"], by=auditor_id, now=now
    )
    stop = {"id": str(stop_id), "reason": asked["reason"], "auditors": 2}
    _tell(tx, "election.stopped", election_id=election_id, proposal=proposal, stop=stop, now=now)
    voided = await take_step(
        tx,
        proposal=proposal,
        step=Step.VOID,
        now=now,
        statutes=await statutes_in_force(tx, at=now),
        void_ground=VoidGround.AUDIT,
    )
    return stop | {"election_id": str(election_id), "stage": str(voided.stage)}


async def _hold(tx: Transaction, *, election_id: UUID, auditor_id: UUID) -> Proposal:
    """Return the proposal of a vote that this auditor may stop; nobody else moves it meanwhile."""
    election = await elections.find_election(tx, election_id=election_id)
    if election is None:
        raise ElectionUnknown
    await lock_proposal(tx, proposal_id=election.proposal_id)
    proposal = await get_proposal(tx, proposal_id=election.proposal_id)
    if proposal.stage not in TRANSITIONS[Step.VOID].sources:
        raise NothingToStop
    if proposal.author_id == auditor_id:
        raise OwnProposal
    return proposal


def _tell(
    tx: Transaction,
    event: str,
    *,
    election_id: UUID,
    proposal: Proposal,
    stop: dict[str, Any],
    now: datetime,
) -> None:
    """Tell everybody the reason and how many auditors want it, not who they are."""
    data = {
        "election_id": str(election_id),
        "proposal_id": str(proposal.id),
        "title": proposal.title,
        "stop_id": stop["id"],
        "reason": stop["reason"],
        "by": "two auditors" if stop["auditors"] == 2 else "one auditor",
    }
    tx.emit(Event(event, (ASSEMBLY_STREAM, proposal.id), data), at=now)
