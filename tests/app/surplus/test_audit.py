"""The audit works every closed period out again, and names the one that was touched."""

from datetime import timedelta

import pytest

from app.audit.report import Check, audit
from app.audit.surplus import RECOUNT
from tests.app.surplus.year import UNTIL, Town, worked_year

IN_THE_YEAR = "effective_at = '2026-01-01Z'"


async def recounted(town: Town, *faults: str) -> Check:
    """What the audit says of periods after faults that only the owner of the tables could make."""
    transaction = town.owner.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        await town.owner.execute("set local session_replication_role = replica")
        for fault in faults:
            assert await town.owner.execute(fault) not in {"UPDATE 0", "DELETE 0", "INSERT 0 0"}
        report = await audit(town.owner)
    finally:
        await transaction.rollback()
    [check] = [check for check in report.checks if check.name == RECOUNT]
    return check


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            (
                "update transfer set amount_minor = amount_minor + 1 where journal_id ="
                " (select journal_id from member_refund order by cash_minor limit 1) and line = 1"
            ),
            "posted other amounts",
        ),
        (
            (
                "delete from transfer where journal_id ="
                " (select id from journal where kind = 'surplus_share') and line = 1"
            ),
            "posted other amounts",
        ),
        (
            (
                "update transfer set amount_minor = amount_minor + 70 where journal_id ="
                " (select min(id) from journal where kind = 'ride_fare') and line = 2"
            ),
            "comes out otherwise today",
        ),
        (
            (
                "update membership set left_at = admitted_at where member_id ="
                " (select member_id from member_refund order by cash_minor limit 1)"
            ),
            "comes out otherwise today",
        ),
        ("update member_refund set capital_minor = capital_minor + 5", "its lots at"),
    ],
)
async def test_what_was_touched_after_a_close_is_named(town: Town, fault: str, words: str) -> None:
    await worked_year(town)
    await town.close()
    clean = await recounted(town)

    touched = await recounted(town, fault)

    assert (clean.counted, clean.violations) == (1, 0)
    assert words in str(touched.first)


async def test_periods_stay_as_they_were_closed_whatever_comes_after(town: Town) -> None:
    ada = await town.driver()
    await town.drive(ada, [100_000], engaged=timedelta(hours=1))
    await town.pay(25_000)
    await town.close()
    await town.drive(ada, [200_000], engaged=timedelta(hours=1), first_at=UNTIL)
    await town.wait(days=1)
    await town.close(since=UNTIL, until=UNTIL + timedelta(days=1))
    await town.drive(ada, [90_000], engaged=timedelta(hours=1), first_at=UNTIL + timedelta(days=1))
    await town.decide("reserve_bp", 9_000, since=UNTIL + timedelta(days=1))

    check = await recounted(town)

    assert (check.counted, check.violations) == (2, 0)
