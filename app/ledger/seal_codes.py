"""What accounts are called where the books are shown to everybody: each line by a code of its own.

A house account is called by its kind. Anybody else's is called by its kind and a code that only who
knows the account's secret of the year can tie to another line.
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.foundation.database import Transaction
from app.ledger import seal_queries as queries
from governance.sealing import SECRET_BYTES, ShownJournal, ShownLine, line_code


@dataclass(frozen=True, slots=True)
class _Names:
    """What names are made of: kinds, secrets by account and year, codes of who was erased."""

    houses: dict[UUID, str]
    kinds: dict[UUID, str]
    secrets: dict[tuple[UUID, int], bytes]
    kept: dict[tuple[int, int, bool], str]

    def of(self, account: UUID, *, year: int, journal: int, line: int, is_debit: bool) -> str:
        """What the account is called on this side of this line."""
        if account in self.houses:
            return self.houses[account]
        code = self.kept.get((journal, line, is_debit)) if self.kept else None
        if code is None:
            secret = self.secrets.get((account, year))
            if secret is None:
                return "?"
            code = line_code(secret, journal=journal, line=line)
        return f"{self.kinds[account]}:{code}"


async def give_secrets(tx: Transaction, rows: Sequence[Any]) -> None:
    """Every account that these journals moved has a secret for their year; house accounts none."""
    wanted = {
        (account, year)
        for row, year in zip(rows, await _years(tx, rows), strict=True)
        for account in (*row["debits"], *row["credits"])
    }
    await queries.give_secrets(
        tx, wanted=[(*one, os.urandom(SECRET_BYTES)) for one in sorted(wanted)]
    )


async def show_journals(reader: Transaction, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return what everybody may see of journals, accounts by kind and the code of the line.

    An account without a secret, which no sealed journal has, is called "?".
    """
    years = await _years(reader, rows)
    ids = {account for row in rows for account in (*row["debits"], *row["credits"])}
    named = await queries.list_named(reader, account_ids=[*ids], years=[*{*years}])
    kept = await queries.list_line_codes(reader, journal_ids=[row["id"] for row in rows])
    names = _Names(
        houses={one["id"]: one["kind"] for one in named if one["is_house"]},
        kinds={one["id"]: one["kind"] for one in named},
        secrets={(one["id"], one["year"]): one["secret"] for one in named if one["secret"]},
        kept={(one["journal_id"], one["line"], one["is_debit"]): one["code"] for one in kept},
    )
    return await asyncio.to_thread(_show, rows, years, names)


async def keep_codes(tx: Transaction, *, member_id: UUID) -> None:
    """The codes of all lines of a person are kept, and stay when their secrets go."""
    rows = await queries.list_own_lines(tx, member_id=member_id)
    await queries.keep_line_codes(
        tx,
        rows=[
            (
                row["journal_id"],
                row["line"],
                row["is_debit"],
                line_code(row["secret"], journal=row["journal_id"], line=row["line"]),
            )
            for row in rows
        ],
    )


async def _years(reader: Transaction, rows: Sequence[Any]) -> list[int]:
    """Return the year of each journal, as the cooperative's own clocks show it."""
    zone = ZoneInfo(await queries.time_zone(reader))
    return [row["effective_at"].astimezone(zone).year for row in rows]


def _show(rows: Sequence[Any], years: Sequence[int], names: _Names) -> list[dict[str, Any]]:
    return [
        ShownJournal(
            number=row["id"],
            kind=row["kind"],
            at=row["effective_at"],
            reverses=row["reverses"],
            lines=tuple(
                ShownLine(
                    names.of(debit, year=year, journal=row["id"], line=line, is_debit=True),
                    names.of(credit, year=year, journal=row["id"], line=line, is_debit=False),
                    minor,
                    unit,
                )
                for line, (debit, credit, minor, unit) in enumerate(
                    zip(
                        row["debits"],
                        row["credits"],
                        row["amounts"],
                        row["currencies"],
                        strict=True,
                    ),
                    start=1,
                )
            ),
        ).document()
        for row, year in zip(rows, years, strict=True)
    ]
