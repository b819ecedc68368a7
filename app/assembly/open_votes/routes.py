"""HTTP of open votes: vote by name, lend a voice, see who holds how many."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.assembly.open_votes import service
from app.assembly.open_votes.errors import (
    LentTooLong,
    NoOpenVote,
    NoSeat,
    NoSuchDelegation,
    NotVotingTime,
    ResultNotOut,
    TakerNotEligible,
    ValueNotAdmitted,
    VoiceAlreadyLent,
    VoteIsSecret,
)
from app.assembly.open_votes.rules import Topic
from app.assembly.open_votes.schemas import (
    CastVotes,
    DelegationOut,
    Delegations,
    LendVoice,
    OpenBallotOut,
    OpenVoteIn,
    OpenVoteOut,
    TopicConcentration,
)
from app.assembly.proposals.errors import NotInTheRegister, ProposalUnknown
from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT, decode_cursor
from app.foundation.web import json_response, problem_responses
from app.members.access import (
    COMMAND_PROBLEMS_EVEN_SUSPENDED,
    ActingEvenSuspended,
    DatabaseDep,
    Now,
    SignedInEvenSuspended,
)
from app.members.errors import NotSignedIn

router = APIRouter(tags=["open votes"])

_ONE_VOTE = (ProposalUnknown, NoOpenVote, VoteIsSecret)
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]


@router.put(
    "/proposals/{proposal_id}/vote",
    operation_id="cast_open_vote",
    summary="Vote by name, or change your vote",
    response_model=OpenBallotOut,
    responses=problem_responses(
        *COMMAND_PROBLEMS_EVEN_SUSPENDED, *_ONE_VOTE, NotVotingTime, NoSeat, ValueNotAdmitted
    ),
)
async def cast_open_vote(
    proposal_id: UUID, body: OpenVoteIn, acting: ActingEvenSuspended
) -> Response:
    """Your vote is this, in place of what you said before and of any voice you have lent.

    Everybody may read it, by your name, once the vote is closed and counted.
    """

    async def act(tx: Transaction) -> dict[str, Any]:
        return await service.cast_open_vote(
            tx,
            proposal_id=proposal_id,
            member_id=acting.actor.member_id,
            value=body.value,
            now=acting.now,
        )

    return await acting.answer(act)


@router.get(
    "/proposals/{proposal_id}/vote",
    operation_id="get_open_vote",
    summary="An open vote and your part in it",
    response_model=OpenVoteOut,
    responses=problem_responses(NotSignedIn, *_ONE_VOTE),
)
async def get_open_vote(
    proposal_id: UUID, actor: SignedInEvenSuspended, database: DatabaseDep, now: Now
) -> Response:
    """Return the terms, your vote, for whom you would speak now; after the count the result."""
    async with database.reading() as reader:
        view = await service.see_vote(
            reader, proposal_id=proposal_id, member_id=actor.member_id, now=now
        )
    return json_response(view)


@router.get(
    "/proposals/{proposal_id}/votes",
    operation_id="list_open_votes",
    summary="Who voted what in an open vote",
    response_model=CastVotes,
    responses=problem_responses(NotSignedIn, *_ONE_VOTE, NotInTheRegister, ResultNotOut),
)
async def list_open_votes(
    proposal_id: UUID,
    actor: SignedInEvenSuspended,
    database: DatabaseDep,
    now: Now,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Response:
    """Return the votes by name, once they are counted. Who lent a voice is not told."""
    async with database.reading() as reader:
        page = await service.list_votes(
            reader,
            proposal_id=proposal_id,
            member_id=actor.member_id,
            after=decode_cursor(cursor),
            limit=limit,
            now=now,
        )
    return json_response({"items": page.items, "next_cursor": page.next_cursor})


@router.post(
    "/delegations",
    status_code=201,
    operation_id="lend_voice",
    summary="Lend your voice in open votes",
    response_model=DelegationOut,
    responses=problem_responses(
        *COMMAND_PROBLEMS_EVEN_SUSPENDED, TakerNotEligible, LentTooLong, VoiceAlreadyLent
    ),
)
async def lend_voice(body: LendVoice, acting: ActingEvenSuspended) -> Response:
    """A member of your house speaks for you on this topic, wherever you do not vote yourself.

    It holds until the end you name, or until one of you takes or gives it back. Your taker is told
    that it is yours. Secret votes cannot be lent.
    """

    async def act(tx: Transaction) -> dict[str, Any]:
        return await service.lend_voice(
            tx,
            giver_id=acting.actor.member_id,
            taker_id=body.taker_id,
            topic=body.topic,
            expires_at=body.expires_at,
            now=acting.now,
        )

    return await acting.answer(act, status=201)


@router.get(
    "/me/delegations",
    operation_id="list_my_delegations",
    summary="Voices you lent and were lent",
    response_model=Delegations,
    responses=problem_responses(NotSignedIn),
)
async def list_my_delegations(
    actor: SignedInEvenSuspended, database: DatabaseDep, cursor: Cursor = None, limit: Limit = 20
) -> Response:
    """Return the voices that you lent or were lent, those that came back too, newest first."""
    async with database.reading() as reader:
        page = await service.list_own_delegations(
            reader, member_id=actor.member_id, before=decode_cursor(cursor), limit=limit
        )
    items = [dict(row) for row in page.items]
    return json_response({"items": items, "next_cursor": page.next_cursor})


@router.post(
    "/delegations/{delegation_id}/revoke",
    operation_id="revoke_delegation",
    summary="Take a lent voice back, or give one back",
    response_model=DelegationOut,
    responses=problem_responses(*COMMAND_PROBLEMS_EVEN_SUSPENDED, NoSuchDelegation),
)
async def revoke_delegation(delegation_id: UUID, acting: ActingEvenSuspended) -> Response:
    """The voice is its giver's again, at once, also in a vote under way. Both may do this."""

    async def act(tx: Transaction) -> dict[str, Any]:
        return await service.revoke_delegation(
            tx, delegation_id=delegation_id, member_id=acting.actor.member_id, now=acting.now
        )

    return await acting.answer(act)


@router.get(
    "/delegations/concentration",
    operation_id="get_concentration",
    summary="How unequally voices are held",
    response_model=TopicConcentration,
    responses=problem_responses(NotSignedIn, NotInTheRegister),
)
async def get_concentration(
    topic: Topic, actor: SignedInEvenSuspended, database: DatabaseDep, now: Now
) -> Response:
    """Return who holds several voices on a topic now, with a warning where they are many."""
    async with database.reading() as reader:
        view = await service.see_concentration(
            reader, topic=topic, member_id=actor.member_id, now=now
        )
    return json_response(view)
