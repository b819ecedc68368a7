"""What was answered was committed: for every operation that changes something."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
from fastapi import Depends, FastAPI

from app.main import create_app
from app.members.roles import DocumentKind, Role
from app.settings import Settings
from tests.app.after_ride.acts import AFTER_RIDE_ACTS
from tests.app.assembly.ballots.scene import hold_vote, post
from tests.app.assembly.open_votes.stories import DAY, Story, seat
from tests.app.assembly.proposals.acts import PROPOSAL_ACTS
from tests.app.fares.acts import FARES_ACTS
from tests.app.guests.acts import GUEST_ACTS
from tests.app.members.acts import ERASURE_ACTS
from tests.app.payments.acts import PAYMENT_ACTS
from tests.app.payouts.acts import PAYOUT_ACTS
from tests.app.reciprocity.acts import RECIPROCITY_ACTS
from tests.app.solidarity.acts import SOLIDARITY_ACTS
from tests.app.surplus.acts import SURPLUS_ACTS
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import BALZERS, VADUZ, ask_price, assigned_ride, book, offered, stand, take

# PostgreSQL's own workers (vacuum, analyze) hold transactions too: only clients are counted.
UNFINISHED = (
    "select count(*) from pg_stat_activity where datname = current_database()"
    " and backend_type = 'client backend'"
    " and backend_xid is not null and pid <> pg_backend_pid()"
)


@dataclass
class Probe:
    """Stands between the program and the network; looks when the first byte leaves."""

    app: FastAPI
    owner: asyncpg.Connection
    commits: int = 0
    seen: list[tuple[str, str, int, int, int]] = field(default_factory=list)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        before = self.commits

        async def watched(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                unfinished = await self.owner.fetchval(UNFINISHED)
                route = getattr(scope.get("route"), "path", "?")
                made = self.commits - before
                self.seen.append((scope["method"], route, message["status"], made, unfinished))
            await send(message)

        await self.app(scope, receive, watched)

    def count_commit(self) -> None:
        self.commits += 1


@dataclass
class Scene:
    """What an operation needs around it."""

    app: FastAPI
    client: httpx.AsyncClient
    owner: asyncpg.Connection
    clock: StandingClock
    settings: Settings
    rider: Person
    driver: Person
    staff: Person

    async def ride(self, *steps: str) -> str:
        ride_id = await assigned_ride(
            self.app, self.client, rider=self.rider, driver=self.driver, now=self.clock.now()
        )
        for step in steps:
            await take(self.client, self.driver, f"/v1/rides/{ride_id}/{step}")
        return ride_id

    async def offer(self) -> str:
        await book(self.client, self.rider)
        await stand(self.app, self.driver, now=self.clock.now())
        return str((await offered(self.app, self.client, self.driver))["id"])

    async def applicant(self) -> tuple[Person, str]:
        person = await make_member(self.owner, now=FRIDAY_EVENING)
        answer = await take(self.client, person, "/v1/driver-applications", **APPLICATION)
        assert answer.status_code == 201, answer.text
        return person, answer.json()["id"]

    async def signed_in(self) -> dict[str, Any]:
        return dict((await self.sign_in()).json())

    async def sign_in(self) -> httpx.Response:
        answer = await self.client.post("/v1/sign-in/codes", json={"phone": "+4232345678"})
        assert self.settings.sms_file is not None
        text = json.loads(self.settings.sms_file.read_text().splitlines()[-1])["text"]
        [code] = re.findall(r"\b\d{6}\b", text)
        body = {"challenge_id": answer.json()["challenge_id"], "code": code}
        return await self.client.post("/v1/sign-in", json=body)


APPLICATION = {
    "vehicle": {"make": "Skoda", "model": "Enyaq", "colour": "green", "plate": "FL 1", "seats": 4},
    "documents": [
        {"kind": kind, "number": "A-1", "expires_on": "2030-01-01"} for kind in DocumentKind
    ],
}
type Act = Callable[[Scene], Awaitable[httpx.Response]]


async def _new_phone(s: Scene) -> httpx.Response:
    return await s.client.post("/v1/sign-in/codes", json={"phone": "+4232345678"})


async def _refresh(s: Scene) -> httpx.Response:
    body = {"refresh_token": (await s.signed_in())["refresh_token"]}
    return await s.client.post("/v1/sign-in/refresh", json=body)


async def _change_me(s: Scene) -> httpx.Response:
    return await s.client.patch("/v1/me", json={"name": "Eli"}, headers=s.rider.act)


async def _suspend(s: Scene) -> httpx.Response:
    path = f"/v1/members/{s.rider.id}/suspend"
    return await take(s.client, s.staff, path, reason="a complaint is looked at")


async def _reinstate(s: Scene) -> httpx.Response:
    await _suspend(s)
    path = f"/v1/members/{s.rider.id}/reinstate"
    return await take(s.client, s.staff, path, reason="it was a mistake")


async def _apply(s: Scene) -> httpx.Response:
    return await take(s.client, s.rider, "/v1/driver-applications", **APPLICATION)


async def _admit(s: Scene) -> httpx.Response:
    _, application_id = await s.applicant()
    return await take(s.client, s.staff, f"/v1/driver-applications/{application_id}/admit")


async def _refuse(s: Scene) -> httpx.Response:
    _, application_id = await s.applicant()
    path = f"/v1/driver-applications/{application_id}/refuse"
    return await take(s.client, s.staff, path, reason="the licence cannot be read")


async def _renew(s: Scene) -> httpx.Response:
    paper = {"kind": "driving_licence", "number": "B-2", "expires_on": "2031-01-01"}
    return await take(s.client, s.driver, "/v1/documents", **paper)


COST = {"purpose": "maps", "amount_minor": 900, "day": "2026-05-01", "document": "Invoice 7"}


async def _reverse_cost(s: Scene) -> httpx.Response:
    cost_id = (await take(s.client, s.staff, "/v1/costs", **COST)).json()["id"]
    return await take(s.client, s.staff, f"/v1/costs/{cost_id}/reverse", reason="booked twice")


def _membership(*steps: str, **body: str) -> Act:
    """Take these steps one after the other with a rider's membership; the last one is looked at."""

    async def act(s: Scene) -> httpx.Response:
        answer = await take(s.client, s.rider, "/v1/memberships", house="riders")
        membership_id = answer.json()["id"]
        for step in steps:
            path = f"/v1/memberships/{membership_id}/{step}"
            answer = await take(s.client, s.staff, path, **body)
        return answer

    return act


