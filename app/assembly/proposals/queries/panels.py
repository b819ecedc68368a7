"""Statements on panels: the list, the draw, and the pages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.proposals.rules import Side
from app.foundation.database import Transaction


async def insert_panel(
    tx: Transaction,
    *,
    proposal_id: UUID,
    source: str,
    size: int,
    listed_by: UUID,
    listed_at: datetime,
    public_at: datetime,
) -> bool:
    """Store a panel to be drawn; False where there is one."""
    stored = await tx.value(
        "insert into panel (proposal_id, source, size, listed_by, listed_at, public_at)"
        " values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning true",
        proposal_id,
        source,
        size,
        listed_by,
        listed_at,
        public_at,
    )
    return bool(stored)


async def insert_seats(
    tx: Transaction, *, proposal_id: UUID, members: Sequence[UUID], pseudonyms: Sequence[str]
) -> None:
    """Store the list from which a panel is drawn."""
    await tx.execute(
        "insert into panel_seat (proposal_id, member_id, pseudonym)"
        " select $1, * from unnest($2::uuid[], $3::text[])",
        proposal_id,
        members,
        pseudonyms,
    )


async def find_panel(reader: Transaction, *, proposal_id: UUID) -> Any | None:
    """Return a panel, or None."""
    return await reader.row("select * from panel where proposal_id = $1", proposal_id)


async def list_seats(reader: Transaction, *, proposal_id: UUID) -> list[Any]:
    """Return member_id, pseudonym and place of everybody on the list, by pseudonym."""
    return await reader.rows(
        "select member_id, pseudonym, place from panel_seat where proposal_id = $1"
        " order by pseudonym",
        proposal_id,
    )


async def record_draw(
    tx: Transaction, *, proposal_id: UUID, randomness: bytes, drawn_by: UUID, now: datetime
) -> bool:
    """Store the randomness of a draw; False where it was drawn before."""
    drawn = await tx.value(
        "update panel set randomness = $2, drawn_by = $3, drawn_at = $4"
        " where proposal_id = $1 and drawn_at is null returning true",
        proposal_id,
        randomness,
        drawn_by,
        now,
    )
    return bool(drawn)


async def seat_drawn(
    tx: Transaction, *, proposal_id: UUID, pseudonyms: Sequence[str]
) -> list[UUID]:
    """Give those drawn their places, in this order; return who they are, by id."""
    rows = await tx.rows(
        "update panel_seat s set place = d.place"
        " from unnest($2::text[]) with ordinality as d(pseudonym, place)"
        " where s.proposal_id = $1 and s.pseudonym = d.pseudonym returning s.member_id",
        proposal_id,
        pseudonyms,
    )
    return sorted(row["member_id"] for row in rows)


async def take_side(tx: Transaction, *, proposal_id: UUID, member_id: UUID, side: Side) -> bool:
    """Let a drawn member write on a side; False for who was not drawn or took the other one."""
    taken = await tx.value(
        "update panel_seat set side = $3 where proposal_id = $1 and member_id = $2"
        " and place is not null and coalesce(side, $3) = $3 returning true",
        proposal_id,
        member_id,
        str(side),
    )
    return bool(taken)


async def list_pages(reader: Transaction, *, proposal_id: UUID) -> list[Any]:
    """Return side, body, version and written_at of the pages written so far."""
    return await reader.rows(
        "select side, body, version, written_at from panel_page where proposal_id = $1",
        proposal_id,
    )


async def write_page(
    tx: Transaction,
    *,
    proposal_id: UUID,
    side: Side,
    body: str,
    version: int,
    written_by: UUID,
    now: datetime,
) -> bool:
    """Write a page over its `version`, 0 where there is none yet; False where it has changed."""
    written = await tx.value(
        "insert into panel_page as p (proposal_id, side, body, version, written_by, written_at)"
        " select $1, $2, $3, $4 + 1, $5, $6 where $4 = 0 or exists(select from panel_page"
        "  where proposal_id = $1 and side = $2)"
        " on conflict (proposal_id, side) do update set body = excluded.body,"
        " version = excluded.version, written_by = excluded.written_by,"
        " written_at = excluded.written_at where p.version = $4 returning true",
        proposal_id,
        str(side),
        body,
        version,
        written_by,
        now,
    )
    return bool(written)
