"""What the members' room need not know any longer is deleted."""

from datetime import datetime, timedelta

from app.foundation.database import Transaction
from app.members.queries import codes
from app.members.service.codes import ADDRESS_WINDOW

KEYS_LAST = timedelta(hours=48)
AT_MOST = 5_000  # rows of a kind in one transaction: a statement has 5 seconds


async def forget_old(tx: Transaction, *, now: datetime) -> int:
    """Delete codes that no limit counts any more, old tickets, and answers older than 48 hours.

    Returns how many rows went; at least `AT_MOST` means that there may be more.
    """
    return await codes.delete_old(
        tx,
        codes_before=now - ADDRESS_WINDOW,
        keys_before=now - KEYS_LAST,
        now=now,
        at_most=AT_MOST,
    )