async def _leave(s: Scene) -> httpx.Response:
    await _membership()(s)
    return await take(s.client, s.rider, "/v1/me/membership/leave")


async def _set_member_key(s: Scene) -> httpx.Response:
    body = {"public_key": "d7" * 32}
    return await s.client.put("/v1/me/member-key", json=body, headers=s.rider.act)


async def _quote(s: Scene) -> httpx.Response:
    return await take(s.client, s.rider, "/v1/quotes", pickup=VADUZ, dropoff=BALZERS)


async def _start_shift(s: Scene) -> httpx.Response:
    await take(s.client, s.driver, "/v1/shifts/current/end")
    return await s.client.post("/v1/shifts", json={}, headers=s.driver.act)


async def _request_ride(s: Scene) -> httpx.Response:
    quote = await ask_price(s.client, s.rider)
    return await take(s.client, s.rider, "/v1/rides", quote_id=quote["id"])


async def _cast(s: Scene) -> httpx.Response:
    vote = await hold_vote(s.owner, s.app.state.database, s.settings)
    return await post(s.client, vote, vote.ballot())


async def _object(s: Scene) -> httpx.Response:
    vote = await hold_vote(s.owner, s.app.state.database, s.settings)
    receipt = await vote.accept(vote.ballot())
    await s.owner.execute("delete from pending_ballot")
    await vote.announce()
    path = f"/v1/elections/{vote.id}/objections"
    return await s.client.post(path, json={"receipt": receipt})


REASON = "Twelve members on the roll were admitted without a share."


async def _ask_to_stop(s: Scene) -> httpx.Response:
    vote = await hold_vote(s.owner, s.app.state.database, s.settings)
    await vote.announce()
    auditor = await make_member(s.owner, Role.AUDITOR, now=FRIDAY_EVENING)
    return await take(s.client, auditor, f"/v1/elections/{vote.id}/audit-stops", reason=REASON)


async def _confirm_stop(s: Scene) -> httpx.Response:
    asked = (await _ask_to_stop(s)).json()
    auditor = await make_member(s.owner, Role.AUDITOR, now=FRIDAY_EVENING)
    path = f"/v1/elections/{asked['election_id']}/audit-stops/{asked['id']}/confirm"
    return await take(s.client, auditor, path)


def _step(step: str, *before: str, reason: bool = False) -> Act:
    async def take_step(s: Scene) -> httpx.Response:
        ride_id = await s.ride(*before)
        body = {"reason": "so it is"} if reason else {}
        if step == "no-show":
            s.clock.pass_time(180)
        person = s.rider if step == "cancel" else s.driver
        return await take(s.client, person, f"/v1/rides/{ride_id}/{step}", **body)

    return take_step


def _offer(step: str) -> Act:
    async def act(s: Scene) -> httpx.Response:
        return await take(s.client, s.driver, f"/v1/offers/{await s.offer()}/{step}")

    return act


async def _vote_openly(s: Scene) -> httpx.Response:
    [ada] = await seat(s.owner, "Ada")
    proposal = await Story(s.owner, s.app.state.database, s.clock).open_text()
    path = f"/v1/proposals/{proposal.id}/vote"
    return await s.client.put(path, json={"value": "yes"}, headers=ada.act)


async def _lend_voice(s: Scene) -> httpx.Response:
    ada, bo = await seat(s.owner, "Ada", "Bo")
    until = (s.clock.now() + DAY).isoformat()
    body = {"taker_id": str(bo.id), "topic": "text", "expires_at": until}
    return await take(s.client, ada, "/v1/delegations", **body)


