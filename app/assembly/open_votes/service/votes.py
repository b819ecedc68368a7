"""An open vote from the freeze of its terms through everybody's vote to its count."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.assembly.open_votes import queries
from app.assembly.open_votes.errors import (
    NoOpenVote,
    NoSeat,
    NotVotingTime,
    ValueNotAdmitted,
    VoteIsSecret,
)
from app.assembly.open_votes.rules import Topic
from app.assembly.open_votes.service.carrying import (
    carry,
    describe,
    frozen_roll,
    lent_voices,
    topic_lock,
    vote_lock,
)
from app.assembly.proposals.service import Proposal, get_proposal, manifest_terms
from app.assembly.statutes import StatutesInForce
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.members.service.register import freeze_roll
from governance.ballot_rule import BALLOT_RULES


async def freeze_open_vote(
    tx: Transaction, *, proposal: Proposal, statutes: StatutesInForce, now: datetime
) -> None:
    """Fix the terms and the roll of a proposal that has just been frozen.

    There are no issuers and nothing to sign: what a secret vote's credentials open with, an open
    vote has at once, so its caller takes the step OPEN_CREDENTIALS in this same transaction.
    Voting still waits for `opens_at`; until then members read the terms and lend their voices.
    Refused (ValueError): a number or a budget, which are secret always, and terms by which their
    rule cannot decide.
    """
    topic = Topic(proposal.kind)
    assert not proposal.is_secret, f"proposal {proposal.id} is secret"
    times = proposal.progress.times
    assert times is not None, f"proposal {proposal.id} is not frozen"
    terms = manifest_terms(proposal)
    roll, _ = await freeze_roll(tx, at=now, rules=statutes.roll_rules)
    parameters = dict(terms.parameters) | {"quorums": [roll.quorum(statutes.roll_rules)]}
    # A rule that could not decide must be found out now, not when everybody has voted.
    BALLOT_RULES[terms.rule].decide([[]], parameters)
    await queries.insert_vote(
        tx,
        proposal_id=proposal.id,
        topic=topic,
        rule=terms.rule,
        terms={
            "question": terms.question,
            "explanation": terms.explanation,
            "options": list(terms.options),
            "rule": terms.rule,
            "parameters": parameters,
        },
        frozen_at=now,
        opens_at=times.opens_at,
        closes_at=times.closes_at,
    )
    await queries.insert_seats(
        tx,
        proposal_id=proposal.id,
        members=[UUID(member) for member, _ in roll.seats],
        houses=[house for _, house in roll.seats],
    )


async def get_open_vote(reader: Transaction, *, proposal_id: UUID) -> tuple[Proposal, Any]:
    """Return a proposal and the frozen terms of its open vote.

    Raises:
        ProposalUnknown: there is no such proposal.
        VoteIsSecret: it is voted on in secret.
        NoOpenVote: its terms are not frozen yet, or never were.
    """
    proposal = await get_proposal(reader, proposal_id=proposal_id)
    vote = await queries.find_vote(reader, proposal_id=proposal_id)
    if vote is None:
        # Of a draft nobody is told anything, not even that.
        submitted = proposal.supporters_needed is not None
        raise VoteIsSecret if proposal.is_secret and submitted else NoOpenVote
    return proposal, vote


async def cast_open_vote(
    tx: Transaction, *, proposal_id: UUID, member_id: UUID, value: Any, now: datetime
) -> dict[str, Any]:
    """Let a member's vote be this value, and return it; her earlier ones stay written.

    It overrides every voice she has lent. The same value again changes nothing.

    Raises:
        NoOpenVote, VoteIsSecret: see `get_open_vote`.
        NotVotingTime: voting has not begun, or is over.
        NoSeat: she is not on the frozen roll, or is no member any more.
        ValueNotAdmitted: the rule does not know this value.
    """
    # The tally takes this lock alone: a vote is counted, or it is refused, never in between.
    await queries.share_lock(tx, name=vote_lock(proposal_id))
    proposal, vote = await get_open_vote(tx, proposal_id=proposal_id)
    if not proposal.progress.takes_ballots(now) or vote["tallied_at"] is not None:
        raise NotVotingTime(
            opens_at=vote["opens_at"].isoformat(), closes_at=vote["closes_at"].isoformat()
        )
    seat = await queries.find_seat(tx, proposal_id=proposal_id, member_id=member_id, at=now)
    if seat is None or not seat["is_member"]:
        raise NoSeat
    if not BALLOT_RULES[vote["rule"]].admits(value, vote["terms"]["parameters"]):
        raise ValueNotAdmitted
    # Two devices of one member write one after the other.
    await queries.take_lock(tx, name=f"{vote_lock(proposal_id)} {member_id}")
    last = await queries.find_ballot(tx, proposal_id=proposal_id, member_id=member_id)
    if last is not None and last["value"] == value:
        return _vote(proposal_id, **last)
    sequence = last["sequence"] + 1 if last is not None else 1
    await queries.insert_ballot(
        tx,
        proposal_id=proposal_id,
        member_id=member_id,
        sequence=sequence,
        value=value,
        cast_at=now,
    )
    # What she said stays out until the count, for those who read over a shoulder.
    told = {"proposal_id": str(proposal_id), "sequence": sequence}
    tx.emit(Event("open_vote.cast", (member_id,), told), at=now)
    return _vote(proposal_id, sequence=sequence, value=value, cast_at=now)


def _vote(proposal_id: UUID, *, sequence: int, value: Any, cast_at: datetime) -> dict[str, Any]:
    return {
        "proposal_id": str(proposal_id),
        "value": value,
        "sequence": sequence,
        "cast_at": cast_at.isoformat(),
    }


async def tally_open_vote(tx: Transaction, *, proposal: Proposal, now: datetime) -> dict[str, Any]:
    """Count an open vote once it has closed, write it down and return the rule's result.

    Own votes count first, then voices as they were lent at `closes_at`, whenever this runs: a
    delegation that had expired, was revoked or went to somebody who had left by then does not
    count. The quorum stays the one frozen with the roll. Whoever votes or lends meanwhile waits.
    """
    await queries.take_lock(tx, name=vote_lock(proposal.id))
    vote = await queries.find_vote(tx, proposal_id=proposal.id)
    assert vote is not None, f"proposal {proposal.id} has no open vote"
    assert now >= vote["closes_at"], f"the open vote on {proposal.id} has not closed"
    await queries.take_lock(tx, name=topic_lock(vote["topic"]))
    at = vote["closes_at"]
    rows = await queries.list_ballots(tx, proposal_id=proposal.id)
    counted = carry(
        {str(row["member_id"]): row["value"] for row in rows},
        delegations=await lent_voices(tx, topic=vote["topic"], at=at),
        roll=await frozen_roll(tx, vote=vote, at=at),
        topic=vote["topic"],
        at=at,
    )
    rule = BALLOT_RULES[vote["rule"]]
    result = rule.decide([list(counted.votes.values())], vote["terms"]["parameters"])
    own = sum(member == carrier for member, carrier in counted.carrier.items())
    await queries.insert_tally(
        tx,
        proposal_id=proposal.id,
        result=result,
        own=own,
        lent=len(counted.votes) - own,
        in_circle=len(counted.in_circle),
        concentration=describe(counted.concentration),
        tallied_at=now,
    )
    circle = set(counted.in_circle)
    members = [*counted.carrier, *counted.abstained]
    await queries.insert_voices(
        tx,
        proposal_id=proposal.id,
        members=[UUID(member) for member in members],
        carriers=[UUID(c) if (c := counted.carrier.get(m)) else None for m in members],
        in_circle=[member in circle for member in members],
    )
    return result
