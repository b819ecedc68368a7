"""Members support a proposal, once each; with enough of them it goes on in the same moment."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.proposals.errors import AlreadySupported, NotSupported
from app.assembly.proposals.proposal import Proposal
from app.assembly.proposals.queries import proposals
from app.assembly.proposals.schemas.proposals import SupportView
from app.assembly.proposals.service.standing import check_member, check_stage, hold_proposal
from app.assembly.proposals.service.steps import take_step
from app.assembly.statutes import statutes_in_force
from app.foundation.database import Transaction
from governance.proposal import Stage, Step


async def support_proposal(
    tx: Transaction, *, proposal_id: UUID, member_id: UUID, now: datetime
) -> dict[str, Any]:
    """Count a member's support; whoever completes the number needed begins the deliberation.

    Who supports is told to nobody and logged nowhere: no event says that the number has changed.

    Raises:
        ProposalUnknown, StepRefused, NotInTheRegister, AlreadySupported: as they say.
    """
    proposal = await hold_proposal(tx, proposal_id=proposal_id, member_id=member_id)
    check_stage(proposal, Stage.SEEKING_SUPPORT, at=now)
    await check_member(tx, member_id=member_id, at=now)
    if not await proposals.add_support(tx, proposal_id=proposal_id, member_id=member_id, now=now):
        raise AlreadySupported
    supporters = await proposals.count_support(tx, proposal_id=proposal_id)
    assert proposal.supporters_needed is not None
    if supporters >= proposal.supporters_needed:
        # The proposal's row is held since before the count, so exactly one comes here.
        statutes = await statutes_in_force(tx, at=now)
        proposal = await take_step(
            tx, proposal=proposal, step=Step.SUPPORT, now=now, statutes=statutes
        )
    return _view(proposal, supporters=supporters)


async def withdraw_support(
    tx: Transaction, *, proposal_id: UUID, member_id: UUID, now: datetime
) -> dict[str, Any]:
    """Take one's support back: only the answers that commands got remember it, for two days.

    Raises:
        ProposalUnknown, StepRefused, NotSupported: as they say.
    """
    proposal = await hold_proposal(tx, proposal_id=proposal_id, member_id=member_id)
    check_stage(proposal, Stage.SEEKING_SUPPORT, at=now)
    if not await proposals.remove_support(tx, proposal_id=proposal_id, member_id=member_id):
        raise NotSupported
    return _view(proposal, supporters=await proposals.count_support(tx, proposal_id=proposal_id))


def _view(proposal: Proposal, *, supporters: int) -> dict[str, Any]:
    assert proposal.supporters_needed is not None
    return SupportView(
        proposal_id=proposal.id,
        stage=proposal.stage,
        supporters=supporters,
        supporters_needed=proposal.supporters_needed,
    ).model_dump(mode="json")
