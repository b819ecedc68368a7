"""Each command of tariffs and of changed rides, taken once, for tests over every command."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import httpx

from app.city import load_city
from app.members.roles import Role
from app.settings import BUILT_IN_CITY
from tests.conftest import StandingClock
from tests.factories import Person, make_member
from tests.steps import TRIESEN, take

PROPOSALS = "/v1/tariffs/proposals"


def tariff_body(**changes: Any) -> dict[str, Any]:
    """Return the built-in city's tariff with changes, as a client sends it."""
    tariff: dict[str, Any] = load_city(BUILT_IN_CITY).tariff.model_dump(mode="json")
    return tariff | changes


async def propose(
    client: httpx.AsyncClient, staff: Person, clock: StandingClock, **changes: Any
) -> httpx.Response:
    """Propose a tariff that is to be in force a second from now."""
    return await take(
        client,
        staff,
        PROPOSALS,
        tariff=tariff_body(**changes),
        effective_from=(clock.now() + timedelta(seconds=1)).isoformat(),
        reason="costs rose",
    )


async def put_in_force(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, **changes: Any
) -> None:
    """Two people set a tariff; a second later it is in force."""
    one, other = [await make_member(owner, Role.STAFF, now=clock.now()) for _ in range(2)]
    proposed = await propose(client, one, clock, **changes)
    assert proposed.status_code == 201, proposed.text
    released = await take(client, other, f"{PROPOSALS}/{proposed.json()['id']}/release")
    assert released.status_code == 200, released.text
    clock.pass_time(1)


async def _propose(s: Any) -> httpx.Response:
    return await propose(s.client, s.staff, s.clock)


def _then(step: str) -> Callable[[Any], Awaitable[httpx.Response]]:
    async def act(s: Any) -> httpx.Response:
        proposed = await _propose(s)
        other = await make_member(s.owner, Role.STAFF, now=s.clock.now())
        return await take(s.client, other, f"{PROPOSALS}/{proposed.json()['id']}/{step}")

    return act


async def _ask_change(s: Any) -> httpx.Response:
    ride_id = await s.ride("arrive")
    return await take(s.client, s.rider, f"/v1/rides/{ride_id}/changes", dropoff=TRIESEN)


async def _accept_change(s: Any) -> httpx.Response:
    change = (await _ask_change(s)).json()
    path = f"/v1/rides/{change['ride_id']}/changes/{change['id']}/accept"
    return await take(s.client, s.rider, path)


FARES_ACTS = {
    "propose_tariff": _propose,
    "release_tariff": _then("release"),
    "withdraw_tariff": _then("withdraw"),
    "ask_ride_change": _ask_change,
    "accept_ride_change": _accept_change,
}
