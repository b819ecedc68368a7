"""HTTP of the platform's own costs: staff books them, every member may look."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.assembly.stream import ASSEMBLY_STREAM
from app.forecast.cost_schemas import (
    CostBooking,
    CostReversal,
    CostSummaryView,
    CostsView,
    CostView,
)
from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.ledger import cost_queries, costs
from app.ledger.errors import (
    CostReversedBefore,
    DayIsInTheFuture,
    PeriodIsClosed,
    ReversalIsFinal,
)
from app.ledger.queries import currency
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Now, SignedIn, Staff
from app.members.errors import NotSignedIn, RoleMissing

router = APIRouter(prefix="/v1/costs", tags=["costs"])


@router.post(
    "",
    operation_id="book_cost",
    summary="Staff: book what the platform paid, or other income",
    status_code=201,
    response_model=CostView,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing, DayIsInTheFuture, PeriodIsClosed),
)
async def book_cost(body: CostBooking, acting: Acting, staff: Staff) -> Response:
    """Book it once it was paid. Every member sees it at once: purpose, document, day and amount."""

    async def act(tx: Transaction) -> dict[str, Any]:
        entry = await costs.book_cost(
            tx,
            cost=body.as_cost(),
            booked_by=staff.member_id,
            now=acting.now,
            streams=(ASSEMBLY_STREAM,),
        )
        return CostView.model_validate(entry).model_dump(mode="json")

    return await acting.answer(act, status=201)


@router.post(
    "/{cost_id}/reverse",
    operation_id="reverse_cost",
    summary="Staff: take a cost back, with a reason",
    status_code=201,
    response_model=CostView,
    responses=problem_responses(
        *COMMAND_PROBLEMS, RoleMissing, NotFound, CostReversedBefore, ReversalIsFinal
    ),
)
async def reverse_cost(cost_id: UUID, body: CostReversal, acting: Acting, staff: Staff) -> Response:
    """Take back a cost that was booked wrongly: nothing is edited, both stay to be seen."""

    async def act(tx: Transaction) -> dict[str, Any]:
        entry = await costs.reverse_cost(
            tx,
            entry_id=cost_id,
            reason=body.reason,
            booked_by=staff.member_id,
            now=acting.now,
            streams=(ASSEMBLY_STREAM,),
        )
        return CostView.model_validate(entry).model_dump(mode="json")

    return await acting.answer(act, status=201)


@router.get(
    "",
    operation_id="list_costs",
    summary="What the platform itself costs, entry by entry",
    response_model=CostsView,
    responses=problem_responses(NotSignedIn),
)
async def list_costs(
    _: SignedIn,
    database: DatabaseDep,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
) -> Response:
    """Return costs, other income and their reversals, the one booked last first."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        found = await cost_queries.list_entries(reader, before=before, limit=limit + 1)
    page = make_page(found, limit=limit, key=lambda row: UUID(str(row["id"])))
    view = CostsView.model_validate(
        {"items": [dict(row) for row in page.items], "next_cursor": page.next_cursor}
    )
    return json_response(view.model_dump(mode="json"))


@router.get(
    "/summary",
    operation_id="get_cost_summary",
    summary="What the platform itself costs, by purpose and month",
    response_model=CostSummaryView,
    responses=problem_responses(NotSignedIn),
)
async def get_cost_summary(
    _: SignedIn,
    database: DatabaseDep,
    now: Now,
    months: Annotated[int, Query(ge=1, le=120, description="how many, this one included")] = 12,
) -> Response:
    """Return what each purpose came to in each of the last months, reversals taken off."""
    async with database.reading() as reader:
        rows = await cost_queries.sums_by_month(reader, months=months, at=now)
        unit = await currency(reader)
    view = CostSummaryView.model_validate({"currency": unit, "items": [dict(row) for row in rows]})
    return json_response(view.model_dump(mode="json"))
