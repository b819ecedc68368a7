"""Works every closed period out again from today's books, and says where it differs."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.ledger import cost_queries, postings
from app.ledger.accounts import AccountKind
from app.ledger.postings import Recipe
from app.surplus import queries
from app.surplus.gather import Gathered, gather_again
from app.surplus.service import recipes


@dataclass(frozen=True, slots=True)
class Recounted:
    """How many closed periods were looked at, and in plain words what is wrong."""

    counted: int
    faults: tuple[str, ...]


async def recount_periods(reader: Transaction) -> Recounted:
    """Compare what each closed period posted with what its books and rules still come to.

    Every member's capital is compared with what is left of its lots, too.
    """
    faults = []
    periods = await queries.list_closed(reader)
    for period in periods:
        gathered = await gather_again(reader, since=period["since"], until=period["until"])
        name = f"the period up to {period['until'].isoformat()}"
        if gathered.fingerprint != period["fingerprint"]:
            faults.append(f"{name} comes out otherwise today than it was closed")
        posted = await queries.posted_lines(reader, period_id=period["id"])
        if Counter(map(_line, posted)) != await _expected(reader, gathered, period["id"]):
            faults.append(f"{name} posted other amounts than its close comes to")
    faults += [
        f"the capital of member {row['member_id']} stands at {row['stands_minor']},"
        f" its lots at {row['lots_minor']}"
        for row in await queries.list_capital(reader)
        if row["stands_minor"] != row["lots_minor"]
    ]
    return Recounted(len(periods), tuple(faults))


def _line(row: Any) -> tuple[str, UUID, UUID, int]:
    return row["kind"], row["debit_id"], row["credit_id"], row["amount_minor"]


async def _expected(
    reader: Transaction, gathered: Gathered, period_id: UUID
) -> Counter[tuple[str, UUID, UUID, int]]:
    """Return every line that the close of a period comes to."""
    accounts = await cost_queries.house_accounts(reader)
    expected: list[Recipe] = list(recipes(gathered, accounts=accounts))
    for row in await queries.refund_accounts(reader, period_id=period_id):
        refund = gathered.closed.refunds.get(str(row["member_id"]))
        if refund is None:
            continue  # Its lines are found to be too many.
        expected.append(
            postings.refund_allocation(
                refunds_payable_id=accounts[AccountKind.REFUNDS_PAYABLE],
                driver_id=row["driver"],
                member_capital_id=row["capital"],
                cash_minor=refund.cash_minor,
                capital_minor=refund.capital_minor,
            )
        )
    return Counter(
        (str(recipe.kind), line.debit_id, line.credit_id, line.amount_minor)
        for recipe in expected
        for line in recipe.lines
    )
