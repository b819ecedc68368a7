"""A town that votes: the whole program, two real issuers, and a log of what travelled."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from app.assembly.ballots import service as box
from app.assembly.board import load_board_key
from app.assembly.elections.rules import seat_salt
from app.assembly.elections.service import count_box
from app.foundation.ids import new_id
from app.issuer import papers
from app.issuer.main import create_issuer
from app.members.roles import Role
from app.voting.client import Voter
from app.voting.wallet import Wallet
from governance.ballot_rule import BALLOT_RULES
from governance.manifest import House, Issuer, Manifest, canonical, member_hash, roll_hash
from governance.proposal import Stage
from tests import factories
from tests.app.assembly.proposals.stories import store_proposal
from tests.app.realtime.phones import until
from tests.conftest import StandingClock
from tests.issuers import NUMBER, Cooperative, public_hex

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SALT = b"a salt of this roll: 32 bytes long"[:32]


class When(StrEnum):
    """Whether a request was lost, or its answer."""

    ON_THE_WAY = "on the way"
    ON_THE_WAY_BACK = "on the way back"


@dataclass(frozen=True)
class Sent:
    """One request that arrived somewhere in town."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Seat:
    """One line of a roll: whose it is, the name behind the pseudonym, the member key."""

    person_id: UUID
    name: str
    key: str

    @property
    def member(self) -> str:
        return member_hash(self.name, salt=seat_salt(SALT, self.person_id))


