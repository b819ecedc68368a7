"""HTTP of the fund and its circles, for every member."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.ledger.queries import currency
from app.members.access import (
    COMMAND_PROBLEMS,
    Acting,
    DatabaseDep,
    Driver,
    Now,
    SignedIn,
)
from app.members.errors import MemberSuspended, NotSignedIn, RoleMissing
from app.members.roles import Role
from app.solidarity.errors import (
    CircleFull,
    CircleNameTaken,
    CircleTooSmall,
    InACircle,
    NotInACircle,
    NotYoursToConfirm,
    TierUnknown,
)
from app.solidarity.queries import circles as queries
from app.solidarity.queries import sickness
from app.solidarity.routes.own import leave_shown
from app.solidarity.schemas import (
    CircleJoining,
    CircleOpening,
    CirclesView,
    CircleView,
    MembershipView,
    PaymentsView,
    SickLeaveView,
    SolidarityView,
    WaitingListView,
    WaitingView,
)
from app.solidarity.service import circles, state
from app.solidarity.service.leaves import with_past
from app.solidarity.service.sickness import confirm_sick
from app.solidarity.words import PRIVACY
from governance.solidarity.rules import CIRCLE_MOST

router = APIRouter(prefix="/v1/solidarity", tags=["solidarity"])
_SEEN = problem_responses(NotSignedIn, MemberSuspended)
# Whose illness waits is for the eyes of one circle.
_OWN = {"Cache-Control": "no-store", "Vary": "Authorization"}


@router.get(
    "",
    operation_id="get_solidarity",
    summary="How it stands with the solidarity fund",
    response_model=SolidarityView,
    responses=_SEEN,
)
async def get_solidarity(_: SignedIn, database: DatabaseDep, now: Now) -> Response:
    """Return the voted rules, this month's contribution and the fund, in plain words too.

    A gift circle is no insurance, and nobody has a right to a gift.
    """
    async with database.reading() as reader:
        view = SolidarityView.model_validate(await state.get_state(reader, now=now))
    return json_response(view.model_dump(mode="json"))


@router.get(
    "/payments",
    operation_id="list_solidarity_payments",
    summary="What the fund paid, without names",
    response_model=PaymentsView,
    responses=_SEEN,
)
async def list_payments(_: SignedIn, database: DatabaseDep, now: Now) -> Response:
    """Return payments in whole months, put together until ten people or more are in them."""
    async with database.reading() as reader:
        shown = await state.list_shown(reader, now=now)
        unit = await currency(reader)
    items = [PaymentsView.Group.model_validate(group, from_attributes=True) for group in shown]
    view = PaymentsView(items=items, currency=unit, words=PRIVACY)
    return json_response(view.model_dump(mode="json"))


@router.get(
    "/circles",
    operation_id="list_circles",
    summary="The gift circles of the city",
    response_model=CirclesView,
    responses=_SEEN,
)
async def list_circles(_: SignedIn, database: DatabaseDep) -> Response:
    """Return every circle and how many places are left, without who is in it."""
    async with database.reading() as reader:
        rows = await queries.list_circles(reader)
    view = CirclesView(items=[CircleView.of(row, most=CIRCLE_MOST) for row in rows])
    return json_response(view.model_dump(mode="json"))


@router.post(
    "/circles",
    operation_id="open_circle",
    summary="Driver: open a gift circle",
    status_code=201,
    response_model=CircleView,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing, CircleNameTaken),
)
async def open_circle(body: CircleOpening, acting: Acting, driver: Driver) -> Response:
    """Open a circle that drivers can join, you too. It begins with the twentieth member."""

    async def act(tx: Transaction) -> dict[str, Any]:
        circle = await circles.open_circle(
            tx, name=body.name, opened_by=driver.member_id, now=acting.now
        )
        return CircleView.of(circle, most=CIRCLE_MOST).model_dump(mode="json")

    return await acting.answer(act, status=201)


@router.post(
    "/circles/{circle_id}/join",
    operation_id="join_circle",
    summary="Driver: join a gift circle",
    status_code=201,
    response_model=MembershipView,
    responses=problem_responses(
        *COMMAND_PROBLEMS, RoleMissing, NotFound, TierUnknown, CircleFull, InACircle
    ),
)
async def join_circle(
    circle_id: UUID, body: CircleJoining, acting: Acting, driver: Driver
) -> Response:
    """Join with the monthly gift you choose. A share of it is taken from your earnings each month.

    Never more is taken than you have. A gift circle is no insurance: nobody has a right to a gift.
    """

    async def act(tx: Transaction) -> dict[str, Any]:
        place = await circles.join_circle(
            tx,
            circle_id=circle_id,
            member_id=driver.member_id,
            tier_minor=body.tier_minor,
            now=acting.now,
        )
        return MembershipView.of(place).model_dump(mode="json")

    return await acting.answer(act, status=201)


@router.post(
    "/circles/leave",
    operation_id="leave_circle",
    summary="Leave your gift circle",
    response_model=MembershipView,
    responses=problem_responses(*COMMAND_PROBLEMS, NotInACircle),
)
async def leave_circle(acting: Acting) -> Response:
    """Leave today. Gifts end today too; what you contributed stays with the fund."""

    async def act(tx: Transaction) -> dict[str, Any]:
        place = await circles.leave_circle(tx, member_id=acting.actor.member_id, now=acting.now)
        return MembershipView.of(place).model_dump(mode="json")

    return await acting.answer(act)


@router.get(
    "/sick-leaves",
    operation_id="list_sick_leaves_to_confirm",
    summary="Who of your circle says they cannot work",
    response_model=WaitingListView,
    responses=_SEEN,
)
async def list_waiting(actor: SignedIn, database: DatabaseDep) -> Response:
    """Return what you may confirm: of your own circle; stewards (staff) see every circle's."""
    is_steward = Role.STAFF in actor.roles
    async with database.reading() as reader:
        own = await queries.find_membership(reader, member_id=actor.member_id)
        rows: list[Any] = []
        if is_steward or own is not None:
            circle_id = None if is_steward or own is None else own["circle_id"]
            rows = await sickness.list_unconfirmed(reader, circle_id=circle_id)
        leaves = await with_past(reader, rows)
    items = [
        WaitingView.of(
            row,
            gifts_from=leave.gifts_from,
            member_name=row["member_name"],
            circle_name=row["circle_name"],
        )
        for row, leave in zip(rows, leaves, strict=True)
        if row["member_id"] != actor.member_id
    ]
    return json_response(WaitingListView(items=items).model_dump(mode="json"), headers=_OWN)


@router.post(
    "/sick-leaves/{leave_id}/confirm",
    operation_id="confirm_sick_leave",
    summary="Confirm that a member of your circle cannot work",
    response_model=SickLeaveView,
    responses=problem_responses(*COMMAND_PROBLEMS, NotFound, NotYoursToConfirm, CircleTooSmall),
)
async def confirm(leave_id: UUID, acting: Acting) -> Response:
    """Confirm what you know of a colleague. Two of the circle or one steward (staff) decide."""

    async def act(tx: Transaction) -> dict[str, Any]:
        row = await confirm_sick(
            tx,
            leave_id=leave_id,
            confirmed_by=acting.actor.member_id,
            is_steward=Role.STAFF in acting.actor.roles,
            now=acting.now,
        )
        return await leave_shown(tx, row)

    return await acting.answer(act)
