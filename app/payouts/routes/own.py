"""HTTP of a member's own bank account and payouts."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT, decode_cursor, make_page
from app.foundation.web import json_response, problem_responses
from app.members.access import (
    COMMAND_PROBLEMS,
    Acting,
    DatabaseDep,
    SettingsDep,
    SignedInEvenSuspended,
)
from app.members.errors import NotSignedIn
from app.payouts.errors import AccountOutsideSepa, HolderNameInvalid, IbanInvalid
from app.payouts.queries import bank_accounts as account_queries
from app.payouts.queries import batches as queries
from app.payouts.schemas import (
    BankAccountRegistration,
    BankAccountsView,
    BankAccountView,
    OwnPayoutsView,
    OwnPayoutView,
)
from app.payouts.service.bank_accounts import register_bank_account

router = APIRouter(prefix="/v1/me", tags=["payouts"])


@router.put(
    "/bank-account",
    operation_id="register_bank_account",
    summary="Say to which account you are paid",
    response_model=BankAccountView,
    responses=problem_responses(
        *COMMAND_PROBLEMS, IbanInvalid, HolderNameInvalid, AccountOutsideSepa
    ),
)
async def register(
    body: BankAccountRegistration, acting: Acting, settings: SettingsDep
) -> Response:
    """Register it in the place of the one before. Nothing is paid to it in the first days.

    Nobody but you can do this, and you are told when it happens: if it was not you, tell staff.
    """

    async def act(tx: Transaction) -> dict[str, Any]:
        account = await register_bank_account(
            tx,
            member_id=acting.actor.member_id,
            holder_name=body.holder_name,
            typed_iban=body.iban,
            hold_days=settings.payout_hold_days,
            now=acting.now,
        )
        return BankAccountView.of(account).model_dump(mode="json")

    return await acting.answer(act)


@router.get(
    "/bank-account",
    operation_id="get_bank_account",
    summary="The account you are paid to, and those before it",
    response_model=BankAccountsView,
    responses=problem_responses(NotSignedIn),
)
async def get_account(actor: SignedInEvenSuspended, database: DatabaseDep) -> Response:
    """Return the accounts with their numbers masked."""
    async with database.reading() as reader:
        rows = await account_queries.list_accounts(reader, member_id=actor.member_id)
    accounts = [BankAccountView.of(row) for row in rows]
    view = BankAccountsView(
        current=next((one for one in accounts if one.replaced_at is None), None),
        earlier=[one for one in accounts if one.replaced_at is not None],
    )
    return json_response(view.model_dump(mode="json"))


@router.get(
    "/payouts",
    operation_id="list_own_payouts",
    summary="What you were paid, when, and to which account",
    response_model=OwnPayoutsView,
    responses=problem_responses(NotSignedIn),
)
async def list_own(
    actor: SignedInEvenSuspended,
    database: DatabaseDep,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
) -> Response:
    """Return your payouts, the newest first; what came back says why."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        rows = await queries.list_own_payouts(
            reader, member_id=actor.member_id, before=before, limit=limit + 1
        )
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))
    items = [OwnPayoutView.of(row) for row in page.items]
    view = OwnPayoutsView(items=items, next_cursor=page.next_cursor)
    return json_response(view.model_dump(mode="json"))