@dataclass
class Town:
    """The program and its issuers behind one address; what arrives is noted."""

    app: FastAPI
    issuers: tuple[FastAPI, FastAPI]
    owner: asyncpg.Connection
    clock: StandingClock
    cooperative: Cooperative
    url: str = "http://meent.test"
    sent: list[Sent] = field(default_factory=list)
    lies: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    breaks: Callable[[Sent, When], None] | None = None
    election: str = ""
    manifest: Manifest | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, at the issuer or at the cooperative."""
        message, body = await receive(), b""
        while message["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
            message = await receive()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.sent.append(Sent(scope["method"], scope["path"], headers, body))
        if self.breaks is not None:
            self.breaks(self.sent[-1], When.ON_THE_WAY)
        taken = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def again() -> Any:
            return next(taken, {"type": "http.disconnect"})

        target, path = self.app, scope["path"]
        if match := re.match(r"/issuer-([01])(/.*)", path):
            target, path = self.issuers[int(match[1])], match[2]
        scope = {**scope, "path": path, "raw_path": path.encode()}
        lie = next((lie for part, lie in self.lies.items() if scope["path"].endswith(part)), None)
        if lie is None:
            await target(scope, again, send)
        else:
            transport = httpx.ASGITransport(app=target)
            async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
                query = scope["query_string"].decode()
                true = await client.request(
                    scope["method"], path, content=body, headers=headers, params=query
                )
            await JSONResponse(lie(true.json()))(scope, again, send)
        if self.breaks is not None:
            self.breaks(self.sent[-1], When.ON_THE_WAY_BACK)

    def http(self) -> httpx.AsyncClient:
        """A client of the whole town, without a network between."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=self))

    async def voter(self, person: factories.Person, **options: Any) -> Voter:
        """A member's client with a registered key, in memory unless told otherwise."""
        voter = self.client(person, **options)
        await voter.register_key()
        return voter

    def client(
        self, person: factories.Person, wallet: Wallet | None = None, **options: Any
    ) -> Voter:
        return Voter(
            Wallet() if wallet is None else wallet,
            server=self.url,
            token=person.token,
            open_http=self.http,
            now=self.clock.now,
            sleep=self.clock.sleep,
            **options,
        )

    async def hold_vote(
        self, *houses: Sequence[factories.Person], strangers: int = 3, **terms: Any
    ) -> str:
        """A vote of these members and some more, sealed by both issuers, open in an hour."""
        vote_id = new_id()
        self.election = str(vote_id)
        rolls = [
            [
                *[await self._seat(person) for person in house],
                *[Seat(new_id(), f"{house_no}-{number}", "") for number in range(strangers)],
            ]
            for house_no, house in enumerate(houses)
        ]
        names = ["everybody"] if len(houses) == 1 else ["drivers", "riders"]
        listed = []
        for number in range(2):
            about = await self._issuer(number, "GET", "/v1")
            made = await self._order(number, papers.keys_path(self.election), {"houses": names})
            listed.append(Issuer(about["name"], tuple(made["moduli"]), made["seal_key"]))
        opens_at = self.clock.now().replace(microsecond=0) + HOUR
        manifest = Manifest(
            election=self.election,
            question="Which share of a fare goes to the cooperative?",
            explanation="At 15 % a fare of 10.00 leaves 8.50 to the driver.",
            options=(),
            rule="number" if len(houses) == 1 else "two_houses",
            parameters=NUMBER | {"key": "commission_bp", "quorums": [1] * len(houses)},
            houses=tuple(
                House(name, roll_hash([seat.member for seat in roll]), len(roll))
                for name, roll in zip(names, rolls, strict=True)
            ),
            issuers=tuple(listed),
            board_key=public_hex(self.cooperative.board),
            opens_at=opens_at,
            closes_at=opens_at + 7 * DAY,
            published_by=opens_at + 7 * DAY + HOUR,
        )
        self.manifest = replace(manifest, **terms)
        lines = [[{"member": seat.member, "key": seat.key} for seat in roll] for roll in rolls]
        order = {"manifest": json.loads(canonical(self.manifest.document())), "rolls": lines}
        path = papers.manifest_path(self.election)
        seals = [(await self._order(number, path, order))["seal"] for number in range(2)]
        async with self._by_hand() as owner:
            await self._store(owner, rolls=rolls, seals=seals)
        self.clock.pass_time(2 * 3600)
        return self.election

    async def publish(self, *, at_close: bool = False) -> None:
        """What waits is put into the box; at the close, after the clock has gone there."""
        assert self.manifest is not None
        if at_close:
            self.clock.moment = self.manifest.closes_at
        await box.publish_batch(
            self.app.state.database,
            election_id=UUID(self.election),
            manifest=self.manifest,
            settings=self.app.state.settings.model_copy(update={"ballot_batch": 1}),
            now=self.clock.now(),
            at_close=at_close,
        )

    async def count(self) -> dict[str, Any]:
        """The box is closed, the result announced; return the public package."""
        assert self.manifest is not None
        await self.publish(at_close=True)
        async with self.app.state.database.reading() as reader:
            ballots = await box.read_box(reader, election_id=UUID(self.election))
        counted = count_box(self.manifest, box=ballots)
        async with self._by_hand() as owner:
            for log in [log for number in range(2) for log in await self.logs(number)]:
                await owner.execute(
                    "insert into issuance_log (election_id, issuer_no, house_no, document)"
                    " values ($1, $2, $3, $4)",
                    UUID(self.election),
                    log["issuer"],
                    log["house"],
                    json.dumps(log),
                )
            await owner.execute(
                "insert into tally (id, election_id, rule, result, counted, package_hash,"
                " tallied_at) values ($1, $2, $3, $4, $5, $6, $7)",
                new_id(),
                UUID(self.election),
                self.manifest.rule,
                json.dumps(counted.result),
                json.dumps(list(counted.counted)),
                bytes(32),
                self.clock.now(),
            )
        async with self.http() as client:
            path = f"/v1/elections/{self.election}/package"
            package: dict[str, Any] = (await client.get(self.url + path)).json()
        return package

    async def await_objections(self) -> None:
        """What was counted stands in its objection window for a week."""
        async with self._by_hand() as owner:
            await owner.execute(
                "update proposal set stage = 'objection_window', due_at = $1",
                self.clock.now() + 7 * DAY,
            )

    async def look(self, path: str) -> str:
        """What the cooperative says to anybody."""
        async with self.http() as client:
            return (await client.get(self.url + path)).text

    async def logs(self, issuer_no: int) -> list[dict[str, Any]]:
        found = await self._issuer(issuer_no, "GET", f"/v1/votes/{self.election}/log")
        return list(found["logs"])

    async def _seat(self, person: factories.Person) -> Seat:
        key: bytes | None = await self.owner.fetchval(
            "select public_key from member_key where member_id = $1 and replaced_at is null",
            person.id,
        )
        text = "" if key is None else key.hex()
        return Seat(person.id, f"{person.id}:{text}", text)

    @asynccontextmanager
    async def _by_hand(self) -> AsyncIterator[asyncpg.Connection]:
        """How a vote comes to be and is counted is another room's: here it simply stands there."""
        await self.owner.execute("set session_replication_role = replica")
        yield self.owner
        await self.owner.execute("set session_replication_role = origin")

    async def _store(
        self, owner: asyncpg.Connection, *, rolls: list[list[Seat]], seals: list[str]
    ) -> None:
        assert self.manifest is not None
        manifest, vote_id = self.manifest, UUID(self.election)
        proposal = await store_proposal(owner, stage=Stage.DELIBERATION)
        await owner.execute(
            "update proposal set stage = 'voting', rule = $2, sign_by = $3, opens_at = $4,"
            " closes_at = $5, due_at = $5, count_by = $6 where id = $1",
            proposal.id,
            manifest.rule,
            manifest.opens_at - HOUR,
            manifest.opens_at,
            manifest.closes_at,
            manifest.published_by,
        )
        document = json.loads(canonical(manifest.document()))
        await owner.execute(
            "insert into election (id, proposal_id, salt, terms, manifest, manifest_hash,"
            " frozen_at, opens_at, closes_at, published_by)"
            " values ($1, $2, $3, $4, $4, $5, $6, $6, $7, $8)",
            vote_id,
            proposal.id,
            SALT,
            json.dumps(document),
            manifest.hash(),
            manifest.opens_at,
            manifest.closes_at,
            manifest.published_by,
        )
        for number, (issuer, seal) in enumerate(zip(manifest.issuers, seals, strict=True)):
            await owner.execute(
                "insert into election_issuer"
                " (election_id, issuer_no, url, name, moduli, seal_key, seal)"
                " values ($1, $2, $3, $4, $5, $6, $7)",
                vote_id,
                number,
                f"{self.url}/issuer-{number}",
                issuer.name,
                json.dumps(list(issuer.moduli)),
                issuer.seal_key,
                bytes.fromhex(seal),
            )
        for house_no, roll in enumerate(rolls):
            for seat in roll:
                await owner.execute(
                    "insert into election_roll (election_id, member_hash, house_no, member_id,"
                    " public_key) values ($1, $2, $3, $4, $5)",
                    vote_id,
                    seat.member,
                    house_no,
                    seat.person_id,
                    bytes.fromhex(seat.key) or None,
                )

    async def _order(self, number: int, path: str, body: dict[str, Any]) -> Any:
        content = json.dumps(body).encode()
        signature = papers.sign_order(path, body=content, board_key=self.cooperative.board)
        headers = {papers.ORDER_HEADER: signature, "Content-Type": "application/json"}
        return await self._issuer(number, "POST", path, content=content, headers=headers)

    async def _issuer(self, number: int, method: str, path: str, **options: Any) -> Any:
        transport = httpx.ASGITransport(app=self.issuers[number])
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
            answer = await client.request(method, path, **options)
        assert answer.is_success, answer.text
        return answer.json()


