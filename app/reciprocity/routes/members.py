"""HTTP for members who ride with sisters, and for sisters' members who ride with us."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.problems import MalformedBody, NotFound
from app.foundation.web import json_response, problem_responses
from app.ledger.errors import CreditLimitReached
from app.members.access import (
    COMMAND_PROBLEMS,
    Acting,
    DatabaseDep,
    Now,
    Rider,
    SettingsDep,
    SignedIn,
)
from app.members.errors import NotSignedIn, RoleMissing
from app.members.keys import KeysDep
from app.members.schemas import TokensView
from app.reciprocity.errors import PaperNotSigned, PeerLimitReached, PeerPaused
from app.reciprocity.papers import public_half
from app.reciprocity.queries import peers as queries
from app.reciprocity.routes.own import OwnDep
from app.reciprocity.schemas import (
    LetterPaper,
    LetterRequest,
    LetterView,
    OwnCardView,
    PeersView,
    PeerView,
    SignedLetter,
)
from app.reciprocity.service.letters import issue_letter
from app.reciprocity.service.visits import Letter, open_visit
from app.rides.errors import VisitOver

router = APIRouter(prefix="/v1", tags=["reciprocity"])


@router.get(
    "/peers/self",
    operation_id="get_own_card",
    summary="Who we are among cooperatives",
    response_model=OwnCardView,
)
async def get_own_card(own: OwnDep, database: DatabaseDep) -> Response:
    """Return our name, currency and public key, for whoever wants to register us as a sister."""
    async with database.reading() as reader:
        cooperative = await queries.cooperative(reader)
    card = OwnCardView(id=own.id, public_key=public_half(own.key).hex(), **cooperative)
    return json_response(card.model_dump(mode="json"))


@router.get(
    "/peers",
    operation_id="list_peers",
    summary="The sister cooperatives, and what stands between us",
    response_model=PeersView,
    responses=problem_responses(NotSignedIn),
)
async def list_peers(_: SignedIn, database: DatabaseDep) -> Response:
    """Return the sisters where you can ride. It is your cooperative's money: you see who owes."""
    async with database.reading() as reader:
        rows = await queries.list_peers(reader, confirmed_only=True)
    view = PeersView(items=[PeerView.of(row) for row in rows])
    return json_response(view.model_dump(mode="json"))


@router.post(
    "/peers/{peer_id}/letters",
    operation_id="request_guest_letter",
    summary="Ask for a letter with which you ride with a sister",
    status_code=201,
    response_model=LetterView,
    responses=problem_responses(
        *COMMAND_PROBLEMS, RoleMissing, NotFound, PeerPaused, PeerLimitReached, CreditLimitReached
    ),
)
async def request_letter(
    peer_id: UUID, body: LetterRequest, acting: Acting, rider: Rider, own: OwnDep
) -> Response:
    """Have your rides of a day vouched for, up to a limit that is set aside on your account.

    Take the letter to the sister's `POST /v1/visits`. Keep it to yourself: whoever has it rides on
    your account. What you do not ride is free again once the letter has ended.
    """

    async def act(tx: Transaction) -> dict[str, Any]:
        return await issue_letter(
            tx,
            own=own,
            peer_id=peer_id,
            member_id=rider.member_id,
            limit_minor=body.limit_minor,
            name=body.name,
            now=acting.now,
        )

    return await acting.answer(act, status=201)


@router.post(
    "/visits",
    operation_id="open_visit",
    summary="Ride with us as a sister's member",
    status_code=201,
    responses=problem_responses(
        MalformedBody, NotFound, PaperNotSigned, PeerPaused, PeerLimitReached, VisitOver
    ),
)
async def visit(
    body: SignedLetter,
    database: DatabaseDep,
    keys: KeysDep,
    settings: SettingsDep,
    own: OwnDep,
    now: Now,
) -> TokensView:
    """Sign in with the letter of your cooperative: no number, no name but the one in the letter.

    It takes no Idempotency-Key, as the answer holds tokens: the same letter again is the same
    visitor in another session.
    """
    async with database.transaction() as tx:
        tokens = await open_visit(
            tx,
            own=own,
            letter=_letter(body.paper),
            paper=body.paper.model_dump(mode="json"),
            signature=body.signature,
            keys=keys,
            settings=settings,
            now=now,
        )
    return TokensView.model_validate(tokens)


def _letter(paper: LetterPaper) -> Letter:
    return Letter(
        letter_id=paper.letter_id,
        home=paper.home,
        host=paper.host,
        name=paper.name,
        currency=paper.currency,
        limit_minor=paper.limit_minor,
        issued_at=datetime.fromisoformat(paper.issued_at),
        expires_at=datetime.fromisoformat(paper.expires_at),
    )
