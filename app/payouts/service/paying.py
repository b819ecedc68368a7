"""What the bank is given for a released batch, and what becomes of its payouts."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.problems import NotFound
from app.ledger import payouts as ledger
from app.payouts.errors import (
    BatchNotReleased,
    CurrencyNotSepa,
    FileNotDrawn,
    NothingToPay,
    PayingAccountMissing,
    StatusReportOfAnother,
    StatusReportUnreadable,
)
from app.payouts.iban import BankNumber, check_iban
from app.payouts.queries import batches
from app.payouts.queries import paying as queries
from app.payouts.reasons import in_words
from app.payouts.rules import PayoutState
from app.payouts.status_report import (
    Applied,
    Change,
    Payout,
    StatusReport,
    apply_report,
    read_pain002,
)
from app.payouts.transfer_file import FORM, Payment, TransferOrder, write_list, write_pain001
from app.settings import Settings

DRAWING_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class PayingAccount:
    """From which account the cooperative pays, and in which currencies its bank takes files."""

    iban: str | None
    file_currencies: tuple[str, ...]


def paying_account(settings: Settings) -> PayingAccount:
    """Return what the settings say of the cooperative's own account."""
    iban = settings.payout_iban.get_secret_value() if settings.payout_iban else None
    return PayingAccount(iban, settings.payout_file_currencies)


async def draw_file(reader: Transaction, *, batch_id: UUID, account: PayingAccount) -> bytes:
    """Return the bytes for the bank; those drawn before, where there are any.

    Raises:
        NotFound, BatchNotReleased, NothingToPay: there is no such order.
        CurrencyNotSepa: the bank is not said to take files in this currency.
        PayingAccountMissing: the settings do not name the cooperative's own account rightly.
    """
    order_row = await _released(reader, batch_id=batch_id)
    file = await queries.find_file(reader, batch_id=batch_id)
    if file is not None:
        return bytes(file["content"])
    if order_row["currency"] not in account.file_currencies:
        raise CurrencyNotSepa(
            f"SEPA pays in euros only, and this batch is in {order_row['currency']}. Liechtenstein"
            " and Switzerland are in the SEPA area, but for euros only. Take the list instead, or"
            " set MEENT_PAYOUT_FILE_CURRENCIES if your bank takes such files in this currency."
        )
    order = await _order(reader, batch_id=batch_id, row=order_row, debtor=_debtor(account))
    async with asyncio.timeout(DRAWING_TIMEOUT_S):
        return await asyncio.to_thread(write_pain001, order)


async def keep_file(
    tx: Transaction, *, batch_id: UUID, content: bytes, drawn_by: UUID, now: datetime
) -> None:
    """Store the file of a batch for good; where somebody else's was first, that one stays."""
    await queries.keep_file(
        tx, batch_id=batch_id, form=FORM, content=content, drawn_by=drawn_by, now=now
    )


async def get_file(reader: Transaction, *, batch_id: UUID) -> Any:
    """Return form, content, sha256 and drawn_at of a batch's file.

    Raises:
        NotFound, BatchNotReleased: there is no such released batch.
        FileNotDrawn: nobody has drawn it.
    """
    await _released(reader, batch_id=batch_id)
    file = await queries.find_file(reader, batch_id=batch_id)
    if file is None:
        raise FileNotDrawn
    return file


async def get_list(reader: Transaction, *, batch_id: UUID) -> str:
    """Return the payments of a released batch as CSV, account numbers in full.

    Raises:
        NotFound, BatchNotReleased, NothingToPay: there is no such order.
    """
    row = await _released(reader, batch_id=batch_id)
    return write_list(await _order(reader, batch_id=batch_id, row=row, debtor=None))


async def read_report(text: str) -> StatusReport:
    """Return what a bank's file says.

    Raises:
        StatusReportUnreadable: it is none.
    """
    try:
        async with asyncio.timeout(DRAWING_TIMEOUT_S):
            return await asyncio.to_thread(read_pain002, text)
    except ValueError as unreadable:
        raise StatusReportUnreadable(str(unreadable)) from None


