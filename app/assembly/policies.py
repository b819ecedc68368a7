"""What is in force: the one way for every other room to learn what the members decided."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.assembly import queries
from app.foundation.database import Transaction


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole-number policy and the row that set it."""

    version_id: UUID
    value: int


async def policy_in_force(reader: Transaction, *, key: str, at: datetime) -> Policy:
    """Return the policy ``key`` in force at a moment; the founding statutes set every key."""
    row = await queries.find_policy(reader, key=key, at=at)
    assert row is not None, f"no policy {key} is in force: was the cooperative founded?"
    return Policy(version_id=row["id"], value=int(row["value"]))
