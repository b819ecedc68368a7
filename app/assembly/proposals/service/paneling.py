"""A panel drawn by lot writes one page for a proposal and one against it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.proposals.errors import (
    NotOnThePanel,
    PageTooLong,
    PanelExists,
    PanelTooEarly,
    PanelUnknown,
    VersionChanged,
)
from app.assembly.proposals.queries import panels
from app.assembly.proposals.rules import MAX_PAGE_WORDS, Side
from app.assembly.proposals.schemas.panels import PageView, PanelView
from app.assembly.proposals.service.standing import check_stage, hold_proposal, see_proposal
from app.assembly.proposals.service.steps import emit
from app.assembly.statutes import statutes_in_force
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.members.service import register
from governance.explanation import words
from governance.manifest import member_hash
from governance.panel import draw_panel
from governance.proposal import Stage


async def list_panel(
    tx: Transaction,
    *,
    proposal_id: UUID,
    staff_id: UUID,
    source: str,
    public_at: datetime,
    now: datetime,
) -> dict[str, Any]:
    """Fix who may be drawn, under pseudonyms, and name the source of randomness still to come.

    Everybody on the roll but the proposal's author; each may recompute their own pseudonym.

    Raises:
        ProposalUnknown, StepRefused, PanelExists: as they say.
        PanelTooEarly: the source would be public already.
    """
    proposal = await hold_proposal(tx, proposal_id=proposal_id, member_id=staff_id)
    check_stage(proposal, Stage.DELIBERATION, at=now)
    if public_at <= now:
        raise PanelTooEarly("name a source that nobody can know yet")
    statutes = await statutes_in_force(tx, at=now)
    roll, _ = await register.freeze_roll(tx, at=now, rules=statutes.roll_rules)
    listed = [UUID(seat) for seat, _ in roll.seats if seat != str(proposal.author_id)]
    if not await panels.insert_panel(
        tx,
        proposal_id=proposal_id,
        source=source,
        size=statutes.panel_size,
        listed_by=staff_id,
        listed_at=now,
        public_at=public_at,
    ):
        raise PanelExists
    await panels.insert_seats(
        tx,
        proposal_id=proposal_id,
        members=listed,
        pseudonyms=[member_hash(str(member), salt=proposal_id.bytes) for member in listed],
    )
    emit(tx, proposal, "proposal.panel_listed", now=now, source=source, listed=len(listed))
    return await show_panel(tx, proposal_id=proposal_id, member_id=staff_id)


async def draw(
    tx: Transaction, *, proposal_id: UUID, staff_id: UUID, randomness: bytes, now: datetime
) -> dict[str, Any]:
    """Draw the panel with what the named source gave; those drawn are told.

    Raises:
        ProposalUnknown, StepRefused, PanelUnknown: as they say.
        PanelTooEarly: the source is not public yet.
        PanelExists: it was drawn before.
    """
    proposal = await hold_proposal(tx, proposal_id=proposal_id, member_id=staff_id)
    check_stage(proposal, Stage.DELIBERATION, at=now)
    panel = await panels.find_panel(tx, proposal_id=proposal_id)
    if panel is None:
        raise PanelUnknown
    if now < panel["public_at"]:
        raise PanelTooEarly(public_at=panel["public_at"].isoformat())
    if not await panels.record_draw(
        tx, proposal_id=proposal_id, randomness=randomness, drawn_by=staff_id, now=now
    ):
        raise PanelExists
    seats = await panels.list_seats(tx, proposal_id=proposal_id)
    drawn = draw_panel(
        [seat["pseudonym"] for seat in seats], size=panel["size"], randomness=randomness
    )
    members = await panels.seat_drawn(tx, proposal_id=proposal_id, pseudonyms=drawn)
    emit(tx, proposal, "proposal.panel_drawn", now=now, randomness=randomness.hex())
    told = {"proposal_id": str(proposal_id)}
    for member in members:
        tx.emit(Event("proposal.drew_you", (member,), told), at=now)
    return await show_panel(tx, proposal_id=proposal_id, member_id=staff_id)


async def write_page(
    tx: Transaction,
    *,
    proposal_id: UUID,
    member_id: UUID,
    side: Side,
    body: str,
    version: int,
    now: datetime,
) -> dict[str, Any]:
    """Write the panel's page for or against, over the version that was read (0: the first).

    Raises:
        ProposalUnknown, StepRefused, PanelUnknown, VersionChanged: as they say.
        NotOnThePanel: not drawn, or a writer of the other page.
        PageTooLong: more than 200 words.
    """
    if words(body) > MAX_PAGE_WORDS:
        raise PageTooLong(words=words(body), most=MAX_PAGE_WORDS)
    proposal = await hold_proposal(tx, proposal_id=proposal_id, member_id=member_id)
    check_stage(proposal, Stage.DELIBERATION, at=now)
    if await panels.find_panel(tx, proposal_id=proposal_id) is None:
        raise PanelUnknown
    if not await panels.take_side(tx, proposal_id=proposal_id, member_id=member_id, side=side):
        raise NotOnThePanel
    if not await panels.write_page(
        tx,
        proposal_id=proposal_id,
        side=side,
        body=body,
        version=version,
        written_by=member_id,
        now=now,
    ):
        raise VersionChanged
    emit(tx, proposal, "proposal.page_written", now=now, side=str(side))
    page = next(
        page
        for page in await panels.list_pages(tx, proposal_id=proposal_id)
        if page["side"] == side
    )
    return PageView(**page).model_dump(mode="json")


async def show_panel(reader: Transaction, *, proposal_id: UUID, member_id: UUID) -> dict[str, Any]:
    """Return a panel with all that is needed to draw it again, and its pages.

    Raises:
        ProposalUnknown, PanelUnknown: as they say.
    """
    await see_proposal(reader, proposal_id=proposal_id, member_id=member_id)
    panel = await panels.find_panel(reader, proposal_id=proposal_id)
    if panel is None:
        raise PanelUnknown
    seats = await panels.list_seats(reader, proposal_id=proposal_id)
    written = {
        page["side"]: page for page in await panels.list_pages(reader, proposal_id=proposal_id)
    }
    blank = {"body": "", "version": 0, "written_at": None}
    drawn = sorted(
        (seat for seat in seats if seat["place"] is not None), key=lambda seat: int(seat["place"])
    )
    return PanelView(
        proposal_id=proposal_id,
        source=panel["source"],
        size=panel["size"],
        listed_at=panel["listed_at"],
        public_at=panel["public_at"],
        listed=[seat["pseudonym"] for seat in seats],
        randomness=panel["randomness"].hex() if panel["randomness"] else None,
        drawn_at=panel["drawn_at"],
        drawn=[seat["pseudonym"] for seat in drawn],
        me=next((seat["pseudonym"] for seat in seats if seat["member_id"] == member_id), None),
        pages=[PageView(**{"side": side, **blank, **written.get(side, {})}) for side in Side],
    ).model_dump(mode="json")
