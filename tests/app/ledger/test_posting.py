"""Promises about the one function that posts: what is no journal is refused, and leaves nothing."""

import re
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.foundation.ids import new_id
from app.ledger.accounts import JournalKind
from tests.conftest import FRIDAY_EVENING
from tests.factories import make_member

POST = "select post_journal('x', 'x', '', 'tip', $1, null, $2, $3, $4, $5, null)"
NOBODY = UUID(int=0)


@pytest.fixture
async def accounts(owner: asyncpg.Connection) -> list[UUID]:
    """A rider's and two drivers' accounts, each with a balance of 0 that may fall to -1,000."""
    opened = [
        await owner.fetchval(
            "select open_account($1, $2, $3, 'CHF', 0, $4)",
            new_id(),
            kind,
            (await make_member(owner, now=FRIDAY_EVENING)).id,
            FRIDAY_EVENING,
        )
        for kind in ("rider", "driver", "driver")
    ]
    await owner.execute("update balance set lowest_minor = -1000")
    return opened


@pytest.mark.parametrize(
    ("debited", "credited", "amounts", "refusal"),
    [
        ([0], [1, 2], [5, 5], asyncpg.NotNullViolationError),
        ([0, 0], [1], [5, 5], asyncpg.NotNullViolationError),
        ([0, 0], [1, 2], [5], asyncpg.NotNullViolationError),
        ([None], [1], [5], asyncpg.NotNullViolationError),
        ([0], [NOBODY], [5], asyncpg.ForeignKeyViolationError),
        ([NOBODY], [1], [5], asyncpg.NotNullViolationError),
        ([0], [0], [5], asyncpg.CheckViolationError),
        ([0], [1], [0], asyncpg.CheckViolationError),
        ([0], [1], [1001], asyncpg.CheckViolationError),
        ([], [], [], asyncpg.PostgresError),
    ],
)
async def test_lines_that_are_none_are_refused_and_leave_nothing(
    owner: asyncpg.Connection,
    accounts: list[UUID],
    debited: list[Any],
    credited: list[Any],
    amounts: list[int],
    refusal: type[asyncpg.PostgresError],
) -> None:
    debit_ids, credit_ids = (
        [accounts[one] if isinstance(one, int) else one for one in side]
        for side in (debited, credited)
    )

    with pytest.raises(refusal):
        await owner.execute(POST, new_id(), FRIDAY_EVENING, debit_ids, credit_ids, amounts)

    assert await owner.fetchval("select count(*) from journal") == 0
    assert await owner.fetchval("select count(*) from balance where posted_minor <> 0") == 0


async def test_each_balance_moves_once_by_the_sum_of_its_lines(
    owner: asyncpg.Connection, accounts: list[UUID]
) -> None:
    rider, one, other = accounts

    # The rider's first line alone would pass the limit of 1,000; what counts is the sum.
    await owner.execute(
        POST, new_id(), FRIDAY_EVENING, [rider, one, other], [one, rider, one], [1400, 500, 30]
    )

    moved = {
        row["account_id"]: row["posted_minor"]
        for row in await owner.fetch("select account_id, posted_minor from balance")
    }
    assert [moved[account] for account in accounts] == [-900, 930, -30]


async def test_the_database_knows_the_kinds_that_the_program_knows_and_no_other(
    owner: asyncpg.Connection, accounts: list[UUID]
) -> None:
    known = await owner.fetchval("select pg_get_functiondef('is_journal_kind(text)'::regprocedure)")
    assert set(re.findall(r"'([a-z_]+)'", known)) - {"public", "pg_temp"} == set(JournalKind)
    for kind in JournalKind:
        assert await owner.fetchval("select is_journal_kind($1)", kind)
    gift = POST.replace("'tip'", "'gift'")
    with pytest.raises(asyncpg.CheckViolationError, match="journal_kinds_are_known"):
        await owner.execute(gift, new_id(), FRIDAY_EVENING, accounts[:1], accounts[1:2], [5])
    assert await owner.fetchval("select count(*) from journal") == 0
