"""Every statement of the ballot box."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.assembly.ballots.sealing import SealedBallot
from app.foundation.database import Transaction

_BOX_LOCK = "hashtextextended('ballot box ' || $1, 0)"


@dataclass(frozen=True, slots=True)
class BoxState:
    """Which batch is being filled, and whether anything more is taken."""

    batch_no: int
    is_closed: bool


@dataclass(frozen=True, slots=True)
class BoxedBallot:
    """A ballot as it goes into the box."""

    vote_key: bytes
    sequence: int
    leaf: bytes
    document: dict[str, Any]


async def hold_batch(tx: Transaction, *, election_id: UUID) -> BoxState:
    """Hold the batch that is being filled until the transaction ends, beside other casters."""
    await tx.execute(f"select pg_advisory_xact_lock_shared({_BOX_LOCK})", str(election_id))
    # A statement of its own: it must see what was committed while we waited for the lock.
    return await find_box(tx, election_id=election_id)


async def hold_box(tx: Transaction, *, election_id: UUID) -> BoxState:
    """Hold the whole box until the transaction ends: nobody casts meanwhile."""
    # A box of tens of thousands is unsealed and written within this one transaction.
    await tx.execute(
        "set local statement_timeout = '60s'; set local idle_in_transaction_session_timeout = '60s'"
    )
    await tx.execute(f"select pg_advisory_xact_lock({_BOX_LOCK})", str(election_id))
    return await find_box(tx, election_id=election_id)


async def find_box(reader: Transaction, *, election_id: UUID) -> BoxState:
    """Return where the box stands; one that nobody published yet fills its first batch."""
    row = await reader.row(
        "select batch_no, is_closed from ballot_box where election_id = $1", election_id
    )
    return BoxState(**row) if row else BoxState(batch_no=1, is_closed=False)


async def store_box(tx: Transaction, *, election_id: UUID, box: BoxState) -> None:
    """Say where the box stands from now on."""
    await tx.execute(
        "insert into ballot_box (election_id, batch_no, is_closed) values ($1, $2, $3)"
        " on conflict (election_id) do update set batch_no = $2, is_closed = $3",
        election_id,
        box.batch_no,
        box.is_closed,
    )


async def find_leaf(
    reader: Transaction, *, election_id: UUID, vote_key: bytes, sequence: int
) -> bytes | None:
    """Return the leaf of the ballot with this key and sequence in the box, or None."""
    leaf: bytes | None = await reader.value(
        "select leaf from ballot where election_id = $1 and vote_key = $2 and sequence = $3",
        election_id,
        vote_key,
        sequence,
    )
    return leaf


async def store_pending(
    tx: Transaction, *, election_id: UUID, row: SealedBallot
) -> SealedBallot | None:
    """Store a sealed ballot; return what was sealed under its index before, or None.

    A transaction that stores the same index at this moment is waited for. Nothing is written
    where something is there, so that a repeat leaves no trace.
    """
    stored = await tx.value(
        "insert into pending_ballot (election_id, blind_index, sealed) values ($1, $2, $3)"
        " on conflict do nothing returning true",
        election_id,
        row.blind_index,
        row.sealed,
    )
    if stored:
        return None
    earlier: bytes = await tx.value(
        "select sealed from pending_ballot where election_id = $1 and blind_index = $2",
        election_id,
        row.blind_index,
    )
    return SealedBallot(blind_index=row.blind_index, sealed=earlier)


async def count_pending(reader: Transaction, *, election_id: UUID) -> int:
    """Return how many ballots wait for their batch."""
    count: int = await reader.value(
        "select count(*) from pending_ballot where election_id = $1", election_id
    )
    return count


async def list_pending(reader: Transaction, *, election_id: UUID) -> list[SealedBallot]:
    """Return every ballot that waits for its batch."""
    rows = await reader.rows(
        "select blind_index, sealed from pending_ballot where election_id = $1", election_id
    )
    return [SealedBallot(**row) for row in rows]


async def delete_pending(tx: Transaction, *, election_id: UUID) -> None:
    """Remove every ballot that waits; the caller holds the box and has put them in."""
    await tx.execute("delete from pending_ballot where election_id = $1", election_id)


async def insert_batch(
    tx: Transaction, *, election_id: UUID, batch_no: int, ballots: Sequence[BoxedBallot]
) -> None:
    """Put a batch into the box in one statement, in the order of the leaves, whatever came in."""
    await tx.execute(
        "insert into ballot (election_id, vote_key, sequence, leaf, batch_no, document)"
        " select $1, b.vote_key, b.sequence, b.leaf, $2, b.document"
        " from unnest($3::bytea[], $4::int[], $5::bytea[], $6::jsonb[])"
        "  as b(vote_key, sequence, leaf, document) order by b.leaf",
        election_id,
        batch_no,
        [ballot.vote_key for ballot in ballots],
        [ballot.sequence for ballot in ballots],
        [ballot.leaf for ballot in ballots],
        [ballot.document for ballot in ballots],
    )


async def list_leaves(reader: Transaction, *, election_id: UUID) -> list[bytes]:
    """Return the leaves of the box in its order."""
    rows = await reader.rows(
        "select leaf from ballot where election_id = $1 order by batch_no, leaf", election_id
    )
    return [row["leaf"] for row in rows]


async def count_ballots(reader: Transaction, *, election_id: UUID) -> int:
    """Return how many ballots lie in the box."""
    count: int = await reader.value(
        "select count(*) from ballot where election_id = $1", election_id
    )
    return count


async def list_documents(
    reader: Transaction, *, election_id: UUID, skip: int = 0, limit: int | None = None
) -> list[dict[str, Any]]:
    """Return the ballots of the box in its order, from place ``skip`` on."""
    rows = await reader.rows(
        "select document from ballot where election_id = $1 order by batch_no, leaf"
        " offset $2 limit $3",
        election_id,
        skip,
        limit,
    )
    return [row["document"] for row in rows]


async def insert_root(
    tx: Transaction, *, election_id: UUID, size: int, document: dict[str, Any]
) -> None:
    """Store the signed root over the first ``size`` ballots."""
    await tx.execute(
        "insert into board_root (election_id, size, document) values ($1, $2, $3)",
        election_id,
        size,
        document,
    )


async def list_roots(reader: Transaction, *, election_id: UUID) -> list[dict[str, Any]]:
    """Return every signed root, the first one first."""
    rows = await reader.rows(
        "select document from board_root where election_id = $1 order by size", election_id
    )
    return [row["document"] for row in rows]


async def has_leaf(reader: Transaction, *, election_id: UUID, leaf: bytes) -> bool:
    """Return whether a ballot with this leaf lies in the box."""
    found: bool = await reader.value(
        "select exists (select from ballot where election_id = $1 and leaf = $2)",
        election_id,
        leaf,
    )
    return found


async def insert_objection(
    tx: Transaction, *, election_id: UUID, leaf: bytes, receipt: Mapping[str, Any]
) -> None:
    """Keep a receipt whose ballot is missing."""
    await tx.execute(
        "insert into objection (election_id, leaf, receipt) values ($1, $2, $3)",
        election_id,
        leaf,
        dict(receipt),
    )


async def list_objections(reader: Transaction, *, election_id: UUID) -> list[dict[str, Any]]:
    """Return the receipts whose ballots are missing, in the order of their leaves."""
    rows = await reader.rows(
        "select receipt from objection where election_id = $1 order by leaf", election_id
    )
    return [row["receipt"] for row in rows]