async def _revoke_delegation(s: Scene) -> httpx.Response:
    ada, bo = await seat(s.owner, "Ada", "Bo")
    lent = await Story(s.owner, s.app.state.database, s.clock).lend(ada, bo)
    return await take(s.client, ada, f"/v1/delegations/{lent}/revoke")


ACTS: dict[str, Act] = {
    "request_code": _new_phone,
    "sign_in": Scene.sign_in,
    "refresh_tokens": _refresh,
    "sign_out": lambda s: take(s.client, s.rider, "/v1/sign-out"),
    "sign_out_everywhere": lambda s: take(s.client, s.rider, "/v1/sign-out-everywhere"),
    "open_socket_ticket": lambda s: take(s.client, s.rider, "/v1/socket-tickets"),
    "change_me": _change_me,
    "suspend_member": _suspend,
    "reinstate_member": _reinstate,
    "apply_to_drive": _apply,
    "admit_driver": _admit,
    "refuse_driver": _refuse,
    "renew_document": _renew,
    "apply_for_membership": _membership(),
    "book_share": _membership("shares"),
    "admit_member": _membership("shares", "admit"),
    "refuse_member": _membership("refuse", reason="not in this house"),
    "leave_cooperative": _leave,
    "set_member_key": _set_member_key,
    "request_quote": _quote,
    "book_cost": lambda s: take(s.client, s.staff, "/v1/costs", **COST),
    "reverse_cost": _reverse_cost,
    "start_shift": _start_shift,
    "end_shift": lambda s: take(s.client, s.driver, "/v1/shifts/current/end"),
    "request_ride": _request_ride,
    "arrive": _step("arrive"),
    "start_ride": _step("start", "arrive"),
    "complete_ride": _step("complete", "arrive", "start"),
    "cancel_ride": _step("cancel", reason=True),
    "withdraw_from_ride": _step("withdraw", reason=True),
    "report_no_show": _step("no-show", "arrive"),
    "accept_offer": _offer("accept"),
    "decline_offer": _offer("decline"),
    "cast_ballot": _cast,
    "object_to_count": _object,
    "ask_to_stop_election": _ask_to_stop,
    "confirm_election_stop": _confirm_stop,
    "cast_open_vote": _vote_openly,
    "lend_voice": _lend_voice,
    "revoke_delegation": _revoke_delegation,
    **AFTER_RIDE_ACTS,
    **ERASURE_ACTS,
    **PROPOSAL_ACTS,
    **FARES_ACTS,
    **GUEST_ACTS,
    **PAYMENT_ACTS,
    **PAYOUT_ACTS,
    **RECIPROCITY_ACTS,
    **SOLIDARITY_ACTS,
    **SURPLUS_ACTS,
}


def mutating(app: FastAPI) -> set[str]:
    return {
        operation["operationId"]
        for path in app.openapi()["paths"].values()
        for method, operation in path.items()
        if method in ("post", "put", "patch", "delete")
    }


def test_every_operation_that_changes_something_is_tried_here(settings: Settings) -> None:
    assert mutating(create_app(settings, dsn="postgresql://nowhere")) == set(ACTS)


@pytest.fixture
async def scene(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, settings: Settings
) -> AsyncIterator[tuple[Scene, Probe]]:
    probe = Probe(app, owner)
    app.state.database.after_commit.append(probe.count_commit)
    transport = httpx.ASGITransport(app=probe)
    async with httpx.AsyncClient(transport=transport, base_url="http://meent.test") as client:
        yield (
            Scene(
                app=app,
                client=client,
                owner=owner,
                clock=clock,
                settings=settings,
                rider=await make_member(owner, now=FRIDAY_EVENING),
                driver=await make_driver(owner, now=FRIDAY_EVENING),
                staff=await make_member(owner, Role.STAFF, now=FRIDAY_EVENING),
            ),
            probe,
        )


@pytest.mark.parametrize("operation_id", sorted(ACTS))
async def test_the_commit_comes_before_the_first_byte(
    scene: tuple[Scene, Probe], operation_id: str
) -> None:
    story, probe = scene

    answer = await ACTS[operation_id](story)

    assert answer.is_success, answer.text
    _, _, status, commits, unfinished = probe.seen[-1]
    assert status == answer.status_code
    assert commits >= 1
    assert unfinished == 0


async def test_the_probe_sees_an_answer_that_runs_ahead_of_its_commit(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    """FastAPI ends a plain ``yield`` dependency after the answer has left."""

    async def late() -> AsyncIterator[Any]:
        async with app.state.database.transaction() as tx:
            await tx.execute(
                "insert into idempotency_key values (uuidv7(), 'k', '', 200, null, $1)", clock.now()
            )
            yield tx

    @app.post("/late")
    async def answer_early(_: Annotated[Any, Depends(late)]) -> str:
        return "done"

    probe = Probe(app, owner)
    app.state.database.after_commit.append(probe.count_commit)
    transport = httpx.ASGITransport(app=probe)
    async with httpx.AsyncClient(transport=transport, base_url="http://meent.test") as client:
        await client.post("/late")

    _, _, status, commits, unfinished = probe.seen[-1]
    assert (status, commits, unfinished) == (200, 0, 1)
