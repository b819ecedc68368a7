"""Works sealed blocks out again from today's books, and names what was changed since."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.foundation.database import Transaction
from app.ledger import seal_queries as queries
from app.ledger.seal_codes import show_journals
from app.ledger.seals import hidden_part_of, seal_of
from governance.sealing import Seal, hidden_hash, journal_leaf, root_fault, seal_faults

_MOST_NAMED = 20
_PAGE = 500


@dataclass(frozen=True, slots=True)
class SealsChecked:
    """How many blocks were looked at, and in plain words what is wrong."""

    counted: int
    faults: tuple[str, ...]


async def verify_seals(reader: Transaction) -> SealsChecked:
    """Work every block out again from the journals as they are today, and name what is wrong.

    A changed or missing journal is named with its block. Of journals whose salt is deleted what is
    shown is checked, and what is hidden cannot be.
    """
    faults: list[str] = []
    previous: Seal | None = None
    counted = 0
    while heads := await queries.list_seals_after(
        reader, height=previous.height if previous else 0, limit=_PAGE
    ):
        for head in heads:
            seal = seal_of(head)
            faults += seal_faults(seal, signature=head["signature"], previous=previous)
            if head["hash"] != seal.hash:
                faults.append(f"block {seal.height} was changed: its head has another hash")
            faults += await _block_faults(reader, seal)
            previous = seal
            counted += 1
    faults += [
        f"journal {row['id']} is in no block"
        for row in await queries.list_missed(reader, limit=_MOST_NAMED)
    ]
    return SealsChecked(counted, tuple(faults))


async def _block_faults(reader: Transaction, seal: Seal) -> list[str]:
    """Return what is wrong with the journals of a block: the block, and each one that differs."""
    rows = await queries.list_sealed(reader, height=seal.height)
    gone = [row["sealed_id"] for row in rows if row["id"] is None]
    left = [row for row in rows if row["id"] is not None]
    shown = await show_journals(reader, left)
    now = {
        row["id"]: leaf
        for row, leaf in zip(left, await asyncio.to_thread(leaves_now, left, shown), strict=True)
    }
    changed = [row["id"] for row in left if now[row["id"]] != row["leaf"]]
    block = root_fault(seal, leaves=[now.get(row["sealed_id"], row["leaf"]) for row in rows])
    if not gone and not changed:
        return [block] if block else []
    named = [f"journal {number} is gone" for number in gone]
    named += [f"journal {number} was changed after it was sealed" for number in changed]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    first, last = min(row["sealed_id"] for row in rows), max(row["sealed_id"] for row in rows)
    return [
        f"block {seal.height} (journals {first} to {last}): "
        + "; ".join(named[:_MOST_NAMED])
        + more
    ]


def leaves_now(rows: Sequence[Any], shown: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """Return the leaves that these journals come to today."""
    return [
        journal_leaf(
            one,
            hidden=hidden_hash(hidden_part_of(row), salt=row["salt"])
            if row["salt"]
            else row["hidden"],
        )
        for row, one in zip(rows, shown, strict=True)
    ]
