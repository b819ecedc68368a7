"""The public package of an election: all that anybody needs to recount it, and no name in it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.assembly.ballots.service import list_roots, read_box
from app.assembly.elections.queries import elections, rolls
from app.assembly.elections.service import count_box
from app.foundation.database import Transaction
from governance.ballot_box import BallotBox, public_package
from governance.manifest import Manifest
from governance.verify import Recount, recount


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a package is made of, as it lies in the tables."""

    manifest: Manifest
    seals: tuple[bytes, ...]
    rolls: tuple[tuple[str, ...], ...]
    logs: tuple[dict[str, Any], ...]
    revocations: tuple[dict[str, Any], ...]
    box: BallotBox
    roots: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """A package with the result that its box gives, and what the verifier found in it."""

    package: dict[str, Any]
    result: dict[str, Any]
    counted: tuple[int, ...]
    recount: Recount


async def read_pieces(reader: Transaction, *, election: elections.Election) -> Pieces:
    """Return what the package of a closed vote is made of."""
    assert election.manifest is not None, f"election {election.id} has no manifest"
    lines = await rolls.list_pseudonyms(reader, election_id=election.id)
    issuers = await elections.list_issuers(reader, election_id=election.id)
    revoked = await rolls.list_revocations(reader, election_id=election.id)
    return Pieces(
        manifest=election.manifest,
        seals=tuple(place.seal for place in issuers if place.seal is not None),
        rolls=tuple(
            tuple(line["member_hash"] for line in lines if line["house_no"] == house_no)
            for house_no in range(len(election.terms.houses))
        ),
        logs=tuple(await rolls.list_logs(reader, election_id=election.id)),
        revocations=tuple(row.document for row in revoked if row.document is not None),
        box=await read_box(reader, election_id=election.id),
        roots=tuple(await list_roots(reader, election_id=election.id)),
    )


def make_package(pieces: Pieces, *, result: Any) -> dict[str, Any]:
    """Return the package that announces a result."""
    return public_package(
        pieces.manifest,
        seals=pieces.seals,
        rolls=pieces.rolls,
        issuance=pieces.logs,
        revocations=pieces.revocations,
        box=pieces.box,
        roots=pieces.roots,
        result=result,
    )


async def count_and_verify(pieces: Pieces) -> Counted:
    """Count the box by the library's rule, and recount it by the verifier that members use."""
    return await asyncio.to_thread(_count_and_verify, pieces)


async def recount_as_announced(pieces: Pieces, *, result: Any) -> Recount:
    """Return what the verifier finds in the package of a result that was announced."""
    return await asyncio.to_thread(lambda: recount(make_package(pieces, result=result)))


def faults_of(found: Recount) -> Sequence[tuple[str, str]]:
    """Return kind and detail of each fault, in the verifier's words."""
    return [(fault.kind.value, fault.detail) for fault in found.faults]


def _count_and_verify(pieces: Pieces) -> Counted:
    count = count_box(pieces.manifest, box=pieces.box)
    package = make_package(pieces, result=count.result)
    return Counted(package, count.result, count.counted, recount(package))
