"""Closes a period: prepared by one person, confirmed by another, in one transaction for good."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.stream import ASSEMBLY_STREAM
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.no_order import in_no_order
from app.foundation.problems import NotFound
from app.ledger import cost_queries, periods, postings
from app.ledger.accounts import AccountKind
from app.ledger.payouts import free_for_payout
from app.ledger.postings import Recipe
from app.surplus import queries
from app.surplus.errors import BooksHaveChanged, ConfirmedByAnother
from app.surplus.gather import Gathered, gather
from app.surplus.steps import steps
from governance.legal_form import LegalForm

# By which account a pot is kept; a pot of any other name waits with the investments.
POT_ACCOUNTS = {
    "reserve": AccountKind.VOTED_RESERVE,
    "dividend": AccountKind.REFUNDS_PAYABLE,
    "education": AccountKind.EDUCATION_FUND,
    "solidarity": AccountKind.SOLIDARITY_FUND,
    "investment": AccountKind.INVESTMENT_POT,
}


async def prepare_period(
    tx: Transaction, *, since: datetime, until: datetime, by: UUID, now: datetime
) -> dict[str, Any]:
    """Keep a close as it would be now, for another person to confirm, and return it.

    Raises:
        PeriodNotOver, PeriodLeavesAGap: as ``gather``.
    """
    gathered = await gather(tx, since=since, until=until, now=now)
    draft_id = new_id()
    await queries.insert_draft(
        tx,
        draft_id=draft_id,
        since=since,
        until=until,
        fingerprint=gathered.fingerprint,
        steps=steps(gathered),
        by=by,
        now=now,
    )
    return await get_period(tx, period_id=draft_id)


async def confirm_period(
    tx: Transaction, *, draft_id: UUID, by: UUID, now: datetime
) -> dict[str, Any]:
    """Close a prepared period for good, exactly as it was prepared, and return it.

    Raises:
        NotFound: nothing was prepared under this id.
        ConfirmedByAnother: the same person prepared it.
        PeriodCannotBeClosed: it is closed already, perhaps at this moment by somebody else.
        BooksHaveChanged: something was booked since; it must be prepared anew.
    """
    draft = await queries.find_draft(tx, draft_id=draft_id)
    if draft is None:
        raise NotFound
    if draft["prepared_by"] == by:
        raise ConfirmedByAnother
    gathered = await _gather_and_lock(
        tx, since=draft["since"], until=draft["until"], by=by, now=now
    )
    if gathered.fingerprint != draft["fingerprint"]:
        raise BooksHaveChanged
    await _close(
        tx, gathered, period_id=draft_id, people=(draft["prepared_by"], by), operator=None, now=now
    )
    return await get_period(tx, period_id=draft_id)


async def close_as_operator(
    tx: Transaction, *, since: datetime, until: datetime, operator: str, now: datetime
) -> dict[str, Any]:
    """Close a period from the machine itself, under the name that its operator gave.

    Raises:
        PeriodNotOver, PeriodLeavesAGap: as ``gather``.
        PeriodCannotBeClosed: it is closed already.
        BooksHaveChanged: something was booked at this very moment; simply try again.
    """
    gathered = await _gather_and_lock(tx, since=since, until=until, by=None, now=now)
    period_id = new_id()
    await _close(tx, gathered, period_id=period_id, people=None, operator=operator, now=now)
    return await get_period(tx, period_id=period_id)


async def get_period(reader: Transaction, *, period_id: UUID) -> dict[str, Any]:
    """Return a period as it is shown: steps in plain words, of other members only sums.

    Raises:
        NotFound: there is no such period.
    """
    row = await queries.find_period(reader, period_id=period_id)
    if row is None:
        raise NotFound
    return dict(row)


def form_as_shown(form: LegalForm) -> dict[str, Any]:
    """Return a legal form with its sources, and what of it was not looked up or is not built."""
    return {
        "key": form.key,
        "name": form.name,
        "clauses": [
            {
                "name": name,
                "value": clause.value,
                "source": clause.source,
                "is_checked": clause.is_checked,
            }
            for name, clause in form.clauses()
        ],
        "unchecked": list(form.unchecked),
        "not_built": list(form.not_built),
    }


def recipes(gathered: Gathered, *, accounts: Mapping[str, UUID]) -> tuple[Recipe, ...]:
    """Return the journals of a close but the refunds: the result, its shares, a loss absorbed."""
    books, closed = gathered.books, gathered.closed
    result = postings.surplus_close(
        commission_income_id=accounts[AccountKind.COMMISSION_INCOME],
        other_income_id=accounts[AccountKind.OTHER_INCOME],
        platform_costs_id=accounts[AccountKind.PLATFORM_COSTS],
        surplus_id=accounts[AccountKind.SURPLUS],
        member_commission_minor=gathered.member_commission_minor,
        other_commission_minor=books.other_commission_minor,
        other_income_minor=books.other_income_minor,
        costs_minor=books.costs_minor,
    )
    if closed.net_minor < 0:
        absorbed = postings.loss_absorption(
            statutory_reserve_id=accounts[AccountKind.STATUTORY_RESERVE],
            surplus_id=accounts[AccountKind.SURPLUS],
            amount_minor=closed.absorbed_minor,
        )
        return result, absorbed
    division = closed.division
    parts = [
        (AccountKind.STATUTORY_RESERVE, division.indivisible_minor),
        (AccountKind.STATUTORY_RESERVE, division.reserve_minor),
        (AccountKind.EDUCATION_FUND, division.education_minor),
    ]
    for pot, amount_minor in division.pots_minor.items():
        kept = closed.undivided_minor if pot == gathered.rules.patronage.refund_pot else 0
        kind = POT_ACCOUNTS.get(pot, AccountKind.INVESTMENT_POT)
        parts += [(kind, amount_minor - kept), (AccountKind.VOTED_RESERVE, kept)]
    shared = postings.surplus_share(
        surplus_id=accounts[AccountKind.SURPLUS],
        parts=[(accounts[kind], amount_minor) for kind, amount_minor in parts],
    )
    return result, shared


async def _gather_and_lock(
    tx: Transaction, *, since: datetime, until: datetime, by: UUID | None, now: datetime
) -> Gathered:
    """Return a period closed on paper, whose books are locked now and were the same all along.

    A long year takes seconds to add up, so that is done before the lock: nobody's ride waits for
    it. A fare that comes after the lock with an earlier moment is refused; whoever posts it tries
    again with the present one, so it belongs to the open period.
    """
    before = await queries.count_entries(tx, since=since, until=until)
    gathered = await gather(tx, since=since, until=until, now=now)
    await periods.lock_period(tx, until=until, locked_by=by, now=now)
    if await queries.count_entries(tx, since=since, until=until) != before:
        raise BooksHaveChanged
    return gathered


async def _close(
    tx: Transaction,
    gathered: Gathered,
    *,
    period_id: UUID,
    people: tuple[UUID, UUID] | None,
    operator: str | None,
    now: datetime,
) -> None:
    """Write the period, its journals and refunds, all or none; the books are locked already."""
    prepared_by, confirmed_by = people or (None, None)
    await queries.insert_period(
        tx,
        period_id=period_id,
        since=gathered.since,
        until=gathered.until,
        follows=gathered.follows,
        fingerprint=gathered.fingerprint,
        steps=steps(gathered),
        prepared_by=prepared_by,
        confirmed_by=confirmed_by,
        operator=operator,
        now=now,
    )
    accounts = await cost_queries.house_accounts(tx)
    for recipe in recipes(gathered, accounts=accounts):
        await queries.post(tx, recipe, key=str(period_id), subject_id=period_id, now=now)
    await _refund(
        tx, gathered, period_id=period_id, payable=accounts[AccountKind.REFUNDS_PAYABLE], now=now
    )
    streams = (ASSEMBLY_STREAM,)
    tx.emit(Event("surplus.closed", streams, {"period_id": str(period_id)}), at=now)


async def _refund(
    tx: Transaction, gathered: Gathered, *, period_id: UUID, payable: UUID, now: datetime
) -> None:
    """Post every member's refund as a journal of its own, in an order that tells nobody's.

    The package shows it: the same order each time would tie a member's refunds together.
    """
    members = {UUID(key): refund for key, refund in sorted(gathered.closed.refunds.items())}
    accounts = await queries.open_accounts(
        tx, member_ids=list(members), account_ids=[new_id() for _ in members], now=now
    )
    await free_for_payout(tx, accounts=[own for both in accounts.values() for own in both])
    rows = []
    for member_id, refund in in_no_order([*members.items()]):
        driver_id, capital_id = accounts[member_id]
        recipe = postings.refund_allocation(
            refunds_payable_id=payable,
            driver_id=driver_id,
            member_capital_id=capital_id,
            cash_minor=refund.cash_minor,
            capital_minor=refund.capital_minor,
        )
        key = f"{period_id}:{member_id}"
        journal_id = await queries.post(tx, recipe, key=key, subject_id=period_id, now=now)
        done = gathered.books.members[str(member_id)]
        rows.append(
            (
                period_id,
                member_id,
                done.commission_minor,
                done.engaged,
                refund.cash_minor,
                refund.capital_minor,
                journal_id,
            )
        )
    await queries.insert_refunds(tx, rows=rows)
