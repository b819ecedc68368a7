"""HTTP of statements, receipts and invoices, as JSON, CSV and PDF."""

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from app.foundation.database import Database
from app.foundation.problems import NotFound
from app.foundation.schemas import Moment
from app.foundation.web import json_response, problem_responses
from app.members.access import (
    DatabaseDep,
    Dispatcher,
    Now,
    SettingsDep,
    SignedInEvenSuspended,
    Staff,
)
from app.members.errors import NotSignedIn, RoleMissing
from app.statements import service
from app.statements.earnings import Earnings
from app.statements.earnings_paper import earnings_pdf
from app.statements.errors import (
    NothingChargedYet,
    PeriodNotReadable,
    PeriodTooLong,
    PressBusy,
    TooManyLines,
)
from app.statements.invoice import Invoice
from app.statements.invoice_paper import invoice_pdf
from app.statements.invoice_schemas import ClientInvoiceView
from app.statements.invoices import read_invoice
from app.statements.periods import FIRST_YEAR, LAST_YEAR, Span
from app.statements.press import Press
from app.statements.receipt import Receipt
from app.statements.receipt_paper import receipt_pdf
from app.statements.receipt_schemas import ReceiptView
from app.statements.receipts import read_guest_receipt, read_receipt
from app.statements.schemas import EarningsView, earnings_json
from app.statements.spreadsheet import earnings_csv
from app.statements.year_paper import year_pdf
from app.statements.year_schemas import YearView
from app.statements.years import GatheredYear, assemble_year, gather_year

PDF = "application/pdf"
CSV = "text/csv; charset=utf-8; header=present"

router = APIRouter(prefix="/v1", tags=["statements"])


async def get_press(request: Request) -> Press:
    """Return where papers are drawn."""
    press: Press = request.app.state.press
    return press


PressDep = Annotated[Press, Depends(get_press)]
type Edge = Annotated[Moment | date, Field(union_mode="left_to_right")]
_PROBLEMS = problem_responses(
    NotSignedIn, NotFound, PeriodNotReadable, PeriodTooLong, TooManyLines, PressBusy
)


_RECEIPT_PROBLEMS = problem_responses(NotSignedIn, NotFound, NothingChargedYet, PressBusy)


class Asked:
    """Which period of whose earnings is asked for."""

    def __init__(
        self,
        actor: SignedInEvenSuspended,
        database: DatabaseDep,
        now: Now,
        span: Annotated[Span | None, Query(description="by the calendar; default: week")] = None,
        on: Annotated[date | None, Query(description="a day in it; default: today")] = None,
        since: Annotated[
            Edge | None, Query(description="or from here: a date, or a moment with its offset")
        ] = None,
        until: Annotated[Edge | None, Query(description="to here, which is not in it")] = None,
    ) -> None:
        self._driver_id: UUID = actor.member_id
        self._database: Database = database
        self._now = now
        self._period = service.AskedPeriod(span=span, on=on, since=since, until=until)

    async def gather(self) -> service.Gathered:
        """Return what the earnings are made of."""
        async with self._database.reading() as reader:
            period = await service.read_period(reader, self._period, now=self._now)
            return await service.gather_earnings(
                reader, driver_id=self._driver_id, period=period, now=self._now
            )


AskedDep = Annotated[Asked, Depends()]


async def _drawn(
    asked: Asked, press: Press, draw: Callable[[Earnings], bytes], *, media_type: str, ending: str
) -> Response:
    gathered = await asked.gather()
    content = await press.draw(lambda: draw(service.assemble(gathered)))
    return paper(content, media_type=media_type, name=f"earnings-{gathered.period.name}{ending}")


def paper(content: bytes, *, media_type: str, name: str) -> Response:
    """Return a document that nobody between may keep; a browser saves it under the name."""
    headers = {"Cache-Control": "no-store", "Vary": "Authorization"}
    if media_type != "application/json":
        plain = re.sub(r"[^A-Za-z0-9.]+", "-", name)
        headers["Content-Disposition"] = f'attachment; filename="{plain}"'
    return Response(content, media_type=media_type, headers=headers)


