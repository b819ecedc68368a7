"""Illnesses as the rules of gifts take them, each with the confirmed ones that it goes on from."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.solidarity.queries import sickness
from governance.solidarity.gifts import SickLeave, going_on


async def with_past(reader: Transaction, rows: Sequence[Any]) -> list[SickLeave]:
    """Return the illnesses of these rows, in their order.

    What was waited and given before in the same circle counts where an illness goes on.
    """
    known: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in await sickness.list_confirmed_of(
        reader, memberships=sorted({row["membership_id"] for row in rows})
    ):
        known[row["membership_id"]].append(row)
    leaves = []
    for row in rows:
        past = [one for one in known[row["membership_id"]] if _order(one) < _order(row)]
        leaves.append(going_on([_leave_of(one) for one in (*past, row)])[-1])
    return leaves


def _order(row: Any) -> Any:
    return row["began_on"], row["id"]


def _leave_of(row: Any) -> SickLeave:
    return SickLeave(
        began_on=row["began_on"],
        ended_on=row["ended_on"],
        member_until=row["member_until"],
        waiting_days=row["waiting_days"],
        longest_months=row["longest_months"],
    )
