"""The public package of a closed period: all that `meent-verify` needs to work it out again.

It holds every block of the books from the period's beginning to its close, as it was sealed.
People are in it by codes: one for each account and year, drawn by lot, and only the account's owner
is told which is theirs. Who knows one ride of somebody, its day and its fare, can find that
person's code and read what else moved under it in that year: that is the price of books that
anybody can add up.
"""

import asyncio
from typing import Any
from uuid import UUID

from app.assembly import queries as assembly
from app.assembly.surplus_rules import POTS_KEY
from app.foundation.database import Transaction
from app.foundation.problems import NotFound
from app.ledger import seal_queries
from app.ledger.cost_queries import patiently
from app.ledger.seals import head_document, show_block
from app.surplus import package_queries as queries
from app.surplus.errors import PeriodCutsAnHour, PeriodNotSealed
from app.surplus.gather import Gathered, gather_again
from governance.manifest import canonical
from governance.sealing import quarter_hour

PACKAGE_FORMAT = "meent-period-package:1"


async def make_package(reader: Transaction, *, period_id: UUID) -> dict[str, Any]:
    """Return the package of a closed period; the same period gives the same package.

    Raises:
        NotFound: there is no such closed period.
        PeriodNotSealed: a journal of it waits for its seal; a moment later it is there.
        PeriodCutsAnHour: it begins or ends inside a quarter of an hour, which nobody can check.
    """
    period = await queries.find_closed(reader, period_id=period_id)
    if period is None:
        raise NotFound
    if any(quarter_hour(period[end]) != period[end] for end in ("since", "until")):
        raise PeriodCutsAnHour
    heights = await queries.sealed_heights(reader, period)
    if heights["unsealed"]:
        raise PeriodNotSealed
    gathered = await gather_again(reader, since=period["since"], until=period["until"])
    async with patiently(reader):
        seals, blocks = await _chain(reader, first=heights["first"], last=heights["last"])
        return {
            "format": PACKAGE_FORMAT,
            "cooperative": period["name"],
            "currency": period["currency"],
            "period": {
                "id": str(period["id"]),
                "since": period["since"].isoformat(),
                "until": period["until"].isoformat(),
                "through_journal": period["through_journal"],
                "closing": await queries.list_closing(reader, period_id=period_id),
            },
            "rules": await _rules(reader, gathered),
            "announced": {step["key"]: step["amount_minor"] for step in period["steps"]},
            "of_others": await queries.list_of_others(
                reader, since=period["since"], until=period["until"]
            ),
            "members": await _members(reader, gathered, period_id=period_id),
            "openings": await _openings(reader, blocks, first=heights["first"]),
            "seals": seals,
            "blocks": blocks,
        }


async def draw_package(reader: Transaction, *, period_id: UUID) -> bytes:
    """Return the package as one file, byte for byte the same each time; raises as make_package."""
    package = await make_package(reader, period_id=period_id)
    return await asyncio.to_thread(canonical, package)


async def _chain(
    reader: Transaction, *, first: int | None, last: int | None
) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]:
    """Return the heads from the one before the first block on, and what each block shows."""
    if first is None or last is None:
        return [], []
    heads = await seal_queries.list_seals_after(
        reader, height=max(0, first - 2), limit=last - max(0, first - 2)
    )
    blocks = [await show_block(reader, height=height) for height in range(first, last + 1)]
    return [head_document(head) for head in heads], blocks


async def _rules(reader: Transaction, gathered: Gathered) -> dict[str, Any]:
    """Return statutes, legal form and the vote on pots as they counted for the period."""
    statutes, form = gathered.statutes, gathered.statutes.legal_form
    voted = await assembly.find_policy(reader, key=POTS_KEY, at=gathered.until)
    return {
        "statutes": {
            "reserve_bp": statutes.reserve_bp,
            "education_bp": statutes.education_bp,
            "patronage_hours_bp": statutes.patronage_hours_bp,
            "refund_cash_bp": statutes.refund_cash_bp,
            "reserve_bears_losses": statutes.reserve_bears_losses,
        },
        "legal_form": {
            "key": form.key,
            "reserve_bp": form.reserve_bp.value,
            "education_bp": form.education_bp.value,
            "refund_bp": form.refund_bp.value,
            "cash_bp": form.cash_bp.value,
            "operations_only": form.operations_only.value,
        },
        "vote": {"policy_version_id": str(voted["id"]), **voted["value"]} if voted else None,
    }


async def _members(
    reader: Transaction, gathered: Gathered, *, period_id: UUID
) -> list[dict[str, Any]]:
    """Return what each member's refund is reckoned by and what it is, in the order of codes."""
    codes = await queries.list_driver_codes(reader, since=gathered.since, until=gathered.until)
    refunds = await queries.list_refunds(reader, period_id=period_id)
    return sorted(
        (
            {
                "codes": codes[member],
                "commission_minor": done.commission_minor,
                "engaged_s": done.engaged,
                "cash_minor": refunds.get(member, (0, 0))[0],
                "capital_minor": refunds.get(member, (0, 0))[1],
            }
            for member, done in gathered.books.members.items()
        ),
        key=lambda member: str(member["codes"]),
    )


async def _openings(
    reader: Transaction, blocks: list[list[dict[str, Any]]], *, first: int | None
) -> dict[str, int]:
    """Return what stood on each account before the first block; of all others, the sum."""
    names = {
        name
        for block in blocks
        for journal in block
        for line in journal["shown"]["lines"]
        for name in line[:2]
    }
    codes = sorted(name.partition(":")[2] for name in names if ":" in name)
    rows = await queries.list_openings(reader, first=first or 0, codes=codes)
    return {row["name"] or "elsewhere": row["minor"] for row in rows if row["minor"]}
