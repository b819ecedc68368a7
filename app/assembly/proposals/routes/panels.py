"""HTTP of panels: who may be drawn, the draw, and the pages for and against."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from app.assembly.proposals import service
from app.assembly.proposals.errors import (
    NotOnThePanel,
    PageTooLong,
    PanelExists,
    PanelTooEarly,
    PanelUnknown,
    ProposalUnknown,
    StepRefused,
)
from app.assembly.proposals.routes.shared import EDIT_PROBLEMS, READ_PROBLEMS, EditedVersion
from app.assembly.proposals.rules import Side
from app.assembly.proposals.schemas.panels import (
    DrawRequest,
    PageRequest,
    PageView,
    PanelRequest,
    PanelView,
)
from app.foundation.web import json_response, problem_responses
from app.members.access import (
    COMMAND_PROBLEMS,
    Acting,
    ActingEvenSuspended,
    DatabaseDep,
    SignedInEvenSuspended,
    Staff,
)
from app.members.errors import RoleMissing

router = APIRouter(prefix="/proposals/{proposal_id}/panel")
_PROBLEMS = (ProposalUnknown, StepRefused, *COMMAND_PROBLEMS)


@router.get(
    "",
    operation_id="get_panel",
    summary="The panel drawn by lot, and its pages",
    response_model=PanelView,
    responses=problem_responses(PanelUnknown, *READ_PROBLEMS),
)
async def get_panel(
    proposal_id: UUID, actor: SignedInEvenSuspended, database: DatabaseDep
) -> Response:
    """Return the list, the source, its randomness and who was drawn: anybody can draw again.

    A pseudonym is SHA-256 of the 16 bytes of the proposal's id and the member's id as text.
    """
    async with database.reading() as reader:
        return json_response(
            await service.show_panel(reader, proposal_id=proposal_id, member_id=actor.member_id)
        )


@router.post(
    "",
    operation_id="list_panel",
    summary="Staff: fix who may be drawn",
    status_code=201,
    response_model=PanelView,
    responses=problem_responses(RoleMissing, PanelExists, PanelTooEarly, *_PROBLEMS),
)
async def list_panel(
    proposal_id: UUID, body: PanelRequest, command: Acting, staff: Staff
) -> Response:
    """Fix the list before the randomness exists, and name where that will come from."""
    return await command.answer(
        lambda tx: service.list_panel(
            tx,
            proposal_id=proposal_id,
            staff_id=staff.member_id,
            source=body.source,
            public_at=body.public_at,
            now=command.now,
        ),
        status=201,
    )


@router.post(
    "/draw",
    operation_id="draw_panel",
    summary="Staff: draw the panel",
    response_model=PanelView,
    responses=problem_responses(RoleMissing, PanelUnknown, PanelExists, PanelTooEarly, *_PROBLEMS),
)
async def draw_panel(
    proposal_id: UUID, body: DrawRequest, command: Acting, staff: Staff
) -> Response:
    """Enter what the named source gave; it is stored, shown, and decides who is drawn."""
    return await command.answer(
        lambda tx: service.draw(
            tx,
            proposal_id=proposal_id,
            staff_id=staff.member_id,
            randomness=bytes.fromhex(body.randomness),
            now=command.now,
        )
    )


@router.put(
    "/pages/{side}",
    operation_id="write_panel_page",
    summary="Panel: write the page for or against",
    response_model=PageView,
    responses=problem_responses(
        PanelUnknown, NotOnThePanel, PageTooLong, *EDIT_PROBLEMS, *_PROBLEMS
    ),
)
async def write_panel_page(
    proposal_id: UUID,
    side: Side,
    body: PageRequest,
    version: EditedVersion,
    command: ActingEvenSuspended,
) -> Response:
    """Write your side's page of 200 words at most, over the version that you read ("0": none)."""
    return await command.answer(
        lambda tx: service.write_page(
            tx,
            proposal_id=proposal_id,
            member_id=command.actor.member_id,
            side=side,
            body=body.body,
            version=version,
            now=command.now,
        )
    )
