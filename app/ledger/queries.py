"""Every statement of the ledger; writing goes through the functions of the migration."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction


async def currency(tx: Transaction) -> str:
    """Return the cooperative's one currency."""
    return str(await tx.value("select currency from cooperative"))


async def open_account(
    tx: Transaction,
    *,
    account_id: UUID,
    kind: str,
    member_id: UUID,
    lowest_minor: int,
    at: datetime,
) -> UUID:
    """Open a member's account, or find the one there is."""
    found: UUID = await tx.value(
        "select open_account($1, $2, $3, (select currency from cooperative), $4, $5)",
        account_id,
        kind,
        member_id,
        lowest_minor,
        at,
    )
    return found


async def place_hold(
    tx: Transaction,
    *,
    hold_id: UUID,
    rider_id: UUID,
    amount_minor: int,
    at: datetime,
    expires_at: datetime | None,
) -> None:
    """Set money of the rider's account aside."""
    await tx.execute(
        "select place_hold($1, (select id from account where member_id = $2 and kind = 'rider'),"
        " $3, $4, $5)",
        hold_id,
        rider_id,
        amount_minor,
        at,
        expires_at,
    )


async def void_hold(tx: Transaction, *, hold_id: UUID, at: datetime) -> None:
    """Let money that was set aside go."""
    await tx.execute("select void_hold($1, $2)", hold_id, at)


async def expire_holds(tx: Transaction, *, at: datetime, most: int) -> list[UUID]:
    """End holds whose time is over, and return which."""
    return [row["id"] for row in await tx.rows("select expire_holds($1, $2) as id", at, most)]


async def fare_accounts(tx: Transaction, *, rider_id: UUID, driver_id: UUID) -> Any:
    """Return the ids rider, driver, commission and pass_through of the accounts of a fare."""
    return await tx.row(
        "select (select id from account where member_id = $1 and kind = 'rider') as rider,"
        " (select id from account where member_id = $2 and kind = 'driver') as driver,"
        " (select id from account where member_id is null and partner_id is null"
        " and kind = 'commission_income')"
        " as commission, (select id from account where member_id is null and partner_id is null"
        " and kind = 'pass_through') as pass_through",
        rider_id,
        driver_id,
    )


async def spare_for_fare(tx: Transaction, *, rider_id: UUID, driver_id: UUID) -> int:
    """Lock the balances of a fare, and return what is free on the rider's above its limit."""
    return int(
        await tx.value(
            "select l.free_minor - b.lowest_minor from lock_balances((select array_agg(id)"
            "   from account where (member_id, kind) in (($1, 'rider'), ($2, 'driver')))) as l"
            " join account a on a.id = l.of_account and a.member_id = $1 and a.kind = 'rider'"
            " join balance b on b.account_id = a.id",
            rider_id,
            driver_id,
        )
    )


async def share_accounts(tx: Transaction, *, member_id: UUID) -> Any:
    """Return the ids bank and member_share, and posted_minor of the latter; None if not opened."""
    return await tx.row(
        "select bank.id as bank, share.id as member_share, b.posted_minor"
        " from account bank left join account share"
        " on share.member_id = $1 and share.kind = 'member_share'"
        " left join balance b on b.account_id = share.id"
        " where bank.member_id is null and bank.partner_id is null and bank.kind = 'bank'",
        member_id,
    )


async def post_journal(
    tx: Transaction,
    *,
    scope: str,
    key: str,
    fingerprint: bytes,
    kind: str,
    subject_id: UUID,
    policy_version_id: UUID | None,
    at: datetime,
    debits: list[UUID],
    credits_: list[UUID],
    amounts: list[int],
    captured_hold_id: UUID | None,
) -> int:
    """Post a journal once; the same again returns the first one's number."""
    return int(
        await tx.value(
            "select post_journal($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            scope,
            key,
            fingerprint,
            kind,
            subject_id,
            policy_version_id,
            at,
            debits,
            credits_,
            amounts,
            captured_hold_id,
        )
    )


async def books_now(reader: Transaction) -> datetime:
    """Return the moment by the clock that stamps when journals are recorded."""
    now: datetime = await reader.value("select clock_timestamp()")
    return now


async def list_accounts(reader: Transaction, *, member_id: UUID) -> list[Any]:
    """Return kind, currency, posted, held and lowest of a member's accounts."""
    return await reader.rows(
        "select a.id, a.kind, a.currency, b.posted_minor, b.held_minor, b.lowest_minor"
        " from account a join balance b on b.account_id = a.id where a.member_id = $1"
        " order by a.kind",
        member_id,
    )


async def list_lines(
    reader: Transaction, *, member_id: UUID, before_journal: int, limit: int
) -> list[Any]:
    """Return the newest lines of a member's accounts, newest first; credits are positive."""
    return await reader.rows(
        "select j.id as journal_id, t.line, a.kind as account, j.kind, j.subject_id,"
        " j.policy_version_id, j.effective_at, t.currency,"
        " case when t.credit_id = a.id then t.amount_minor else -t.amount_minor end as amount_minor"
        " from account a join transfer t on a.id in (t.debit_id, t.credit_id)"
        " join journal j on j.id = t.journal_id"
        " where a.member_id = $1 and j.id < $2 order by j.id desc, t.line limit $3",
        member_id,
        before_journal,
        limit,
    )
