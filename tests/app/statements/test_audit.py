"""The audit sees that statements show all that is on each driver's account, and who decided."""

import asyncpg
import pytest

from app.audit import invariants, statements
from app.audit.report import audit
from tests.app.statements.month import Street, mixed_month

NAMES = {one.sql: one.name for one in invariants.ALL}


async def found(owner: asyncpg.Connection, sql: str, *faults: str) -> tuple[int, int, str | None]:
    """How much the audit looked at, and what it says after faults that only an owner could make."""
    transaction = owner.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        await owner.execute("set local session_replication_role = replica")
        for fault in faults:
            assert await owner.execute(fault) not in {"UPDATE 0", "DELETE 0", "INSERT 0 0"}
        report = await audit(owner)
    finally:
        await transaction.rollback()
    [check] = [check for check in report.checks if check.name == NAMES[sql]]
    return check.counted, check.violations, check.first


async def test_a_mixed_month_keeps_every_promise_of_statements(street: Street) -> None:
    await mixed_month(street)

    drivers = await found(street.owner, statements.STATEMENTS_SHOW_EVERYTHING)
    shares = await found(street.owner, statements.SHARES_NAME_THEIR_DECISION)

    assert drivers == (1, 0, None)
    assert shares == (3, 0, None)


@pytest.mark.parametrize(
    ("sql", "fault", "words"),
    [
        (
            statements.STATEMENTS_SHOW_EVERYTHING,
            (
                "update balance set posted_minor = posted_minor + 5 from account a"
                " where a.id = account_id and a.kind = 'driver'"
            ),
            "but the account holds",
        ),
        (
            statements.STATEMENTS_SHOW_EVERYTHING,
            (
                "delete from transfer where journal_id ="
                " (select min(id) from journal where kind = 'tip')"
            ),
            "but the account holds",
        ),
        (
            statements.STATEMENTS_SHOW_EVERYTHING,
            (
                "insert into transfer select journal_id, line + 5, debit_id, credit_id,"
                " amount_minor, currency from transfer where journal_id ="
                " (select min(id) from journal where kind = 'tip')"
            ),
            "but the account holds",
        ),
        (
            statements.SHARES_NAME_THEIR_DECISION,
            "update policy_version set source = 'tally', tally_id = id where key = 'commission_bp'",
            "names no vote",
        ),
        (
            statements.SHARES_NAME_THEIR_DECISION,
            "update policy_version set value = '1400'::jsonb where key = 'commission_bp'",
            "decided was 1400",
        ),
    ],
)
async def test_what_somebody_changed_behind_our_back_is_named(
    street: Street, sql: str, fault: str, words: str
) -> None:
    ride_id = await street.drive()
    await street.tip(ride_id, 350)

    _, violations, first = await found(street.owner, sql, fault)

    assert violations >= 1
    assert words in str(first)
