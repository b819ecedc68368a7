"""A member's socket that comes back by itself and goes on after the last event it heard."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from app.demo.api_client import Member, NoAnswerError, RefusedError

PING_S = 8.0  # real seconds, as everything here: the platform closes a line silent for 30
SILENCE_S = 25.0  # the platform's heartbeat comes every 10
OPENING_S = 5.0
REPLY_S = 4.0
LONGEST_PAUSE_S = 1.0

_BROKEN = (OSError, WebSocketException, TimeoutError, RefusedError, NoAnswerError)

type OnEvent = Callable[[str, dict[str, Any]], None]


class SocketLine:
    """Hears each event of its member's stream, and counts where one was missing or came again."""

    def __init__(self, member: Member, *, on_event: OnEvent) -> None:
        self.heard = 0  # number of the last event
        self.missed = 0
        self.repeated = 0
        self.reconnects = -1
        self._member = member
        self._on_event = on_event
        self._socket: ClientConnection | None = None
        self._replies: dict[str, asyncio.Future[dict[str, Any]]] = {}

    @property
    def is_open(self) -> bool:
        """Whether the platform has welcomed us on the present socket."""
        return self._socket is not None

    async def run(self) -> None:
        """Stay on the line until cancelled."""
        pause_s = 0.05
        while True:
            opened_s = time.monotonic()
            # When it is gone, the next one goes on where this one ended.
            with suppress(*_BROKEN):
                await self._one_socket()
            if time.monotonic() - opened_s > LONGEST_PAUSE_S:
                pause_s = 0.05
            await asyncio.sleep(random.uniform(pause_s / 2, pause_s))  # noqa: S311 - a pause
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def send(self, message: dict[str, Any]) -> bool:
        """Return whether the message went out; on a broken line nothing is kept for later."""
        if self._socket is None:
            return False
        try:
            await self._socket.send(orjson.dumps(message).decode())
        except (OSError, WebSocketException):
            return False
        return True

    async def ask(self, message: dict[str, Any], *, key: str) -> dict[str, Any] | None:
        """Return the reply to an act, or None where none came: then nobody knows, so repeat it."""
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._replies[key] = reply
        try:
            if not await self.send({**message, "id": key}):
                return None
            async with asyncio.timeout(REPLY_S):
                return await reply
        except TimeoutError:
            return None
        finally:
            del self._replies[key]

    async def _one_socket(self) -> None:
        ticket = (await self._member.act("/v1/socket-tickets"))["ticket"]
        url = self._member.api.base_url.replace("http", "ws", 1) + "/v1/socket"
        async with connect(
            url, compression=None, ping_interval=None, open_timeout=OPENING_S, close_timeout=1
        ) as socket:
            hello = {"type": "hello", "ticket": ticket, "resume_from": self.heard}
            await socket.send(orjson.dumps(hello).decode())
            self.reconnects += 1
            try:
                await self._listen(socket)
            finally:
                self._socket = None

    async def _listen(self, socket: ClientConnection) -> None:
        heard_s = pinged_s = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(PING_S):
                    self._take(socket, orjson.loads(await socket.recv()))
                heard_s = time.monotonic()
            except TimeoutError:
                if time.monotonic() - heard_s > SILENCE_S:
                    raise
            if time.monotonic() - pinged_s > PING_S:
                pinged_s = time.monotonic()
                await socket.send('{"type":"ping"}')

    def _take(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        match message["type"]:
            case "welcome":
                self._socket = socket
            case "event":
                self._hear(message)
            case "reply":
                waiting = self._replies.get(message["id"])
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            case "resync":
                # We were told that history is gone; nothing was lost silently.
                self.heard = message["last_seq"]

    def _hear(self, message: dict[str, Any]) -> None:
        seq = message["seq"]
        if seq <= self.heard:
            self.repeated += 1
            return
        self.missed += seq - self.heard - 1
        self.heard = seq
        self._on_event(message["event"], message["data"])
