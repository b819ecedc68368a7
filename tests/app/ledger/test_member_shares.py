"""A member's share is money at the bank that stays the member's."""

from uuid import UUID

import asyncpg
import pytest

from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.ledger import postings
from app.ledger import service as ledger
from app.ledger.accounts import JournalKind
from tests.conftest import FRIDAY_EVENING
from tests.factories import make_member

BANK = (
    "select coalesce(sum(case when t.credit_id = a.id then t.amount_minor"
    " else -t.amount_minor end), 0)::bigint"
    " from account a left join transfer t on a.id in (t.debit_id, t.credit_id)"
    " where a.kind = 'bank'"
)


async def pay(tx: Transaction, *, member_id: UUID, membership_id: UUID, amount_minor: int) -> int:
    return await ledger.post_member_share(
        tx,
        membership_id=membership_id,
        member_id=member_id,
        amount_minor=amount_minor,
        now=FRIDAY_EVENING,
    )


def test_a_share_goes_from_the_bank_to_the_member() -> None:
    bank_id, share_id = new_id(), new_id()
    recipe = postings.member_share(bank_id=bank_id, member_share_id=share_id, amount_minor=2_000)
    assert recipe.kind is JournalKind.MEMBER_SHARE
    assert recipe.lines == (postings.TransferLine(bank_id, share_id, 2_000),)


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_a_share_of_nothing_is_not_booked(amount_minor: int) -> None:
    with pytest.raises(ValueError, match="above 0"):
        postings.member_share(bank_id=new_id(), member_share_id=new_id(), amount_minor=amount_minor)


async def test_the_bank_account_is_opened_with_the_cooperative(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch("select member_id, currency from account where kind = 'bank'")
    assert [(row["member_id"], row["currency"]) for row in rows] == [(None, "CHF")]
    assert await owner.fetchval(BANK) == 0


async def test_a_membership_s_share_is_booked_once_however_often_it_is_asked(
    database: Database, owner: asyncpg.Connection
) -> None:
    ada = await make_member(owner, now=FRIDAY_EVENING)
    first, second = new_id(), new_id()
    async with database.transaction() as tx:
        assert await ledger.share_paid_in(tx, member_id=ada.id) == 0
        journals = [
            await pay(tx, member_id=ada.id, membership_id=membership_id, amount_minor=2_000)
            for membership_id in (first, first, second)
        ]
        assert await ledger.share_paid_in(tx, member_id=ada.id) == 4_000
    assert journals[0] == journals[1] != journals[2]
    assert await owner.fetchval(BANK) == -4_000


async def test_a_share_account_never_falls_below_zero(
    database: Database, owner: asyncpg.Connection
) -> None:
    ada = await make_member(owner, now=FRIDAY_EVENING)
    async with database.transaction() as tx:
        await pay(tx, member_id=ada.id, membership_id=new_id(), amount_minor=2_000)
    with pytest.raises(asyncpg.CheckViolationError, match="never_below_the_limit"):
        await owner.execute(
            "select post_journal('x', 'y', '', 'member_share', uuidv7(), null, now(),"
            " array(select id from account where kind = 'member_share'),"
            " array(select id from account where kind = 'bank'), array[2001::bigint], null)"
        )
