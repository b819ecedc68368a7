"""HTTP of failed payments: what the fund took over, and what a person writes off."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Staff
from app.members.errors import MemberSuspended, NotSignedIn, RoleMissing
from app.solidarity.errors import NothingOwed
from app.solidarity.queries import guarantees as queries
from app.solidarity.schemas import GuaranteesView, GuaranteeView, WriteOff
from app.solidarity.service.guarantees import write_off

router = APIRouter(prefix="/v1/solidarity/guarantees", tags=["solidarity"])


@router.get(
    "",
    operation_id="list_guarantees",
    summary="Staff: card payments that failed, and what the fund took over",
    response_model=GuaranteesView,
    responses=problem_responses(NotSignedIn, MemberSuspended, RoleMissing),
)
async def list_guarantees(
    _: Staff,
    database: DatabaseDep,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
) -> Response:
    """Return them, the newest first. The drivers of these rides were paid in full."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        rows = await queries.list_guarantees(reader, before=before, limit=limit + 1)
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["payment_id"])))
    view = GuaranteesView(
        items=[GuaranteeView.model_validate(dict(row)) for row in page.items],
        next_cursor=page.next_cursor,
    )
    return json_response(view.model_dump(mode="json"))


@router.post(
    "/{payment_id}/write-off",
    operation_id="write_off_payment",
    summary="Staff: give up what a rider will never pay",
    response_model=GuaranteeView,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing, NotFound, NothingOwed),
)
async def give_up(payment_id: UUID, body: WriteOff, acting: Acting, staff: Staff) -> Response:
    """Turn what lies above the fund's part into a cost of the platform, for the reason you give."""

    async def act(tx: Transaction) -> dict[str, Any]:
        row = await write_off(
            tx,
            payment_id=payment_id,
            decided_by=staff.member_id,
            reason=body.reason,
            now=acting.now,
        )
        return GuaranteeView.model_validate(dict(row)).model_dump(mode="json")

    return await acting.answer(act)
