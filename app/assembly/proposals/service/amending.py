"""Members ask for changes of a proposed text; its author accepts them, or members vote on both."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.proposals.errors import (
    AlreadySupported,
    AmendmentDecided,
    AmendmentEmpty,
    AmendmentStale,
    AmendmentUnknown,
    NotAText,
    NotSupported,
    TextUnknown,
    TooManyAmendments,
)
from app.assembly.proposals.proposal import Proposal
from app.assembly.proposals.queries import texts
from app.assembly.proposals.rules import (
    MAX_OPEN_AMENDMENTS,
    MAX_TEXT_CHARACTERS,
    AmendmentState,
)
from app.assembly.proposals.schemas.texts import (
    AmendmentText,
    AmendmentView,
    TextOutline,
    TextVersions,
    TextView,
)
from app.assembly.proposals.service.standing import (
    check_author,
    check_member,
    check_stage,
    hold_proposal,
    see_proposal,
)
from app.assembly.proposals.service.steps import amended_text, emit
from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.foundation.pagination import Page, decode_cursor, make_page
from governance.amendment import propose, version_of
from governance.proposal import Kind, Stage

# What the author has not accepted: members may still ask for a vote on it.
_NOT_ACCEPTED = (AmendmentState.OPEN, AmendmentState.DECLINED)


async def list_texts(reader: Transaction, *, proposal_id: UUID, member_id: UUID) -> dict[str, Any]:
    """Return every version of a text, oldest first; none of a draft.

    Raises:
        ProposalUnknown: there is none, or it is another member's draft.
    """
    await see_proposal(reader, proposal_id=proposal_id, member_id=member_id)
    rows = await texts.list_texts(reader, proposal_id=proposal_id)
    return TextVersions(items=[TextOutline(**row) for row in rows]).model_dump(mode="json")


async def get_text(
    reader: Transaction, *, proposal_id: UUID, number: int, member_id: UUID
) -> dict[str, Any]:
    """Return one version of a text.

    Raises:
        ProposalUnknown, TextUnknown: as they say.
    """
    await see_proposal(reader, proposal_id=proposal_id, member_id=member_id)
    row = await texts.find_text(reader, proposal_id=proposal_id, number=number)
    if row is None:
        raise TextUnknown
    return TextView(**row).model_dump(mode="json")


async def list_amendments(
    reader: Transaction, *, proposal_id: UUID, member_id: UUID, cursor: str | None, limit: int
) -> Page[AmendmentView]:
    """Return what members want changed in a text, oldest first.

    Raises:
        ProposalUnknown: there is none, or it is another member's draft.
    """
    await see_proposal(reader, proposal_id=proposal_id, member_id=member_id)
    rows = await texts.page_of_amendments(
        reader,
        proposal_id=proposal_id,
        member_id=member_id,
        after=decode_cursor(cursor),
        limit=limit + 1,
    )
    views = [AmendmentView.model_validate(dict(row)) for row in rows]
    return make_page(views, limit=limit, key=lambda each: each.id)


async def get_amendment(
    reader: Transaction, *, proposal_id: UUID, amendment_id: UUID, member_id: UUID
) -> dict[str, Any]:
    """Return an amendment and the text that it makes of its version.

    Raises:
        AmendmentUnknown: this proposal has none of that id.
    """
    row = await _find(reader, proposal_id, amendment_id, member_id)
    text = amended_text(row)
    whole = AmendmentText.model_validate(dict(row) | {"text": text, "sha256": version_of(text)})
    return whole.model_dump(mode="json")


async def propose_amendment(
    tx: Transaction,
    *,
    proposal_id: UUID,
    member_id: UUID,
    base_number: int,
    text: str,
    reason: str,
    now: datetime,
) -> dict[str, Any]:
    """Keep what differs between the version that stands and the text a member would have.

    Raises:
        ProposalUnknown, NotAText, StepRefused, NotInTheRegister, TooManyAmendments: as they say.
        AmendmentStale: another version stands by now.
        AmendmentEmpty: nothing differs.
    """
    proposal = await _hold_text(tx, proposal_id, member_id, now)
    await check_member(tx, member_id=member_id, at=now)
    if base_number != proposal.text_number:
        raise AmendmentStale(text_number=proposal.text_number)
    assert proposal.text is not None
    amendment = propose(proposal.text, text)
    if not amendment.changes:
        raise AmendmentEmpty
    undecided = await texts.count_open_amendments(tx, proposal_id=proposal_id, author_id=member_id)
    if undecided >= MAX_OPEN_AMENDMENTS:
        raise TooManyAmendments(most=MAX_OPEN_AMENDMENTS)
    amendment_id = new_id()
    await texts.insert_amendment(
        tx,
        amendment_id=amendment_id,
        proposal_id=proposal_id,
        author_id=member_id,
        base_number=base_number,
        base_sha256=amendment.base,
        changes=[asdict(change) for change in amendment.changes],
        reason=reason,
        now=now,
    )
    return await _told(tx, proposal, amendment_id, member_id, "proposal.amendment_proposed", now)


async def accept_amendment(
    tx: Transaction, *, proposal_id: UUID, amendment_id: UUID, author_id: UUID, now: datetime
) -> dict[str, Any]:
    """Make an amendment the text: a new version stands, and all hear of it.

    Raises:
        ProposalUnknown, NotAText, NotTheAuthor, StepRefused, NotInTheRegister: as they say.
        AmendmentUnknown, AmendmentDecided: as they say.
        AmendmentStale: it was written for an older version.
    """
    proposal = await _hold_text(tx, proposal_id, author_id, now)
    check_author(proposal, member_id=author_id)
    await check_member(tx, member_id=author_id, at=now)
    row = await _find(tx, proposal_id, amendment_id, author_id)
    if row["state"] not in _NOT_ACCEPTED:
        raise AmendmentDecided(state=row["state"])
    if row["base_number"] != proposal.text_number:
        raise AmendmentStale(text_number=proposal.text_number)
    body = amended_text(row)
    assert len(body) <= MAX_TEXT_CHARACTERS, "an amendment is written as a whole text of that size"
    await texts.decide_amendment(
        tx,
        amendment_id=amendment_id,
        sources=_NOT_ACCEPTED,
        state=AmendmentState.ACCEPTED,
        now=now,
    )
    await texts.insert_text(
        tx,
        proposal_id=proposal_id,
        number=proposal.text_number + 1,
        body=body,
        sha256=version_of(body),
        amendment_id=amendment_id,
        now=now,
    )
    await texts.touch_proposal(tx, proposal_id=proposal_id)
    return await _told(tx, proposal, amendment_id, author_id, "proposal.text_changed", now)


async def decline_amendment(
    tx: Transaction, *, proposal_id: UUID, amendment_id: UUID, author_id: UUID, now: datetime
) -> dict[str, Any]:
    """Leave the text as it is. With enough supporters the amendment is voted on all the same.

    Raises:
        ProposalUnknown, NotAText, NotTheAuthor, StepRefused, NotInTheRegister: as they say.
        AmendmentUnknown, AmendmentDecided: as they say.
    """
    proposal = await _hold_text(tx, proposal_id, author_id, now)
    check_author(proposal, member_id=author_id)
    await check_member(tx, member_id=author_id, at=now)
    await _find(tx, proposal_id, amendment_id, author_id)
    if not await texts.decide_amendment(
        tx,
        amendment_id=amendment_id,
        sources=(AmendmentState.OPEN,),
        state=AmendmentState.DECLINED,
        now=now,
    ):
        raise AmendmentDecided
    return await _told(tx, proposal, amendment_id, author_id, "proposal.amendment_declined", now)


async def support_amendment(
    tx: Transaction, *, proposal_id: UUID, amendment_id: UUID, member_id: UUID, now: datetime
) -> dict[str, Any]:
    """Ask for a vote on an amendment, should the author not accept it; nobody is told who asks.

    Raises:
        ProposalUnknown, NotAText, StepRefused, NotInTheRegister: as they say.
        AmendmentUnknown, AmendmentDecided, AlreadySupported: as they say.
    """
    await _hold_text(tx, proposal_id, member_id, now)
    await check_member(tx, member_id=member_id, at=now)
    row = await _find(tx, proposal_id, amendment_id, member_id)
    if row["state"] not in _NOT_ACCEPTED:
        raise AmendmentDecided(state=row["state"])
    if not await texts.add_amendment_support(
        tx, amendment_id=amendment_id, member_id=member_id, now=now
    ):
        raise AlreadySupported
    return _view(await _find(tx, proposal_id, amendment_id, member_id))


async def withdraw_amendment_support(
    tx: Transaction, *, proposal_id: UUID, amendment_id: UUID, member_id: UUID, now: datetime
) -> dict[str, Any]:
    """Ask for a vote on an amendment no longer.

    Raises:
        ProposalUnknown, NotAText, StepRefused, AmendmentUnknown, NotSupported: as they say.
    """
    await _hold_text(tx, proposal_id, member_id, now)
    await _find(tx, proposal_id, amendment_id, member_id)
    if not await texts.remove_amendment_support(tx, amendment_id=amendment_id, member_id=member_id):
        raise NotSupported
    return _view(await _find(tx, proposal_id, amendment_id, member_id))


async def _hold_text(
    tx: Transaction, proposal_id: UUID, member_id: UUID, now: datetime
) -> Proposal:
    """Return a text under deliberation, held: nobody changes or freezes it meanwhile."""
    proposal = await hold_proposal(tx, proposal_id=proposal_id, member_id=member_id)
    if proposal.kind is not Kind.TEXT:
        raise NotAText
    check_stage(proposal, Stage.DELIBERATION, at=now)
    return proposal


async def _find(reader: Transaction, proposal_id: UUID, amendment_id: UUID, member_id: UUID) -> Any:
    row = await texts.find_amendment(
        reader, proposal_id=proposal_id, amendment_id=amendment_id, member_id=member_id
    )
    if row is None:
        raise AmendmentUnknown
    return row


def _view(row: Any) -> dict[str, Any]:
    return AmendmentView.model_validate(dict(row)).model_dump(mode="json")


async def _told(
    tx: Transaction,
    proposal: Proposal,
    amendment_id: UUID,
    member_id: UUID,
    event: str,
    now: datetime,
) -> dict[str, Any]:
    """Tell all what became of an amendment, and return it."""
    row = await _find(tx, proposal.id, amendment_id, member_id)
    emit(tx, proposal, event, now=now, amendment_id=str(amendment_id), number=row["number"])
    return _view(row)
