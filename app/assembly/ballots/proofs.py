"""What anybody may know of a box while the vote runs: its size, its roots, and proofs of both."""

import asyncio
from typing import Any
from uuid import UUID

from app.assembly.ballots import queries
from app.foundation.database import Transaction
from app.foundation.problems import NotFound
from governance.manifest import Manifest, time_text
from governance.merkle import consistency_proof, inclusion_proof


async def describe_box(
    reader: Transaction, *, election_id: UUID, manifest: Manifest
) -> dict[str, Any]:
    """Return how many ballots lie in the box, whether it takes more, and when it is complete."""
    box = await queries.find_box(reader, election_id=election_id)
    return {
        "size": await queries.count_ballots(reader, election_id=election_id),
        "is_closed": box.is_closed,
        "published_by": time_text(manifest.published_by),
    }


async def prove_inclusion(reader: Transaction, *, election_id: UUID, leaf: bytes) -> dict[str, Any]:
    """Return the proof that the ballot with this leaf lies under the newest root.

    Raises:
        NotFound: it is not in the box, or still waits for its batch.
    """
    leaves = await queries.list_leaves(reader, election_id=election_id)
    if leaf not in leaves:
        raise NotFound
    index = leaves.index(leaf)
    proof = await asyncio.to_thread(inclusion_proof, leaves, index=index)
    # The root of these very leaves: a batch may have come since they were read.
    roots = await queries.list_roots(reader, election_id=election_id)
    [root] = [signed for signed in roots if signed["size"] == len(leaves)]
    return {
        "leaf": leaf.hex(),
        "index": index,
        "size": len(leaves),
        "proof": [node.hex() for node in proof],
        "root": root,
    }


async def prove_consistency(
    reader: Transaction, *, election_id: UUID, old_size: int
) -> dict[str, Any]:
    """Return the proof that the box of ``old_size`` ballots, at least one, begins today's.

    Raises:
        NotFound: the box was never that large.
    """
    leaves = await queries.list_leaves(reader, election_id=election_id)
    if old_size > len(leaves):
        raise NotFound
    proof = await asyncio.to_thread(consistency_proof, leaves, old_size=old_size)
    return {
        "old_size": old_size,
        "size": len(leaves),
        "proof": [node.hex() for node in proof],
    }
