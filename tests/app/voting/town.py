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
import orjson
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from app.assembly.ballots import service as box
from app.assembly.board import load_board_key
from app.foundation.ids import new_id
from app.issuer import papers
from app.issuer.main import create_issuer
from app.members.roles import Role
from app.voting.client import Voter
from app.voting.wallet import Wallet
from governance.ballot_box import public_package
from governance.ballot_rule import BALLOT_RULES
from governance.manifest import House, Issuer, Manifest, canonical, member_hash, roll_hash
from governance.verify import recount
from tests import factories
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
    seals: list[str] = field(default_factory=list)
    rolls: list[list[dict[str, str]]] = field(default_factory=list)
    is_counted: bool = False

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
        answer = await self._stand_in(path, headers) if target is self.app else None
        lie = next((lie for part, lie in self.lies.items() if scope["path"].endswith(part)), None)
        if answer is None and lie is not None:
            transport = httpx.ASGITransport(app=target)
            async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
                answer = JSONResponse(
                    (
                        await client.request(
                            scope["method"],
                            path,
                            content=body,
                            headers=headers,
                            params=scope["query_string"].decode(),
                        )
                    ).json()
                )
        if answer is None:
            await target(scope, again, send)
        else:
            if lie is not None:
                answer = JSONResponse(lie(json.loads(bytes(answer.body))))
            await answer(scope, again, send)
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
        self.rolls = []
        for house_no, house in enumerate(houses):
            keys = [await self._member_key(person) for person in house]
            lines = [
                {"member": member_hash(f"{person.id}:{key}", salt=SALT), "key": key}
                for person, key in zip(house, keys, strict=True)
            ]
            others = [member_hash(f"{house_no}-{number}", salt=SALT) for number in range(strangers)]
            self.rolls.append([*lines, *({"member": other, "key": ""} for other in others)])
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
                House(name, roll_hash([line["member"] for line in roll]), len(roll))
                for name, roll in zip(names, self.rolls, strict=True)
            ),
            issuers=tuple(listed),
            board_key=public_hex(self.cooperative.board),
            opens_at=opens_at,
            closes_at=opens_at + 7 * DAY,
            published_by=opens_at + 7 * DAY + HOUR,
        )
        self.manifest = replace(manifest, **terms)
        document = json.loads(canonical(self.manifest.document()))
        order = {"manifest": document, "rolls": self.rolls}
        path = papers.manifest_path(self.election)
        self.seals = [(await self._order(number, path, order))["seal"] for number in range(2)]
        await self._store(vote_id, self.manifest)
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
        await self.publish(at_close=True)
        self.is_counted = True
        return await self._package()

    async def logs(self, issuer_no: int) -> list[dict[str, Any]]:
        found = await self._issuer(issuer_no, "GET", f"/v1/votes/{self.election}/log")
        return list(found["logs"])

    async def _member_key(self, person: factories.Person) -> str:
        key: bytes | None = await self.owner.fetchval(
            "select public_key from member_key where member_id = $1 and replaced_at is null",
            person.id,
        )
        return "" if key is None else key.hex()

    async def _store(self, vote_id: UUID, manifest: Manifest) -> None:
        """How a vote comes to be is another room's: here it simply stands there."""
        await self.owner.execute("set session_replication_role = replica")
        await self.owner.execute(
            "insert into election (id, proposal_id, salt, terms, manifest, manifest_hash,"
            " frozen_at, opens_at, closes_at, published_by)"
            " values ($1, $2, $3, '{}', $4, $5, $6, $6, $7, $8)",
            vote_id,
            new_id(),
            SALT,
            orjson.dumps(manifest.document()).decode(),
            manifest.hash(),
            manifest.opens_at,
            manifest.closes_at,
            manifest.published_by,
        )
        await self.owner.execute("set session_replication_role = origin")

    async def _package(self) -> dict[str, Any]:
        assert self.manifest is not None
        async with self.app.state.database.reading() as reader:
            ballots = await box.read_box(reader, election_id=UUID(self.election))
            roots = await box.list_roots(reader, election_id=UUID(self.election))
        package = public_package(
            self.manifest,
            seals=[bytes.fromhex(seal) for seal in self.seals],
            rolls=[[line["member"] for line in roll] for roll in self.rolls],
            issuance=[log for number in range(2) for log in await self.logs(number)],
            revocations=[],
            box=ballots,
            roots=roots,
            result=None,
        )
        return package | {"result": recount(package).result}

    async def _stand_in(self, path: str, headers: dict[str, str]) -> JSONResponse | None:
        """The documents of the elections' room, by its contract."""
        prefix = f"/v1/elections/{self.election}"
        if self.manifest is None or not path.startswith("/v1/elections"):
            return None
        shown = {
            "id": self.election,
            "proposal_id": str(new_id()),
            "stage": "voting",
            "manifest": self.manifest.document(),
            "manifest_hash": self.manifest.hash().hex(),
            "seals": self.seals,
            "issuers": [
                {"name": issuer.name, "url": f"{self.url}/issuer-{number}"}
                for number, issuer in enumerate(self.manifest.issuers)
            ],
        }
        line = {name: shown[name] for name in ("id", "stage")}
        line |= {"question": self.manifest.question, "closes_at": "2026-05-29T16:00:00Z"}
        documents: dict[str, Any] = {
            "/v1/elections": {"items": [line], "next_cursor": None},
            prefix: shown,
            f"{prefix}/rolls": {"rolls": [[one["member"] for one in roll] for roll in self.rolls]},
        }
        if path == f"{prefix}/me":
            documents[path] = await self._place(headers["authorization"])
        if path == f"{prefix}/package" and self.is_counted:
            documents[path] = await self._package()
        return JSONResponse(documents[path]) if path in documents else None

    async def _place(self, authorization: str) -> dict[str, Any]:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
            me = await client.get("/v1/me", headers={"Authorization": authorization})
        person_id = me.json()["id"]
        for house_no, roll in enumerate(self.rolls):
            for line in roll:
                if line["member"] == member_hash(f"{person_id}:{line['key']}", salt=SALT):
                    return {
                        "on_roll": True,
                        "house_no": house_no,
                        "member": line["member"],
                        "has_key": bool(line["key"]),
                        "issued": [False, False],
                    }
        return {"on_roll": False, "house_no": None, "member": None, "has_key": False, "issued": []}

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
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    town.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        yield town
        server.should_exit = True


async def people(
    owner: asyncpg.Connection, clock: StandingClock, *, count: int
) -> list[factories.Person]:
    return [await factories.make_member(owner, Role.RIDER, now=clock.now()) for _ in range(count)]


def decided(manifest: Manifest, values: list[list[Any]]) -> dict[str, Any]:
    return BALLOT_RULES[manifest.rule].decide(values, manifest.parameters)
