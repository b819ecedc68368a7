"""Every statement of the assembly's room."""

from datetime import datetime
from typing import Any

from app.foundation.database import Transaction


async def policies_in_force(reader: Transaction, *, at: datetime) -> list[Any]:
    """Return id, key, value, effective_from and source of each policy in force at a moment."""
    return await reader.rows(
        "select distinct on (key) id, key, value, effective_from, source from policy_version"
        " where effective_from <= $1 order by key, effective_from desc",
        at,
    )


async def find_policy(reader: Transaction, *, key: str, at: datetime) -> Any | None:
    """Return id and value of one policy in force at a moment, or None."""
    return await reader.row(
        "select id, value from policy_version where key = $1 and effective_from <= $2"
        " order by effective_from desc limit 1",
        key,
        at,
    )


async def find_statutes(reader: Transaction, *, at: datetime) -> Any | None:
    """Return the cooperative's time zone and every figure in force at a moment, or None."""
    return await reader.row(
        "select c.time_zone, f.figures from cooperative c, lateral ("
        " select jsonb_object_agg(key, value) as figures from ("
        "  select distinct on (key) key, value from policy_version"
        "  where effective_from <= $1 order by key, effective_from desc) as latest) as f"
        " where f.figures is not null",
        at,
    )
