"""The payout guarantee: drivers keep their pay, and the fund pays where a card failed for good."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Database, Transaction
from app.foundation.events import Event
from app.foundation.problems import NotFound
from app.ledger import postings
from app.ledger.accounts import AccountKind
from app.ledger.cost_queries import house_accounts
from app.ledger.payouts import free_for_payout
from app.ledger.service import post
from app.solidarity.errors import NothingOwed
from app.solidarity.queries import fund
from app.solidarity.queries import guarantees as queries
from app.solidarity.service.policies import cap_in_force
from governance.solidarity.guarantee import taken_over_minor

# A round's share of the work; what is left over waits for the next.
MOST_PER_ROUND = 100


async def keep_guarantee(database: Database, *, now: datetime) -> None:
    """Take over what cards failed to pay, and take back what riders have paid since."""
    async with database.reading() as reader:
        failed = await queries.list_failed(reader, most=MOST_PER_ROUND)
        repayable = await queries.list_repayable(reader, most=MOST_PER_ROUND)
    for payment_id in failed:
        async with database.transaction() as tx:
            await take_over(tx, payment_id=payment_id, now=now)
    for payment_id in repayable:
        async with database.transaction() as tx:
            await take_back(tx, payment_id=payment_id, now=now)


async def take_over(tx: Transaction, *, payment_id: UUID, now: datetime) -> int | None:
    """Let the fund pay what a rider owes of a failed payment, up to the voted cap; once.

    Returns what it paid in minor units, or None where there is nothing to look at. The rider owes
    it to the fund from then on; what lies above the cap the rider still owes for the ride.
    """
    await fund.lock_fund(tx)
    failed = await queries.find_failed(tx, payment_id=payment_id)
    if failed is None:
        return None
    cap = await cap_in_force(tx, at=failed["failed_at"])
    covered = taken_over_minor(
        payment_minor=failed["amount_minor"],
        debt_minor=-failed["posted_minor"],
        cap_minor=cap.value,
        covered_minor=failed["covered_minor"],
        fund_minor=await fund.fund_minor(tx),
    )
    journal_id = None
    if covered:
        houses = await house_accounts(tx)
        recipe = postings.solidarity_payment(
            solidarity_fund_id=houses[AccountKind.SOLIDARITY_FUND],
            account_id=failed["account_id"],
            amount_minor=covered,
        )
        journal_id = await post(
            tx,
            recipe,
            scope="guarantee",
            key=str(payment_id),
            subject_id=failed["ride_id"],
            now=now,
            policy_version_id=cap.version_id,
        )
        data = {"ride_id": str(failed["ride_id"]), "amount_minor": covered}
        tx.emit(Event("guarantee.taken_over", (failed["rider_id"],), data), at=now)
    await queries.insert_guarantee(
        tx,
        failed,
        cap_minor=cap.value,
        policy_version_id=cap.version_id,
        covered_minor=covered,
        journal_id=journal_id,
        now=now,
    )
    return covered


async def take_back(tx: Transaction, *, payment_id: UUID, now: datetime) -> int:
    """Let the fund get back what the rider's account has now; return how much, perhaps 0."""
    await fund.lock_fund(tx)
    standing = await queries.find_guarantee(tx, payment_id=payment_id)
    assert standing is not None
    account_id = standing["account_id"]
    free = (await free_for_payout(tx, accounts=[account_id]))[account_id]
    amount: int = min(standing["covered_minor"] - standing["returned_minor"], max(free, 0))
    if amount <= 0:
        return 0
    houses = await house_accounts(tx)
    recipe = postings.solidarity_contribution(
        account_id=account_id,
        solidarity_fund_id=houses[AccountKind.SOLIDARITY_FUND],
        amount_minor=amount,
    )
    journal_id = await post(
        tx,
        recipe,
        scope="guarantee_return",
        key=f"{payment_id}:{standing['returns']}",
        subject_id=standing["ride_id"],
        now=now,
    )
    await queries.insert_return(
        tx, payment_id=payment_id, amount_minor=amount, journal_id=journal_id, now=now
    )
    return amount


async def write_off(
    tx: Transaction, *, payment_id: UUID, decided_by: UUID, reason: str, now: datetime
) -> Any:
    """Turn what a rider will never pay, above what the fund took over, into a cost of the platform.

    Raises:
        NotFound: no such payment failed.
        NothingOwed: nothing of it is owed, or it was written off before.
    """
    await fund.lock_fund(tx)
    standing = await queries.find_guarantee(tx, payment_id=payment_id)
    if standing is None:
        raise NotFound
    amount = min(standing["payment_minor"] - standing["covered_minor"], -standing["posted_minor"])
    if amount <= 0 or standing["written_off_minor"]:
        raise NothingOwed
    houses = await house_accounts(tx)
    recipe = postings.bad_debt(
        platform_costs_id=houses[AccountKind.PLATFORM_COSTS],
        rider_id=standing["account_id"],
        amount_minor=amount,
    )
    journal_id = await post(
        tx,
        recipe,
        scope="bad_debt",
        key=str(payment_id),
        subject_id=standing["ride_id"],
        now=now,
    )
    await queries.insert_write_off(
        tx,
        payment_id=payment_id,
        amount_minor=amount,
        decided_by=decided_by,
        reason=reason,
        journal_id=journal_id,
        now=now,
    )
    return await queries.find_guarantee(tx, payment_id=payment_id)
