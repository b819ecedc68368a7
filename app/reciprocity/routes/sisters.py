"""HTTP between cooperatives: signed papers instead of a sign-in, and their ids instead of keys."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from app.foundation.problems import MalformedBody, NotFound
from app.foundation.web import json_response, problem_responses
from app.members.access import DatabaseDep, Now
from app.reciprocity.errors import (
    ClearingDiffers,
    ClearingOutOfOrder,
    MonthNotOver,
    PaperNotSigned,
)
from app.reciprocity.routes.own import OwnDep
from app.reciprocity.schemas import SignedAnswer, SignedClearing
from app.reciprocity.service.clearings import Claim, receive_clearing
from app.reciprocity.service.statements import answer_offer
from app.reciprocity.statement_schemas import SignedStatement

router = APIRouter(prefix="/v1/peers/{peer_id}", tags=["reciprocity"])


@router.post(
    "/clearings",
    operation_id="receive_clearing",
    summary="Sister: claim for rides of our member",
    response_model=SignedAnswer,
    responses=problem_responses(
        MalformedBody, NotFound, PaperNotSigned, ClearingDiffers, ClearingOutOfOrder
    ),
)
async def receive(
    peer_id: UUID, body: SignedClearing, database: DatabaseDep, own: OwnDep, now: Now
) -> Response:
    """Book a claim once and answer with a signature; repeat it until you have the answer.

    `peer_id` is the claimant's, made of its key. The id of the clearing stands for the
    Idempotency-Key: the same claim again gets the same answer, for good.
    """
    message = body.model_dump(mode="json")
    paper = body.paper
    claim = Claim(
        clearing_id=paper.clearing_id,
        letter_id=paper.letter_id,
        claimant=paper.claimant,
        payer=paper.payer,
        currency=paper.currency,
        amount_minor=paper.amount_minor,
        closes=paper.closes,
        claimed_at=datetime.fromisoformat(paper.claimed_at),
    )
    async with database.transaction() as tx:
        answer = await receive_clearing(
            tx, own=own, peer_id=peer_id, claim=claim, message=message, now=now
        )
    return json_response(answer)


@router.post(
    "/statement-offers",
    operation_id="answer_statement_offer",
    summary="Sister: offer a month's statement",
    response_model=SignedAnswer,
    responses=problem_responses(MalformedBody, NotFound, PaperNotSigned, MonthNotOver),
)
async def answer_statement(
    peer_id: UUID, body: SignedStatement, database: DatabaseDep, own: OwnDep, now: Now
) -> Response:
    """Sign the same statement where our books agree; else answer with our list of the month."""
    async with database.transaction() as tx:
        answer = await answer_offer(
            tx,
            own=own,
            peer_id=peer_id,
            paper=body.paper.model_dump(mode="json"),
            signature=body.signature,
            now=now,
        )
    return json_response(answer)
