"""What changes something in the surplus's room, each as one request."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx

from app.members.roles import Role
from tests.app.surplus.year import Town, bring, former_member, found_before, redeem
from tests.conftest import FRIDAY_EVENING
from tests.factories import make_member

DAY = timedelta(days=1)


async def _town(scene: Any) -> Town:
    await found_before(scene.owner)
    return Town(
        client=scene.client,
        owner=scene.owner,
        database=scene.app.state.database,
        clock=scene.clock,
        rider=scene.rider,
        first=scene.staff,
        second=await make_member(scene.owner, Role.STAFF, now=FRIDAY_EVENING),
    )


async def _prepare(scene: Any) -> httpx.Response:
    town = await _town(scene)
    return await town.prepare(since=FRIDAY_EVENING - DAY, until=FRIDAY_EVENING)


async def _confirm(scene: Any) -> httpx.Response:
    town = await _town(scene)
    prepared = await town.prepare(since=FRIDAY_EVENING - DAY, until=FRIDAY_EVENING)
    return await town.confirm(prepared.json()["id"])


async def _redeem(scene: Any) -> httpx.Response:
    town = await _town(scene)
    ada = await former_member(town, lots=1)
    await town.wait(days=366)
    await bring(town, 1_000_000)
    return await redeem(town, ada)


SURPLUS_ACTS: dict[str, Callable[[Any], Awaitable[httpx.Response]]] = {
    "prepare_period": _prepare,
    "confirm_period": _confirm,
    "redeem_capital": _redeem,
}
