"""HTTP of what the bank is given for a batch, and of what it says."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.problems import NotFound
from app.foundation.web import problem_responses
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, SettingsDep, Staff
from app.members.errors import NotSignedIn, RoleMissing
from app.payouts.errors import (
    BatchNotReleased,
    CurrencyNotSepa,
    FileNotDrawn,
    NothingToPay,
    PayingAccountMissing,
    StatusReportOfAnother,
    StatusReportUnreadable,
)
from app.payouts.rules import PayoutState
from app.payouts.schemas import FileView, ImportView, StatusImport
from app.payouts.service import paying

router = APIRouter(prefix="/v1/payouts/batches/{batch_id}", tags=["payouts"])


def _download(content: bytes | str, *, name: str, kind: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=kind, headers=headers)


@router.post(
    "/file",
    operation_id="draw_payout_file",
    summary="Staff: draw the file for the bank",
    response_model=FileView,
    responses=problem_responses(
        *COMMAND_PROBLEMS,
        RoleMissing,
        NotFound,
        BatchNotReleased,
        NothingToPay,
        CurrencyNotSepa,
        PayingAccountMissing,
    ),
)
async def draw_file(
    batch_id: UUID, acting: Acting, staff: Staff, database: DatabaseDep, settings: SettingsDep
) -> Response:
    """Draw it once, for good: asked again, it is the same file. Pay by it or by the list."""
    # Drawing takes a second for a large city, so no transaction is open meanwhile.
    async with database.reading() as reader:
        content = await paying.draw_file(
            reader, batch_id=batch_id, account=paying.paying_account(settings)
        )

    async def act(tx: Transaction) -> dict[str, Any]:
        await paying.keep_file(
            tx, batch_id=batch_id, content=content, drawn_by=staff.member_id, now=acting.now
        )
        file = await paying.get_file(tx, batch_id=batch_id)
        return FileView.model_validate(dict(file)).model_dump(mode="json")

    return await acting.answer(act)


@router.get(
    "/file",
    operation_id="get_payout_file",
    summary="Staff: the file for the bank",
    response_class=Response,
    responses={
        200: {"content": {"application/xml": {}}, "description": "SEPA pain.001.001.09"},
        **problem_responses(NotSignedIn, RoleMissing, NotFound, BatchNotReleased, FileNotDrawn),
    },
)
async def get_file(batch_id: UUID, _: Staff, database: DatabaseDep) -> Response:
    """Return the very bytes that were drawn."""
    async with database.reading() as reader:
        file = await paying.get_file(reader, batch_id=batch_id)
    return _download(file["content"], name=f"payouts-{batch_id}.xml", kind="application/xml")


@router.get(
    "/list",
    operation_id="get_payout_list",
    summary="Staff: the payments as a list, where the bank takes no file",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {}}, "description": "one line per payment"},
        **problem_responses(NotSignedIn, RoleMissing, NotFound, BatchNotReleased, NothingToPay),
    },
)
async def get_list(batch_id: UUID, _: Staff, database: DatabaseDep) -> Response:
    """Return account numbers in full, to pay by hand: by the list or the file, never by both."""
    async with database.reading() as reader:
        text = await paying.get_list(reader, batch_id=batch_id)
    return _download(text, name=f"payouts-{batch_id}.csv", kind="text/csv")


@router.post(
    "/statuses",
    operation_id="import_payout_statuses",
    summary="Staff: say what the bank says became of the payments",
    response_model=ImportView,
    responses=problem_responses(
        *COMMAND_PROBLEMS,
        RoleMissing,
        NotFound,
        BatchNotReleased,
        StatusReportUnreadable,
        StatusReportOfAnother,
    ),
)
async def import_statuses(
    batch_id: UUID, body: StatusImport, acting: Acting, staff: Staff
) -> Response:
    """Import the bank's file (pain.002.001) or what you read. What came back is paid anew."""
    report = body.by_hand() if body.pain_002 is None else await paying.read_report(body.pain_002)

    async def act(tx: Transaction) -> dict[str, Any]:
        applied = await paying.import_report(
            tx, batch_id=batch_id, report=report, imported_by=staff.member_id, now=acting.now
        )
        after = [change.after for change in applied.changes]
        return ImportView(
            settled=after.count(PayoutState.SETTLED),
            returned=after.count(PayoutState.RETURNED),
            unchanged=applied.unchanged,
            pending=applied.pending,
            contradicting=list(applied.contradicting),
            unknown=list(applied.unknown),
        ).model_dump(mode="json")

    return await acting.answer(act)
