"""HTTP of tariffs: anybody reads them, staff proposes, somebody else of staff releases."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.fares import queries, tariffs
from app.fares.errors import OwnTariff, TariffDecided, TariffMomentTaken, TariffTooSoon
from app.fares.tariff_schemas import (
    ProposalsView,
    ProposalView,
    TariffProposed,
    TariffsView,
    proposal_view,
    tariff_view,
)
from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.ledger.queries import currency
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Now, Staff
from app.members.errors import NotSignedIn, RoleMissing

router = APIRouter(prefix="/v1/tariffs", tags=["tariffs"])
_NEWEST = UUID(int=2**128 - 1)
MOST_SHOWN = 50


async def _shown(tx: Transaction, proposal_id: UUID) -> dict[str, Any]:
    row = await tariffs.get_proposal(tx, proposal_id=proposal_id)
    return proposal_view(row, currency=await currency(tx))


@router.get(
    "",
    operation_id="list_tariffs",
    summary="What rides cost, in plain words",
    response_model=TariffsView,
)
async def list_tariffs(database: DatabaseDep, now: Now) -> Response:
    """Return the tariffs to come, the one in force and those of before, each with an example.

    Anybody may read it. Two people of the cooperative set each one but the first, which it was
    founded with. The share of a fare and the most that surge may add are no part of a tariff: only
    a vote sets them.
    """
    async with database.reading() as reader:
        rows = await queries.list_tariffs(reader, at=now, limit=MOST_SHOWN)
    view = TariffsView(items=[tariff_view(row) for row in rows])
    return json_response(view.model_dump(mode="json"))


@router.post(
    "/proposals",
    operation_id="propose_tariff",
    summary="Staff: propose a tariff",
    status_code=201,
    response_model=ProposalView,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing, TariffTooSoon),
)
async def propose(body: TariffProposed, acting: Acting, staff: Staff) -> Response:
    """Write a tariff down that somebody else may release. No price changes yet."""

    async def act(tx: Transaction) -> dict[str, Any]:
        proposal_id = await tariffs.propose_tariff(
            tx,
            tariff=body.tariff,
            reason=body.reason,
            effective_from=body.effective_from,
            proposed_by=staff.member_id,
            now=acting.now,
        )
        return await _shown(tx, proposal_id)

    return await acting.answer(act, status=201)


@router.post(
    "/proposals/{proposal_id}/release",
    operation_id="release_tariff",
    summary="Staff: release a tariff that somebody else proposed",
    response_model=ProposalView,
    responses=problem_responses(
        *COMMAND_PROBLEMS,
        RoleMissing,
        NotFound,
        OwnTariff,
        TariffDecided,
        TariffTooSoon,
        TariffMomentTaken,
    ),
)
async def release(proposal_id: UUID, acting: Acting, staff: Staff) -> Response:
    """Let it come into force at its moment. Prices given before then stay as they were given."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await tariffs.release_tariff(
            tx, proposal_id=proposal_id, released_by=staff.member_id, now=acting.now
        )
        return await _shown(tx, proposal_id)

    return await acting.answer(act)


@router.post(
    "/proposals/{proposal_id}/withdraw",
    operation_id="withdraw_tariff",
    summary="Staff: give up a proposed tariff",
    response_model=ProposalView,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing, NotFound, TariffDecided),
)
async def withdraw(proposal_id: UUID, acting: Acting, staff: Staff) -> Response:
    """Give up a tariff that nobody released."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await tariffs.withdraw_tariff(
            tx, proposal_id=proposal_id, withdrawn_by=staff.member_id, now=acting.now
        )
        return await _shown(tx, proposal_id)

    return await acting.answer(act)


@router.get(
    "/proposals",
    operation_id="list_tariff_proposals",
    summary="Staff: the proposed tariffs, the newest first",
    response_model=ProposalsView,
    responses=problem_responses(NotSignedIn, RoleMissing),
)
async def list_proposals(
    _: Staff,
    database: DatabaseDep,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
) -> Response:
    """Return proposed tariffs and what became of them."""
    async with database.reading() as reader:
        rows = await queries.list_proposals(
            reader, before=decode_cursor(cursor) or _NEWEST, limit=limit + 1
        )
        unit = await currency(reader)
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))
    items = [proposal_view(row, currency=unit) for row in page.items]
    return json_response({"items": items, "next_cursor": page.next_cursor})
