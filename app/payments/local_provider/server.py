"""The double as an HTTP server of its own: authorise, capture, void, refund, look up, tell."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.payments.local_provider.moods import Moods
from app.payments.local_provider.vault import Vault

LONGER_THAN_ANYONE_WAITS_S = 3600.0
MOST_TOLD_AT_ONCE = 100

# Posts a body with its signature to whoever listens; returns the status of the answer.
type Tell = Callable[[bytes, str], Awaitable[int]]


def sign(body: bytes, *, secret: str, at_s: int) -> str:
    """Return the signature of an event: when it was told, and an HMAC of that and the body."""
    code = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={code}"


class LocalProvider:
    """The double: ``app`` is its HTTP, and ``tell_all`` tells its events.

    The moods may be changed between two rounds of a test.
    """

    def __init__(self, vault: Vault, *, secret: str, moods: Moods | None = None) -> None:
        self.vault = vault
        self.secret = secret
        self.moods = moods or Moods()
        self.app = Starlette(
            routes=[
                Route("/payments", self._act, methods=["POST"]),
                Route("/payments/{id}", self._show, methods=["GET"]),
                Route("/payments/{id}/{act}", self._act, methods=["POST"]),
            ]
        )

    async def _act(self, request: Request) -> Response:
        key = request.headers.get("Idempotency-Key")
        if not key:
            return JSONResponse({"error": {"code": "idempotency_key_missing"}}, 400)
        if self.moods.strikes(self.moods.fails_before):
            return JSONResponse({"error": {"code": "api_error"}}, 500)
        reply = await asyncio.to_thread(
            self.vault.act, request.url.path, await request.json(), key=key
        )
        if self.moods.strikes(self.moods.hangs_after):
            await asyncio.sleep(LONGER_THAN_ANYONE_WAITS_S)
        if self.moods.strikes(self.moods.fails_after):
            return JSONResponse({"error": {"code": "api_error"}}, 500)
        return JSONResponse(reply.body, reply.status)

    async def _show(self, request: Request) -> Response:
        payment = await asyncio.to_thread(self.vault.find, request.path_params["id"])
        if payment is None:
            return JSONResponse({"error": {"code": "no_such_payment"}}, 404)
        return JSONResponse(payment)

    async def tell_all(self, tell: Tell) -> int:
        """Tell the events there are, and return how many were heard; the others stay for later."""
        heard = 0
        for _ in range(MOST_TOLD_AT_ONCE):
            event = await asyncio.to_thread(self.vault.take_event, self.moods)
            if event is None:
                break
            number, body = event
            times = 2 if self.moods.strikes(self.moods.tells_twice) else 1
            for _ in range(times):
                content = body.encode()
                signature = sign(content, secret=self.secret, at_s=int(time.time()))
                if await tell(content, signature) != 200:
                    return heard
            await asyncio.to_thread(self.vault.event_was_taken, number)
            heard += 1
        return heard
