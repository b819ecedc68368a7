"""A member's bank account: registered by the member alone, and paid to after a while."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.ledger.queries import currency
from app.payouts.errors import AccountOutsideSepa, HolderNameInvalid, IbanInvalid
from app.payouts.iban import check_iban, sepa_text
from app.payouts.queries import bank_accounts as queries
from app.payouts.rules import EURO
from app.payouts.transfer_file import NAME_LENGTH


async def register_bank_account(
    tx: Transaction,
    *,
    member_id: UUID,
    holder_name: str,
    typed_iban: str,
    hold_days: int,
    now: datetime,
) -> Any:
    """Let a member be paid to this account from `hold_days` on, and return its row.

    Who takes over a telephone could otherwise be paid before its owner hears of it: the member is
    told at once. What was prepared for the account before is left out when it is released. The
    same account again changes nothing, unless the bank refused to pay to it.

    Raises:
        IbanInvalid: the check digits do not fit.
        HolderNameInvalid: nothing of the name can stand on a transfer.
        AccountOutsideSepa: the cooperative pays in euros, and the account is elsewhere.
    """
    try:
        number = check_iban(typed_iban)
    except ValueError:
        raise IbanInvalid from None
    if not sepa_text(holder_name, most=NAME_LENGTH):
        raise HolderNameInvalid
    if not number.is_sepa and await currency(tx) == EURO:
        raise AccountOutsideSepa
    await queries.lock_member(tx, member_id=member_id)
    current = await get_current(tx, member_id=member_id)
    if (
        current is not None
        and (current["iban"], current["holder_name"]) == (number.iban, holder_name)
        and not current["is_refused"]
    ):
        return current
    account_id, payable_from = new_id(), now + timedelta(days=hold_days)
    await queries.replace_account(
        tx,
        account_id=account_id,
        member_id=member_id,
        holder_name=holder_name,
        iban=number.iban,
        payable_from=payable_from,
        now=now,
    )
    data = {"bank_account_id": str(account_id), "payable_from": payable_from.isoformat()}
    tx.emit(Event("bank_account.registered", (member_id,), data), at=now)
    return await get_current(tx, member_id=member_id)


async def get_current(reader: Transaction, *, member_id: UUID) -> Any | None:
    """Return the account a member is paid to, or None."""
    rows = await queries.list_accounts(reader, member_id=member_id)
    return next((row for row in rows if row["replaced_at"] is None), None)
