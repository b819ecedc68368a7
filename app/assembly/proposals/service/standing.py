"""Who may do what on a proposal, and where it must stand for that."""

from datetime import datetime
from uuid import UUID

from app.assembly.proposals.errors import (
    NotInTheRegister,
    NotTheAuthor,
    ProposalUnknown,
    StepRefused,
)
from app.assembly.proposals.proposal import Proposal
from app.assembly.proposals.queries import proposals
from app.foundation.database import Transaction
from app.members.service import register
from governance.proposal import Stage


async def check_member(reader: Transaction, *, member_id: UUID, at: datetime) -> None:
    """Return if this is a member in good standing.

    Raises:
        NotInTheRegister: not, or not any more.
    """
    if await register.house_of(reader, member_id=member_id, at=at) is None:
        raise NotInTheRegister


async def see_proposal(reader: Transaction, *, proposal_id: UUID, member_id: UUID) -> Proposal:
    """Return a proposal that this member may see.

    Raises:
        ProposalUnknown: there is none, or it is another member's draft.
    """
    proposal = await proposals.find_proposal(reader, proposal_id=proposal_id)
    # What was never submitted is its author's alone.
    if proposal is None or (proposal.supporters_needed is None and proposal.author_id != member_id):
        raise ProposalUnknown
    return proposal


async def hold_proposal(tx: Transaction, *, proposal_id: UUID, member_id: UUID) -> Proposal:
    """Return a proposal that this member may see; nobody changes it before the end of `tx`.

    Raises:
        ProposalUnknown: there is none, or it is another member's draft.
    """
    await proposals.lock_proposal(tx, proposal_id=proposal_id)
    return await see_proposal(tx, proposal_id=proposal_id, member_id=member_id)


def check_author(proposal: Proposal, *, member_id: UUID) -> None:
    """Return if this member made the proposal.

    Raises:
        NotTheAuthor: somebody else did.
    """
    if proposal.author_id != member_id:
        raise NotTheAuthor


def check_stage(proposal: Proposal, stage: Stage, *, at: datetime) -> None:
    """Return if the proposal stands in a stage whose time has not passed.

    Raises:
        StepRefused: elsewhere, or too late.
    """
    if not proposal.takes(stage, at=at):
        passed = "is over" if proposal.stage is stage else f"is past: {proposal.stage}"
        where = "not begun" if _comes_before(proposal.stage, stage) else passed
        raise StepRefused(f"{stage} {where}", stage=str(proposal.stage))


def _comes_before(one: Stage, other: Stage) -> bool:
    stages = list(Stage)
    return stages.index(one) < stages.index(other)
