"""Every statement of the members' room."""

from datetime import datetime
from typing import Any

from app.foundation.database import Transaction


async def find_session(reader: Transaction, *, access_hash: bytes, now: datetime) -> Any | None:
    """Return member_id, session_id, roles and suspended of a live session, or None."""
    return await reader.row(
        "select s.id as session_id, s.member_id,"
        " array(select role from member_role r where r.member_id = s.member_id) as roles,"
        " exists(select from suspension u where u.member_id = s.member_id"
        "   and u.lifted_at is null) as suspended"
        " from session s where s.access_hash = $1 and s.access_expires_at > $2"
        " and s.ended_at is null",
        access_hash,
        now,
    )
