"""What members see of open votes: their own part before the close, everybody's after the count."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.open_votes import queries
from app.assembly.open_votes.errors import ResultNotOut
from app.assembly.open_votes.rules import FEWEST_VOTES, Topic, outcome
from app.assembly.open_votes.service.carrying import carry, describe, frozen_roll, lent_voices
from app.assembly.open_votes.service.votes import get_open_vote
from app.assembly.proposals.errors import NotInTheRegister
from app.assembly.statutes import statutes_in_force
from app.foundation.database import Transaction
from app.foundation.pagination import Page, make_page
from app.members.service.register import freeze_roll, house_of


async def see_vote(
    reader: Transaction, *, proposal_id: UUID, member_id: UUID, now: datetime
) -> dict[str, Any]:
    """Return the terms of an open vote, a member's part in it, and after the count its result.

    Before the count nothing tells how others vote. Of few votes the counts stay untold.

    Raises:
        ProposalUnknown, NoOpenVote, VoteIsSecret: see `get_open_vote`.
    """
    proposal, vote = await get_open_vote(reader, proposal_id=proposal_id)
    seat = await queries.find_seat(reader, proposal_id=proposal_id, member_id=member_id, at=now)
    own = await queries.find_ballot(reader, proposal_id=proposal_id, member_id=member_id)
    is_counted = vote["tallied_at"] is not None
    view: dict[str, Any] = {
        "proposal_id": str(proposal_id),
        "stage": proposal.stage,
        "topic": vote["topic"],
        "terms": vote["terms"],
        "opens_at": vote["opens_at"],
        "closes_at": vote["closes_at"],
        "is_on_roll": seat is not None and seat["is_member"],
        "own": dict(own) if own is not None else None,
        "lent_to": None,
        "speaks_for": None,
        "voice": None,
        "result": None,
    }
    if is_counted:
        view["voice"] = await _voice(reader, proposal_id=proposal_id, member_id=member_id)
        view["result"] = await _result(reader, vote)
    elif view["is_on_roll"]:
        at = min(now, vote["closes_at"])
        view |= await _part(reader, vote, member_id=member_id, at=at)
    return view


async def _part(reader: Transaction, vote: Any, *, member_id: UUID, at: datetime) -> dict[str, Any]:
    """Return to whom a member's voice is lent, and for whom she would speak if she voted now."""
    me = str(member_id)
    delegations = await lent_voices(reader, topic=vote["topic"], at=at)
    rows = await queries.list_ballots(reader, proposal_id=vote["proposal_id"])
    carried = carry(
        dict.fromkeys([me, *(str(row["member_id"]) for row in rows)], True),
        delegations=delegations,
        roll=await frozen_roll(reader, vote=vote, at=at),
        topic=vote["topic"],
        at=at,
    ).carrier
    behind = {member for member, carrier in carried.items() if carrier == me and member != me}
    # Only who lent to her directly is named: whom they carry is theirs to tell.
    direct = [UUID(d.giver) for d in delegations if d.taker == me and d.giver in behind]
    taker = next((UUID(d.taker) for d in delegations if d.giver == me), None)
    names = await queries.list_names(reader, members=[*direct, *([taker] if taker else [])])
    return {
        "lent_to": taker and {"member_id": str(taker), "name": names.get(taker, "")},
        "speaks_for": {
            "voices": len(behind),
            "directly": [{"member_id": str(giver), "name": names[giver]} for giver in direct],
        },
    }


async def _voice(
    reader: Transaction, *, proposal_id: UUID, member_id: UUID
) -> dict[str, Any] | None:
    """Return how a member's voice was counted in the end; None for who had none."""
    row = await queries.find_voice(reader, proposal_id=proposal_id, member_id=member_id)
    if row is None:
        return None
    if row["in_circle"]:
        spoken = "circle"
    elif row["carrier_id"] is None:
        spoken = "nobody"
    else:
        spoken = "own" if row["carrier_id"] == member_id else "lent"
    return {"spoken": spoken, "value": row["value"]}


async def _result(reader: Transaction, vote: Any) -> dict[str, Any]:
    votes = vote["own"] + vote["lent"]
    is_told = votes >= FEWEST_VOTES
    return {
        "decided": outcome(vote["result"], votes=votes),
        "own": vote["own"] if is_told else None,
        "lent": vote["lent"] if is_told else None,
        "in_circle": vote["in_circle"] if is_told else None,
        "concentration": await _named(reader, vote["concentration"]) if is_told else None,
        "tallied_at": vote["tallied_at"],
    }


async def _named(reader: Transaction, concentration: dict[str, Any]) -> dict[str, Any]:
    """Return a concentration with the names of those who hold several voices."""
    holders = concentration["holders"]
    names = await queries.list_names(reader, members=[UUID(h["member_id"]) for h in holders])
    named = [holder | {"name": names[UUID(holder["member_id"])]} for holder in holders]
    return concentration | {"holders": named}


async def list_votes(
    reader: Transaction,
    *,
    proposal_id: UUID,
    member_id: UUID,
    after: UUID | None,
    limit: int,
    now: datetime,
) -> Page[Any]:
    """Return a page of the votes that were cast by name, with the voices that each one carried.

    Raises:
        NotInTheRegister: names are shown to members in good standing.
        ProposalUnknown, NoOpenVote, VoteIsSecret: see `get_open_vote`.
        ResultNotOut: the vote is not counted yet.
    """
    await _check_member(reader, member_id=member_id, now=now)
    _, vote = await get_open_vote(reader, proposal_id=proposal_id)
    if vote["tallied_at"] is None:
        raise ResultNotOut
    rows = await queries.list_votes(reader, proposal_id=proposal_id, after=after, limit=limit + 1)
    is_told = vote["own"] + vote["lent"] >= FEWEST_VOTES
    votes = [dict(row) | ({} if is_told else {"voices": None}) for row in rows]
    return make_page(votes, limit=limit, key=lambda row: UUID(str(row["member_id"])))


async def see_concentration(
    reader: Transaction, *, topic: Topic, member_id: UUID, now: datetime
) -> dict[str, Any]:
    """Return how unequally the voices on a topic are held now.

    It is what an open vote would show in which everybody votes who has lent nothing: whoever
    lends to somebody off the roll, to another house or in a circle is `unheard`.

    Raises:
        NotInTheRegister: names are shown to members in good standing.
    """
    await _check_member(reader, member_id=member_id, now=now)
    statutes = await statutes_in_force(reader, at=now)
    roll, _ = await freeze_roll(reader, at=now, rules=statutes.roll_rules)
    delegations = await lent_voices(reader, topic=topic, at=now)
    givers = {delegation.giver for delegation in delegations}
    carried = carry(
        {member: True for member, _ in roll.seats if member not in givers},
        delegations=delegations,
        roll=roll,
        topic=topic,
        at=now,
    )
    lent = sum(member != carrier for member, carrier in carried.carrier.items())
    return {
        "topic": topic,
        "members": len(roll),
        "lent": lent,
        "unheard": len(carried.abstained),
        **await _named(reader, describe(carried.concentration)),
    }


async def _check_member(reader: Transaction, *, member_id: UUID, now: datetime) -> None:
    if await house_of(reader, member_id=member_id, at=now) is None:
        raise NotInTheRegister
