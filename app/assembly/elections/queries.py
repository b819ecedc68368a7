"""Every statement about elections: their terms, rolls, issuers, logs and tallies."""

from uuid import UUID

from app.foundation.database import Transaction
from governance.manifest import Manifest, manifest_from


async def find_manifest(reader: Transaction, *, election_id: UUID) -> Manifest | None:
    """Return the frozen terms of an election, or None while its issuers give their keys."""
    document = await reader.value("select manifest from election where id = $1", election_id)
    return None if document is None else manifest_from(document)
