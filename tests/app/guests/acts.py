"""Each command of the guests' room, taken once from the beginning, for tests over all commands."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from tests.steps import BALZERS, VADUZ, take

GUEST = {"name": "Ospelt", "phone": "+423 765 43 21"}


async def _register(s: Any) -> httpx.Response:
    return await take(s.client, s.staff, "/v1/guests", **GUEST)


async def _quote(s: Any) -> httpx.Response:
    guest = (await _register(s)).json()
    path = f"/v1/guests/{guest['id']}/quotes"
    return await take(s.client, s.staff, path, pickup=VADUZ, dropoff=BALZERS)


async def _ride(s: Any) -> httpx.Response:
    quote = (await _quote(s)).json()
    guest = (await _register(s)).json()
    wish = {"quote_id": quote["id"], "payment_method": "cash"}
    return await take(s.client, s.staff, f"/v1/guests/{guest['id']}/rides", **wish)


GUEST_ACTS: dict[str, Callable[[Any], Awaitable[httpx.Response]]] = {
    "register_guest": _register,
    "request_guest_quote": _quote,
    "request_guest_ride": _ride,
}
