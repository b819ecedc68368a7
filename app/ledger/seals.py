"""Seals the books beside their writing, and proves that a journal is in them.

Journals are sealed in blocks, each under a Merkle root; heads are chained and signed. Writers
never wait for it: only what no open transaction can add to any more is sealed, so a transaction
that stays open for long holds the seals back, which a metric shows.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.foundation import metrics
from app.foundation.database import Database, Transaction
from app.foundation.secret_file import keep_secret
from app.ledger import seal_queries as queries
from app.ledger.refusals import refusing
from app.ledger.seal_codes import give_secrets, keep_codes, show_journals
from governance.merkle import inclusion_proof, root
from governance.sealing import (
    FIRST_PREVIOUS,
    SALT_BYTES,
    Seal,
    hidden_hash,
    journal_leaf,
)

SEAL_KEY_FILE = "seal.key"
MOST_IN_A_BLOCK = 2_000
MOST_BLOCKS = 20  # of one round; the next one comes soon
LATE_S = 60.0

log = structlog.get_logger("seals")


@cache
def load_seal_key(home: Path) -> Ed25519PrivateKey:
    """Return the key of the seals from a file in home, made at the first call.

    Every seal names its public half. The first call blocks: make it in a thread.
    """
    return Ed25519PrivateKey.from_private_bytes(keep_secret(home / SEAL_KEY_FILE))


@dataclass(frozen=True, slots=True)
class JournalProof:
    """Where a journal is sealed, and what shows it: the path leads from the leaf to the root.

    `salt` and `hidden_part` are None once a person who had a part in the journal was erased.
    """

    journal_id: int
    height: int
    position: int
    leaf: bytes
    path: tuple[bytes, ...]
    root: bytes
    salt: bytes | None
    hidden: bytes
    hidden_part: Mapping[str, Any] | None
    shown: Mapping[str, Any]
    seal: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Return it as a file that `meent-verify` reads."""
        return {
            "format": "meent-journal-proof:1",
            "seal": dict(self.seal),
            "position": self.position,
            "path": [step.hex() for step in self.path],
            "shown": dict(self.shown),
            "hidden": self.hidden.hex(),
            "salt": self.salt.hex() if self.salt else None,
            "hidden_part": dict(self.hidden_part) if self.hidden_part else None,
        }


async def keep_sealed(database: Database, *, home: Path, now: datetime) -> int:
    """Seal what can be sealed, block after block: a round of a worker. Return how many journals."""
    key = await asyncio.to_thread(load_seal_key, home)
    sealed = 0
    for _ in range(MOST_BLOCKS):
        added = await seal_block(database, key=key, now=now)
        sealed += added
        if added < MOST_IN_A_BLOCK:
            break
    async with database.transaction() as tx:
        epoch, (through, after) = await _begin(tx, now=now)
        waited_s = 0.0
        if epoch is not None:
            waited_s = await queries.lag_s(tx, through_journal=through, after=after)
    metrics.SEAL_LAG_SECONDS.set(waited_s)
    if waited_s > LATE_S:
        log.warning("seals.late", lag_s=waited_s, hint="is a transaction open for long?")
    return sealed


async def seal_block(
    database: Database, *, key: Ed25519PrivateKey, now: datetime, most: int = MOST_IN_A_BLOCK
) -> int:
    """Seal up to so many journals in one block; return how many, 0 where nothing was to be sealed.

    Nothing is sealed either while another process does it.
    """
    async with database.transaction() as tx:
        if not await queries.take_turn(tx):
            return 0
        epoch, (through, after) = await _begin(tx, now=now)
        if epoch is None:
            return 0
        rows: list[Any] = []
        if after[0] == 0:
            rows = await queries.list_old(
                tx, through_journal=through, after_journal=after[1], limit=most
            )
        is_old = bool(rows)
        if not rows:
            rows = await queries.list_final(tx, through_journal=through, after=after, limit=most)
        if not rows:
            return 0
        last_xid = 0 if is_old else rows[-1]["xid"]
        await _seal(tx, rows, key=key, epoch=epoch, last_xid=last_xid, now=now)
        return len(rows)


async def find_proof(reader: Transaction, *, journal_id: int) -> JournalProof | None:
    """Return what shows a journal to be sealed; None where it is not sealed yet, or is none."""
    row = await queries.find_sealed(reader, journal_id=journal_id)
    if row is None:
        return None
    head = await queries.find_seal(reader, height=row["height"])
    assert head is not None, "every leaf has its seal"
    leaves = await queries.list_leaves(reader, height=row["height"])
    shown = await show_journals(reader, [row])
    path = await asyncio.to_thread(inclusion_proof, leaves, index=row["position"])
    return JournalProof(
        journal_id=journal_id,
        height=row["height"],
        position=row["position"],
        leaf=row["leaf"],
        path=path,
        root=head["root"],
        salt=row["salt"],
        hidden=row["hidden"],
        hidden_part=hidden_part_of(row) if row["salt"] else None,
        shown=shown[0],
        seal=head_document(head),
    )


