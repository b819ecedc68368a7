"""Opens the card provider that the settings name: our own double, unless they say otherwise."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import structlog

from app.payments.local_provider.adapter import SIGNATURE_HEADER, LocalPort
from app.payments.local_provider.server import LocalProvider
from app.payments.local_provider.vault import Vault
from app.payments.port import PaymentPort
from app.payments.stripe_port import StripePort
from app.settings import CardProviderName, Settings

VAULT_FILE = "local-card-provider.sqlite3"

log = structlog.get_logger("payments")


@dataclass(frozen=True, slots=True)
class CardProvider:
    """The provider in use. ``tell_all`` lets our own double tell its events; others tell theirs.

    ``double`` is the double itself, for demonstrations and tests.
    """

    port: PaymentPort
    tell_all: Callable[[], Awaitable[int]]
    double: LocalProvider | None = None


@asynccontextmanager
async def open_provider(
    settings: Settings, *, app: Any, secret: str
) -> AsyncIterator[CardProvider]:
    """Lend the provider of the settings; ``app`` hears what our own double tells."""
    if settings.payment_provider is CardProviderName.STRIPE:
        key, webhook_secret = settings.stripe_secret_key, settings.stripe_webhook_secret
        assert key is not None
        assert webhook_secret is not None
        stripe = StripePort(
            secret_key=key.get_secret_value(), webhook_secret=webhook_secret.get_secret_value()
        )
        log.info("payments.provider", provider="stripe")
        try:
            yield CardProvider(stripe, _tells_nothing)
        finally:
            await stripe.close()
        return
    log.warning("payments.provider", provider="local", moves_money=False)
    settings.home.mkdir(parents=True, exist_ok=True)
    async with open_double(settings.home / VAULT_FILE, app=app, secret=secret) as provider:
        yield provider


@asynccontextmanager
async def open_double(path: Path | str, *, app: Any, secret: str) -> AsyncIterator[CardProvider]:
    """Lend our own double with its books in this file."""
    double = LocalProvider(Vault(path), secret=secret)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://meent.local") as client:

        async def tell(body: bytes, signature: str) -> int:
            answer = await client.post(
                "/v1/payment-webhooks/local",
                content=body,
                headers={SIGNATURE_HEADER: signature, "Content-Type": "application/json"},
            )
            return answer.status_code

        try:
            yield CardProvider(LocalPort(double), lambda: double.tell_all(tell), double)
        finally:
            double.vault.close()


async def _tells_nothing() -> int:
    return 0