async def import_report(
    tx: Transaction, *, batch_id: UUID, report: StatusReport, imported_by: UUID, now: datetime
) -> Applied:
    """Settle and return the payouts of a batch as the bank says; the same again changes nothing.

    What came back is on the driver's account again, and the driver reads why. What contradicts
    an earlier end, or is not of this batch, is named and changes nothing.

    Raises:
        NotFound, BatchNotReleased: there is no such released batch.
        StatusReportOfAnother: the report names another file.
    """
    batch = await batches.lock_batch(tx, batch_id=batch_id)
    if batch is None:
        raise NotFound
    if batch["released_at"] is None:
        raise BatchNotReleased
    if report.message_id not in (None, batch_id.hex):
        raise StatusReportOfAnother
    rows = {row["id"]: row for row in await queries.lock_released(tx, batch_id=batch_id)}
    applied = apply_report(
        report, [Payout(row["id"], PayoutState(row["state"])) for row in rows.values()]
    )
    await _settle(tx, changes=applied.changes, rows=rows, now=now)
    await _return(tx, changes=applied.changes, rows=rows, imported_by=imported_by, now=now)
    for change in applied.changes:
        row = rows[change.payout_id]
        data = {
            "payout_id": str(change.payout_id),
            "amount_minor": row["amount_minor"],
            "currency": batch["currency"],
        }
        if change.after is PayoutState.RETURNED:
            data["reason"] = in_words(change.reason_code)
        tx.emit(Event(f"payout.{change.after}", (row["member_id"],), data), at=now)
    return applied


def _moves(changes: list[Change], rows: dict[UUID, Any]) -> list[ledger.PayoutMove]:
    found = [rows[change.payout_id] for change in changes]
    return [ledger.PayoutMove(row["id"], row["account_id"], row["amount_minor"]) for row in found]


async def _settle(
    tx: Transaction, *, changes: tuple[Change, ...], rows: dict[UUID, Any], now: datetime
) -> None:
    settled = [change for change in changes if change.after is PayoutState.SETTLED]
    journals = await ledger.settle_payouts(tx, moves=_moves(settled, rows), now=now)
    await queries.mark_settled(tx, journals=journals, now=now)


async def _return(
    tx: Transaction,
    *,
    changes: tuple[Change, ...],
    rows: dict[UUID, Any],
    imported_by: UUID,
    now: datetime,
) -> None:
    returned = [change for change in changes if change.after is PayoutState.RETURNED]
    if not returned:
        return
    accounts = [rows[change.payout_id]["account_id"] for change in returned]
    await ledger.free_for_payout(tx, accounts=accounts)
    # What never left the bank is taken back; what the bank had paid comes in again.
    unpaid = [
        ledger.PayoutUndone(
            change.payout_id,
            rows[change.payout_id]["release_journal_id"],
            in_words(change.reason_code),
        )
        for change in returned
        if change.before is PayoutState.RELEASED
    ]
    paid = [change for change in returned if change.before is PayoutState.SETTLED]
    journals = await ledger.take_back_payouts(tx, undone=unpaid, decided_by=imported_by, now=now)
    journals |= await ledger.return_payouts(tx, moves=_moves(paid, rows), now=now)
    codes = {change.payout_id: change.reason_code for change in returned}
    await queries.mark_returned(tx, journals=journals, codes=codes, now=now)


async def _released(reader: Transaction, *, batch_id: UUID) -> Any:
    row = await queries.find_order(reader, batch_id=batch_id)
    if row is None:
        raise NotFound
    if row["released_at"] is None:
        raise BatchNotReleased
    return row


def _debtor(account: PayingAccount) -> BankNumber:
    if account.iban is None:
        raise PayingAccountMissing
    try:
        return check_iban(account.iban)
    except ValueError as wrong:
        raise PayingAccountMissing(f"MEENT_PAYOUT_IBAN {wrong}") from None


async def _order(
    reader: Transaction, *, batch_id: UUID, row: Any, debtor: BankNumber | None
) -> TransferOrder:
    payments = await queries.list_payments(reader, batch_id=batch_id)
    if not payments:
        raise NothingToPay
    return TransferOrder(
        batch_id=batch_id,
        debtor_name=row["cooperative"],
        debtor_iban=debtor.iban if debtor else "",
        debtor_bic=debtor.bic if debtor else None,
        currency=row["currency"],
        ordered_at=row["released_at"],
        execute_on=row["execute_on"],
        text=f"{row['cooperative']}: earned up to {row['day']}",
        payments=tuple(Payment(**dict(payment)) for payment in payments),
    )
