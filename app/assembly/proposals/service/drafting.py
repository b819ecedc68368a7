"""From a first draft to a proposal that seeks support: its author's work alone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.proposals.completeness import missing_from
from app.assembly.proposals.errors import (
    ProposalIncomplete,
    ProposalUnknown,
    TooManyProposals,
    VersionChanged,
)
from app.assembly.proposals.proposal import Proposal
from app.assembly.proposals.queries import proposals, texts
from app.assembly.proposals.rules import MAX_DRAFTS, MAX_SEEKING
from app.assembly.proposals.schemas.proposals import ProposalOutline, ProposalView
from app.assembly.proposals.service.standing import (
    check_author,
    check_member,
    check_stage,
    hold_proposal,
)
from app.assembly.proposals.service.steps import take_step
from app.assembly.statutes import statutes_in_force
from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.foundation.pagination import Page, decode_cursor, make_page
from app.members.service import register
from governance.amendment import version_of
from governance.electorate import supporters_needed
from governance.proposal import Kind, Stage, Step


async def show_proposal(
    reader: Transaction, *, proposal_id: UUID, member_id: UUID
) -> dict[str, Any]:
    """Return a proposal as a member sees it.

    Raises:
        ProposalUnknown: there is none, or it is another member's draft.
    """
    row = await proposals.view_proposal(reader, proposal_id=proposal_id, member_id=member_id)
    if row is None:
        raise ProposalUnknown
    view = ProposalView(**{**row, "pots": row["pots"] or []})
    return view.model_dump(mode="json")


async def list_proposals(
    reader: Transaction,
    *,
    member_id: UUID,
    stages: tuple[Stage, ...],
    mine: bool,
    cursor: str | None,
    limit: int,
) -> Page[ProposalOutline]:
    """Return proposals in these stages (all where none is named), newest first."""
    rows = await proposals.page_of_proposals(
        reader,
        member_id=member_id,
        stages=[str(stage) for stage in stages or Stage],
        mine=mine,
        before=decode_cursor(cursor),
        limit=limit + 1,
    )
    outlines = [ProposalOutline.model_validate(dict(row)) for row in rows]
    return make_page(outlines, limit=limit, key=lambda each: each.id)


async def write_draft(
    tx: Transaction, *, author_id: UUID, draft: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Keep a new draft, which only its author sees.

    Raises:
        NotInTheRegister, TooManyProposals: as they say.
    """
    await check_member(tx, member_id=author_id, at=now)
    await _check_room(tx, author_id=author_id, stage=Stage.DRAFT, most=MAX_DRAFTS)
    proposal_id = new_id()
    await proposals.insert_draft(
        tx, proposal_id=proposal_id, author_id=author_id, draft=draft, now=now
    )
    return await show_proposal(tx, proposal_id=proposal_id, member_id=author_id)


async def edit_draft(
    tx: Transaction,
    *,
    proposal_id: UUID,
    author_id: UUID,
    version: int,
    draft: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """Write a draft anew, if nobody has since its author read `version` of it.

    Raises:
        ProposalUnknown, NotTheAuthor, StepRefused, VersionChanged, NotInTheRegister: as they say.
    """
    proposal = await hold_proposal(tx, proposal_id=proposal_id, member_id=author_id)
    check_author(proposal, member_id=author_id)
    check_stage(proposal, Stage.DRAFT, at=now)
    await check_member(tx, member_id=author_id, at=now)
    if proposal.version != version:
        raise VersionChanged(version=proposal.version)
    await proposals.update_draft(tx, proposal_id=proposal_id, draft=draft)
    return await show_proposal(tx, proposal_id=proposal_id, member_id=author_id)


async def submit_proposal(
    tx: Transaction, *, proposal_id: UUID, author_id: UUID, now: datetime
) -> dict[str, Any]:
    """Let a complete draft seek support; how many it needs is fixed now and does not move.

    Raises:
        ProposalUnknown, NotTheAuthor, StepRefused, NotInTheRegister, TooManyProposals: as they say.
        ProposalIncomplete: something is missing; each thing is named.
    """
    proposal = await hold_proposal(tx, proposal_id=proposal_id, member_id=author_id)
    check_author(proposal, member_id=author_id)
    check_stage(proposal, Stage.DRAFT, at=now)
    await check_member(tx, member_id=author_id, at=now)
    await _check_room(tx, author_id=author_id, stage=Stage.SEEKING_SUPPORT, most=MAX_SEEKING)
    missing = missing_from(proposal, currency=await proposals.currency(tx))
    if missing:
        raise ProposalIncomplete(
            faults=[{"code": each.code, "detail": each.detail} for each in missing]
        )
    statutes = await statutes_in_force(tx, at=now)
    active = await register.count_active(tx, at=now, rules=statutes.roll_rules)
    needed = supporters_needed(active, rules=statutes.roll_rules)
    await take_step(
        tx,
        proposal=replace(proposal, supporters_needed=needed),
        step=Step.SUBMIT,
        now=now,
        statutes=statutes,
    )
    if proposal.kind is Kind.TEXT:
        await _keep_first_text(tx, proposal, now=now)
    return await show_proposal(tx, proposal_id=proposal_id, member_id=author_id)


async def withdraw_proposal(
    tx: Transaction, *, proposal_id: UUID, author_id: UUID, now: datetime
) -> dict[str, Any]:
    """Take a proposal back while no others have carried it on. Its author may, member or not.

    Raises:
        ProposalUnknown, NotTheAuthor, StepRefused: as they say.
    """
    proposal = await hold_proposal(tx, proposal_id=proposal_id, member_id=author_id)
    check_author(proposal, member_id=author_id)
    statutes = await statutes_in_force(tx, at=now)
    await take_step(tx, proposal=proposal, step=Step.WITHDRAW, now=now, statutes=statutes)
    return await show_proposal(tx, proposal_id=proposal_id, member_id=author_id)


async def _keep_first_text(tx: Transaction, proposal: Proposal, *, now: datetime) -> None:
    assert proposal.text is not None
    await texts.insert_text(
        tx,
        proposal_id=proposal.id,
        number=1,
        body=proposal.text,
        sha256=version_of(proposal.text),
        amendment_id=None,
        now=now,
    )


async def _check_room(tx: Transaction, *, author_id: UUID, stage: Stage, most: int) -> None:
    if await proposals.count_of_author(tx, author_id=author_id, stage=stage) >= most:
        raise TooManyProposals(f"{most} may be {stage} at once", most=most)
