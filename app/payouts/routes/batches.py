"""HTTP of batches: staff prepares, somebody else of staff releases."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, SettingsDep, Staff
from app.members.errors import NotSignedIn, RoleMissing
from app.payouts.errors import BatchDecided, CutOffInTheFuture, NothingToPay, OwnBatch
from app.payouts.queries import batches as queries
from app.payouts.rules import PayoutState
from app.payouts.schemas import (
    BatchCancellation,
    BatchesView,
    BatchPreparation,
    BatchView,
    PayoutsView,
    PayoutView,
)
from app.payouts.service import batches

router = APIRouter(prefix="/v1/payouts/batches", tags=["payouts"])

Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


async def _shown(tx: Transaction, batch_id: UUID) -> dict[str, Any]:
    row = await batches.get_batch(tx, batch_id=batch_id)
    return BatchView.model_validate(dict(row)).model_dump(mode="json")


@router.post(
    "",
    operation_id="prepare_payout_batch",
    summary="Staff: prepare what is to be paid to drivers",
    status_code=201,
    response_model=BatchView,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing, CutOffInTheFuture, NothingToPay),
)
async def prepare(
    body: BatchPreparation, acting: Acting, staff: Staff, settings: SettingsDep
) -> Response:
    """Freeze what each driver earned before the cut-off and still has. No money moves yet."""

    async def act(tx: Transaction) -> dict[str, Any]:
        batch_id = await batches.prepare_batch(
            tx,
            until=body.until,
            least_minor=settings.payout_least_minor,
            prepared_by=staff.member_id,
            now=acting.now,
        )
        return await _shown(tx, batch_id)

    return await acting.answer(act, status=201)


@router.post(
    "/{batch_id}/release",
    operation_id="release_payout_batch",
    summary="Staff: let a batch go that somebody else prepared",
    response_model=BatchView,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing, NotFound, OwnBatch, BatchDecided),
)
async def release(batch_id: UUID, acting: Acting, staff: Staff) -> Response:
    """Take the payouts off the drivers' accounts. What is not as prepared is left out, and said."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await batches.release_batch(
            tx, batch_id=batch_id, released_by=staff.member_id, now=acting.now
        )
        return await _shown(tx, batch_id)

    return await acting.answer(act)


@router.post(
    "/{batch_id}/cancel",
    operation_id="cancel_payout_batch",
    summary="Staff: give up a batch that is not released",
    response_model=BatchView,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing, NotFound, BatchDecided),
)
async def cancel(batch_id: UUID, body: BatchCancellation, acting: Acting, staff: Staff) -> Response:
    """Give it up with a reason; its drivers are free for the next batch."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await batches.cancel_batch(
            tx,
            batch_id=batch_id,
            cancelled_by=staff.member_id,
            reason=body.reason,
            now=acting.now,
        )
        return await _shown(tx, batch_id)

    return await acting.answer(act)


@router.get(
    "",
    operation_id="list_payout_batches",
    summary="Staff: the batches, the newest first",
    response_model=BatchesView,
    responses=problem_responses(NotSignedIn, RoleMissing),
)
async def list_batches(
    _: Staff, database: DatabaseDep, cursor: Cursor = None, limit: Limit = 20
) -> Response:
    """Return batches and where their payouts stand."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        rows = await queries.list_batches(reader, before=before, limit=limit + 1)
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))
    view = BatchesView.model_validate(
        {"items": [dict(row) for row in page.items], "next_cursor": page.next_cursor}
    )
    return json_response(view.model_dump(mode="json"))


@router.get(
    "/{batch_id}",
    operation_id="get_payout_batch",
    summary="Staff: one batch",
    response_model=BatchView,
    responses=problem_responses(NotSignedIn, RoleMissing, NotFound),
)
async def get_batch(batch_id: UUID, _: Staff, database: DatabaseDep) -> Response:
    """Return a batch and where its payouts stand."""
    async with database.reading() as reader:
        return json_response(await _shown(reader, batch_id))


@router.get(
    "/{batch_id}/payouts",
    operation_id="list_payouts",
    summary="Staff: the payouts of a batch",
    response_model=PayoutsView,
    responses=problem_responses(NotSignedIn, RoleMissing, NotFound),
)
async def list_payouts(
    batch_id: UUID,
    _: Staff,
    database: DatabaseDep,
    state: PayoutState | None = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Response:
    """Return payouts, all or those in one state: who, how much, and why not where it is so."""
    after = decode_cursor(cursor)
    async with database.reading() as reader:
        await batches.get_batch(reader, batch_id=batch_id)
        rows = await queries.list_payouts(
            reader, batch_id=batch_id, state=state, after=after, limit=limit + 1
        )
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))
    items = [PayoutView.of(row) for row in page.items]
    view = PayoutsView(items=items, next_cursor=page.next_cursor)
    return json_response(view.model_dump(mode="json"))
