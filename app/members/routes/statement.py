"""HTTP of a statement: what one of a member's accounts held, and what moved it in a period."""

import base64
import binascii
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app.foundation.pagination import MAX_LIMIT
from app.foundation.problems import InvalidRequest, NotFound
from app.foundation.schemas import Moment
from app.foundation.web import json_response, problem_responses
from app.ledger import queries, statements
from app.ledger.accounts import MEMBER_KINDS
from app.ledger.statements import LinePosition, Statement
from app.members.access import DatabaseDep, SignedIn
from app.members.errors import NotSignedIn

_LAST_JOURNAL, _LAST_LINE = 2**62, 2**30  # beyond any that there will be

router = APIRouter(prefix="/v1/me", tags=["members"])


class StatementLineView(BaseModel):
    """One movement. What was taken back, or put right, says why."""

    journal_id: int
    line: int
    kind: str
    subject_id: Annotated[UUID, Field(description="the ride, the payout or what else it is for")]
    reverses: Annotated[int | None, Field(description="the journal that this one takes back")]
    reason: str | None
    effective_at: Annotated[datetime, Field(description="what it concerns")]
    recorded_at: Annotated[datetime, Field(description="when it was booked")]
    amount_minor: Annotated[int, Field(description="above 0 it reached the account")]


class StatementView(BaseModel):
    """Opening + credits - debits is closing, of the whole period; `lines` are one page of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "account": "driver",
                "currency": "CHF",
                "known_at": "2026-11-22T18:00:00Z",
                "opening_minor": 12400,
                "credits_minor": 4465,
                "debits_minor": 669,
                "closing_minor": 16196,
                "lines": [
                    {
                        "journal_id": 1,
                        "line": 1,
                        "kind": "ride_fare",
                        "subject_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c",
                        "reverses": None,
                        "reason": None,
                        "effective_at": "2026-11-22T17:20:00Z",
                        "recorded_at": "2026-11-22T17:20:01Z",
                        "amount_minor": 4465,
                    }
                ],
                "next_cursor": None,
            }
        }
    )

    account: str
    currency: str
    known_at: Annotated[datetime, Field(description="what is booked later is not in here")]
    opening_minor: int
    credits_minor: int
    debits_minor: int
    closing_minor: int
    lines: list[StatementLineView]
    next_cursor: str | None


@router.get(
    "/account/{account}/statement",
    operation_id="get_my_statement",
    summary="What one of your accounts held, and what moved it in a period",
    response_model=StatementView,
    responses=problem_responses(NotSignedIn, NotFound, InvalidRequest),
)
async def get_my_statement(
    account: str,
    actor: SignedIn,
    database: DatabaseDep,
    since: Annotated[Moment, Query(description="the period's beginning, which is in it")],
    until: Annotated[Moment, Query(description="the period's end, which is not")],
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
) -> Response:
    """Return the statement of [since, until); its pages all show the books of one moment."""
    known_at, after = _decode(cursor)
    async with database.reading() as reader:
        rows = await queries.list_accounts(reader, member_id=actor.member_id)
        own = next((row for row in rows if row["kind"] == account), None)
        if account not in MEMBER_KINDS or own is None:
            raise NotFound
        known_at = known_at or await queries.books_now(reader)
        statement = await statements.read_statement(
            reader,
            account_id=own["id"],
            since=since,
            until=until,
            known_at=known_at,
            after=after,
            limit=limit,
        )
    view = _view(statement, account=account, currency=own["currency"], known_at=known_at)
    return json_response(view.model_dump(mode="json"))


def _view(
    statement: Statement, *, account: str, currency: str, known_at: datetime
) -> StatementView:
    return StatementView(
        account=account,
        currency=currency,
        known_at=known_at,
        opening_minor=statement.opening_minor,
        credits_minor=statement.credits_minor,
        debits_minor=statement.debits_minor,
        closing_minor=statement.closing_minor,
        lines=[
            StatementLineView(
                journal_id=line.position.journal_id,
                line=line.position.line,
                kind=line.kind,
                subject_id=line.subject_id,
                reverses=line.reverses,
                reason=line.reason,
                effective_at=line.position.effective_at,
                recorded_at=line.recorded_at,
                amount_minor=line.amount_minor,
            )
            for line in statement.lines
        ],
        next_cursor=_encode(known_at, statement.next_after) if statement.next_after else None,
    )


def _encode(known_at: datetime, last: LinePosition) -> str:
    text = f"{known_at.isoformat()}|{last.effective_at.isoformat()}|{last.journal_id}|{last.line}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _decode(cursor: str | None) -> tuple[datetime | None, LinePosition | None]:
    if cursor is None:
        return None, None
    try:
        text = base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
        known, effective, journal, line = text.split("|")
        known_at = _moment(known)
        after = LinePosition(
            effective_at=_moment(effective),
            journal_id=min(abs(int(journal)), _LAST_JOURNAL),
            line=min(abs(int(line)), _LAST_LINE),
        )
    except (ValueError, binascii.Error):
        fault = {"pointer": "#/query/cursor", "detail": "Send a cursor as an earlier page gave it"}
        raise InvalidRequest(errors=[fault]) from None
    return known_at, after


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment
