"""Each command of payouts, taken once from the beginning, for tests over every command."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from pydantic import SecretStr

from app.members.roles import Role
from tests.app.payouts.till import BATCHES, HOLD_S, OWN_IBAN, earn, post, register, some_iban
from tests.factories import make_member


async def _register(s: Any) -> httpx.Response:
    return await register(s.client, s.driver, some_iban(1))


async def _prepare(s: Any) -> httpx.Response:
    """A driver with an account that can be paid and money on it, and a batch of it."""
    paying = {"payout_iban": SecretStr(OWN_IBAN), "payout_file_currencies": ("CHF",)}
    s.app.state.settings = s.settings.model_copy(update=paying)
    await _register(s)
    s.clock.pass_time(HOLD_S)
    await s.owner.execute(
        "update session set access_expires_at = access_expires_at + interval '9 d'"
    )
    await earn(s.owner, s.driver, 5000, s.clock)
    s.clock.pass_time(1)
    return await post(s.client, s.staff, BATCHES)


def _then(*steps: str, **body: Any) -> Callable[[Any], Awaitable[httpx.Response]]:
    """Take these steps with a prepared batch, by another person; the last one is looked at."""

    async def act(s: Any) -> httpx.Response:
        answer = await _prepare(s)
        path = f"{BATCHES}/{answer.json()['id']}"
        other = await make_member(s.owner, Role.STAFF, now=s.clock.now())
        for step in steps:
            sent = body if step == steps[-1] else {}
            answer = await post(s.client, other, f"{path}/{step}", **sent)
        return answer

    return act


PAYOUT_ACTS = {
    "register_bank_account": _register,
    "prepare_payout_batch": _prepare,
    "release_payout_batch": _then("release"),
    "cancel_payout_batch": _then("cancel", reason="a mistake"),
    "draw_payout_file": _then("release", "file"),
    "import_payout_statuses": _then("release", "statuses", everyone_else="settled"),
}
