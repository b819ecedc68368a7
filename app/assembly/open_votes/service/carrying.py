"""Loads what decides who speaks for whom, and hands it to the pure rule."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.open_votes import queries
from app.assembly.open_votes.rules import CAP, Topic, basis_points
from app.foundation.database import Transaction
from governance.delegation import Concentration, Delegation, OpenVotes, resolve
from governance.electorate import House, Roll


def vote_lock(proposal_id: UUID) -> str:
    """Return the name of the lock that votes share and their tally takes."""
    return f"open_vote {proposal_id}"


def topic_lock(topic: str) -> str:
    """Return the name of the lock that lendings share and tallies on the topic take."""
    return f"delegation {topic}"


async def frozen_roll(reader: Transaction, *, vote: Any, at: datetime) -> Roll:
    """Return the roll as frozen, without those whose membership had ended at a moment.

    Nobody joins a frozen roll; who leaves takes her seat along, and the voices lent to her.
    """
    rows = await queries.list_seats(reader, proposal_id=vote["proposal_id"], at=at)
    seats = tuple((str(row["member_id"]), House(row["house"])) for row in rows)
    return Roll(vote["frozen_at"], seats, frozenset())


async def lent_voices(reader: Transaction, *, topic: str, at: datetime) -> list[Delegation]:
    """Return every voice that is lent on a topic at a moment."""
    return [
        Delegation(
            giver=str(row["giver_id"]),
            taker=str(row["taker_id"]),
            topic=row["topic"],
            given_at=row["given_at"],
            expires_at=row["expires_at"],
            revoked_at=row["ended_at"],
        )
        for row in await queries.list_lent(reader, topic=topic, at=at)
    ]


def carry[Value](
    own: Mapping[str, Value],
    *,
    delegations: list[Delegation],
    roll: Roll,
    topic: str,
    at: datetime,
) -> OpenVotes[Value]:
    """Follow every lent voice at a moment; votes of those who are not on the roll are left out."""
    counted = {member: value for member, value in own.items() if member in roll}
    return resolve(counted, delegations=delegations, roll=roll, topic=Topic(topic), at=at, cap=CAP)


def describe(concentration: Concentration) -> dict[str, Any]:
    """Return how unequally voices are held, in basis points; holders of several, most first."""
    over_cap = set(concentration.over_cap)
    return {
        "largest_share_bp": basis_points(concentration.largest_share),
        "gini_bp": basis_points(concentration.gini),
        "cap_bp": basis_points(CAP),
        "holders": [
            {"member_id": member, "voices": voices, "is_over_cap": member in over_cap}
            for member, voices in concentration.carried
            if voices > 1
        ],
    }
