"""Each command about erasures, taken once from the beginning, for tests over every command."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from app.members.roles import Role
from tests.factories import make_member
from tests.steps import take


async def _ask(s: Any) -> httpx.Response:
    return await take(s.client, s.staff, f"/v1/members/{s.rider.id}/erasures")


def _then(step: str) -> Callable[[Any], Awaitable[httpx.Response]]:
    """Ask, and let another person take this step."""

    async def act(s: Any) -> httpx.Response:
        asked = (await _ask(s)).json()["id"]
        other = await make_member(s.owner, Role.STAFF, now=s.clock.now())
        return await take(s.client, other, f"/v1/erasures/{asked}/{step}")

    return act


ERASURE_ACTS = {
    "ask_erasure": _ask,
    "confirm_erasure": _then("confirm"),
    "withdraw_erasure": _then("withdraw"),
}
