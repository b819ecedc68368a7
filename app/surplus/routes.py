"""HTTP of the surplus: staff closes a period by two, members read it and their own part."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.assembly.statutes import statutes_in_force
from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.problems import NotFound, TooManyRequests
from app.foundation.web import json_response, problem_responses
from app.ledger.errors import PeriodCannotBeClosed
from app.ledger.queries import currency
from app.members.access import (
    COMMAND_PROBLEMS,
    Acting,
    DatabaseDep,
    Now,
    SignedIn,
    SignedInEvenSuspended,
    Staff,
)
from app.members.errors import NotSignedIn, OwnCase, RoleMissing
from app.surplus import capital, package, queries, service
from app.surplus.errors import (
    BooksHaveChanged,
    CapitalNotDue,
    ConfirmedByAnother,
    MeansDoNotReach,
    MemberHasNotLeft,
    NoCapital,
    PeriodCutsAnHour,
    PeriodLeavesAGap,
    PeriodNotOver,
    PeriodNotSealed,
)
from app.surplus.schemas import (
    CapitalView,
    LegalFormsView,
    PeriodRequest,
    PeriodsView,
    PeriodView,
    RedemptionView,
    RefundsView,
)
from governance.legal_form import LEGAL_FORMS

router = APIRouter(prefix="/v1", tags=["surplus"])
_OWN = {"Cache-Control": "no-store", "Vary": "Authorization"}
# It stays as it is but for the codes of people who are erased, which go with the next hour.
_FOR_ALL = {"Cache-Control": "public, max-age=3600"}
# Anybody may ask, and drawing a long period takes memory and a connection.
MOST_DRAWN_AT_ONCE = 2
RETRY_AFTER_S = 10
_drawing: set[object] = set()


@router.post(
    "/surplus/periods",
    operation_id="prepare_period",
    summary="Staff: prepare the close of a period",
    status_code=201,
    response_model=PeriodView,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing, PeriodNotOver, PeriodLeavesAGap),
)
async def prepare_period(body: PeriodRequest, acting: Acting, staff: Staff) -> Response:
    """Work the close out and keep it, for another person to confirm. Nothing moves yet."""

    async def act(tx: Transaction) -> dict[str, Any]:
        made = await service.prepare_period(
            tx, since=body.since, until=body.until, by=staff.member_id, now=acting.now
        )
        return PeriodView.model_validate(made).model_dump(mode="json")

    return await acting.answer(act, status=201)


@router.post(
    "/surplus/periods/{period_id}/confirm",
    operation_id="confirm_period",
    summary="Staff: close a period that another person prepared, for good",
    response_model=PeriodView,
    responses=problem_responses(
        *COMMAND_PROBLEMS,
        RoleMissing,
        NotFound,
        ConfirmedByAnother,
        BooksHaveChanged,
        PeriodCannotBeClosed,
        PeriodLeavesAGap,
    ),
)
async def confirm_period(period_id: UUID, acting: Acting, staff: Staff) -> Response:
    """Lock the books up to its end and share the surplus out, exactly as it was prepared."""

    async def act(tx: Transaction) -> dict[str, Any]:
        made = await service.confirm_period(
            tx, draft_id=period_id, by=staff.member_id, now=acting.now
        )
        return PeriodView.model_validate(made).model_dump(mode="json")

    return await acting.answer(act)


@router.get(
    "/surplus/periods",
    operation_id="list_periods",
    summary="Periods, prepared and closed",
    response_model=PeriodsView,
    responses=problem_responses(NotSignedIn),
)
async def list_periods(
    _: SignedIn,
    database: DatabaseDep,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
) -> Response:
    """Return periods with their steps, the one prepared last first."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        found = await queries.list_periods(reader, before=before, limit=limit + 1)
    page = make_page(found, limit=limit, key=lambda row: UUID(str(row["id"])))
    view = PeriodsView.model_validate(
        {"items": [dict(row) for row in page.items], "next_cursor": page.next_cursor}
    )
    return json_response(view.model_dump(mode="json"))


@router.get(
    "/surplus/periods/{period_id}",
    operation_id="get_period",
    summary="How a period's surplus is shared out, step by step",
    response_model=PeriodView,
    responses=problem_responses(NotSignedIn, NotFound),
)
async def get_period(period_id: UUID, _: SignedIn, database: DatabaseDep) -> Response:
    """Return every step in plain words with its rule and source; of members only sums."""
    async with database.reading() as reader:
        found = await service.get_period(reader, period_id=period_id)
    return json_response(PeriodView.model_validate(found).model_dump(mode="json"))