@asynccontextmanager
async def open_town(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, *, folder: Path
) -> AsyncIterator[Town]:
    """The program with two issuers, the auditors and a sister cooperative."""
    board = await asyncio.to_thread(load_board_key, app.state.settings.home)
    cooperative = Cooperative(board)
    async with AsyncExitStack() as stack:
        issuers = []
        for name in ("Auditors", "Sister cooperative"):
            place = cooperative.make_issuer(folder / name, name=name)
            issuer = create_issuer(place, clock=clock)
            await stack.enter_async_context(issuer.router.lifespan_context(issuer))
            issuers.append(issuer)
        yield Town(app, (issuers[0], issuers[1]), owner, clock, cooperative)


@asynccontextmanager
async def on_a_port(town: Town) -> AsyncIterator[Town]:
    """The town at an address that other processes reach."""
    config = uvicorn.Config(town, lifespan="off", log_config=None, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        town.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listener]))
            await until(lambda: server.started)
            try:
                yield town
            finally:
                server.should_exit = True


async def people(
    owner: asyncpg.Connection, clock: StandingClock, *, count: int
) -> list[factories.Person]:
    return [await factories.make_member(owner, Role.RIDER, now=clock.now()) for _ in range(count)]


def decided(manifest: Manifest, values: list[list[Any]]) -> dict[str, Any]:
    return BALLOT_RULES[manifest.rule].decide(values, manifest.parameters)
