"""Each operation on proposals that changes something, with what it needs around it."""

from datetime import timedelta
from typing import Any, Protocol

import asyncpg
import httpx

from tests.app.assembly.proposals.stories import NUMBER, TEXT, deliberate, draft, join_register
from tests.app.assembly.proposals.stories import submit as submitted
from tests.conftest import StandingClock
from tests.factories import Person
from tests.steps import take

AMENDMENT = {"base_number": 1, "text": "Shorter.\n", "reason": "It is shorter."}


class Scene(Protocol):
    """As much of a scene as proposals need."""

    client: httpx.AsyncClient
    owner: asyncpg.Connection
    clock: StandingClock
    staff: Person


async def draft_proposal(s: Scene) -> httpx.Response:
    return await take(s.client, await join_register(s.owner), "/v1/proposals", **NUMBER)


async def edit_draft(s: Scene) -> httpx.Response:
    ada = await join_register(s.owner)
    path = f"/v1/proposals/{(await draft(s.client, ada))['id']}"
    return await s.client.put(path, json=NUMBER, headers=ada.act | {"If-Match": '"1"'})


async def submit(s: Scene) -> httpx.Response:
    ada = await join_register(s.owner)
    return await take(s.client, ada, f"/v1/proposals/{(await draft(s.client, ada))['id']}/submit")


def _on_submitted(*steps: str, **body: Any) -> Any:
    async def act(s: Scene) -> httpx.Response:
        ada = await join_register(s.owner)
        address = await submitted(s.client, ada)
        for step in steps:
            answer = await take(s.client, ada, f"{address}/{step}", **body)
        return answer

    return act


async def withdraw_comment(s: Scene) -> httpx.Response:
    ada = await join_register(s.owner)
    path = f"{await submitted(s.client, ada)}/comments"
    comment = (await take(s.client, ada, path, body="Hm.")).json()
    return await take(s.client, ada, f"{path}/{comment['id']}/withdraw")


def _on_amendment(*steps: str) -> Any:
    async def act(s: Scene) -> httpx.Response:
        ada = await join_register(s.owner)
        address, _ = await deliberate(s.client, s.owner, ada, **TEXT)
        answer = await take(s.client, ada, f"{address}/amendments", **AMENDMENT)
        amendment = f"{address}/amendments/{answer.json()['id']}"
        for step in steps:
            answer = await take(s.client, ada, f"{amendment}/{step}")
        return answer

    return act


async def _panel(s: Scene) -> tuple[httpx.Response, str, Person]:
    address, members = await deliberate(s.client, s.owner, await join_register(s.owner))
    source = {
        "source": "a lottery of tomorrow",
        "public_at": (s.clock.now() + timedelta(hours=1)).isoformat(),
    }
    return await take(s.client, s.staff, f"{address}/panel", **source), address, members[0]


async def list_panel(s: Scene) -> httpx.Response:
    return (await _panel(s))[0]


async def _draw(s: Scene) -> tuple[httpx.Response, str, Person]:
    _, address, member = await _panel(s)
    s.clock.pass_time(3600)
    drawn = await take(s.client, s.staff, f"{address}/panel/draw", randomness="8f" * 32)
    return drawn, address, member


async def draw_panel(s: Scene) -> httpx.Response:
    return (await _draw(s))[0]


async def write_panel_page(s: Scene) -> httpx.Response:
    _, address, member = await _draw(s)
    headers = member.act | {"If-Match": '"0"'}
    body = {"body": "A page."}
    return await s.client.put(f"{address}/panel/pages/for", json=body, headers=headers)


PROPOSAL_ACTS: dict[str, Any] = {
    "draft_proposal": draft_proposal,
    "edit_draft": edit_draft,
    "submit_proposal": submit,
    "withdraw_proposal": _on_submitted("withdraw"),
    "support_proposal": _on_submitted("support"),
    "withdraw_support": _on_submitted("support", "support/withdraw"),
    "write_comment": _on_submitted("comments", body="Hm."),
    "withdraw_comment": withdraw_comment,
    "propose_amendment": _on_amendment(),
    "accept_amendment": _on_amendment("accept"),
    "decline_amendment": _on_amendment("decline"),
    "support_amendment": _on_amendment("support"),
    "withdraw_amendment_support": _on_amendment("support", "support/withdraw"),
    "list_panel": list_panel,
    "draw_panel": draw_panel,
    "write_panel_page": write_panel_page,
}
