"""Statements: what an account held at a moment, as far as was known then, and what moved it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.foundation.database import Transaction
from app.ledger import statement_queries
from app.ledger.cost_queries import patiently


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LinePosition:
    """Where a line stands in a statement: by what it concerns, then as it was booked."""

    effective_at: datetime
    journal_id: int
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One movement; above zero it reached the account, below it left."""

    position: LinePosition
    kind: str
    subject_id: UUID
    reverses: int | None
    reason: str | None
    recorded_at: datetime
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """An account over [since, until): opening + credits - debits is closing, to the cent.

    The sums are of the whole period, `lines` are one page of it, and `next_after` is where the
    next page begins; None on the last.
    """

    opening_minor: int
    debits_minor: int
    credits_minor: int
    lines: tuple[StatementLine, ...]
    next_after: LinePosition | None

    @property
    def closing_minor(self) -> int:
        """What the account held at the end of the period."""
        return self.opening_minor + self.credits_minor - self.debits_minor


async def read_statement(
    reader: Transaction,
    *,
    account_id: UUID,
    since: datetime,
    until: datetime,
    known_at: datetime,
    after: LinePosition | None = None,
    limit: int = 100,
) -> Statement:
    """Return an account's statement of [since, until) as its books were recorded before `known_at`.

    The same `known_at` gives the same statement for ever, whatever is booked late afterwards;
    that moment is of the database's clock, and long enough past for what was being written then.
    """
    async with patiently(reader):
        sums = await statement_queries.sums(
            reader, account_id=account_id, since=since, until=until, known_at=known_at
        )
        rows = await statement_queries.lines(
            reader,
            account_id=account_id,
            since=since,
            until=until,
            known_at=known_at,
            after=None if after is None else (after.effective_at, after.journal_id, after.line),
            limit=limit + 1,
        )
    lines = tuple(
        StatementLine(
            position=LinePosition(
                effective_at=row["effective_at"], journal_id=row["journal_id"], line=row["line"]
            ),
            kind=row["kind"],
            subject_id=row["subject_id"],
            reverses=row["reverses"],
            reason=row["reason"],
            recorded_at=row["recorded_at"],
            amount_minor=row["amount_minor"],
        )
        for row in rows[:limit]
    )
    return Statement(
        opening_minor=sums["opening"],
        debits_minor=sums["debits"],
        credits_minor=sums["credits"],
        lines=lines,
        next_after=lines[-1].position if len(rows) > limit else None,
    )


async def balances_as_of(
    reader: Transaction,
    *,
    effective_before: datetime,
    recorded_before: datetime,
    kinds: tuple[str, ...],
) -> dict[UUID, int]:
    """Return what each account of these kinds held at a moment, as recorded before another."""
    async with patiently(reader):
        rows = await statement_queries.balances_as_of(
            reader,
            effective_before=effective_before,
            recorded_before=recorded_before,
            kinds=list(kinds),
        )
    return {row["id"]: row["minor"] for row in rows}


async def house_balances(reader: Transaction) -> dict[str, int]:
    """Return what each house account holds now: its newest roll-up and what came after it."""
    async with patiently(reader):
        rows = await statement_queries.house_balances(reader)
    return {row["kind"]: row["minor"] for row in rows}
