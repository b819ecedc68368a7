"""HTTP for staff: sisters, their clearings, and claims that were rejected."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Staff
from app.members.errors import NotSignedIn, RoleMissing
from app.reciprocity.errors import OwnPeerProposal, PeerDecided, PeerKeyInvalid, PeerKnown
from app.reciprocity.queries import clearings
from app.reciprocity.routes.own import OwnDep
from app.reciprocity.schemas import (
    ClaimAgainView,
    ClearingsView,
    ClearingView,
    PeerDetail,
    PeerPause,
    PeerProposal,
)
from app.reciprocity.service import claims
from app.reciprocity.service import peers as service

router = APIRouter(prefix="/v1/peers", tags=["reciprocity"])
_NEWEST = UUID(int=2**128 - 1)
_PROBLEMS = (*COMMAND_PROBLEMS, RoleMissing, NotFound)


async def _shown(tx: Transaction, peer_id: UUID) -> dict[str, Any]:
    peer = await service.get_peer(tx, peer_id=peer_id)
    return PeerDetail.of(peer).model_dump(mode="json")


@router.post(
    "",
    operation_id="propose_peer",
    summary="Staff: register a sister cooperative",
    status_code=201,
    response_model=PeerDetail,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing, PeerKnown, PeerKeyInvalid),
)
async def propose(body: PeerProposal, acting: Acting, staff: Staff, own: OwnDep) -> Response:
    """Write down a sister's address, key and limits. Nothing is exchanged until it is confirmed."""

    async def act(tx: Transaction) -> dict[str, Any]:
        peer_id = await service.propose_peer(
            tx,
            own=own,
            name=body.name,
            base_url=body.base_url,
            public_key=bytes.fromhex(body.public_key),
            they_may_owe_minor=body.they_may_owe_minor,
            we_may_owe_minor=body.we_may_owe_minor,
            proposed_by=staff.member_id,
            now=acting.now,
        )
        return await _shown(tx, peer_id)

    return await acting.answer(act, status=201)


@router.post(
    "/{peer_id}/confirm",
    operation_id="confirm_peer",
    summary="Staff: confirm a sister that somebody else proposed",
    response_model=PeerDetail,
    responses=problem_responses(*_PROBLEMS, PeerDecided, OwnPeerProposal),
)
async def confirm(peer_id: UUID, acting: Acting, staff: Staff) -> Response:
    """Compare the key with the sister by telephone first: whoever holds it claims money."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await service.confirm_peer(
            tx, peer_id=peer_id, confirmed_by=staff.member_id, now=acting.now
        )
        return await _shown(tx, peer_id)

    return await acting.answer(act)


@router.post(
    "/{peer_id}/pause",
    operation_id="pause_peer",
    summary="Staff: exchange no new rides with a sister",
    response_model=PeerDetail,
    responses=problem_responses(*_PROBLEMS, PeerDecided),
)
async def pause(peer_id: UUID, body: PeerPause, acting: Acting, staff: Staff) -> Response:
    """Give no new letters and take none. What was ridden is still cleared."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await service.pause_peer(
            tx, peer_id=peer_id, by=staff.member_id, reason=body.reason, now=acting.now
        )
        return await _shown(tx, peer_id)

    return await acting.answer(act)


@router.post(
    "/{peer_id}/resume",
    operation_id="resume_peer",
    summary="Staff: exchange rides again",
    response_model=PeerDetail,
    responses=problem_responses(*_PROBLEMS, PeerDecided),
)
async def resume(peer_id: UUID, acting: Acting, _: Staff) -> Response:
    """End a pause."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await service.resume_peer(tx, peer_id=peer_id)
        return await _shown(tx, peer_id)

    return await acting.answer(act)


@router.get(
    "/{peer_id}",
    operation_id="get_peer",
    summary="Staff: one sister",
    response_model=PeerDetail,
    responses=problem_responses(NotSignedIn, RoleMissing, NotFound),
)
async def get_peer(peer_id: UUID, _: Staff, database: DatabaseDep) -> Response:
    """Return a sister, its limits, what stands between us and who registered it."""
    async with database.reading() as reader:
        return json_response(await _shown(reader, peer_id))


@router.get(
    "/{peer_id}/clearings",
    operation_id="list_clearings",
    summary="Staff: the clearings with a sister, the newest first",
    response_model=ClearingsView,
    responses=problem_responses(NotSignedIn, RoleMissing, NotFound),
)
async def list_clearings(
    peer_id: UUID,
    _: Staff,
    database: DatabaseDep,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
) -> Response:
    """Return what we claimed and what was claimed of us, and what became of it."""
    before = decode_cursor(cursor) or _NEWEST
    async with database.reading() as reader:
        await service.get_peer(reader, peer_id=peer_id)
        rows = await clearings.list_clearings(
            reader, peer_id=peer_id, before=before, limit=limit + 1
        )
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))
    items = [ClearingView.model_validate(dict(row)) for row in page.items]
    view = ClearingsView(items=items, next_cursor=page.next_cursor)
    return json_response(view.model_dump(mode="json"))


@router.post(
    "/{peer_id}/visits/{visit_id}/claim",
    operation_id="claim_again",
    summary="Staff: claim again for a visit whose claim was rejected",
    response_model=ClaimAgainView,
    responses=problem_responses(*_PROBLEMS, PeerDecided),
)
async def claim_again(peer_id: UUID, visit_id: UUID, acting: Acting, _: Staff) -> Response:
    """Let the outbox claim what the visitor still owes, after you spoke with the sister."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await claims.claim_again(tx, peer_id=peer_id, visit_id=visit_id)
        return {"id": str(visit_id)}

    return await acting.answer(act)
