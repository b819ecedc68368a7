"""Has a vote sealed: keys from every issuer, the manifest, a seal from every issuer."""

from app.assembly.board import board_key_hex
from app.assembly.elections.issuers import Issuers, ask_all
from app.assembly.elections.queries import elections, rolls
from app.assembly.elections.rules import compose_manifest
from app.foundation.database import Database
from governance.manifest import Manifest, is_sealed_by_all


async def seal_terms(database: Database, *, election: elections.Election, issuers: Issuers) -> bool:
    """Take the next steps towards a sealed manifest; return whether every issuer has sealed it.

    Each answer is stored as it comes, so a round that is cut short begins again where it was. A
    manifest is composed once, when all keys are there, and never again.
    """
    manifest = election.manifest
    if manifest is None:
        manifest = await _manifest(database, election=election, issuers=issuers)
    if manifest is None:
        return False
    async with database.reading() as reader:
        answers = await elections.list_issuers(reader, election_id=election.id)
        lines = await rolls.list_roll(reader, election_id=election.id)

    async def seal(place: elections.IssuerAnswers) -> None:
        given = await issuers.get_seal(place.url, manifest=manifest, lines=lines)
        async with database.transaction() as tx:
            await elections.store_seal(
                tx, election_id=election.id, issuer_no=place.issuer_no, seal=given
            )

    await ask_all(seal(place) for place in answers if place.seal is None)
    async with database.reading() as reader:
        answers = await elections.list_issuers(reader, election_id=election.id)
    seals = [place.seal for place in answers if place.seal is not None]
    return is_sealed_by_all(manifest, seals=seals)


async def _manifest(
    database: Database, *, election: elections.Election, issuers: Issuers
) -> Manifest | None:
    """Return the manifest, once every issuer has given its keys."""
    async with database.reading() as reader:
        answers = await elections.list_issuers(reader, election_id=election.id)
    houses = [house.name for house in election.terms.houses]

    async def keep_keys(place: elections.IssuerAnswers) -> None:
        given = await issuers.get_keys(place.url, election_id=election.id, houses=houses)
        async with database.transaction() as tx:
            await elections.store_keys(
                tx, election_id=election.id, issuer_no=place.issuer_no, issuer=given
            )

    await ask_all(keep_keys(place) for place in answers if place.issuer is None)
    async with database.reading() as reader:
        answers = await elections.list_issuers(reader, election_id=election.id)
    given = [place.issuer for place in answers if place.issuer is not None]
    if len(given) < len(answers):
        return None
    manifest = compose_manifest(
        election.id,
        terms=election.terms,
        issuers=given,
        board_key=board_key_hex(issuers.board_key),
        opens_at=election.opens_at,
        closes_at=election.closes_at,
        published_by=election.published_by,
    )
    async with database.transaction() as tx:
        await elections.store_manifest(tx, election_id=election.id, manifest=manifest)
        # Another process may have been first: what is stored is the manifest.
        return await elections.find_manifest(tx, election_id=election.id)
