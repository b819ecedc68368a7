"""Telephones that check every frame against the served description."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Self

import asyncpg
import httpx
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.foundation.events import Event
from app.realtime import messages
from app.realtime.asyncapi import document
from app.realtime.connection import Limits
from tests.factories import Person


def validator(group: tuple[type, ...]) -> Draft202012Validator:
    """A check that something is one of these messages, by the served description."""
    names = [{"$ref": f"#/components/schemas/{message.__name__}"} for message in group]
    return Draft202012Validator({"oneOf": names, "components": document()["components"]})


FROM_CLIENT = validator(messages.FROM_CLIENT)
FROM_SERVER = validator(messages.FROM_SERVER)


class Phone:
    """One socket of one member."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, **message: Any) -> None:
        """Send a message that the description knows."""
        FROM_CLIENT.validate(message)
        await self.connection.send(json.dumps(message))

    async def hear(self, kind: str | None = None, *, within_s: float = 5) -> dict[str, Any]:
        """Return the next message, of this type if one is named; every one is checked."""
        async with asyncio.timeout(within_s):
            while True:
                message: dict[str, Any] = json.loads(await self.connection.recv())
                FROM_SERVER.validate(message)
                if kind in (None, message["type"]):
                    return message

    async def ask(self, **message: Any) -> dict[str, Any]:
        """Send an act under a key of its own, and return its reply."""
        act_id = secrets.token_hex(8)
        await self.send(id=act_id, **message)
        reply = await self.hear("reply")
        assert reply["id"] == act_id
        return reply

    async def hears_nothing(self, kind: str, *, for_s: float = 1.5) -> bool:
        """Whether no message of this type comes for so long."""
        try:
            await self.hear(kind, within_s=for_s)
        except TimeoutError:
            return True
        return False

    async def is_served(self) -> bool:
        """Whether the other side still answers."""
        await self.send(type="ping")
        return await self.hear("pong") == {"type": "pong"}

    async def hear_numbers(self, most: int, *, within_s: float = 0.05) -> list[int]:
        """Return the numbers of the events that come in time, at most so many."""
        heard: list[int] = []
        with suppress(TimeoutError):
            while len(heard) < most:
                heard.append((await self.hear("event", within_s=within_s))["seq"])
        return heard

    async def close_code(self, *, within_s: float = 5) -> int | None:
        """Read until the connection ends; return the server's code, None where it just broke."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    await self.connection.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def cut(self) -> None:
        """Break the connection as a tunnel does: no goodbye."""
        self.connection.transport.abort()


@dataclass(frozen=True)
class Server:
    """The whole program, reachable over a real network."""

    app: FastAPI
    client: httpx.AsyncClient
    port: int
    owner: asyncpg.Connection

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/socket"

    def limit(self, **changes: Any) -> Self:
        """Give the sockets that open from now on other limits, so that a test need not wait."""
        self.app.state.realtime._limits = replace(Limits(), **changes)
        return self

    async def ticket(self, person: Person) -> str:
        answer = await self.client.post("/v1/socket-tickets", headers=person.act)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["ticket"])

    @asynccontextmanager
    async def silent(self, **options: Any) -> AsyncIterator[Phone]:
        """A socket that has said nothing yet."""
        async with connect(self.url, compression=None, **options) as connection:
            yield Phone(connection)

    @asynccontextmanager
    async def phone(
        self, person: Person, *, resume_from: int | None = None, **options: Any
    ) -> AsyncIterator[Phone]:
        """A socket that was welcomed."""
        hello: dict[str, Any] = {"type": "hello", "ticket": await self.ticket(person)}
        if resume_from is not None:
            hello["resume_from"] = resume_from
        async with self.silent(**options) as phone:
            await phone.send(**hello)
            welcome = await phone.hear()
            assert welcome["type"] == "welcome"
            assert welcome["member_id"] == str(person.id)
            yield phone

    async def tell(self, person: Person, *, n: int = 1, start: int = 0, size: int = 0) -> None:
        """Log `n` events for the member, each in a transaction of its own."""
        for number in range(start, start + n):
            async with self.app.state.database.transaction() as tx:
                data = {"n": number, "padding": "x" * size}
                tx.emit(Event("test.happened", (person.id,), data), at=self.app.state.clock.now())


async def until(holds: Callable[[], bool], *, within_s: float = 5) -> None:
    """Return as soon as it holds; fail where it does not in time."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for is not ours to announce
            await asyncio.sleep(0.01)
