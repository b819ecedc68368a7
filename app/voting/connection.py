"""HTTP as a voter needs it: signed in where the server must know who asks, nameless elsewhere."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from app.foundation.tls import authorities
from app.voting.errors import RefusedError, SignedOutError, VotingError
from app.voting.wallet import Session, Wallet

TIMEOUT_S = 20.0  # for one answer
TRIES = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
REFRESH_BEFORE = timedelta(seconds=30)
NOT_NOW = (429, 502, 503, 504)

type OpenHttp = Callable[[], httpx.AsyncClient]
type Keep = Callable[[], Awaitable[None]]


def open_http() -> httpx.AsyncClient:
    """A client that knows nothing yet: no cookies, no names, nothing from the environment."""
    return httpx.AsyncClient(
        timeout=TIMEOUT_S, trust_env=False, follow_redirects=False, verify=authorities()
    )


def utc_now() -> datetime:
    """The clock of this device."""
    return datetime.now(UTC)


async def send(
    open_http: OpenHttp,
    method: str,
    url: str,
    *,
    body: Any = None,
    headers: dict[str, str] | None = None,
    tries: int = TRIES,
) -> Any:
    """Return the answer's document; repeat, after a pause, what got no answer or "not now".

    Every try is the same request, so whatever arrives twice must be harmless. Each call takes a
    client of its own: nothing of one can be recognised in the next.

    Raises:
        RefusedError: the server said no.
        VotingError: there was no answer.
    """
    pause_s = FIRST_PAUSE_S
    async with open_http() as http:
        for left in range(tries - 1, -1, -1):
            try:
                answer = await http.request(method, url, json=body, headers=headers)
                document = answer.json() if answer.content else None
            except httpx.TransportError:
                if not left:
                    host = httpx.URL(url).host
                    raise VotingError(f"No answer from {host}. Try again later.") from None
            except ValueError:
                raise VotingError(f"{httpx.URL(url).host} does not speak as it should.") from None
            else:
                if answer.is_success:
                    return document
                if answer.status_code not in NOT_NOW or not left:
                    raise RefusedError(answer.status_code, document)
                told = answer.headers.get("Retry-After", "")
                pause_s = max(pause_s, float(told) if told.isdecimal() else 0)
            # The device that is told to wait for a minute shall say so, and not hang for it.
            await asyncio.sleep(min(pause_s, LONGEST_PAUSE_S))
            pause_s *= 2
    raise AssertionError("the last try answers or rises")


class Cooperative:
    """The cooperative's server, asked as the member whom the wallet or a token names."""

    def __init__(
        self,
        server: str,
        *,
        wallet: Wallet,
        keep: Keep,
        token: str | None = None,
        open_http: OpenHttp = open_http,
        now: Callable[[], datetime] = utc_now,
        tries: int = TRIES,
    ) -> None:
        self.server = server.rstrip("/")
        self._wallet = wallet
        self._keep = keep
        self._token = token
        self._open_http = open_http
        self._now = now
        self._tries = tries

    async def look(self, path: str) -> Any:
        """What everybody may read; asked without a name."""
        return await self._send("GET", path)

    async def give(self, path: str, body: Any) -> Any:
        """Send something without a name."""
        return await self._send("POST", path, body=body)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask as the signed-in member. Refused (SignedOutError): not signed in, or no longer."""
        headers = {"Authorization": f"Bearer {await self._access()}"}
        if method != "GET":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        try:
            return await self._send(method, path, body=body, headers=headers)
        except RefusedError as refused:
            if refused.status != 401:
                raise
            raise SignedOutError from refused

    async def request_code(self, phone: str) -> str:
        """A code is on its way to the telephone; return what goes back with it."""
        answer = await self.give("/v1/sign-in/codes", {"phone": phone})
        return str(answer["challenge_id"])

    async def sign_in(self, *, challenge_id: str, code: str) -> None:
        """The wallet is signed in."""
        asked = {"challenge_id": challenge_id, "code": code}
        await self._begin(await self.give("/v1/sign-in", asked))

    async def _access(self) -> str:
        if self._token is not None:
            return self._token
        session = self._wallet.session
        if session is None:
            raise SignedOutError
        if self._now() < datetime.fromisoformat(session.access_expires_at) - REFRESH_BEFORE:
            return session.access_token
        # A refresh token works once, and a second use would end the session as stolen: so it is
        # forgotten before it is sent, and where its answer gets lost the member signs in anew.
        self._wallet.session = None
        await self._keep()
        try:
            asked = {"refresh_token": session.refresh_token}
            answer = await self._send("POST", "/v1/sign-in/refresh", body=asked, tries=1)
        except RefusedError:
            raise SignedOutError from None
        return (await self._begin(answer)).access_token

    async def _send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: dict[str, str] | None = None,
        tries: int | None = None,
    ) -> Any:
        url, tries = self.server + path, tries or self._tries
        return await send(self._open_http, method, url, body=body, headers=headers, tries=tries)

    async def _begin(self, tokens: dict[str, Any]) -> Session:
        session = Session(
            member_id=str(tokens["member_id"]),
            access_token=tokens["access_token"],
            access_expires_at=tokens["access_expires_at"],
            refresh_token=tokens["refresh_token"],
        )
        self._wallet.session = session
        await self._keep()
        return session
