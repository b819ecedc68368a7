"""Statements about bank accounts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.payouts.reasons import ACCOUNT_FAULTS

# A payout to it came back for a reason that lies with the account `k`.
IS_REFUSED = (
    "exists (select from payout r where r.bank_account_id = k.id and r.state = 'returned'"
    f" and r.reason_code in ({', '.join(map(repr, ACCOUNT_FAULTS))}))"
)


async def lock_member(tx: Transaction, *, member_id: UUID) -> None:
    """Let one member's account change once at a time; what refers to the member goes on."""
    await tx.execute("select from member where id = $1 for no key update", member_id)


async def list_accounts(reader: Transaction, *, member_id: UUID) -> list[Any]:
    """Return a member's bank accounts as they are stored, the newest first, `is_refused` too."""
    return await reader.rows(
        "select k.id, k.holder_name, k.iban, k.registered_at, k.payable_from, k.replaced_at,"
        f" {IS_REFUSED} as is_refused from bank_account k where k.member_id = $1"
        " order by k.registered_at desc, k.id desc",
        member_id,
    )


async def replace_account(
    tx: Transaction,
    *,
    account_id: UUID,
    member_id: UUID,
    holder_name: str,
    iban: str,
    payable_from: datetime,
    now: datetime,
) -> None:
    """Put this account in the place of the current one, which stays in the history."""
    await tx.execute(
        "update bank_account set replaced_at = greatest($2, registered_at)"
        " where member_id = $1 and replaced_at is null",
        member_id,
        now,
    )
    await tx.execute(
        "insert into bank_account (id, member_id, holder_name, iban, registered_at, payable_from)"
        " values ($1, $2, $3, $4, $5, $6)",
        account_id,
        member_id,
        holder_name,
        iban,
        now,
        payable_from,
    )