@router.get(
    "/me/earnings",
    operation_id="get_my_earnings",
    summary="Driver: what you earned in a period, ride by ride",
    response_model=EarningsView,
    responses=_PROBLEMS,
)
async def get_earnings(asked: AskedDep, press: PressDep) -> Response:
    """Return fares, the commission with the vote that set it, fees, tips, and what came of them.

    Days begin at midnight in the cooperative's time zone. Everything that moved your account in
    the period is in here: opening + `account_change_minor` is closing.
    """
    return await _drawn(asked, press, earnings_json, media_type="application/json", ending=".json")


@router.get(
    "/me/earnings.csv",
    operation_id="get_my_earnings_csv",
    summary="Driver: the same as a table for a spreadsheet",
    response_class=Response,
    responses=_PROBLEMS | {200: {"content": {"text/csv": {}}, "description": "The table"}},
)
async def get_earnings_csv(asked: AskedDep, press: PressDep) -> Response:
    """Return a row for each ride and for each other movement (RFC 4180, UTF-8, amounts decimal)."""
    return await _drawn(asked, press, earnings_csv, media_type=CSV, ending=".csv")


@router.get(
    "/me/earnings.pdf",
    operation_id="get_my_earnings_pdf",
    summary="Driver: the same on paper",
    response_class=Response,
    responses=_PROBLEMS | {200: {"content": {PDF: {}}, "description": "The document"}},
)
async def get_earnings_pdf(asked: AskedDep, press: PressDep) -> Response:
    """Return the statement as a document: where each coin went, your hours, and every ride."""
    return await _drawn(asked, press, earnings_pdf, media_type=PDF, ending=".pdf")


class Years:
    """The years of whoever asks."""

    def __init__(self, actor: SignedInEvenSuspended, database: DatabaseDep, now: Now) -> None:
        self._driver_id: UUID = actor.member_id
        self._database, self.now = database, now

    async def gather(self, year: int) -> GatheredYear:
        """Return what one of them is made of."""
        async with self._database.reading() as reader:
            return await gather_year(reader, driver_id=self._driver_id, year=year, now=self.now)


YearsDep = Annotated[Years, Depends()]
YearNumber = Annotated[int, Path(ge=FIRST_YEAR, le=LAST_YEAR)]
_YEAR_PROBLEMS = problem_responses(NotSignedIn, NotFound, TooManyLines, PressBusy)


# Before the path that ends with the number itself, which would take it for one.
@router.get(
    "/me/statements/{year}.pdf",
    operation_id="get_my_year_pdf",
    summary="Driver: a year of yours on paper",
    response_class=Response,
    responses=_YEAR_PROBLEMS | {200: {"content": {PDF: {}}, "description": "The document"}},
)
async def get_year_pdf(year: YearNumber, years: YearsDep, press: PressDep) -> Response:
    """Return the year as a document: totals, quarters for the tax office, refunds and capital."""
    gathered = await years.gather(year)
    content = await press.draw(lambda: year_pdf(assemble_year(gathered)))
    return paper(content, media_type=PDF, name=f"statement-{year}.pdf")


@router.get(
    "/me/statements/{year}",
    operation_id="get_my_year",
    summary="Driver: a year of yours, with its quarters, your refunds and your capital",
    response_model=YearView,
    responses=_YEAR_PROBLEMS,
)
async def get_year(year: YearNumber, years: YearsDep, press: PressDep) -> Response:
    """Return the year by the cooperative's calendar; of the one under way what it brought so far.

    Quarters say what platforms report to tax offices: what was credited, what was withheld, and
    how many rides.
    """
    gathered = await years.gather(year)
    view = await press.draw(lambda: YearView.of(assemble_year(gathered), now=years.now))
    headers = {"Cache-Control": "no-store", "Vary": "Authorization"}
    return json_response(view.model_dump(mode="json"), headers=headers)


class Receipts:
    """The receipts of whoever asks."""

    def __init__(
        self, actor: SignedInEvenSuspended, database: DatabaseDep, settings: SettingsDep
    ) -> None:
        self._rider_id: UUID = actor.member_id
        self._database, self._settings = database, settings

    async def read(self, ride_id: UUID) -> Receipt:
        """Return that of one ride."""
        async with self._database.reading() as reader:
            return await read_receipt(
                reader, ride_id=ride_id, rider_id=self._rider_id, settings=self._settings
            )


