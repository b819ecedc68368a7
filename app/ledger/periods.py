"""Time in the books: periods are closed, overdue holds let go, house accounts summed up."""

from datetime import datetime
from uuid import UUID

from app.foundation.database import Database, Transaction
from app.ledger import correction_queries
from app.ledger.refusals import refusing
from app.ledger.service import expire_holds

# A sum over so few lines takes a few milliseconds, which is not worth a row.
LEAST_LINES = 1_000


async def lock_period(
    tx: Transaction, *, until: datetime, locked_by: UUID | None, now: datetime
) -> None:
    """Close the books of all that concerns a moment before `until`, for good.

    It waits for everybody who is posting, and everybody who posts waits for its commit: let it be
    the first statement of a short transaction, or it may wait in a circle with others.

    Raises:
        PeriodCannotBeClosed: `until` is not past, or not later than what is closed already.
    """
    with refusing():
        await correction_queries.lock_period(tx, until=until, locked_by=locked_by, at=now)


async def locked_until(reader: Transaction) -> datetime | None:
    """Return the end of the closed periods: nothing earlier is booked. None before the first."""
    return await correction_queries.locked_until(reader)


async def keep_books(database: Database, *, now: datetime) -> None:
    """Let go what was set aside for too long, and sum house accounts up: a round of a worker."""
    async with database.transaction() as tx:
        await expire_holds(tx, now=now)
    await roll_up(database)


async def roll_up(database: Database, *, least_lines: int = LEAST_LINES) -> int:
    """Sum house accounts up as far as nobody is still posting; return how many were summed.

    Each round sums up to where the round before saw nobody posting.
    """
    async with database.transaction() as tx:
        return await correction_queries.roll_up(tx, least_lines=least_lines)