@router.get(
    "/surplus/periods/{period_id}/package",
    operation_id="get_period_package",
    summary="All that `meent-verify` needs to work a closed period out again",
    response_model=dict[str, Any],
    responses=problem_responses(NotFound, PeriodNotSealed, PeriodCutsAnHour, TooManyRequests),
)
async def get_period_package(period_id: UUID, database: DatabaseDep) -> Response:
    """Return the books of the period as sealed, byte for byte the same each time, for everybody.

    People are in it by codes, another one in each line: who knows one of your rides finds that line
    and no other. You find all of yours by your secrets of the books. Each driver's total of the
    period is in it without a name; if you drove one single ride, it is recognised by that.
    """
    if len(_drawing) >= MOST_DRAWN_AT_ONCE:
        raise TooManyRequests(retry_after_s=RETRY_AFTER_S)
    ticket = object()
    _drawing.add(ticket)
    try:
        async with database.reading() as reader:
            drawn = await package.draw_package(reader, period_id=period_id)
    finally:
        _drawing.discard(ticket)
    return Response(drawn, media_type="application/json", headers=_FOR_ALL)


@router.get(
    "/surplus/legal-forms",
    operation_id="list_legal_forms",
    summary="What each legal form asks of a surplus, and what nobody looked up",
    response_model=LegalFormsView,
    responses=problem_responses(NotSignedIn),
)
async def list_legal_forms(_: SignedIn, database: DatabaseDep, now: Now) -> Response:
    """Return the forms that statutes can choose from, each clause with its source."""
    async with database.reading() as reader:
        statutes = await statutes_in_force(reader, at=now)
    items = [service.form_as_shown(form) for form in LEGAL_FORMS.values()]
    view = LegalFormsView.model_validate({"in_force": statutes.legal_form.key, "items": items})
    return json_response(view.model_dump(mode="json"))


@router.get(
    "/me/refunds",
    operation_id="list_my_refunds",
    summary="Your part of each period's surplus",
    response_model=RefundsView,
    responses=problem_responses(NotSignedIn),
)
async def list_my_refunds(actor: SignedInEvenSuspended, database: DatabaseDep) -> Response:
    """Return your own refunds, and the commission and time that they were reckoned by."""
    async with database.reading() as reader:
        items = await capital.list_refunds(reader, member_id=actor.member_id)
        unit = await currency(reader)
    view = RefundsView.model_validate({"currency": unit, "items": items})
    return json_response(view.model_dump(mode="json"), headers=_OWN)


@router.get(
    "/me/capital",
    operation_id="get_my_capital",
    summary="Your capital, lot by lot",
    response_model=CapitalView,
    responses=problem_responses(NotSignedIn),
)
async def get_my_capital(actor: SignedInEvenSuspended, database: DatabaseDep) -> Response:
    """Return what was credited in each period and what of it was paid back."""
    async with database.reading() as reader:
        rows = await capital.list_refunds(reader, member_id=actor.member_id)
        unit = await currency(reader)
    lots = [row | {"amount_minor": row["capital_minor"]} for row in rows if row["capital_minor"]]
    left_minor = sum(lot["amount_minor"] - lot["redeemed_minor"] for lot in lots)
    view = CapitalView.model_validate({"currency": unit, "capital_minor": left_minor, "lots": lots})
    return json_response(view.model_dump(mode="json"), headers=_OWN)


@router.post(
    "/members/{member_id}/capital/redeem",
    operation_id="redeem_capital",
    summary="Staff: pay a former member's capital back",
    response_model=RedemptionView,
    responses=problem_responses(
        *COMMAND_PROBLEMS,
        RoleMissing,
        NotFound,
        MemberHasNotLeft,
        CapitalNotDue,
        NoCapital,
        MeansDoNotReach,
        OwnCase,
    ),
)
async def redeem_capital(member_id: UUID, acting: Acting, staff: Staff) -> Response:
    """Pay the oldest lots first, as far as money reaches that is nobody's pay and no reserve."""

    async def act(tx: Transaction) -> dict[str, Any]:
        done = await capital.redeem_capital(
            tx, member_id=member_id, by=staff.member_id, now=acting.now
        )
        return RedemptionView.model_validate(done).model_dump(mode="json")

    return await acting.answer(act)
