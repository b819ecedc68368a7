"""HTTP for staff: the statements of months, and that they were paid."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Staff
from app.members.errors import NotSignedIn, RoleMissing
from app.reciprocity.errors import MonthNotOver, OwnStatement, StatementExists, StatementNotAgreed
from app.reciprocity.papers import public_half
from app.reciprocity.queries import clearings as queries
from app.reciprocity.routes.own import OwnDep
from app.reciprocity.service import statements as service
from app.reciprocity.service.peers import Own, get_peer
from app.reciprocity.statement_schemas import (
    Settlement,
    StatementDrawing,
    StatementsView,
    StatementView,
)

router = APIRouter(prefix="/v1/peers/{peer_id}/statements", tags=["reciprocity"])


async def _shown(tx: Transaction, own: Own, peer_id: UUID, statement_id: UUID) -> dict[str, Any]:
    row = await queries.lock_statement(tx, statement_id=statement_id, peer_id=peer_id)
    peer = await get_peer(tx, peer_id=peer_id)
    return _view(row, own=own, peer=peer).model_dump(mode="json")


def _view(row: Any, *, own: Own, peer: Any) -> StatementView:
    return StatementView.of(row, own_key=public_half(own.key), their_key=peer["public_key"])


@router.post(
    "",
    operation_id="draw_peer_statement",
    summary="Staff: offer a month to a sister",
    status_code=201,
    response_model=StatementView,
    responses=problem_responses(
        *COMMAND_PROBLEMS, RoleMissing, NotFound, MonthNotOver, StatementExists
    ),
)
async def draw(
    peer_id: UUID, body: StatementDrawing, acting: Acting, staff: Staff, own: OwnDep
) -> Response:
    """Sign the month as our books have it; the sister signs too, or both see where they differ."""

    async def act(tx: Transaction) -> dict[str, Any]:
        statement_id = await service.draw_statement(
            tx,
            own=own,
            peer_id=peer_id,
            month=body.month.replace(day=1),
            drawn_by=staff.member_id,
            now=acting.now,
        )
        return await _shown(tx, own, peer_id, statement_id)

    return await acting.answer(act, status=201)


@router.post(
    "/{statement_id}/settle",
    operation_id="settle_peer_statement",
    summary="Staff: book that a month was paid",
    response_model=StatementView,
    responses=problem_responses(
        *COMMAND_PROBLEMS, RoleMissing, NotFound, StatementNotAgreed, OwnStatement
    ),
)
async def settle(
    peer_id: UUID,
    statement_id: UUID,
    body: Settlement,
    acting: Acting,
    staff: Staff,
    own: OwnDep,
) -> Response:
    """Book what the bank shows: whoever owed has paid. The sister books the same on its side.

    Where several cooperatives paid in one round (`meent sisters net`), settle every statement in
    it: what is booked in all is what the bank shows.
    """

    async def act(tx: Transaction) -> dict[str, Any]:
        await service.settle_statement(
            tx,
            peer_id=peer_id,
            statement_id=statement_id,
            document=body.document,
            settled_by=staff.member_id,
            now=acting.now,
        )
        return await _shown(tx, own, peer_id, statement_id)

    return await acting.answer(act)


@router.get(
    "",
    operation_id="list_peer_statements",
    summary="Staff: the statements with a sister",
    response_model=StatementsView,
    responses=problem_responses(NotSignedIn, RoleMissing, NotFound),
)
async def list_statements(peer_id: UUID, _: Staff, database: DatabaseDep, own: OwnDep) -> Response:
    """Return each month that was offered: agreed, or line by line where the two lists differ."""
    async with database.reading() as reader:
        peer = await get_peer(reader, peer_id=peer_id)
        rows = await queries.list_statements(reader, peer_id=peer_id)
    view = StatementsView(items=[_view(row, own=own, peer=peer) for row in rows])
    return json_response(view.model_dump(mode="json"))
