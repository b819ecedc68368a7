"""Ends a seat whose membership ended during the vote: no stamp after it, and a signed record."""

from collections.abc import Sequence

from app.assembly.elections.issuers import Issuers, ask_all
from app.assembly.elections.queries import elections, rolls
from app.foundation.database import Database
from governance.credential import IssuanceLog, publish_revocation, revoke


async def revoke_ended(
    database: Database, *, election: elections.Election, issuers: Issuers, find_new: bool
) -> bool:
    """Give each issuer the order for every seat that ended; return whether all is recorded.

    One membership after the other, in one order for all, since each record fixes the logs up to
    it. With `find_new` seats that ended since the last round are noted first. A stamp given before
    cannot be taken back, as nobody knows which ballot it is on: the record says how many there
    were.
    """
    async with database.transaction() as tx:
        if find_new:
            await rolls.record_ended(tx, election_id=election.id)
        waiting = [
            row
            for row in await rolls.list_revocations(tx, election_id=election.id)
            if row.document is None
        ]
        answers = await elections.list_issuers(tx, election_id=election.id)
    for row in waiting:
        if not await _revoke(database, election=election, issuers=issuers, row=row, places=answers):
            return False
    return True


async def _revoke(
    database: Database,
    *,
    election: elections.Election,
    issuers: Issuers,
    row: rolls.RevocationRow,
    places: Sequence[elections.IssuerAnswers],
) -> bool:
    async def order(place: elections.IssuerAnswers) -> None:
        stamped = await issuers.revoke(
            place.url, election_id=election.id, house_no=row.house_no, member=row.member_hash
        )
        async with database.transaction() as tx:
            await rolls.store_revocation_answer(
                tx,
                election_id=election.id,
                member_hash=row.member_hash,
                issuer_no=place.issuer_no,
                stamped=stamped,
            )

    if not await ask_all(order(place) for place in places if place.issuer_no not in row.answers):
        return False
    async with database.transaction() as tx:
        known = {
            other.member_hash: other
            for other in await rolls.list_revocations(tx, election_id=election.id)
        }
        told = known[row.member_hash].answers
        assert election.manifest is not None, "who revokes has a manifest"
        revocation = revoke(
            row.member_hash,
            logs=[IssuanceLog(number, row.house_no, told[number]) for number in range(len(places))],
        )
        document = publish_revocation(
            election.manifest, revocation=revocation, board_key=issuers.board_key
        )
        await rolls.store_revocation(
            tx, election_id=election.id, member_hash=row.member_hash, document=document
        )
    return True
