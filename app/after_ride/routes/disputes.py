"""HTTP of disputes: members open and appeal them, people of staff decide with a reason."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.after_ride.errors import (
    AnotherPersonDecides,
    DisputeDecided,
    DisputeIsOpen,
    MoreThanWasPaid,
    NothingToAppeal,
    NothingToRelease,
    NothingToUphold,
    OwnRide,
    RideNotSettled,
    TooLateToDispute,
)
from app.after_ride.queries import disputes as queries
from app.after_ride.rules import DisputeState
from app.after_ride.schemas import (
    AppealRequest,
    DecisionRequest,
    DisputeRequest,
    DisputesView,
    DisputeView,
    StaffDisputesView,
    StaffDisputeView,
    WithdrawalRequest,
)
from app.after_ride.service import disputes
from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.ledger.errors import BalanceTooLow
from app.members.access import (
    COMMAND_PROBLEMS,
    COMMAND_PROBLEMS_EVEN_SUSPENDED,
    Acting,
    ActingEvenSuspended,
    DatabaseDep,
    SignedInEvenSuspended,
    Staff,
)
from app.members.errors import NotSignedIn, RoleMissing

router = APIRouter(prefix="/v1", tags=["after a ride"])

Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


async def _shown(tx: Transaction, dispute_id: UUID, member_id: UUID | None) -> dict[str, Any]:
    row = await disputes.get_dispute(tx, dispute_id=dispute_id, member_id=member_id)
    view = StaffDisputeView.model_validate(row) if member_id is None else DisputeView.to_party(row)
    return view.model_dump(mode="json")


@router.post(
    "/rides/{ride_id}/disputes",
    operation_id="open_dispute",
    summary="Say that a ride was settled wrongly",
    status_code=201,
    response_model=DisputeView,
    responses=problem_responses(
        *COMMAND_PROBLEMS_EVEN_SUSPENDED, NotFound, RideNotSettled, TooLateToDispute, DisputeIsOpen
    ),
)
async def open_dispute(
    ride_id: UUID, body: DisputeRequest, acting: ActingEvenSuspended
) -> Response:
    """Ask a person of staff to look at it. Both rider and driver read the answer's reason."""

    async def act(tx: Transaction) -> dict[str, Any]:
        dispute_id = await disputes.open_dispute(
            tx,
            ride_id=ride_id,
            member_id=acting.actor.member_id,
            kind=body.kind,
            text=body.text,
            now=acting.now,
        )
        return await _shown(tx, dispute_id, acting.actor.member_id)

    return await acting.answer(act, status=201)


@router.post(
    "/disputes/{dispute_id}/appeal",
    operation_id="appeal_dispute",
    summary="Ask that another person decides again",
    response_model=DisputeView,
    responses=problem_responses(
        *COMMAND_PROBLEMS_EVEN_SUSPENDED, NotFound, NothingToAppeal, DisputeIsOpen
    ),
)
async def appeal(dispute_id: UUID, body: AppealRequest, acting: ActingEvenSuspended) -> Response:
    """Appeal against a decision about your ride, once and within 30 days of it."""

    async def act(tx: Transaction) -> dict[str, Any]:
        member_id = acting.actor.member_id
        await disputes.appeal(
            tx, dispute_id=dispute_id, member_id=member_id, text=body.text, now=acting.now
        )
        return await _shown(tx, dispute_id, member_id)

    return await acting.answer(act)


