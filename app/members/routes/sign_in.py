"""HTTP of signing in and out.

None of these takes an Idempotency-Key: the first answer would have to be kept for repeats, and it
holds tokens, of which the database keeps only hashes. A repeat does no harm: a code, a refresh
token and a ticket work once by themselves, and whoever is signed out stays so. All commit before
they answer.
"""

from fastapi import APIRouter, Request

from app.foundation.problems import MalformedBody, TooManyRequests
from app.foundation.web import problem_responses
from app.members import service
from app.members.access import DatabaseDep, Now, SettingsDep, SignedIn, SignedInEvenSuspended
from app.members.errors import (
    CodeRefused,
    MemberSuspended,
    NotSignedIn,
    PhoneNumberInvalid,
    RefreshRefused,
    SmsUnavailable,
)
from app.members.keys import KeysDep
from app.members.schemas import (
    ChallengeView,
    CodeRequest,
    RefreshRequest,
    SignedOutView,
    SignInRequest,
    TicketView,
    TokensView,
)
from app.members.sms import Sms

router = APIRouter(prefix="/v1", tags=["sign-in"])


@router.post(
    "/sign-in/codes",
    operation_id="request_code",
    summary="Ask for a one-time code by text message",
    status_code=202,
    responses=problem_responses(MalformedBody, PhoneNumberInvalid, TooManyRequests, SmsUnavailable),
)
async def request_code(
    body: CodeRequest,
    request: Request,
    database: DatabaseDep,
    keys: KeysDep,
    sms: Sms,
    settings: SettingsDep,
    now: Now,
) -> ChallengeView:
    """Send six digits that work for 5 minutes and 5 tries. Members and strangers get one answer."""
    challenge = await service.request_code(
        database,
        keys=keys,
        settings=settings,
        sms=sms,
        phone=body.phone,
        address=request.client.host if request.client else "unknown",
        now=now,
    )
    return ChallengeView.model_validate(challenge)


@router.post(
    "/sign-in",
    operation_id="sign_in",
    summary="Sign in with the code",
    responses=problem_responses(MalformedBody, CodeRefused),
)
async def sign_in(
    body: SignInRequest, database: DatabaseDep, keys: KeysDep, settings: SettingsDep, now: Now
) -> TokensView:
    """Begin a session. The first one makes you a member."""
    tokens = await service.sign_in(
        database,
        keys=keys,
        settings=settings,
        challenge_id=body.challenge_id,
        code=body.code,
        now=now,
    )
    return TokensView.model_validate(tokens)


@router.post(
    "/sign-in/refresh",
    operation_id="refresh_tokens",
    summary="Take new tokens for old ones",
    responses=problem_responses(MalformedBody, RefreshRefused),
)
async def refresh_tokens(
    body: RefreshRequest, database: DatabaseDep, keys: KeysDep, settings: SettingsDep, now: Now
) -> TokensView:
    """Replace both tokens. A refresh token that comes a second time ends its session."""
    tokens = await service.refresh(
        database, keys=keys, settings=settings, refresh_token=body.refresh_token, now=now
    )
    return TokensView.model_validate(tokens)


@router.post(
    "/sign-out",
    operation_id="sign_out",
    summary="End this session",
    responses=problem_responses(NotSignedIn),
)
async def sign_out(actor: SignedInEvenSuspended, database: DatabaseDep, now: Now) -> SignedOutView:
    """End the session at once: its tokens and its sockets stop working."""
    async with database.transaction() as tx:
        await service.sign_out(tx, session_id=actor.session_id, now=now)
    return SignedOutView(sessions_ended=1)


@router.post(
    "/sign-out-everywhere",
    operation_id="sign_out_everywhere",
    summary="End every session of yours",
    responses=problem_responses(NotSignedIn),
)
async def sign_out_everywhere(
    actor: SignedInEvenSuspended, database: DatabaseDep, now: Now
) -> SignedOutView:
    """End all your sessions at once, this one too."""
    async with database.transaction() as tx:
        ended = await service.sign_out_everywhere(tx, member_id=actor.member_id, now=now)
    return SignedOutView(sessions_ended=ended)


@router.post(
    "/socket-tickets",
    operation_id="open_socket_ticket",
    summary="Get a pass for one socket",
    status_code=201,
    responses=problem_responses(NotSignedIn, MemberSuspended),
)
async def open_socket_ticket(actor: SignedIn, database: DatabaseDep, now: Now) -> TicketView:
    """Return a ticket that opens one socket within 30 seconds. Tokens never stand in an address."""
    async with database.transaction() as tx:
        ticket = await service.open_socket_ticket(tx, session_id=actor.session_id, now=now)
    return TicketView.model_validate(ticket)
