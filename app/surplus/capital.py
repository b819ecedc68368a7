"""A member's capital: shown lot by lot, and paid back after leaving, the oldest lot first."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.assembly.statutes import statutes_in_force
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.ledger import postings
from app.ledger.accounts import AccountKind
from app.members.errors import OwnCase
from app.surplus import queries
from app.surplus.errors import CapitalNotDue, MeansDoNotReach, MemberHasNotLeft, NoCapital
from governance.member_capital import Lot, Means, redeem

_FUNDS = (AccountKind.EDUCATION_FUND, AccountKind.SOLIDARITY_FUND)
# At the bank still, but on its way to drivers, or owed to others, such as a tax.
_OWED = (AccountKind.PAYOUT_CLEARING, AccountKind.PASS_THROUGH)


async def list_refunds(reader: Transaction, *, member_id: UUID) -> list[dict[str, Any]]:
    """Return a member's own refunds, the oldest first, with what they were reckoned by."""
    return [dict(row) for row in await queries.list_refunds(reader, member_id=member_id)]


async def redeem_capital(
    tx: Transaction, *, member_id: UUID, by: UUID, now: datetime
) -> dict[str, Any]:
    """Pay back the capital of who has left, onto their account, as far as the means reach.

    What is owed to drivers and others, members' shares, the funds for learning and solidarity and
    the indivisible reserve are no means. The event `capital.redeemed` is told to the member.

    Raises:
        OwnCase: nobody pays their own capital.
        NotFound: nobody who was ever a member in the house of drivers.
        MemberHasNotLeft, CapitalNotDue, NoCapital, MeansDoNotReach: as they say.
    """
    if by == member_id:
        raise OwnCase
    stood = await queries.left_at(tx, member_id=member_id)
    if stood is None:
        raise NotFound
    if stood["is_member"]:
        raise MemberHasNotLeft
    statutes = await statutes_in_force(tx, at=stood["left_at"])
    due_at = stood["left_at"] + timedelta(seconds=statutes.legal_form.redeem_after_s.value)
    if now < due_at:
        raise CapitalNotDue(due_at=due_at.isoformat())
    # Two who pay at once would each see the same money: they stand in line here.
    await queries.lock_redemptions(tx)
    rows = await queries.list_refunds(tx, member_id=member_id)
    lots = [Lot(str(r["period_id"]), r["capital_minor"], r["redeemed_minor"]) for r in rows]
    if not any(lot.left_minor for lot in lots):
        raise NoCapital
    paid = redeem(lots, means=await _means(tx))
    if not paid:
        raise MeansDoNotReach
    accounts = await queries.open_accounts(
        tx, member_ids=[member_id], account_ids=[new_id()], now=now
    )
    driver_id, capital_id = accounts[member_id]
    redemption_id = new_id()
    recipe = postings.capital_redemption(
        member_capital_id=capital_id, driver_id=driver_id, amount_minor=sum(paid.values())
    )
    journal_id = await queries.post(
        tx, recipe, key=str(redemption_id), subject_id=redemption_id, now=now
    )
    await queries.insert_redemptions(
        tx,
        rows=[
            (journal_id, UUID(period), member_id, amount_minor, by, now)
            for period, amount_minor in paid.items()
        ],
    )
    paid_minor = sum(paid.values())
    tx.emit(Event("capital.redeemed", (member_id,), {"amount_minor": paid_minor}), at=now)
    left_minor = sum(lot.left_minor for lot in lots) - paid_minor
    return {"member_id": member_id, "paid_minor": paid_minor, "left_minor": left_minor}


async def _means(reader: Transaction) -> Means:
    held = await queries.standing(
        reader, kinds=[AccountKind.BANK, AccountKind.STATUTORY_RESERVE, *_FUNDS, *_OWED]
    )
    return Means(
        # Below zero is money at the bank.
        bank_minor=-held[AccountKind.BANK],
        owed_minor=await queries.owed_minor(reader) + sum(max(0, held[kind]) for kind in _OWED),
        funds_minor=sum(held[fund] for fund in _FUNDS),
        reserve_minor=held[AccountKind.STATUTORY_RESERVE],
    )
