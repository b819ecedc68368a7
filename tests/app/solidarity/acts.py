"""Each command of solidarity, taken once from the beginning, for tests over every command."""

from typing import Any

import httpx

from app.members.roles import Role
from app.solidarity.service.guarantees import keep_guarantee
from tests.app.solidarity.scene import (
    CIRCLES,
    GUARANTEES,
    TIER,
    confirm,
    fail_payment,
    make_circle,
    report,
    rider_balance,
)
from tests.factories import make_member
from tests.steps import take


async def _open(s: Any) -> httpx.Response:
    return await take(s.client, s.driver, CIRCLES, name="Night drivers")


async def _join(s: Any) -> httpx.Response:
    circle = (await _open(s)).json()
    return await take(s.client, s.driver, f"{CIRCLES}/{circle['id']}/join", tier_minor=TIER)


async def _leave(s: Any) -> httpx.Response:
    await _join(s)
    return await take(s.client, s.driver, f"{CIRCLES}/leave")


async def _report(s: Any) -> httpx.Response:
    await _join(s)
    day = s.clock.now().date().isoformat()
    return await take(s.client, s.driver, "/v1/me/sick-leaves", began_on=day)


async def _recover(s: Any) -> httpx.Response:
    await _report(s)
    day = s.clock.now().date().isoformat()
    return await take(s.client, s.driver, "/v1/me/sick-leaves/recovery", ended_on=day)


async def _confirm(s: Any) -> httpx.Response:
    circle = await make_circle(s.owner, s.app.state.database, now=s.clock.now())
    leave = await report(s.client, circle.members[0], s.clock.now().date().isoformat())
    return await confirm(s.client, circle.members[1], leave["id"])


async def _write_off(s: Any) -> httpx.Response:
    """The fund is empty, so all of the fare is left."""
    ride_id = await s.ride("arrive", "start", "complete")
    payment_id = await fail_payment(
        s.owner,
        ride_id=ride_id,
        rider=s.rider,
        amount_minor=-await rider_balance(s.owner, s.rider),
        at=s.clock.now(),
    )
    await keep_guarantee(s.app.state.database, now=s.clock.now())
    staff = await make_member(s.owner, Role.STAFF, now=s.clock.now())
    path = f"{GUARANTEES}/{payment_id}/write-off"
    return await take(s.client, staff, path, reason="moved away")


SOLIDARITY_ACTS = {
    "open_circle": _open,
    "join_circle": _join,
    "leave_circle": _leave,
    "report_sick": _report,
    "report_recovered": _recover,
    "confirm_sick_leave": _confirm,
    "write_off_payment": _write_off,
}
