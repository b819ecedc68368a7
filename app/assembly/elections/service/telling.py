"""Tells members what they need to vote, each thing once: never that somebody has voted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.elections.notices import EVENTS, Alarm, Notice, reminders_due
from app.assembly.elections.queries import elections, rolls
from app.assembly.proposals.service import Proposal
from app.assembly.stream import ASSEMBLY_STREAM
from app.foundation.database import Database
from app.foundation.events import Event
from app.members.service.register import list_register

# Each is one event in one stream; a transaction that writes more holds their locks too long.
AT_ONCE = 200


async def tell_missing_keys(database: Database, *, proposal: Proposal, now: datetime) -> None:
    """Tell members without a member key to make one while there is time: before the freeze."""
    async with database.reading() as reader:
        register = await list_register(reader, at=now)
    members = [line.member_id for line in register if line.key is None]
    told = {
        "proposal_id": str(proposal.id),
        "title": proposal.title,
        "frozen_from": proposal.progress.due_at and proposal.progress.due_at.isoformat(),
        "asks": "Make a member key on your own device before the roll is frozen.",
    }
    for first in range(0, len(members), AT_ONCE):
        async with database.transaction() as tx:
            new = await rolls.add_notices(
                tx,
                proposal_id=proposal.id,
                kind=Notice.KEY_MISSING,
                members=members[first : first + AT_ONCE],
            )
            for member_id in new:
                tx.emit(Event(EVENTS[Notice.KEY_MISSING], (member_id,), told), at=now)


async def tell_roll(database: Database, *, election: elections.Election, now: datetime) -> None:
    """Tell each member on the roll that they are on it, and whether with a key."""
    while await _tell(database, election=election, kind=Notice.ON_ROLL, now=now) == AT_ONCE:
        pass


async def remind(database: Database, *, election: elections.Election, now: datetime) -> None:
    """Remind those whom not every issuer has stamped, if a reminder is due.

    Who comes late to a vote gets the last reminder only.
    """
    due = reminders_due(opens_at=election.opens_at, closes_at=election.closes_at, at=now)
    if not due:
        return
    while await _tell(database, election=election, kind=due[-1], now=now) == AT_ONCE:
        pass


async def tell_unreadable(
    database: Database, *, election: elections.Election, now: datetime
) -> bool:
    """Tell all members, once in a vote, that nobody can open what waits; return whether it was now.

    Whoever has a receipt keeps it, and those who keep the server look for its folder.
    """
    told = {
        "election_id": str(election.id),
        "proposal_id": str(election.proposal_id),
        "question": election.terms.question,
        "closes_at": election.closes_at.isoformat(),
        "says": (
            "Ballots with receipts cannot be opened: their key is gone. Unless it is put back"
            " before the vote closes, the vote is void. Keep your receipt."
        ),
    }
    streams = (ASSEMBLY_STREAM, election.proposal_id)
    async with database.transaction() as tx:
        is_new = await elections.add_alarm(tx, election_id=election.id, kind=Alarm.UNREADABLE)
        if is_new:
            tx.emit(Event("election.ballots_unreadable", streams, told), at=now)
    return is_new


async def _tell(
    database: Database, *, election: elections.Election, kind: Notice, now: datetime
) -> int:
    """Tell some members one thing; return how many, AT_ONCE where there may be more."""
    untold = rolls.list_untold if kind is Notice.ON_ROLL else rolls.list_unstamped
    async with database.transaction() as tx:
        rows = await untold(tx, election_id=election.id, kind=kind, limit=AT_ONCE)
        new = await rolls.add_notices(
            tx,
            proposal_id=election.proposal_id,
            kind=kind,
            members=[row["member_id"] for row in rows],
        )
        for event in _events(election, kind=kind, rows=rows, new=new):
            tx.emit(event, at=now)
    return len(rows)


def _events(
    election: elections.Election, *, kind: Notice, rows: Sequence[Any], new: Sequence[UUID]
) -> list[Event]:
    told = {
        "election_id": str(election.id),
        "proposal_id": str(election.proposal_id),
        "question": election.terms.question,
        "opens_at": election.opens_at.isoformat(),
        "closes_at": election.closes_at.isoformat(),
    }
    fresh = set(new)
    return [
        Event(
            EVENTS[kind],
            (row["member_id"],),
            told
            | {
                "house": election.terms.houses[row["house_no"]].name,
                "has_key": row["has_key"],
            },
        )
        for row in rows
        if row["member_id"] in fresh
    ]
