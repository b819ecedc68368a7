"""A town that votes for itself: the program, two issuers, and one clock for all of them."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

from app.assembly.board import board_key_hex, load_board_key
from app.assembly.deadlines import Deadlines
from app.issuer.folder import make_folder
from app.issuer.main import create_issuer
from app.voting.client import Voter
from app.voting.wallet import Wallet
from governance.electorate import House
from governance.proposal import Kind, Stage
from tests.app.assembly.proposals.stories import join_register, store_proposal
from tests.conftest import StandingClock
from tests.factories import Person

SERVER = "http://meent.test"
ISSUERS = ("http://auditors.test", "http://sister.test")


class Line(httpx.AsyncBaseTransport):
    """The way to one program; cut, it gives no answer."""

    def __init__(self, program: FastAPI) -> None:
        self._inner = httpx.ASGITransport(app=program)
        self.cut_at: tuple[str, ...] = ()
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if any(request.url.path.endswith(part) for part in self.cut_at):
            raise httpx.ConnectError("the line is cut", request=request)
        return await self._inner.handle_async_request(request)


@dataclass
class Town:
    """Everything there is to hold a vote, driven by hand."""

    app: FastAPI
    owner: asyncpg.Connection
    clock: StandingClock
    lines: tuple[Line, Line]
    http: httpx.AsyncClient
    deadlines: Deadlines
    members: dict[House, list[Person]] = field(default_factory=dict)
    voters: dict[UUID, Voter] = field(default_factory=dict)

    def new_process(self) -> None:
        """What a process only remembers is gone, as after a crash."""
        self.deadlines = Deadlines(
            database=self.app.state.database,
            clock=self.clock,
            settings=self.app.state.settings,
            client=self.http,
        )

    async def go_to(self, moment: datetime) -> None:
        """All clocks show this moment, the database's too."""
        self.clock.moment = moment
        await self.owner.execute(
            "insert into demo_clock (one, start_at, anchor_s, speed)"
            " values (true, $1, extract(epoch from clock_timestamp()), 1e-6)"
            " on conflict (one) do update set start_at = excluded.start_at,"
            " anchor_s = excluded.anchor_s",
            moment,
        )

    async def pass_time(self, **lasting: float) -> None:
        await self.go_to(self.clock.moment + timedelta(**lasting))

    async def round(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            await self.deadlines.run_once()

    async def settle(self, drivers: int, riders: int, *, with_keys: bool = True) -> None:
        """So many members of each house are in good standing, each with a device."""
        await self.go_to(self.clock.moment)
        for house, count in ((House.DRIVERS, drivers), (House.RIDERS, riders)):
            self.members[house] = []
            for number in range(count):
                person = await join_register(self.owner, house=house, name=f"{house} {number}")
                self.members[house].append(person)
                self.voters[person.id] = self._voter(person)
                if with_keys:
                    await self.voters[person.id].register_key()
        # A vote lasts longer than a test's session would.
        await self.owner.execute("update session set access_expires_at = $1", _IN_A_YEAR)

    async def add(self, house: House) -> Person:
        """One member more, without a member key."""
        person = await join_register(self.owner, house=house, name="without a key")
        self.voters[person.id] = self._voter(person)
        await self.owner.execute("update session set access_expires_at = $1", _IN_A_YEAR)
        return person

    async def propose(self, **content: Any) -> UUID:
        """A proposal in its deliberation, which ends in a week."""
        proposal = await store_proposal(self.owner, stage=Stage.DELIBERATION, **content)
        await self.owner.execute(
            "update proposal set since = $2, due_at = $3 where id = $1",
            proposal.id,
            self.clock.now(),
            self.clock.now() + timedelta(days=7),
        )
        if content.get("kind") is Kind.TEXT:
            await self.owner.execute(
                "insert into proposal_text (proposal_id, number, body, sha256, made_at)"
                " values ($1, 1, $2, repeat('ab', 32), now())",
                proposal.id,
                content["text"],
            )
        return proposal.id

    async def freeze(self, proposal_id: UUID) -> str:
        """The deliberation is over and the terms are sealed; return the election's id."""
        await self.go_to(await self._due(proposal_id))
        await self.round(2)
        return str(
            await self.owner.fetchval("select id from election where proposal_id = $1", proposal_id)
        )

    async def open_voting(self, proposal_id: UUID) -> str:
        """Voting has begun; return the election's id."""
        election = await self.freeze(proposal_id)
        await self.open_voting_now(proposal_id)
        return election

    async def open_voting_now(self, proposal_id: UUID) -> None:
        """Voting on what was frozen has begun."""
        await self.go_to(await self._due(proposal_id))
        await self.round()
        assert await self.stage(proposal_id) == "voting"

    async def vote(self, election: str, person: Person, value: Any) -> dict[str, Any]:
        """A member fetches both stamps and casts; return the receipt."""
        voter = self.voters[person.id]
        await voter.get_credentials(election)
        return await voter.cast(election, value)

    async def close(self, proposal_id: UUID) -> None:
        """Voting is over and counted."""
        closes_at = await self.owner.fetchval(
            "select closes_at from proposal where id = $1", proposal_id
        )
        await self.go_to(closes_at)
        await self.round()

    async def finish(self, proposal_id: UUID) -> None:
        """The objection window is over."""
        await self.go_to(await self._due(proposal_id) + timedelta(seconds=1))
        await self.round()

    async def hold(self, proposal_id: UUID, ballots: Sequence[tuple[Person, Any]]) -> str:
        """A whole vote, from deliberation to effect; return the election's id."""
        election = await self.open_voting(proposal_id)
        for person, value in ballots:
            await self.vote(election, person, value)
        await self.close(proposal_id)
        await self.finish(proposal_id)
        return election

    async def stage(self, proposal_id: UUID) -> str:
        return str(
            await self.owner.fetchval("select stage from proposal where id = $1", proposal_id)
        )

    async def get(self, path: str, person: Person | None = None) -> Any:
        """What the program answers to anybody, or to this member."""
        answer = await self.http.get(SERVER + path, headers=person.headers if person else {})
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content)

    async def told(self, person: Person) -> list[tuple[str, dict[str, Any]]]:
        """Type and content of every event in a member's own stream."""
        rows = await self.owner.fetch(
            "select type, data::text as data from event_log where stream_id = $1 order by seq",
            person.id,
        )
        return [(row["type"], json.loads(row["data"])) for row in rows]

    async def _due(self, proposal_id: UUID) -> datetime:
        due: datetime = await self.owner.fetchval(
            "select due_at from proposal where id = $1", proposal_id
        )
        return due

    def _voter(self, person: Person) -> Voter:
        return Voter(
            Wallet(),
            server=SERVER,
            token=person.token,
            open_http=self._open,
            now=self.clock.now,
            sleep=self.clock.sleep,
        )

    def _open(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(mounts=_mounts(self.app, self.lines))


_IN_A_YEAR = datetime.fromisoformat("2027-05-22T00:00:00+00:00")


def _mounts(app: FastAPI, lines: tuple[Line, Line]) -> dict[str, httpx.AsyncBaseTransport]:
    return {SERVER: httpx.ASGITransport(app=app), **dict(zip(ISSUERS, lines, strict=True))}


@asynccontextmanager
async def open_town(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, home: Path
) -> AsyncIterator[Town]:
    """The program with two issuers of its own, each with its folder, and nobody in it yet."""
    key = board_key_hex(load_board_key(app.state.settings.home))
    async with AsyncExitStack() as stack:
        lines = []
        for name in ("Auditors", "Sister cooperative"):
            folder = home / name
            make_folder(folder, name=name, cooperative_key=key)
            issuer = create_issuer(folder, clock=clock)
            await stack.enter_async_context(issuer.router.lifespan_context(issuer))
            lines.append(Line(issuer))
        pair = (lines[0], lines[1])
        http = await stack.enter_async_context(httpx.AsyncClient(mounts=_mounts(app, pair)))
        deadlines = Deadlines(
            database=app.state.database, clock=clock, settings=app.state.settings, client=http
        )
        yield Town(app, owner, clock, pair, http, deadlines)
