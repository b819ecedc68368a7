"""HTTP of the transparency report: figures for programs, a page for people; anybody may read it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.members.access import DatabaseDep
from app.transparency import queries, service
from app.transparency.page import render, render_none
from app.transparency.schemas import ReportsView, ReportView

router = APIRouter(tags=["transparency"])


@router.get(
    "/v1/transparency",
    operation_id="list_transparency_reports",
    summary="Where the money went, period by period",
    response_model=ReportsView,
    responses=problem_responses(),
)
async def list_reports(
    database: DatabaseDep,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
) -> Response:
    """Return the reports, the newest period first. Groups of fewer than ten are not shown."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        found = await queries.list_reports(reader, before=before, limit=limit + 1)
    page = make_page(found, limit=limit, key=lambda row: UUID(str(row["period_id"])))
    view = ReportsView.model_validate(
        {"items": [service.shown(row) for row in page.items], "next_cursor": page.next_cursor}
    )
    return json_response(view.model_dump(mode="json"))


@router.get(
    "/v1/transparency/{period_id}",
    operation_id="get_transparency_report",
    summary="Where the money of one period went",
    response_model=ReportView,
    responses=problem_responses(NotFound),
)
async def get_report(period_id: UUID, database: DatabaseDep) -> Response:
    """Return what was published of a period; it never changes."""
    async with database.reading() as reader:
        found = await service.get_report(reader, period_id=period_id)
    return json_response(ReportView.model_validate(found).model_dump(mode="json"))


@router.get(
    "/transparency",
    operation_id="get_newest_transparency_page",
    summary="The newest report as a page",
    responses=problem_responses(),
)
async def get_newest_page(database: DatabaseDep) -> Response:
    """Return the newest report for people to read, in plain words and pictures."""
    async with database.reading() as reader:
        found = await queries.list_reports(reader, before=None, limit=1)
    return HTMLResponse(render(service.shown(found[0])) if found else render_none())


@router.get(
    "/transparency/{period_id}",
    operation_id="get_transparency_page",
    summary="The report of one period as a page",
    responses=problem_responses(NotFound),
)
async def get_page(period_id: UUID, database: DatabaseDep) -> Response:
    """Return a period's report for people to read."""
    async with database.reading() as reader:
        found = await service.get_report(reader, period_id=period_id)
    return HTMLResponse(render(found))