async def erase_person(tx: Transaction, *, member_id: UUID) -> int:
    """Delete a person's secrets, and the salts of all their journals; return how many salts.

    Amounts, quarters of an hour and codes stay, since the books of others hang on them; what goes
    is any proof that a journal in them was this person's, and what tied their lines together. It
    waits for who is sealing, and until the commit nothing more is sealed.

    Raises:
        MoneyStands: money stands on an account of the person, or is set aside there.
        SealAwaited: a journal of theirs waits to be sealed.
    """
    # A journal that is sealed between the two would have a secret, and no code that is kept.
    await queries.wait_for_turn(tx)
    await keep_codes(tx, member_id=member_id)
    with refusing():
        return await queries.erase_salts(tx, member_id=member_id)


async def show_block(reader: Transaction, *, height: int) -> list[dict[str, Any]]:
    """Return what is published of each journal of a block: what is shown, and a hash of the rest.

    A journal that is gone is not in it.
    """
    rows = [
        row for row in await queries.list_sealed(reader, height=height) if row["id"] is not None
    ]
    shown = await show_journals(reader, rows)
    return [
        {"shown": one, "hidden": row["hidden"].hex()} for row, one in zip(rows, shown, strict=True)
    ]


def head_document(head: Mapping[str, Any]) -> dict[str, Any]:
    """Return a head as it is published: what was signed, the hash and the signature."""
    return seal_of(head).document() | {
        "hash": head["hash"].hex(),
        "signature": head["signature"].hex(),
    }


async def _begin(
    tx: Transaction, *, now: datetime
) -> tuple[int | None, tuple[int, tuple[int, int]]]:
    """Return the epoch, None while somebody posts at its beginning; and after what to go on."""
    try:
        async with tx.connection.transaction():
            epoch = await queries.begin_epoch_if_new(tx, at=now)
    except asyncpg.LockNotAvailableError:
        return None, (0, (0, 0))
    assert epoch is not None, "an epoch was begun"
    last = await queries.last_seal(tx)
    after = (0, 0)
    if last is not None and last["epoch"] == epoch["epoch"]:
        after = (last["last_xid"], last["last_journal"])
    return epoch["epoch"], (epoch["through_journal"], after)


async def _seal(
    tx: Transaction,
    rows: Sequence[Any],
    *,
    key: Ed25519PrivateKey,
    epoch: int,
    last_xid: int,
    now: datetime,
) -> None:
    """Write the block of these journals behind the last one."""
    await give_secrets(tx, rows)
    shown = await show_journals(tx, rows)
    last = await queries.last_seal(tx)
    random = os.urandom(SALT_BYTES * len(rows))
    salts = [random[at : at + SALT_BYTES] for at in range(0, len(random), SALT_BYTES)]
    hidden, leaves, block_root = await asyncio.to_thread(_hash, rows, shown, salts)
    seal = Seal(
        height=last["height"] + 1 if last else 1,
        epoch=epoch,
        size=len(rows),
        root=block_root,
        previous=last["hash"] if last else FIRST_PREVIOUS,
        key=key.public_key().public_bytes_raw(),
        sealed_at=now,
    )
    await queries.insert_seal(
        tx,
        row=(
            seal.height,
            epoch,
            last_xid,
            rows[-1]["id"],
            seal.size,
            seal.root,
            seal.previous,
            seal.hash,
            seal.key,
            seal.sign(key),
            now,
        ),
    )
    await queries.insert_leaves(
        tx,
        height=seal.height,
        journal_ids=[row["id"] for row in rows],
        leaves=leaves,
        hidden=hidden,
        salts=salts,
    )


def _hash(
    rows: Sequence[Any], shown: Sequence[Mapping[str, Any]], salts: Sequence[bytes]
) -> tuple[list[bytes], list[bytes], bytes]:
    """Return what is hidden of each journal as a hash, the leaves, and their root."""
    hidden = [
        hidden_hash(hidden_part_of(row), salt=salt) for row, salt in zip(rows, salts, strict=True)
    ]
    leaves = [journal_leaf(one, hidden=part) for one, part in zip(shown, hidden, strict=True)]
    return hidden, leaves, root(leaves)


def hidden_part_of(row: Any) -> dict[str, Any]:
    """Return what of a journal only its own people are shown."""
    return {
        "scope": row["idem_scope"],
        "key": row["idem_key"],
        "fingerprint": row["fingerprint"].hex(),
        "subject_id": str(row["subject_id"]),
        "policy_version_id": str(row["policy_version_id"]) if row["policy_version_id"] else None,
        "effective_at": row["effective_at"].astimezone(UTC).isoformat(),
        "recorded_at": row["recorded_at"].astimezone(UTC).isoformat(),
        "accounts": [[str(a), str(b)] for a, b in zip(row["debits"], row["credits"], strict=True)],
    }


def seal_of(head: Mapping[str, Any]) -> Seal:
    """Return a stored head as what was signed."""
    names = ("height", "epoch", "size", "root", "previous", "key", "sealed_at")
    return Seal(**{name: head[name] for name in names})
