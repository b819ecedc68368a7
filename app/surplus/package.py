"""The public package of a closed period: all that `meent-verify` needs to work it out again.

It holds every block of the books from the period's beginning to its close, as it was sealed.
People are in it by codes, and no two lines have one in common: each code is made from a secret that
the account's owner alone is told, so that who knows a ride finds its line and nothing else of
its driver or rider. With their secrets members find all of their own.

What an outsider learns all the same: of each driver the total of commission and of hours and the
refund, without a name, and what each account moved by held before. A driver of whom there is one
single ride is recognised by it, total and refund; a ride and what undid it name each other; and a
payment whose amount somebody knows from elsewhere is found by it. What is booked for many at once,
refunds, payouts, top-ups, contributions, is booked in an order drawn by lot.
"""

import asyncio
from collections import Counter
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
from app.surplus.queries import list_commission
from governance.manifest import canonical
from governance.sealing import opening_code, period_code, quarter_hour

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
            **await _drivers(reader, gathered, period_id=period_id),
            "openings": await _openings(
                reader, first=heights["first"], last=heights["last"], period_id=period_id
            ),
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


async def _drivers(
    reader: Transaction, gathered: Gathered, *, period_id: UUID
) -> dict[str, list[dict[str, Any]]]:
    """Return what members' refunds are reckoned by and come to, and what guests' rides paid.

    In the order of codes, which is none. A driver who was erased, or has no account of the period's
    years, has no code.
    """
    since, until = gathered.since, gathered.until
    secrets = await queries.list_driver_secrets(reader, since=since, until=until)
    codes = {
        str(member): period_code(secret, period_id=period_id) for member, secret in secrets.items()
    }
    refunds = await queries.list_refunds(reader, period_id=period_id)
    members = [
        {
            "code": codes.get(member),
            "commission_minor": done.commission_minor,
            "engaged_s": done.engaged,
            "cash_minor": refunds.get(member, (0, 0))[0],
            "capital_minor": refunds.get(member, (0, 0))[1],
        }
        for member, done in gathered.books.members.items()
    ]
    guests = [
        {"code": codes.get(str(row["driver_id"])), "commission_minor": row["commission_minor"]}
        for row in await list_commission(reader, since=since, until=until)
        if row["driver_id"] is not None and not row["is_member"]
    ]
    return {"members": sorted(members, key=_place), "guests": sorted(guests, key=_place)}


def _place(driver: dict[str, Any]) -> tuple[Any, ...]:
    """Where a driver stands: by code, those without one first."""
    return (driver["code"] or "", *(value for name, value in driver.items() if name != "code"))


async def _openings(
    reader: Transaction, *, first: int | None, last: int | None, period_id: UUID
) -> dict[str, int]:
    """Return what stood on each account before the first block; of all others, the sum."""
    openings: Counter[str] = Counter()
    for row in await queries.list_openings(reader, first=first or 0, last=last or 0):
        name = row["kind"] if row["is_house"] else "elsewhere"
        if row["secret"]:
            name = f"{row['kind']}:{opening_code(row['secret'], period_id=period_id)}"
        openings[name] += row["minor"]
    return {name: minor for name, minor in sorted(openings.items()) if minor}