ReceiptsDep = Annotated[Receipts, Depends()]


@router.get(
    "/rides/{ride_id}/receipt",
    operation_id="get_receipt",
    summary="Rider: what a ride of yours cost, and where every cent went",
    response_model=ReceiptView,
    responses=_RECEIPT_PROBLEMS,
)
async def get_receipt(ride_id: UUID, receipts: ReceiptsDep) -> Response:
    """Return the receipt as the books stand now, with tips, refunds and the proof of its entry."""
    view = ReceiptView.of(await receipts.read(ride_id))
    headers = {"Cache-Control": "no-store", "Vary": "Authorization"}
    return json_response(view.model_dump(mode="json"), headers=headers)


@router.get(
    "/rides/{ride_id}/receipt.pdf",
    operation_id="get_receipt_pdf",
    summary="Rider: the same on paper",
    response_class=Response,
    responses=_RECEIPT_PROBLEMS | {200: {"content": {PDF: {}}, "description": "The document"}},
)
async def get_receipt_pdf(ride_id: UUID, receipts: ReceiptsDep, press: PressDep) -> Response:
    """Return the receipt as a document."""
    receipt = await receipts.read(ride_id)
    content = await press.draw(receipt_pdf, receipt)
    return paper(content, media_type=PDF, name=f"receipt-{receipt.ride_id}.pdf")


@router.get(
    "/guest-rides/{ride_id}/receipt.pdf",
    operation_id="get_guest_receipt_pdf",
    summary="Dispatcher: a guest's receipt on paper",
    response_class=Response,
    responses=problem_responses(NotSignedIn, RoleMissing, NotFound, NothingChargedYet, PressBusy)
    | {200: {"content": {PDF: {}}, "description": "The document"}},
)
async def get_guest_receipt_pdf(
    ride_id: UUID, _: Dispatcher, database: DatabaseDep, settings: SettingsDep, press: PressDep
) -> Response:
    """Return what a guest gets who rode without a telephone of their own, to be printed or posted.

    It is the same document that a rider gets of their own ride.
    """
    async with database.reading() as reader:
        receipt = await read_guest_receipt(reader, ride_id=ride_id, settings=settings)
    content = await press.draw(receipt_pdf, receipt)
    return paper(content, media_type=PDF, name=f"receipt-{receipt.ride_id}.pdf")


class Invoices:
    """The clients' invoices, for staff."""

    def __init__(self, _: Staff, database: DatabaseDep, settings: SettingsDep) -> None:
        self._database, self._settings = database, settings

    async def read(self, invoice_id: UUID) -> Invoice:
        """Return one of them."""
        async with self._database.reading() as reader:
            return await read_invoice(reader, invoice_id=invoice_id, settings=self._settings)


InvoicesDep = Annotated[Invoices, Depends()]
_INVOICE_PROBLEMS = problem_responses(NotSignedIn, RoleMissing, NotFound, PressBusy)


# Before the path that ends with the id itself, which would take it for one.
@router.get(
    "/invoices/{invoice_id}.pdf",
    operation_id="get_invoice_pdf",
    summary="Staff: a client's invoice on paper",
    response_class=Response,
    responses=_INVOICE_PROBLEMS | {200: {"content": {PDF: {}}, "description": "The document"}},
)
async def get_invoice_pdf(invoice_id: UUID, invoices: InvoicesDep, press: PressDep) -> Response:
    """Return the document that is sent to the client; the same invoice is the same bytes."""
    invoice = await invoices.read(invoice_id)
    content = await press.draw(invoice_pdf, invoice)
    return paper(content, media_type=PDF, name=f"invoice-{invoice.number}.pdf")


@router.get(
    "/invoices/{invoice_id}",
    operation_id="get_invoice",
    summary="Staff: a client's invoice, ride by ride with its tax",
    response_model=ClientInvoiceView,
    responses=_INVOICE_PROBLEMS,
)
async def get_invoice(invoice_id: UUID, invoices: InvoicesDep) -> Response:
    """Return what the document says; the tax is what each ride was settled with."""
    view = ClientInvoiceView.of(await invoices.read(invoice_id))
    headers = {"Cache-Control": "no-store", "Vary": "Authorization"}
    return json_response(view.model_dump(mode="json"), headers=headers)
