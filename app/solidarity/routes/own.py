"""HTTP of what a member says of their own illness, and all that the fund knows of them."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.web import json_response, problem_responses
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, SignedInEvenSuspended
from app.members.errors import NotSignedIn
from app.solidarity.errors import (
    DayOutOfRange,
    MonthPaid,
    NotInACircle,
    NotReported,
    ReportedBefore,
)
from app.solidarity.queries import circles, contributions, sickness
from app.solidarity.schemas import (
    ContributionView,
    GiftView,
    MembershipView,
    OwnSolidarityView,
    RecoveryReport,
    SickLeaveView,
    SickReport,
)
from app.solidarity.service.leaves import with_past
from app.solidarity.service.sickness import report_recovered, report_sick
from app.solidarity.words import LAW

router = APIRouter(prefix="/v1/me", tags=["solidarity"])
_OWN = {"Cache-Control": "no-store", "Vary": "Authorization"}


async def leave_shown(tx: Transaction, row: Any) -> dict[str, Any]:
    """Return an illness as an answer."""
    [leave] = await with_past(tx, [row])
    return SickLeaveView.of(row, gifts_from=leave.gifts_from).model_dump(mode="json")


@router.get(
    "/solidarity",
    operation_id="get_own_solidarity",
    summary="Your circle, your contributions, your illnesses and gifts",
    response_model=OwnSolidarityView,
    responses=problem_responses(NotSignedIn),
)
async def get_own(actor: SignedInEvenSuspended, database: DatabaseDep) -> Response:
    """Return all that the fund knows of you. Nobody else gets this answer."""
    who = actor.member_id
    async with database.reading() as reader:
        place = await circles.find_membership(reader, member_id=who)
        rows = await sickness.list_own_leaves(reader, member_id=who)
        leaves = await with_past(reader, rows)
        gifts = await sickness.list_own_gifts(reader, member_id=who)
        paid = await contributions.list_own(reader, member_id=who)
    view = OwnSolidarityView(
        membership=None if place is None else MembershipView.of(place),
        sick_leaves=[
            SickLeaveView.of(row, gifts_from=leave.gifts_from)
            for row, leave in zip(rows, leaves, strict=True)
        ],
        gifts=[GiftView(**row) for row in gifts],
        contributions=[ContributionView(**row) for row in paid],
        law=LAW,
    )
    return json_response(view.model_dump(mode="json"), headers=_OWN)


@router.post(
    "/sick-leaves",
    operation_id="report_sick",
    summary="Say that you cannot work",
    status_code=201,
    response_model=SickLeaveView,
    responses=problem_responses(*COMMAND_PROBLEMS, NotInACircle, DayOutOfRange, ReportedBefore),
)
async def report(body: SickReport, acting: Acting) -> Response:
    """Say from which day on. Your circle is asked to confirm it; why is nobody's business.

    Within four weeks of your last illness it goes on with that one: you wait no second time, and
    gifts go on for as long as was left.
    """

    async def act(tx: Transaction) -> dict[str, Any]:
        row = await report_sick(
            tx, member_id=acting.actor.member_id, began_on=body.began_on, now=acting.now
        )
        return await leave_shown(tx, row)

    return await acting.answer(act, status=201)


@router.post(
    "/sick-leaves/recovery",
    operation_id="report_recovered",
    summary="Say that you work again",
    response_model=SickLeaveView,
    responses=problem_responses(
        *COMMAND_PROBLEMS, NotInACircle, NotReported, DayOutOfRange, MonthPaid
    ),
)
async def recover(body: RecoveryReport, acting: Acting) -> Response:
    """Say from which day on. Gifts end with the day before."""

    async def act(tx: Transaction) -> dict[str, Any]:
        row = await report_recovered(
            tx, member_id=acting.actor.member_id, ended_on=body.ended_on, now=acting.now
        )
        return await leave_shown(tx, row)

    return await acting.answer(act)
