"""HTTP of contract clients and their invoices, for staff."""

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
from app.payments import clients
from app.payments.errors import (
    CardNumberRefused,
    InvoicePaidBefore,
    InvoiceTooEarly,
    NothingToInvoice,
    RiderHasClient,
)
from app.payments.queries import clients as queries
from app.payments.schemas import (
    ClientOpening,
    ClientsView,
    ClientView,
    InvoiceRequest,
    InvoicesView,
    InvoiceView,
    RiderAuthorisation,
)

router = APIRouter(prefix="/v1", tags=["payments"])
_PROBLEMS = (*COMMAND_PROBLEMS, RoleMissing)

Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


def _client(row: Any) -> dict[str, Any]:
    return ClientView.model_validate(dict(row)).model_dump(mode="json")


def _invoice(row: Any) -> dict[str, Any]:
    return InvoiceView.model_validate(dict(row)).model_dump(mode="json")


@router.post(
    "/contract-clients",
    operation_id="open_contract_client",
    summary="Staff: open an account for a client who is invoiced",
    status_code=201,
    response_model=ClientView,
    responses=problem_responses(*_PROBLEMS, CardNumberRefused),
)
async def open_client(body: ClientOpening, acting: Acting, staff: Staff) -> Response:
    """Open it with a limit below which the client's account never falls."""

    async def act(tx: Transaction) -> dict[str, Any]:
        row = await clients.open_client(
            tx, **body.model_dump(), opened_by=staff.member_id, now=acting.now
        )
        return _client(row)

    return await acting.answer(act, status=201)


@router.get(
    "/contract-clients",
    operation_id="list_contract_clients",
    summary="Staff: the clients who are invoiced",
    response_model=ClientsView,
    responses=problem_responses(NotSignedIn, RoleMissing),
)
async def list_clients(
    _: Staff, database: DatabaseDep, cursor: Cursor = None, limit: Limit = 20
) -> Response:
    """Return clients and what they owe, the newest first."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        rows = await queries.list_clients(reader, before=before, limit=limit + 1)
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))
    items = [_client(row) for row in page.items]
    return json_response({"items": items, "next_cursor": page.next_cursor})


@router.post(
    "/contract-clients/{client_id}/riders",
    operation_id="authorise_contract_rider",
    summary="Staff: let a client pay for a rider",
    response_model=ClientView,
    responses=problem_responses(*_PROBLEMS, NotFound, RiderHasClient),
)
async def authorise(
    client_id: UUID, body: RiderAuthorisation, acting: Acting, staff: Staff
) -> Response:
    """Let the rider book on the client's account from now on. One client pays for a rider."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await clients.authorise_rider(
            tx,
            client_id=client_id,
            rider_id=body.rider_id,
            authorised_by=staff.member_id,
            now=acting.now,
        )
        return _client(await queries.find_client(tx, client_id=client_id))

    return await acting.answer(act)


@router.post(
    "/contract-clients/{client_id}/riders/end",
    operation_id="end_contract_rider",
    summary="Staff: let a client pay for a rider no more",
    response_model=ClientView,
    responses=problem_responses(*_PROBLEMS, NotFound),
)
async def end_rider(
    client_id: UUID, body: RiderAuthorisation, acting: Acting, _: Staff
) -> Response:
    """End it for rides that are booked from now on."""

    async def act(tx: Transaction) -> dict[str, Any]:
        await clients.end_rider(tx, client_id=client_id, rider_id=body.rider_id, now=acting.now)
        return _client(await queries.find_client(tx, client_id=client_id))

    return await acting.answer(act)


@router.post(
    "/contract-clients/{client_id}/invoices",
    operation_id="issue_invoice",
    summary="Staff: invoice a client for a month",
    status_code=201,
    response_model=InvoiceView,
    responses=problem_responses(*_PROBLEMS, NotFound, InvoiceTooEarly, NothingToInvoice),
)
async def issue(client_id: UUID, body: InvoiceRequest, acting: Acting, staff: Staff) -> Response:
    """Ask for all that the client took over until the month's end and was not asked for yet."""

    async def act(tx: Transaction) -> dict[str, Any]:
        row = await clients.issue_invoice(
            tx,
            client_id=client_id,
            month=body.first_day,
            issued_by=staff.member_id,
            now=acting.now,
        )
        return _invoice(row)

    return await acting.answer(act, status=201)


@router.get(
    "/contract-clients/{client_id}/invoices",
    operation_id="list_invoices",
    summary="Staff: a client's invoices",
    response_model=InvoicesView,
    responses=problem_responses(NotSignedIn, RoleMissing),
)
async def list_invoices(
    client_id: UUID, _: Staff, database: DatabaseDep, cursor: Cursor = None, limit: Limit = 20
) -> Response:
    """Return invoices with their lines, the newest first."""
    before = decode_cursor(cursor)
    async with database.reading() as reader:
        rows = await queries.list_invoices(
            reader, client_id=client_id, before=before, limit=limit + 1
        )
    page = make_page(rows, limit=limit, key=lambda row: UUID(str(row["id"])))
    items = [_invoice(row) for row in page.items]
    return json_response({"items": items, "next_cursor": page.next_cursor})


@router.post(
    "/invoices/{invoice_id}/paid",
    operation_id="book_invoice_paid",
    summary="Staff: book that an invoice was paid",
    response_model=InvoiceView,
    responses=problem_responses(*_PROBLEMS, NotFound, InvoicePaidBefore),
)
async def paid(invoice_id: UUID, acting: Acting, staff: Staff) -> Response:
    """Book the whole amount of an invoice as received by the bank, once."""

    async def act(tx: Transaction) -> dict[str, Any]:
        row = await clients.book_invoice_paid(
            tx, invoice_id=invoice_id, booked_by=staff.member_id, now=acting.now
        )
        return _invoice(row)

    return await acting.answer(act)
