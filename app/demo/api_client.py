"""A member's phone as an API client: stays signed in and repeats until there is an answer."""

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from app.demo.text_messages import TextMessages
from app.foundation.clock import Clock

TIMEOUT_S = 10.0  # real seconds for one answer
PATIENCE_S = 90.0  # real seconds for an act with all its repeats: a platform restarts in fewer
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
TOKENS_TRIED = 8
REFRESH_BEFORE = timedelta(minutes=2)


class NoAnswerError(Exception):
    """The platform gave no answer for longer than anybody would wait."""


class RefusedError(Exception):
    """The platform said no; `slug` is the problem's name."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.slug = str(body.get("type", "")).rpartition("/")[2] or str(status)
        self.body = body
        super().__init__(f"{status} {self.slug}")


@dataclass(slots=True)
class Api:
    """The platform's address, shared by all phones, and what they count together."""

    base_url: str
    http: httpx.AsyncClient
    clock: Clock
    texts: TextMessages
    repeats: int = 0
    acknowledged: int = 0
    refusals: Counter[str] = field(default_factory=Counter)


@asynccontextmanager
async def open_api(base_url: str, *, clock: Clock, texts: TextMessages) -> AsyncIterator[Api]:
    """Lend the platform at this address."""
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(
        base_url=base_url, limits=limits, timeout=TIMEOUT_S, trust_env=False
    ) as http:
        yield Api(base_url, http, clock, texts)


def _is_not_now(status: int, body: dict[str, Any]) -> bool:
    """Return whether the answer means "later" rather than "no"."""
    return status >= 500 or status == 429 or str(body.get("type", "")).endswith("command-in-flight")


class Member:
    """One member on one phone. An act keeps its Idempotency-Key through every repeat."""

    def __init__(self, api: Api, *, phone: str) -> None:
        self.api = api
        self.phone = phone
        self.id = ""
        self._access = self._refresh = ""
        self._access_expires_at: datetime | None = None
        self._signing_in = asyncio.Lock()

    async def get(self, path: str, **params: Any) -> Any:
        """Return what stands there. RefusedError, NoAnswerError."""
        return await self._ask("GET", path, params=params)

    async def act(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Do something once and return the answer, however often it had to be sent."""
        answer = await self._ask("POST", path, body=body, key=key or new_key())
        self.api.acknowledged += 1
        return answer

    async def change(self, path: str, body: Any) -> Any:
        """Set something to what it shall be; a repeat sets the same."""
        return await self._ask("PATCH", path, body=body)

    async def put(self, path: str, body: Any) -> Any:
        """Say what shall stand there; a repeat says the same."""
        return await self._ask("PUT", path, body=body, key=new_key())

    async def fetch(self, path: str) -> bytes:
        """Return a file, as it is."""
        headers = {"Authorization": f"Bearer {await self.access_token()}"}
        response = await self.api.http.get(path, headers=headers)
        if not response.is_success:
            raise RefusedError(response.status_code, response.json())
        return response.content

    async def access_token(self) -> str:
        """Return a token that will not end on its way; sign in where nobody is signed in."""
        async with self._signing_in:
            expires_at = self._access_expires_at
            if expires_at is None or self.api.clock.now() > expires_at - REFRESH_BEFORE:
                await self._renew()
            return self._access

    async def drop_token(self, refused: str) -> None:
        """The next act takes a new token, if this one, which was refused, is still in use."""
        async with self._signing_in:
            if self._access == refused:
                self._access_expires_at = None

    async def sign_in(self) -> None:
        """Ask for a code, read it from the text message and begin a session.

        These calls take no key: an answer that was lost costs a new code.
        """
        pause_s, end_s = FIRST_PAUSE_S, time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            try:
                challenge = await self._send("POST", "/v1/sign-in/codes", {"phone": self.phone})
                if code := await self.api.texts.find_code(self.phone):
                    asked = {"challenge_id": challenge["challenge_id"], "code": code}
                    self._keep(await self._send("POST", "/v1/sign-in", asked, repeat=False))
                    return
            except RefusedError as refused:
                if refused.status < 500 and refused.slug != "code-refused":
                    raise
                self.api.repeats += 1
            except httpx.TransportError:
                self.api.repeats += 1
            await asyncio.sleep(random.uniform(pause_s / 2, pause_s))  # noqa: S311 - a pause
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        raise NoAnswerError(f"could not sign in within {PATIENCE_S:g} s")

    async def _ask(
        self, method: str, path: str, *, body: Any = None, params: Any = None, key: str = ""
    ) -> Any:
        """Send as a signed-in member; renew tokens before they end, or when they are refused."""
        for _ in range(TOKENS_TRIED):
            access = await self.access_token()
            headers = {"Authorization": f"Bearer {access}"}
            if key:
                headers["Idempotency-Key"] = key
            try:
                return await self._send(method, path, body, params=params, headers=headers)
            except RefusedError as refused:
                if refused.status != 401:
                    self.api.refusals[refused.slug] += 1
                    raise
                await self.drop_token(access)
        raise NoAnswerError(f"{path}: signed out again and again")

    async def _renew(self) -> None:
        """Take new tokens for old ones, or, where that cannot be, sign in anew.

        A refresh token works once. Where its answer was lost nobody knows whether it was used, and
        using it twice would end the session as stolen: so a lost answer means a new sign-in.
        """
        if self._refresh:
            token, self._refresh = self._refresh, ""
            try:
                asked = {"refresh_token": token}
                self._keep(await self._send("POST", "/v1/sign-in/refresh", asked, repeat=False))
            except (RefusedError, httpx.TransportError):
                self.api.repeats += 1
            else:
                return
        await self.sign_in()

    def _keep(self, tokens: dict[str, Any]) -> None:
        self.id = tokens["member_id"]
        self._access, self._refresh = tokens["access_token"], tokens["refresh_token"]
        self._access_expires_at = datetime.fromisoformat(tokens["access_expires_at"])

    async def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Any = None,
        headers: dict[str, str] | None = None,
        repeat: bool = True,
    ) -> Any:
        """Return the body of the answer; send again, after a pause, what got none."""
        pause_s, end_s = FIRST_PAUSE_S, time.monotonic() + PATIENCE_S
        content = None if body is None else orjson.dumps(body)
        headers = {**(headers or {}), "Content-Type": "application/json"}
        while True:
            try:
                response = await self.api.http.request(
                    method, path, content=content, params=params, headers=headers
                )
            except httpx.TransportError:
                if not repeat:
                    raise
            else:
                answer = orjson.loads(response.content) if response.content else None
                if response.is_success:
                    return answer
                if not _is_not_now(response.status_code, answer or {}) or not repeat:
                    raise RefusedError(response.status_code, answer or {})
            if time.monotonic() > end_s:
                raise NoAnswerError(f"{method} {path}: no answer within {PATIENCE_S:g} s")
            self.api.repeats += 1
            await asyncio.sleep(random.uniform(pause_s / 2, pause_s))  # noqa: S311 - a pause
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def new_key() -> str:
    """Return an Idempotency-Key for one act."""
    return secrets.token_hex(16)
