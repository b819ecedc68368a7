"""Takes ballots without a name, and puts them into the box by whole batches.

A caster holds the batch that is being filled, beside other casters; who publishes holds the whole
box alone. So a batch is everything that waits, nothing waits for two batches, and of one vote key
and sequence number there is one ballot: among the waiting the blind index says so, in the box the
primary key.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.assembly.ballots import queries
from app.assembly.ballots.batch_keys import (
    destroy_batch_keys,
    find_batch_key,
    has_batch_key,
    keep_batch_key,
)
from app.assembly.ballots.errors import (
    BallotBoxAway,
    BallotRefused,
    SequenceTaken,
    VoteClosed,
    VoteNotOpen,
)
from app.assembly.ballots.mirrors import MirrorDisagrees, append_to_mirror
from app.assembly.ballots.queries import BoxedBallot, BoxState
from app.assembly.ballots.sealing import (
    BALLOTS_PER_KEY,
    BatchKey,
    SealedBallot,
    largest_ballot_bytes,
)
from app.assembly.board import board_key_hex, load_board_key
from app.foundation.database import Database, Transaction
from app.settings import Settings
from governance.ballot_box import (
    Ballot,
    BallotBox,
    ballot_from,
    check_ballot,
    sign_receipt,
    sign_root,
)
from governance.ballot_rule import BALLOT_RULES
from governance.manifest import Manifest, time_text

MIRROR_TIMEOUT_S = 10

log = structlog.get_logger("ballots")


class BatchKeyLost(Exception):
    """Ballots with receipts wait whose key is gone: home was lost, or a database was put back.

    Nobody can read them any more, so the vote cannot be counted honestly and people must decide.
    If the home folder lies on another machine, put it in place and all goes on.
    """


async def accept_ballot(
    database: Database,
    *,
    election_id: UUID,
    manifest: Manifest,
    document: Mapping[str, Any],
    home: Path,
    now: datetime,
) -> dict[str, Any]:
    """Return the board's receipt; the ballot is stored then, sealed, and is in the next batch.

    The same ballot again gets the same receipt, however often and whenever it comes. Nothing that
    is stored says when it came or from whom, and a receipt is due when all are.

    Raises:
        VoteNotOpen, VoteClosed: it came too early or too late.
        BallotRefused: not a ballot of this vote, or a value that its rule does not admit.
        SequenceTaken: another ballot has this vote key and sequence number.
        BallotBoxAway: this machine does not hold the board's key, or that of ballots that wait.
    """
    if now < manifest.opens_at:
        raise VoteNotOpen(opens_at=time_text(manifest.opens_at))
    if now >= manifest.closes_at:
        raise _closed(manifest)
    ballot = _checked(document, manifest=manifest)
    board_key = await _board_key(manifest, home=home)
    leaf = ballot.leaf()
    async with database.transaction() as tx:
        box = await queries.hold_batch(tx, election_id=election_id)
        # The clock said it was in time, and yet the last batch was put in while it waited here.
        if box.is_closed:
            raise _closed(manifest)
        known = await queries.find_leaf(
            tx, election_id=election_id, vote_key=ballot.vote_key, sequence=ballot.sequence
        )
        if known is None:
            key = await _sealing_key(tx, box=box, election_id=election_id, home=home)
            sealed = key.seal(ballot, size_bytes=largest_ballot_bytes(manifest))
            earlier = await queries.store_pending(tx, election_id=election_id, row=sealed)
            known = leaf if earlier is None else key.unseal(earlier).leaf()
        if known != leaf:
            raise SequenceTaken
    return sign_receipt(ballot, board_key=board_key, due_at=manifest.published_by)


async def publish_batch(
    database: Database,
    *,
    election_id: UUID,
    manifest: Manifest,
    settings: Settings,
    now: datetime,
    at_close: bool = False,
) -> int:
    """Put all that waits into the box under a signed root; return how many ballots that were.

    Without ``at_close`` nothing goes in below the least size of a batch. With it, allowed from
    closing time on, whatever waits goes in, an empty box gets its root too, and the box takes
    nothing more. Any number of calls from any process do no harm, and each makes good what a
    crash left undone: keys of batches that are in are destroyed, mirrors get the roots they lack.

    Raises:
        ValueError: ``at_close`` before closing time.
        BallotBoxAway: this machine does not hold the board's key.
        BatchKeyLost: ballots wait, however few, and this machine cannot read them.
    """
    if at_close and now < manifest.closes_at:
        raise ValueError("a box is closed from closing time on")
    board_key = await _board_key(manifest, home=settings.home)
    async with database.reading() as reader:
        waiting = await queries.count_pending(reader, election_id=election_id)
        box = await queries.find_box(reader, election_id=election_id)
    published = 0
    # Whoever waits shall not learn at the close only that nobody can open what waits.
    unread = waiting > 0 and not await asyncio.to_thread(
        has_batch_key, settings.home, election_id=election_id, batch_no=box.batch_no
    )
    if unread or waiting >= settings.ballot_batch or (at_close and not box.is_closed):
        async with database.transaction() as tx:
            box = await queries.hold_box(tx, election_id=election_id)
            batch = await _waiting_ballots(tx, box=box, election_id=election_id, home=settings.home)
            # Another process may have put them in while this one waited for the box.
            if len(batch) >= settings.ballot_batch or (at_close and not box.is_closed):
                await _put_in(
                    tx,
                    election_id=election_id,
                    manifest=manifest,
                    batch=batch,
                    box=box,
                    board_key=board_key,
                    now=now,
                )
                box = BoxState(batch_no=box.batch_no + 1, is_closed=at_close)
                await queries.store_box(tx, election_id=election_id, box=box)
                published = len(batch)
    await asyncio.to_thread(
        destroy_batch_keys, settings.home, election_id=election_id, before=box.batch_no
    )
    await _fill_mirrors(database, election_id=election_id, mirrors=settings.ballot_mirrors)
    return published


async def read_box(reader: Transaction, *, election_id: UUID) -> BallotBox:
    """Return all ballots that lie in the box, in its order."""
    documents = await queries.list_documents(reader, election_id=election_id)
    return BallotBox(tuple(ballot_from(document) for document in documents))


async def list_roots(reader: Transaction, *, election_id: UUID) -> list[dict[str, Any]]:
    """Return the signed roots of the box, the first one first."""
    return await queries.list_roots(reader, election_id=election_id)


def _closed(manifest: Manifest) -> VoteClosed:
    return VoteClosed(closes_at=time_text(manifest.closes_at))


def _checked(document: Mapping[str, Any], *, manifest: Manifest) -> Ballot:
    """Return the ballot; it is signed, stamped by every issuer, and says what the rule admits."""
    try:
        ballot = ballot_from(document)
        check_ballot(ballot, manifest=manifest)
    except ValueError as wrong:
        raise BallotRefused(str(wrong)) from None
    if not 0 <= ballot.sequence < BALLOTS_PER_KEY:
        raise BallotRefused(f"sequence numbers are from 0 to {BALLOTS_PER_KEY - 1}")
    if not BALLOT_RULES[manifest.rule].admits(ballot.value, manifest.parameters):
        raise BallotRefused("the rule of this vote does not admit this value")
    return ballot


async def _board_key(manifest: Manifest, *, home: Path) -> Ed25519PrivateKey:
    key = await asyncio.to_thread(load_board_key, home)
    if board_key_hex(key) != manifest.board_key:
        # Not a word to the caller about keys: the operator reads it here.
        log.error("ballots.board_key.differs", election=manifest.election)
        raise BallotBoxAway(retry_after_s=60)
    return key


async def _sealing_key(
    tx: Transaction, *, box: BoxState, election_id: UUID, home: Path
) -> BatchKey:
    """Return the key of the batch that is being filled; the first ballot makes it."""
    find = partial(find_batch_key, home, election_id=election_id, batch_no=box.batch_no)
    key = await asyncio.to_thread(find)
    if key is not None:
        return key
    if not await queries.count_pending(tx, election_id=election_id):
        keep = partial(keep_batch_key, home, election_id=election_id, batch_no=box.batch_no)
        return await asyncio.to_thread(keep)
    # Another caster may have made it since we looked, and its ballot is what we counted.
    key = await asyncio.to_thread(find)
    if key is None:
        # Beside a second key nobody could read this batch, nor see that a ballot is there already.
        log.error("ballots.batch_key.lost", election=str(election_id))
        raise BallotBoxAway(retry_after_s=60)
    return key


async def _waiting_ballots(
    tx: Transaction, *, box: BoxState, election_id: UUID, home: Path
) -> list[BoxedBallot]:
    rows = await queries.list_pending(tx, election_id=election_id)
    if not rows:
        return []
    key = await asyncio.to_thread(
        find_batch_key, home, election_id=election_id, batch_no=box.batch_no
    )
    # Whoever has a receipt will show it, so nothing is passed over in silence.
    if key is None:
        raise BatchKeyLost(f"the key of {len(rows)} ballots that wait for their batch is gone")
    try:
        return await asyncio.to_thread(_unseal_all, key, rows)
    except InvalidTag:
        raise BatchKeyLost(
            "some ballots that wait for their batch were sealed under another key"
        ) from None


def _unseal_all(key: BatchKey, rows: list[SealedBallot]) -> list[BoxedBallot]:
    return [
        BoxedBallot(
            vote_key=ballot.vote_key,
            sequence=ballot.sequence,
            leaf=ballot.leaf(),
            document=ballot.document(),
        )
        for ballot in (key.unseal(row) for row in rows)
    ]


async def _put_in(
    tx: Transaction,
    *,
    election_id: UUID,
    manifest: Manifest,
    batch: list[BoxedBallot],
    box: BoxState,
    board_key: Ed25519PrivateKey,
    now: datetime,
) -> None:
    """The batch lies in the box under a signed root, and waits no more."""
    before = await queries.list_leaves(tx, election_id=election_id)
    roots = await queries.list_roots(tx, election_id=election_id)
    await queries.insert_batch(tx, election_id=election_id, batch_no=box.batch_no, ballots=batch)
    await queries.delete_pending(tx, election_id=election_id)
    # A box that closes with nothing new has its last root already.
    if roots and not batch:
        return
    leaves = [*before, *sorted(ballot.leaf for ballot in batch)]
    # Roots follow each other even where a clock was set back.
    times = [now, *(datetime.fromisoformat(signed["published_at"]) for signed in roots)]
    signed = await asyncio.to_thread(
        sign_root, manifest, leaves=leaves, board_key=board_key, published_at=max(times)
    )
    await queries.insert_root(tx, election_id=election_id, size=len(leaves), document=signed)


async def _fill_mirrors(database: Database, *, election_id: UUID, mirrors: tuple[str, ...]) -> None:
    """Each mirror that can be reached holds every root; what fails is tried at the next call."""
    if not mirrors:
        return
    async with database.reading() as reader:
        roots = await queries.list_roots(reader, election_id=election_id)
    for folder in mirrors:
        try:
            async with asyncio.timeout(MIRROR_TIMEOUT_S):
                await asyncio.to_thread(
                    append_to_mirror, Path(folder), election_id=election_id, roots=roots
                )
        except MirrorDisagrees:
            log.exception("ballots.mirror.disagrees", folder=folder, election=str(election_id))
        except (OSError, TimeoutError) as away:
            log.warning("ballots.mirror.away", folder=folder, error=type(away).__name__)
