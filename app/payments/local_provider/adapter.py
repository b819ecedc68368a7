"""The port in front of the double, spoken over HTTP like any other provider's."""

import asyncio
import hmac
import time
from typing import Any
from uuid import UUID

import httpx
import orjson

from app.payments.local_provider.server import LocalProvider, sign
from app.payments.port import Done, EventInvalid, Outcome, Refused, Seen, Told, Unknown

NAME = "local"
SIGNATURE_HEADER = "Meent-Signature"
OLDEST_S = 300  # of a signature


def _seen(payment: dict[str, Any]) -> Seen:
    return Seen(
        payment_id=UUID(payment["ours"]),
        reference=payment["id"],
        authorised_minor=payment["authorised"],
        captured_minor=payment["captured"],
        refunded_minor=payment["refunded"],
        withdrawn_minor=payment["withdrawn"],
        reinstated_minor=payment["reinstated"],
        failure=payment["failure"],
    )


class LocalPort:
    """Speaks to a double of this process; ``timeout_s`` is how long an answer is waited for."""

    def __init__(self, provider: LocalProvider, *, timeout_s: float = 10.0) -> None:
        self._secret = provider.secret
        self._timeout_s = timeout_s
        transport = httpx.ASGITransport(app=provider.app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://local.provider")

    @property
    def name(self) -> str:
        """The provider's name."""
        return NAME

    async def authorise(
        self, *, payment_id: UUID, token: str, amount_minor: int, currency: str, key: str
    ) -> Outcome:
        """Set an amount aside."""
        request = {
            "payment_id": str(payment_id),
            "method": token,
            "amount": amount_minor,
            "currency": currency,
        }
        return await self._send("POST", "/payments", request, key=key)

    async def capture(self, *, reference: str, amount_minor: int, key: str) -> Outcome:
        """Take what was set aside, or a part of it."""
        path = f"/payments/{reference}/capture"
        return await self._send("POST", path, {"amount": amount_minor}, key=key)

    async def void(self, *, reference: str, key: str) -> Outcome:
        """Let go what was set aside."""
        return await self._send("POST", f"/payments/{reference}/void", {}, key=key)

    async def refund(self, *, reference: str, amount_minor: int, key: str) -> Outcome:
        """Give back what was captured, or a part of it."""
        path = f"/payments/{reference}/refunds"
        return await self._send("POST", path, {"amount": amount_minor}, key=key)

    async def look_up(self, *, reference: str) -> Outcome:
        """Return a payment as the double sees it now."""
        return await self._send("GET", f"/payments/{reference}", None, key=None)

    async def _send(
        self, verb: str, path: str, request: dict[str, Any] | None, *, key: str | None
    ) -> Outcome:
        headers = {} if key is None else {"Idempotency-Key": key}
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.request(verb, path, json=request, headers=headers)
        except (TimeoutError, httpx.HTTPError) as lost:
            return Unknown(type(lost).__name__)
        body = answer.json()
        if answer.is_success:
            return Done(_seen(body))
        if answer.status_code >= 500:
            return Unknown(f"status {answer.status_code}")
        payment = body["error"].get("payment")
        return Refused(body["error"]["code"], None if payment is None else _seen(payment))

    def read_event(self, body: bytes, *, signature: str | None) -> Told:
        """Return what an event tells.

        Raises:
            EventInvalid: it is not signed by the double, or was long ago.
        """
        parts = dict(part.partition("=")[::2] for part in (signature or "").split(","))
        at = parts.get("t", "")
        at_s = int(at) if at.isascii() and at.isdigit() else 0
        wanted = sign(body, secret=self._secret, at_s=at_s)
        if not hmac.compare_digest(wanted.encode(), (signature or "").encode()):
            raise EventInvalid("not signed by the provider")
        if abs(time.time() - at_s) > OLDEST_S:
            raise EventInvalid("signed too long ago")
        event = orjson.loads(body)
        return Told(event["id"], event["type"], _seen(event["payment"]))
