"""One step in the life of a proposal: decided by the table, guarded, told to all."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.proposals.errors import ProposalUnknown, StepRefused
from app.assembly.proposals.proposal import AS_PROPOSED, Proposal
from app.assembly.proposals.queries import proposals, texts
from app.assembly.proposals.rules import MAX_OPTIONS
from app.assembly.statutes import StatutesInForce
from app.assembly.stream import ASSEMBLY_STREAM
from app.foundation.database import Transaction
from app.foundation.events import Event
from governance.amendment import Amendment, Change, accept, version_of
from governance.proposal import TRANSITIONS, Kind, Stage, Step, VoidGround, take
from governance.proposal import StepRefused as NotInTheTable


async def get_proposal(reader: Transaction, *, proposal_id: UUID) -> Proposal:
    """Return a proposal, a draft too: whoever shows it looks whose it is.

    Raises:
        ProposalUnknown: there is none.
    """
    proposal = await proposals.find_proposal(reader, proposal_id=proposal_id)
    if proposal is None:
        raise ProposalUnknown
    return proposal


async def proposals_due(reader: Transaction, *, at: datetime, limit: int) -> list[Proposal]:
    """Return up to `limit` proposals whose stage is due at a moment, the longest overdue first."""
    return await proposals.due_proposals(reader, at=at, limit=limit)


async def take_step(
    tx: Transaction,
    *,
    proposal: Proposal,
    step: Step,
    now: datetime,
    statutes: StatutesInForce,
    void_ground: VoidGround | None = None,
) -> Proposal:
    """Take a step and return where the proposal stands then; all are told when this commits.

    Freezing also settles what is voted on: the rule, a text's majority, and which amendments stand
    beside it as rivals.

    Raises:
        StepRefused: the table has no such step from here at this moment, or the proposal has
            changed since it was read.
    """
    assert (step is Step.VOID) == (void_ground is not None), "a void has a ground, nothing else"
    try:
        progress = take(
            step, proposal.progress, at=now, durations=statutes.durations, zone=statutes.zone
        )
    except NotInTheTable as refused:
        raise StepRefused(str(refused)) from refused
    after = replace(
        proposal, progress=progress, void_ground=void_ground, version=proposal.version + 1
    )
    if step is Step.FREEZE:
        after = await _settle(tx, after, statutes=statutes, now=now)
    if not await proposals.move(tx, before=proposal, after=after):
        raise StepRefused(f"the proposal has changed: {step} was not taken")
    emit(tx, after, TRANSITIONS[step].event, now=now, was_draft=proposal.stage is Stage.DRAFT)
    return after


def emit(
    tx: Transaction,
    proposal: Proposal,
    event: str,
    *,
    now: datetime,
    was_draft: bool = False,
    **more: Any,
) -> None:
    """Tell the assembly and the proposal's own stream; of a draft given up, only the latter."""
    is_private = was_draft and proposal.stage is Stage.WITHDRAWN
    streams = (proposal.id,) if is_private else (ASSEMBLY_STREAM, proposal.id)
    data = {
        "proposal_id": str(proposal.id),
        "kind": str(proposal.kind),
        "title": proposal.title,
        "stage": str(proposal.stage),
        "due_at": proposal.progress.due_at and proposal.progress.due_at.isoformat(),
    }
    if proposal.void_ground is not None:
        data["ground"] = str(proposal.void_ground)
    tx.emit(Event(event, streams, data | more), at=now)


async def _settle(
    tx: Transaction, proposal: Proposal, *, statutes: StatutesInForce, now: datetime
) -> Proposal:
    """Return the proposal with its rule, and with what is put beside it to the vote."""
    if proposal.kind is Kind.NUMBER:
        return replace(proposal, rule="number" if len(statutes.houses) == 1 else "two_houses")
    if proposal.kind is not Kind.TEXT:
        return replace(proposal, rule=str(proposal.kind))
    assert proposal.supporters_needed is not None
    assert proposal.text is not None
    # Whoever supports an amendment at this moment has committed before they are counted.
    await proposals.lock_proposal(tx, proposal_id=proposal.id)
    wanted = await texts.wanted_amendments(
        tx,
        proposal_id=proposal.id,
        supporters=proposal.supporters_needed,
        limit=MAX_OPTIONS - 1,
    )
    await texts.settle_amendments(
        tx, proposal_id=proposal.id, rivals=[row["id"] for row in wanted], now=now
    )
    majority = statutes.text_majority
    parameters: dict[str, Any] = dict(proposal.parameters) | {
        "majority": [majority.numerator, majority.denominator, majority.more_than]
    }
    if not wanted:
        return replace(proposal, rule="text", parameters=parameters)
    # The order of filing breaks ties: the text first, then its rivals by their numbers.
    rivals = {
        f"amendment_{row['number']}": version_of(amended_text(row))
        for row in sorted(wanted, key=lambda row: int(row["number"]))
    }
    parameters["texts"] = {AS_PROPOSED: version_of(proposal.text), **rivals}
    options = (AS_PROPOSED, *rivals)
    return replace(proposal, rule="choice", options=options, parameters=parameters)


def amended_text(row: Any) -> str:
    """Return the text that an amendment makes of the version it was written for."""
    changes = tuple(
        Change(change["first"], change["last"], tuple(change["lines"])) for change in row["changes"]
    )
    return accept(Amendment(row["base_sha256"], changes), text=row["body"])