@router.get(
    "/me/disputes",
    operation_id="list_own_disputes",
    summary="The disputes about your rides",
    response_model=DisputesView,
    responses=problem_responses(NotSignedIn),
)
async def list_own(
    actor: SignedInEvenSuspended, database: DatabaseDep, cursor: Cursor = None, limit: Limit = 20
) -> Response:
    """Return disputes about rides that you took or drove, the newest first."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        rows = await queries.list_disputes(
            reader, member_id=actor.member_id, state=None, before=before, limit=limit + 1
        )
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))
    items = [DisputeView.to_party(row) for row in page.items]
    view = DisputesView(items=items, next_cursor=page.next_cursor)
    return json_response(view.model_dump(mode="json"))


@router.get(
    "/disputes",
    operation_id="list_disputes",
    summary="Staff: disputes",
    response_model=StaffDisputesView,
    responses=problem_responses(NotSignedIn, RoleMissing),
)
async def list_disputes(
    _: Staff,
    database: DatabaseDep,
    state: DisputeState | None = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Response:
    """Return disputes, the newest first; those `open` or `appealed` wait for a decision."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        rows = await queries.list_disputes(
            reader, member_id=None, state=state, before=before, limit=limit + 1
        )
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))
    items = [StaffDisputeView.model_validate(dict(row)) for row in page.items]
    view = StaffDisputesView(items=items, next_cursor=page.next_cursor)
    return json_response(view.model_dump(mode="json"))


@router.get(
    "/disputes/{dispute_id}",
    operation_id="get_dispute",
    summary="Staff: one dispute",
    response_model=StaffDisputeView,
    responses=problem_responses(NotSignedIn, RoleMissing, NotFound),
)
async def get_dispute(dispute_id: UUID, _: Staff, database: DatabaseDep) -> Response:
    """Return a dispute and what was decided, also what waits for a second person."""
    async with database.reading() as reader:
        return json_response(await _shown(reader, dispute_id, None))


@router.post(
    "/disputes/{dispute_id}/decide",
    operation_id="decide_dispute",
    summary="Staff: decide a dispute, or the appeal in it",
    response_model=StaffDisputeView,
    responses=problem_responses(
        *COMMAND_PROBLEMS,
        RoleMissing,
        NotFound,
        OwnRide,
        AnotherPersonDecides,
        DisputeDecided,
        NothingToUphold,
        MoreThanWasPaid,
        BalanceTooLow,
    ),
)
async def decide(dispute_id: UUID, body: DecisionRequest, acting: Acting, staff: Staff) -> Response:
    """Refuse, refund, or pay the driver more, and say why and who bears it.

    Above 5000 in minor units it waits for a second person; anything else happens at once. What is
    decided on appeal takes the place of the first decision; `uphold` leaves that as it is.
    """

    async def act(tx: Transaction) -> dict[str, Any]:
        await disputes.decide(
            tx,
            dispute_id=dispute_id,
            outcome=body.outcome,
            burden=body.burden,
            reason=body.reason,
            decided_by=staff.member_id,
            now=acting.now,
        )
        return await _shown(tx, dispute_id, None)

    return await acting.answer(act)


@router.post(
    "/disputes/{dispute_id}/release",
    operation_id="release_decision",
    summary="Staff: let a colleague's large decision come to be",
    response_model=StaffDisputeView,
    responses=problem_responses(
        *COMMAND_PROBLEMS,
        RoleMissing,
        NotFound,
        OwnRide,
        AnotherPersonDecides,
        NothingToRelease,
        MoreThanWasPaid,
        BalanceTooLow,
    ),
)
async def release(dispute_id: UUID, acting: Acting, staff: Staff) -> Response:
    """Agree as the second person: the money moves, and both people are told."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await disputes.release(
            tx, dispute_id=dispute_id, released_by=staff.member_id, now=acting.now
        )
        return await _shown(tx, dispute_id, None)

    return await acting.answer(act)


@router.post(
    "/disputes/{dispute_id}/withdraw",
    operation_id="withdraw_decision",
    summary="Staff: give up a decision that waits for its release",
    response_model=StaffDisputeView,
    responses=problem_responses(
        *COMMAND_PROBLEMS, RoleMissing, NotFound, OwnRide, NothingToRelease
    ),
)
async def withdraw(
    dispute_id: UUID, body: WithdrawalRequest, acting: Acting, staff: Staff
) -> Response:
    """Give it up with a reason; the dispute waits for another decision."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await disputes.withdraw(
            tx,
            dispute_id=dispute_id,
            withdrawn_by=staff.member_id,
            reason=body.reason,
            now=acting.now,
        )
        return await _shown(tx, dispute_id, None)

    return await acting.answer(act)
