"""Each command of reciprocity, taken once from the beginning, for tests over every command."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from app.members.roles import Role
from app.reciprocity.papers import public_half
from tests.app.reciprocity.sisters import Sister, own_id, post, register
from tests.factories import make_member

MONTH = "2026-04-01"


async def _propose(s: Any) -> httpx.Response:
    return await post(
        s.client,
        s.staff,
        "/v1/peers",
        name="Züri",
        base_url="https://zueri.example",
        public_key=public_half(Sister().key).hex(),
        they_may_owe_minor=1000,
        we_may_owe_minor=1000,
    )


async def _confirm(s: Any) -> httpx.Response:
    proposed = await _propose(s)
    other = await make_member(s.owner, Role.STAFF, now=s.clock.now())
    return await post(s.client, other, f"/v1/peers/{proposed.json()['id']}/confirm")


def _staff(*steps: str, **body: Any) -> Callable[[Any], Awaitable[httpx.Response]]:
    """Take these steps with a confirmed sister; the body is that of the first one."""

    async def act(s: Any) -> httpx.Response:
        path = await register(s.client, s.owner, public_key=public_half(Sister().key))
        first, *others = steps
        answer = await post(s.client, s.staff, f"{path}/{first}", **body)
        for step in others:
            answer = await post(s.client, s.staff, f"{path}/{step}")
        return answer

    return act


async def _letter(s: Any) -> httpx.Response:
    path = await register(s.client, s.owner, public_key=public_half(Sister().key))
    return await post(s.client, s.rider, f"{path}/letters", limit_minor=500)


async def _visit(s: Any) -> httpx.Response:
    sister = Sister()
    await register(s.client, s.owner, public_key=public_half(sister.key))
    letter = sister.letter(await own_id(s.client), now=s.clock.now())
    answer: httpx.Response = await s.client.post("/v1/visits", json=letter)
    return answer


async def _claim_again(s: Any) -> httpx.Response:
    opened = (await _visit(s)).json()
    visit = await s.owner.fetchrow("select * from visit where member_id = $1", opened["member_id"])
    await s.owner.execute("update visit set stalled_at = $1", s.clock.now())
    path = f"/v1/peers/{visit['peer_id']}/visits/{visit['id']}/claim"
    return await post(s.client, s.staff, path)


async def _clearing(s: Any) -> httpx.Response:
    sister = Sister()
    path = await register(s.client, s.owner, public_key=public_half(sister.key))
    given = await post(s.client, s.rider, f"{path}/letters", limit_minor=500)
    letter_id = given.json()["letter"]["paper"]["letter_id"]
    claim = sister.claim(await own_id(s.client), letter_id, 300, now=s.clock.now())
    answer: httpx.Response = await s.client.post(f"{path}/clearings", json=claim)
    return answer


async def _offer(s: Any) -> httpx.Response:
    sister = Sister()
    path = await register(s.client, s.owner, public_key=public_half(sister.key))
    offer = sister.statement(await own_id(s.client), MONTH)
    answer: httpx.Response = await s.client.post(f"{path}/statement-offers", json=offer)
    return answer


async def _settle(s: Any) -> httpx.Response:
    """A ride of last month that both have booked, agreed upon, and paid."""
    answer = await _clearing(s)
    clearing = await s.owner.fetchrow("select * from clearing")
    sister_id = clearing["peer_id"]
    await s.owner.execute(
        "set session_replication_role = replica; update clearing set claimed_at = '2026-04-02';"
        " set session_replication_role = origin"
    )
    path = f"/v1/peers/{sister_id}"
    drawn = await post(s.client, s.staff, f"{path}/statements", month=MONTH)
    await s.owner.execute(
        "update peer_statement set state = 'agreed', their_signature = 'theirs', agreed_at = $1",
        s.clock.now(),
    )
    assert answer.status_code == 200, answer.text
    other = await make_member(s.owner, Role.STAFF, now=s.clock.now())
    settle = f"{path}/statements/{drawn.json()['id']}/settle"
    return await post(s.client, other, settle, document="Bank statement 6, line 14")


RECIPROCITY_ACTS = {
    "propose_peer": _propose,
    "confirm_peer": _confirm,
    "pause_peer": _staff("pause", reason="their server is down"),
    "resume_peer": _staff("pause", "resume", reason="their server is down"),
    "request_guest_letter": _letter,
    "open_visit": _visit,
    "claim_again": _claim_again,
    "receive_clearing": _clearing,
    "draw_peer_statement": _staff("statements", month=MONTH),
    "answer_statement_offer": _offer,
    "settle_peer_statement": _settle,
}
