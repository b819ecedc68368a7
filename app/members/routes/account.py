"""HTTP of a member's own money: what stands on the accounts, and each line that made it so."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app.foundation.web import json_response, problem_responses
from app.ledger import queries
from app.members.access import DatabaseDep, SignedIn
from app.members.errors import NotSignedIn

router = APIRouter(prefix="/v1/me", tags=["members"])
_NEWEST = 2**62


class AccountView(BaseModel):
    """What stands on one account. Below zero: you owe it; above: it is owed to you."""

    kind: str
    currency: str
    posted_minor: int
    held_minor: Annotated[int, Field(description="set aside for a ride that is not over")]
    lowest_minor: Annotated[int, Field(description="how far below zero the account may go")]


class AccountLineView(BaseModel):
    """One movement. ``policy_version_id`` is the decision that set the share."""

    journal_id: int
    line: int
    account: str
    kind: str
    subject_id: Annotated[UUID, Field(description="the ride or membership that it is for")]
    policy_version_id: UUID | None
    effective_at: datetime
    currency: str
    amount_minor: int


class AccountsView(BaseModel):
    """Your accounts and their newest lines; ``next_before`` leads to older ones."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "accounts": [
                    {
                        "kind": "driver",
                        "currency": "CHF",
                        "posted_minor": 3796,
                        "held_minor": 0,
                        "lowest_minor": 0,
                    }
                ],
                "lines": [
                    {
                        "journal_id": 1,
                        "line": 2,
                        "account": "driver",
                        "kind": "ride_fare",
                        "subject_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c",
                        "policy_version_id": "019aab1c-2d3e-7f40-8a5b-000000000001",
                        "effective_at": "2026-11-22T17:20:00Z",
                        "currency": "CHF",
                        "amount_minor": -669,
                    }
                ],
                "next_before": None,
            }
        }
    )

    accounts: list[AccountView]
    lines: list[AccountLineView]
    next_before: int | None


@router.get(
    "/account",
    operation_id="get_my_account",
    summary="What you owe, what is owed to you, and why",
    response_model=AccountsView,
    responses=problem_responses(NotSignedIn),
)
async def get_my_account(
    actor: SignedIn,
    database: DatabaseDep,
    before: Annotated[int, Query(description="`next_before` of the page before")] = _NEWEST,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Return your accounts and their newest lines, straight from the books."""
    async with database.reading() as reader:
        accounts = await queries.list_accounts(reader, member_id=actor.member_id)
        rows = await queries.list_lines(
            reader, member_id=actor.member_id, before_journal=before, limit=limit + 1
        )
    # A journal's lines stay on one page, so the page may end a line or two early.
    more = len(rows) > limit
    lines = [dict(row) for row in rows]
    if more:
        last = lines[-1]["journal_id"]
        whole = [line for line in lines if line["journal_id"] != last]
        lines = whole or lines
    view = AccountsView.model_validate(
        {
            "accounts": [dict(row) for row in accounts],
            "lines": lines,
            "next_before": lines[-1]["journal_id"] if more else None,
        }
    )
    return json_response(view.model_dump(mode="json"))
