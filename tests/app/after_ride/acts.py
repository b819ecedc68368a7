"""Each command of what follows a ride, taken once, for tests over every command."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from app.members.roles import Role
from tests.factories import Person, make_member
from tests.steps import take

DRIVEN = ("arrive", "start", "complete")
DECISION = {"outcome": "refund", "from_costs_minor": 100, "reason": "The way was longer."}


async def _tip(s: Any) -> httpx.Response:
    ride_id = await s.ride(*DRIVEN)
    return await take(s.client, s.rider, f"/v1/rides/{ride_id}/tips", amount_minor=100)


async def _open(s: Any) -> httpx.Response:
    ride_id = await s.ride(*DRIVEN)
    path = f"/v1/rides/{ride_id}/disputes"
    return await take(s.client, s.rider, path, kind="wrong_fare", text="Too much.")


async def _decide(s: Any, *, costs_minor: int = 100) -> httpx.Response:
    dispute_id = (await _open(s)).json()["id"]
    body = DECISION | {"from_costs_minor": costs_minor}
    return await take(s.client, s.staff, f"/v1/disputes/{dispute_id}/decide", **body)


async def _appeal(s: Any) -> httpx.Response:
    dispute_id = (await _decide(s)).json()["id"]
    return await take(s.client, s.driver, f"/v1/disputes/{dispute_id}/appeal", text="It was not.")


def _second(step: str, **body: Any) -> Callable[[Any], Awaitable[httpx.Response]]:
    async def act(s: Any) -> httpx.Response:
        opened = (await _open(s)).json()
        # More than the fare may wait; it is refused when somebody lets it come to be.
        decision = DECISION | {"outcome": "pay_driver", "from_costs_minor": 5001}
        path = f"/v1/disputes/{opened['id']}"
        await take(s.client, s.staff, f"{path}/decide", **decision)
        other = await make_member(s.owner, Role.STAFF, now=s.clock.now())
        return await take(s.client, other, f"{path}/{step}", **body)

    return act


async def _split(s: Any) -> tuple[str, Person, httpx.Response]:
    ride_id = await s.ride()
    friend = await make_member(s.owner, now=s.clock.now())
    path = f"/v1/rides/{ride_id}/split"
    answer = await take(s.client, s.rider, path, invited=[{"member_id": str(friend.id)}])
    return ride_id, friend, answer


async def _propose(s: Any) -> httpx.Response:
    return (await _split(s))[2]


def _answer(word: str) -> Callable[[Any], Awaitable[httpx.Response]]:
    async def act(s: Any) -> httpx.Response:
        ride_id, friend, _ = await _split(s)
        return await take(s.client, friend, f"/v1/rides/{ride_id}/split/{word}")

    return act


AFTER_RIDE_ACTS: dict[str, Callable[[Any], Awaitable[httpx.Response]]] = {
    "tip_driver": _tip,
    "open_dispute": _open,
    "decide_dispute": _decide,
    "appeal_dispute": _appeal,
    "release_decision": _second("release"),
    "withdraw_decision": _second("withdraw", reason="It is less."),
    "split_fare": _propose,
    "accept_split": _answer("accept"),
    "decline_split": _answer("decline"),
}
