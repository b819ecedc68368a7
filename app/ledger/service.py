"""What other rooms do with money: open an account, hold, let go, post. Nothing else moves it."""

from datetime import datetime
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.ledger import postings, queries
from app.ledger.accounts import AccountKind, JournalKind
from app.ledger.errors import BalanceTooLow, CreditLimitReached
from app.ledger.postings import Recipe
from app.ledger.refusals import refusing

# A sweep's locks are short; what is left over waits for the next.
MOST_EXPIRED = 500


async def post(
    tx: Transaction,
    recipe: Recipe,
    *,
    scope: str,
    key: str,
    subject_id: UUID,
    now: datetime,
    policy_version_id: UUID | None = None,
    hold_id: UUID | None = None,
) -> int:
    """Book a recipe once for `scope` and `key`; a repeat books nothing more.

    It concerns the moment `now` and the subject, such as a ride. The hold, if there is one, ends:
    what the recipe leaves of it is free again, and what it takes above it must be there.
    Returns the number of the journal.

    Raises:
        PeriodIsClosed: the books of `now` are closed.
        BalanceTooLow: a member's account would fall below its limit.
        HoldEndedBefore: the hold was taken, let go or had expired, perhaps at this moment.
    """
    with refusing():
        return await queries.post_journal(
            tx,
            scope=scope,
            key=key,
            fingerprint=recipe.fingerprint,
            kind=recipe.kind,
            subject_id=subject_id,
            policy_version_id=policy_version_id,
            at=now,
            debits=[line.debit_id for line in recipe.lines],
            credits_=[line.credit_id for line in recipe.lines],
            amounts=[line.amount_minor for line in recipe.lines],
            captured_hold_id=hold_id,
        )


async def open_rider_account(
    tx: Transaction, *, member_id: UUID, now: datetime, lowest_minor: int
) -> UUID:
    """Open the account on which a rider owes fares, down to ``lowest_minor`` (zero or below)."""
    return await queries.open_account(
        tx,
        account_id=new_id(),
        kind=AccountKind.RIDER,
        member_id=member_id,
        lowest_minor=lowest_minor,
        at=now,
    )


async def open_driver_account(tx: Transaction, *, member_id: UUID, now: datetime) -> UUID:
    """Open the account on which a driver's earnings stand; it never goes below zero."""
    return await queries.open_account(
        tx,
        account_id=new_id(),
        kind=AccountKind.DRIVER,
        member_id=member_id,
        lowest_minor=0,
        at=now,
    )


async def open_member_capital(tx: Transaction, *, member_id: UUID, now: datetime) -> UUID:
    """Open the account on which refunds stand that a member left in; never below zero."""
    return await queries.open_account(
        tx,
        account_id=new_id(),
        kind=AccountKind.MEMBER_CAPITAL,
        member_id=member_id,
        lowest_minor=0,
        at=now,
    )


async def share_paid_in(reader: Transaction, *, member_id: UUID) -> int:
    """Return what stands on a member's share account, in minor units; 0 before the first share."""
    accounts = await queries.share_accounts(reader, member_id=member_id)
    return int(accounts["posted_minor"] or 0)


async def post_member_share(
    tx: Transaction, *, membership_id: UUID, member_id: UUID, amount_minor: int, now: datetime
) -> int:
    """Book that a member's share for a membership reached the bank; a repeat books nothing more.

    The account is opened with the first share and never goes below zero. Returns the number of
    the journal.
    """
    await queries.open_account(
        tx,
        account_id=new_id(),
        kind=AccountKind.MEMBER_SHARE,
        member_id=member_id,
        lowest_minor=0,
        at=now,
    )
    accounts = await queries.share_accounts(tx, member_id=member_id)
    recipe = postings.member_share(
        bank_id=accounts["bank"],
        member_share_id=accounts["member_share"],
        amount_minor=amount_minor,
    )
    return await post(
        tx,
        recipe,
        scope="member_share",
        key=str(membership_id),
        subject_id=membership_id,
        now=now,
    )


async def hold_fare(
    tx: Transaction,
    *,
    hold_id: UUID,
    rider_id: UUID,
    fare_minor: int,
    now: datetime,
    expires_at: datetime | None = None,
) -> None:
    """Set the fare of a ride aside on the rider's account, until `expires_at` if that is given.

    Raises:
        CreditLimitReached: the account would fall below its limit.
    """
    try:
        with refusing():
            await queries.place_hold(
                tx,
                hold_id=hold_id,
                rider_id=rider_id,
                amount_minor=fare_minor,
                at=now,
                expires_at=expires_at,
            )
    except BalanceTooLow as refused:
        raise CreditLimitReached from refused


async def release_fare(tx: Transaction, *, hold_id: UUID, now: datetime) -> None:
    """Let go what was set aside for a ride that will not take place.

    Raises:
        HoldEndedBefore: it was taken, let go or had expired, perhaps at this moment.
    """
    with refusing():
        await queries.void_hold(tx, hold_id=hold_id, at=now)


async def spare_for_fare(tx: Transaction, *, rider_id: UUID, driver_id: UUID) -> int:
    """Return what the rider's account reaches beyond all that is held, in minor units.

    Both balances are locked until the transaction ends, in the order of every posting.
    """
    return await queries.spare_for_fare(tx, rider_id=rider_id, driver_id=driver_id)


async def expire_holds(tx: Transaction, *, now: datetime) -> list[UUID]:
    """Let go what was set aside until `now` or earlier, and return which holds ended by that.

    Until this sweep came an overdue hold may still be taken or let go: whoever is first wins.
    """
    return await queries.expire_holds(tx, at=now, most=MOST_EXPIRED)


async def post_ride_fare(
    tx: Transaction,
    *,
    ride_id: UUID,
    rider_id: UUID,
    driver_id: UUID,
    fare_minor: int,
    commission_minor: int,
    policy_version_id: UUID,
    hold_id: UUID,
    now: datetime,
    remitted_minor: int = 0,
    kind: JournalKind = JournalKind.RIDE_FARE,
) -> int:
    """Book what a ride cost, a fare or a fee, and end its hold; a repeat books nothing more.

    Returns the number of the journal.
    """
    accounts = await queries.fare_accounts(tx, rider_id=rider_id, driver_id=driver_id)
    recipe = postings.ride_fare(
        rider_id=accounts["rider"],
        driver_id=accounts["driver"],
        commission_income_id=accounts["commission"],
        pass_through_id=accounts["pass_through"],
        fare_minor=fare_minor,
        commission_minor=commission_minor,
        remitted_minor=remitted_minor,
        kind=kind,
    )
    return await post(
        tx,
        recipe,
        scope=kind,
        key=str(ride_id),
        subject_id=ride_id,
        now=now,
        policy_version_id=policy_version_id,
        hold_id=hold_id,
    )
