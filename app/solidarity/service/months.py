"""The fund's month: contributions are taken, gifts made, and the next contribution is decided."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Database, Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.no_order import in_no_order
from app.ledger import postings
from app.ledger.accounts import AccountKind
from app.ledger.cost_queries import house_accounts
from app.ledger.payouts import free_for_payout
from app.ledger.service import post
from app.solidarity.queries import contributions, sickness
from app.solidarity.queries import fund as queries
from app.solidarity.service.leaves import with_past
from app.solidarity.service.policies import begin_of, rules_in_force, today
from governance.solidarity.contribution import (
    contribution_minor,
    contribution_rate_bp,
    expected_claims_minor,
)
from governance.solidarity.gifts import (
    first_of_month,
    full_gift_minor,
    gift_days,
    gift_months,
    later_month,
    share_what_is_there,
)
from governance.solidarity.rules import RESERVE_MONTHS

# Until this day of the month a contribution is taken once the balance bears all of it; from then
# on what there is.
LAST_CALL_DAY = 25
# A round's share of the work; what is left over waits for the next.
MOST_TAKEN = 200


async def keep_month(database: Database, *, now: datetime) -> None:
    """Bring the fund's month up to date; called again it changes nothing more.

    Contributions of the month before are taken to the end before its gifts are made, and the next
    month's contribution is decided after that: a month's notice to everybody.
    """
    async with database.reading() as reader:
        day = await today(reader, now=now)
    month = first_of_month(day)
    before = later_month(month, months=-1)
    for one, in_full in ((before, False), (month, day.day < LAST_CALL_DAY)):
        await _decide_if_missing(database, month=one, now=now)
        await _take_contributions(database, month=one, in_full=in_full, now=now)
    async with database.transaction() as tx:
        if not await contributions.is_all_taken(tx, month=before):
            return
        await make_gifts(tx, before=month, now=now)
        await _decide_next(tx, month=later_month(month, months=1), now=now)


async def _take_contributions(
    database: Database, *, month: date, in_full: bool, now: datetime
) -> None:
    async with database.reading() as reader:
        decided = await queries.find_month(reader, month=month)
        assert decided is not None
        due = await contributions.list_due(
            reader, month=month, rate_bp=decided["rate_bp"], in_full=in_full, most=MOST_TAKEN
        )
    # Everybody may see in which order contributions were booked: it tells nobody's.
    for membership in in_no_order(due):
        async with database.transaction() as tx:
            await _take_one(
                tx,
                membership,
                month=month,
                rate_bp=decided["rate_bp"],
                in_full=in_full,
                now=now,
            )


async def _take_one(
    tx: Transaction, membership: Any, *, month: date, rate_bp: int, in_full: bool, now: datetime
) -> None:
    """Take a contribution as far as the balance allows; two workers take it once."""
    account_id, membership_id = membership["account_id"], membership["id"]
    # Whoever waited here for another worker sees in the next statement what that one did.
    free = (await free_for_payout(tx, accounts=[account_id]))[account_id]
    if await contributions.is_taken(tx, membership_id=membership_id, month=month):
        return
    due = contribution_minor(tier_minor=membership["tier_minor"], rate_bp=rate_bp)
    paid = min(due, max(free, 0))
    if in_full and paid < due:
        return
    journal_id = None
    if paid:
        houses = await house_accounts(tx)
        recipe = postings.solidarity_contribution(
            account_id=account_id,
            solidarity_fund_id=houses[AccountKind.SOLIDARITY_FUND],
            amount_minor=paid,
        )
        journal_id = await post(
            tx,
            recipe,
            scope="solidarity_contribution",
            key=f"{membership_id}:{month}",
            subject_id=membership_id,
            now=now,
        )
    await contributions.insert_contribution(
        tx,
        membership_id=membership_id,
        month=month,
        rate_bp=rate_bp,
        due_minor=due,
        paid_minor=paid,
        journal_id=journal_id,
        now=now,
    )


async def make_gifts(tx: Transaction, *, before: date, now: datetime) -> int:
    """Make every gift that is due for months before a day, and return how many.

    Where the fund does not bear all of them, each gets a fair part; the fund is never overdrawn.
    """
    await queries.lock_fund(tx)
    rows = await sickness.list_confirmed(tx, ended_after=later_month(before, months=-24))
    due = [
        (row, leave, month)
        for row, leave in zip(rows, await with_past(tx, rows), strict=True)
        for month in gift_months(leave, before=before)
        if month not in row["months"]
    ]
    if not due:
        return 0
    of_circles = await sickness.gathered(tx, months=sorted({month for _, _, month in due}))
    gathered = {
        (one["circle_id"], one["month"]): (one["due_minor"], one["paid_minor"])
        for one in of_circles
    }
    full: dict[str, int] = {}
    for row, leave, month in due:
        due_minor, paid_minor = gathered.get((row["circle_id"], month), (0, 0))
        full[f"{row['id']}:{month}"] = full_gift_minor(
            tier_minor=row["tier_minor"],
            month=month,
            days=gift_days(leave, month=month),
            circle_due_minor=due_minor,
            circle_paid_minor=paid_minor,
        )
    given = share_what_is_there(full, fund_minor=await queries.fund_minor(tx))
    fund_id = (await house_accounts(tx))[AccountKind.SOLIDARITY_FUND]
    # Everybody can read the books: the same order each month would tie a member's gifts together.
    await free_for_payout(tx, accounts=[row["account_id"] for row, _, _ in due])
    for row, leave, month in in_no_order(due):
        key = f"{row['id']}:{month}"
        await sickness.insert_gift(
            tx,
            gift_id=new_id(),
            leave_id=row["id"],
            month=month,
            days=gift_days(leave, month=month),
            full_minor=full[key],
            amount_minor=given[key],
            journal_id=await _book_gift(tx, row, fund_id, key=key, minor=given[key], now=now),
            now=now,
        )
    return len(due)


async def _book_gift(
    tx: Transaction, row: Any, fund_id: UUID, *, key: str, minor: int, now: datetime
) -> int | None:
    if not minor:
        return None
    recipe = postings.solidarity_payment(
        solidarity_fund_id=fund_id, account_id=row["account_id"], amount_minor=minor
    )
    return await post(tx, recipe, scope="sick_gift", key=key, subject_id=row["id"], now=now)


async def _decide_if_missing(database: Database, *, month: date, now: datetime) -> None:
    """Let a month for which nobody could be given notice cost what was voted, and no more."""
    async with database.transaction() as tx:
        if await queries.find_month(tx, month=month) is None:
            await _decide(tx, month=month, is_raised=False, now=now)


async def _decide_next(tx: Transaction, *, month: date, now: datetime) -> None:
    """Decide the next month's contribution by the voted rule; members hear of a change."""
    if await queries.find_month(tx, month=month) is not None:
        return
    rate_bp = await _decide(tx, month=month, is_raised=True, now=now)
    current = await queries.find_month(tx, month=later_month(month, months=-1))
    if rate_bp is None or (current is not None and current["rate_bp"] == rate_bp):
        return
    people = await queries.list_circle_people(tx)
    if people:
        data = {"month": month.isoformat(), "rate_bp": rate_bp}
        tx.emit(Event("solidarity.contribution_changed", tuple(people), data), at=now)


async def _decide(tx: Transaction, *, month: date, is_raised: bool, now: datetime) -> int | None:
    rules = await rules_in_force(tx, at=await begin_of(tx, day=month) if is_raised else now)
    until = first_of_month(await today(tx, now=now))
    seen = await queries.claims(tx, since=later_month(until, months=-RESERVE_MONTHS), until=until)
    expected = expected_claims_minor(
        tiers_minor=seen["tiers_minor"],
        gifts_minor=seen["gifts_minor"] // RESERVE_MONTHS,
        guarantees_minor=seen["guarantees_minor"] // RESERVE_MONTHS,
    )
    fund = await queries.fund_minor(tx)
    rate_bp = rules.contribution_bp
    if is_raised:
        rate_bp = contribution_rate_bp(rules, fund_minor=fund, expected_claims_minor=expected)
    is_ours = await queries.insert_month(
        tx,
        month=month,
        base_bp=rules.contribution_bp,
        most_bp=rules.contribution_most_bp,
        rate_bp=rate_bp,
        fund_minor=fund,
        expected_claims_minor=expected,
        now=now,
    )
    return rate_bp if is_ours else None
