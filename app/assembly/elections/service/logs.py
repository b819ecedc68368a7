"""Mirrors the issuers' public logs, and asks each member named there: was it you?"""

from datetime import datetime
from typing import Any

from app.assembly.elections.issuers import Issuers, ask_all
from app.assembly.elections.queries import elections, rolls
from app.foundation.database import Database, Transaction
from app.foundation.events import Event


async def mirror_logs(
    database: Database, *, election: elections.Election, issuers: Issuers, now: datetime
) -> None:
    """Note whom the logs name by now, and tell those who are new on one.

    What is kept tells neither when a member was stamped nor in which order: a round notes all that
    came since the last one, sorted.
    """

    async def mirror(place: elections.IssuerAnswers) -> None:
        logs = await _logs(issuers, place=place, election=election)
        async with database.transaction() as tx:
            await _note(tx, election=election, place=place, logs=logs, now=now)

    await ask_all(mirror(place) for place in await _places(database, election))


async def collect_final_logs(
    database: Database, *, election: elections.Election, issuers: Issuers, now: datetime
) -> bool:
    """Keep every issuer's log as signed after closing; return whether all are there.

    Also notes whom they name, as `mirror_logs` does. A log that is kept is never replaced.
    """
    async with database.reading() as reader:
        kept = await rolls.list_logs(reader, election_id=election.id)
    known = {log["issuer"] for log in kept}

    async def collect(place: elections.IssuerAnswers) -> None:
        logs = await _logs(issuers, place=place, election=election)
        async with database.transaction() as tx:
            await _note(tx, election=election, place=place, logs=logs, now=now)
            for log in logs:
                await rolls.store_log(
                    tx,
                    election_id=election.id,
                    issuer_no=place.issuer_no,
                    house_no=log["house"],
                    document=log,
                )

    places = await _places(database, election)
    return await ask_all(collect(place) for place in places if place.issuer_no not in known)


async def _places(
    database: Database, election: elections.Election
) -> list[elections.IssuerAnswers]:
    async with database.reading() as reader:
        return await elections.list_issuers(reader, election_id=election.id)


async def _logs(
    issuers: Issuers, *, place: elections.IssuerAnswers, election: elections.Election
) -> list[dict[str, Any]]:
    return await issuers.get_logs(
        place.url,
        election_id=election.id,
        issuer_no=place.issuer_no,
        houses=len(election.terms.houses),
    )


async def _note(
    tx: Transaction,
    *,
    election: elections.Election,
    place: elections.IssuerAnswers,
    logs: list[dict[str, Any]],
    now: datetime,
) -> None:
    assert place.issuer is not None, "an issuer that has a log has given its keys"
    for log in logs:
        new = await rolls.mirror_log(
            tx,
            election_id=election.id,
            issuer_no=place.issuer_no,
            house_no=log["house"],
            members=log["members"],
        )
        told = {
            "election_id": str(election.id),
            "proposal_id": str(election.proposal_id),
            "question": election.terms.question,
            "issuer": place.issuer.name,
            "asks": "A credential was issued in your name: was it you?",
        }
        for member_id in new:
            tx.emit(Event("credential.issued", (member_id,), told), at=now)
