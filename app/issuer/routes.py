"""HTTP of an issuer: orders of the cooperative, requests of members, and what everybody may see."""

import asyncio
from inspect import cleandoc
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError

from app.foundation.problems import NotFound
from app.foundation.web import json_response, problem_responses
from app.issuer import papers
from app.issuer.entries import StampRequest
from app.issuer.errors import (
    AlreadyStamped,
    AnotherManifest,
    BadBlinding,
    BadSignature,
    IssuerBusy,
    IssuerProblem,
    IssuerTooManyRequests,
    MembershipEnded,
    NotOnTheRoll,
    OrderNotSigned,
    TermsRefused,
    UnknownVote,
    VoteClosed,
)
from app.issuer.rules import RollLine
from app.issuer.schemas import (
    About,
    ElectionName,
    HouseNo,
    KeysAnswer,
    KeysOrder,
    LineAnswer,
    LogsAnswer,
    ManifestOrder,
    Pseudonym,
    RevocationAnswer,
    RevocationOrder,
    SealAnswer,
    StampAnswer,
    StampOrder,
)
from app.issuer.service import Desk

# The rolls of a hundred thousand members; every other body is small.
MOST_ROLL_BYTES = 32 * 1024 * 1024

router = APIRouter()


def _desk(request: Request) -> Desk:
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


type AtDesk = Annotated[Desk, Depends(_desk)]


async def _ordered(
    request: Request,
    election: ElectionName,
    signature: Annotated[str, Header(alias=papers.ORDER_HEADER)] = "",
) -> None:
    """Refuse what the cooperative has not signed, before anything in it is looked at."""
    step = request.scope["path"].rpartition("/")[2]
    signed = papers.is_ordered(
        f"/v1/votes/{election}/{step}",
        body=await _desk(request).read_order(request.body),
        signature=signature,
        cooperative_key=_desk(request).folder.cooperative_key,
    )
    if not signed:
        raise OrderNotSigned


_BY_ORDER = [Depends(_ordered)]


@router.get("/v1", operation_id="get_issuer", summary="Who this issuer is", response_model=About)
async def get_issuer(desk: AtDesk) -> Any:
    """Return its name, and the public key of the cooperative whose orders it follows."""
    return {
        "name": desk.folder.name,
        "protocol": papers.PROTOCOL,
        "cooperative_key": desk.folder.cooperative_key.hex(),
    }


@router.post(
    "/v1/votes/{election}/keys",
    operation_id="order_keys",
    summary="Make a vote's keys",
    response_model=KeysAnswer,
    dependencies=_BY_ORDER,
    responses=problem_responses(OrderNotSigned, AnotherManifest, IssuerBusy),
)
async def order_keys(election: ElectionName, order: KeysOrder, desk: AtDesk) -> Any:
    """Return the public halves of fresh keys; asked again, of the same."""
    own = await desk.order_keys(election, houses=tuple(order.houses))
    return {"moduli": own.moduli, "seal_key": own.seal_key}


@router.post(
    "/v1/votes/{election}/manifest",
    operation_id="seal_manifest",
    summary="Seal a vote's terms",
    response_model=SealAnswer,
    dependencies=_BY_ORDER,
    responses=problem_responses(
        OrderNotSigned, UnknownVote, TermsRefused, AnotherManifest, IssuerBusy
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": ManifestOrder.model_json_schema(),
                    "example": {"manifest": {"format": "meent-manifest:1"}, "rolls": [[]]},
                }
            },
        }
    },
)
async def seal_manifest(election: ElectionName, request: Request, desk: AtDesk) -> Any:
    """Return the issuer's signature under the terms; other terms of this vote are refused ever."""
    order = await asyncio.to_thread(_manifest_order, await request.body())
    rolls = [[RollLine(line.member, line.key) for line in roll] for roll in order.rolls]
    seal = await desk.seal(election, document=order.manifest, rolls=rolls)
    return {"seal": seal.hex()}


def _manifest_order(body: bytes) -> ManifestOrder:
    """Read the rolls outside the event loop, which a hundred thousand lines would hold up."""
    try:
        return ManifestOrder.model_validate_json(body)
    except ValidationError as invalid:
        raise RequestValidationError(invalid.errors(include_input=False)) from None


@router.post(
    "/v1/votes/{election}/stamps",
    operation_id="stamp",
    summary="Stamp a member's blinded vote key",
    response_model=StampAnswer,
    responses=problem_responses(
        UnknownVote,
        NotOnTheRoll,
        BadSignature,
        MembershipEnded,
        AlreadyStamped,
        VoteClosed,
        BadBlinding,
        IssuerTooManyRequests,
        IssuerBusy,
    ),
)
async def stamp(election: ElectionName, order: StampOrder, desk: AtDesk) -> Any:
    """Return the stamp; a member gets one, and the very same request gets it again."""
    stamped = await desk.stamp(
        election,
        request=StampRequest(
            house_no=order.house,
            member=order.member,
            member_key=bytes.fromhex(order.key),
            blinded=bytes.fromhex(order.blinded),
            signature=bytes.fromhex(order.signature),
        ),
    )
    return {"stamp": stamped.hex()}


@router.get(
    "/v1/votes/{election}/log",
    operation_id="list_logs",
    summary="Whom this issuer has stamped",
    response_model=LogsAnswer,
    responses=problem_responses(UnknownVote, IssuerBusy),
)
async def list_logs(election: ElectionName, desk: AtDesk) -> Any:
    """Return one signed log for each house; inside a segment pseudonyms are sorted."""
    return json_response({"logs": await desk.list_logs(election)})


@router.get(
    "/v1/votes/{election}/rolls/{house}/{member}",
    operation_id="get_line",
    summary="What this issuer holds of one pseudonym",
    response_model=LineAnswer,
    responses=problem_responses(UnknownVote, NotOnTheRoll, IssuerBusy),
)
async def get_line(election: ElectionName, house: HouseNo, member: Pseudonym, desk: AtDesk) -> Any:
    """Return the member key, so that a member sees whether it is the own one."""
    return await desk.get_line(election, house_no=house, member=member)


@router.post(
    "/v1/votes/{election}/revocations",
    operation_id="revoke",
    summary="Stamp a member no more",
    response_model=RevocationAnswer,
    dependencies=_BY_ORDER,
    responses=problem_responses(OrderNotSigned, UnknownVote, NotOnTheRoll, VoteClosed, IssuerBusy),
)
async def revoke(election: ElectionName, order: RevocationOrder, desk: AtDesk) -> Any:
    """Return whom the log named by then; asked again, the same."""
    stamped = await desk.revoke(election, house_no=order.house, member=order.member)
    return {"stamped": stamped}


@router.get("/livez", operation_id="get_livez", summary="Whether the process lives")
async def get_livez() -> Response:
    """Return 200 as long as the event loop turns."""
    return json_response({"status": "alive"})


@router.get(
    "/problems/{slug}",
    operation_id="get_problem",
    summary="One refusal, and what to do about it",
    responses=problem_responses(NotFound),
)
async def get_problem(slug: str) -> Response:
    """Return what a problem's ``type`` leads to."""
    problem = IssuerProblem.pages.get(slug)
    if problem is None:
        raise NotFound
    return json_response(
        {
            "type": f"/problems/{slug}",
            "title": problem.title,
            "status": problem.status,
            "what_to_do": cleandoc(problem.__doc__ or problem.title),
        }
    )
