"""One open socket of one member: what comes in, what goes out, and why it ends."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.drivers.positions import PositionResult
from app.foundation import metrics
from app.foundation.events import LoggedEvent
from app.foundation.ids import new_id
from app.members.access import Actor
from app.realtime import messages
from app.realtime.assembly_feed import AssemblyFeed
from app.realtime.close_codes import CloseCode
from app.realtime.errors import MalformedFrame
from app.realtime.outbox import Outbox

log = structlog.get_logger("socket")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a socket may do. Seconds are real ones, whatever the program's clock says."""

    hello_s: float = 5.0
    heartbeat_s: float = 10.0
    silent_s: float = 30.0
    slow_s: float = 10.0  # how long a frame may wait to be read
    close_s: float = 2.0
    check_s: float = 2.0  # between two looks whether the sessions still run
    outbox: int = 256
    sockets_per_member: int = 5
    malformed: int = 20
    messages_per_s: float = 20.0  # seconds of the program's clock
    burst: int = 60


class Pace:
    """A bucket of allowed messages that fills steadily: short bursts pass, a flood does not."""

    def __init__(self, *, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._left = float(burst)
        self._filled_s = monotonic()

    def allows(self, now_s: float) -> bool:
        """Return whether one more message fits; if so it is counted."""
        self._left = min(self._burst, self._left + (now_s - self._filled_s) * self._per_s)
        self._filled_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class _Ended(Exception):
    """The socket is to be closed with this code, or is gone already (None)."""

    def __init__(self, code: CloseCode | None) -> None:
        super().__init__(code)
        self.code = code


class Connection:
    """A socket that said hello. `seq` is the number of the last event that was queued for it."""

    def __init__(
        self,
        websocket: WebSocket,
        *,
        actor: Actor,
        seq: int,
        assembly_seq: int,
        limits: Limits,
        pace: Pace,
        on_message: Callable[["Connection", messages.Said], Awaitable[None]],
        on_room: Callable[[UUID], None],
    ) -> None:
        self.actor = actor
        self.seq = seq
        self.assembly = AssemblyFeed(self, seq=assembly_seq)
        self._websocket = websocket
        self._limits = limits
        self._pace = pace
        self._on_message = on_message
        self._on_room = on_room
        self._outbox = Outbox(limit=limits.outbox)
        self._starved: set[UUID] = set()  # streams that wait in the log: the outbox was full
        self._malformed = 0
        self._trace_id = str(new_id())
        self._heard_s = self._beat_s = monotonic()
        self._verdict: asyncio.Future[CloseCode] = asyncio.get_running_loop().create_future()

    @property
    def stream_id(self) -> UUID:
        """The stream of the member."""
        return self.actor.member_id

    @property
    def room(self) -> int:
        """How many more events it can take now."""
        return self._outbox.room

    def deliver(self, events: list[LoggedEvent]) -> None:
        """Queue the events after `seq`, in order; what does not fit stays in the log for later."""
        for event in events:
            if event.seq <= self.seq:
                continue
            if event.seq > self.seq + 1:
                self.send(messages.Resync(last_seq=event.seq - 1))
            told = messages.Event(event.seq, event.type, event.at, event.data)
            if not self.offer(told, of=self.stream_id):
                return
            self.seq = event.seq

    def offer(self, message: messages.FromServer, *, of: UUID) -> bool:
        """Queue a message of a stream; False where it does not fit: it is asked for again later."""
        fits = self._outbox.put(messages.encode(message))
        if not fits:
            self._starved.add(of)
        return fits

    def send(self, message: messages.FromServer) -> None:
        """Queue a message. Where it does not fit, the reader is too slow and the socket closes."""
        if not self._outbox.put(messages.encode(message)):
            metrics.SOCKET_DROPPED.labels("other").inc()
            self.close(CloseCode.TOO_SLOW)

    def show(self, position: messages.DriverPosition) -> None:
        """Queue the newest position of the driver, in place of one that was not sent yet."""
        self._outbox.put_position(position.ride_id, messages.encode(position))

    def close(self, code: CloseCode) -> None:
        """The socket ends with this code soon; the first verdict counts."""
        if not self._verdict.done():
            self._verdict.set_result(code)

    def look_after(self, now_s: float, *, beat: messages.Heartbeat) -> None:
        """Send the heartbeat that is due; close where nothing was heard or nothing is read."""
        if now_s - self._heard_s > self._limits.silent_s:
            self.close(CloseCode.SILENT)
        if self._outbox.waiting_s(now_s) > self._limits.slow_s:
            self.close(CloseCode.TOO_SLOW)
        if now_s - self._beat_s >= self._limits.heartbeat_s:
            self._beat_s = now_s
            self.send(beat)

    async def run(self) -> None:
        """Serve the socket until it is closed, by either side."""
        code: CloseCode | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive())
                tasks.create_task(self._send())
                tasks.create_task(self._await_verdict())
        except* _Ended as ends:
            for end in ends.exceptions:
                assert isinstance(end, _Ended)
                code = code or end.code
        if code is not None:
            await close(self._websocket, code, within_s=self._limits.close_s)

    async def _await_verdict(self) -> None:
        raise _Ended(await self._verdict)

    async def _send(self) -> None:
        while True:
            text = await self._outbox.take()
            if self._starved and self._outbox.room > self._limits.outbox // 2:
                waiting, self._starved = self._starved, set()
                for stream_id in waiting:
                    self._on_room(stream_id)
            try:
                await self._websocket.send_text(text)
            except (WebSocketDisconnect, OSError):
                raise _Ended(None) from None

    async def _receive(self) -> None:
        while True:
            received = await self._websocket.receive()
            if received["type"] == "websocket.disconnect":
                raise _Ended(None)
            self._heard_s = monotonic()
            if not self._pace.allows(self._heard_s):
                raise _Ended(CloseCode.TOO_MANY)
            await self._understand(received.get("text"))

    async def _understand(self, text: str | None) -> None:
        try:
            message = messages.decode(text)
        except ValueError as fault:
            self._refuse(str(fault), outline=messages.decode_outline(text))
        else:
            await self._on_message(self, message)

    def _refuse(self, fault: str, *, outline: messages.Outline) -> None:
        self._malformed += 1
        if outline.type in {"position", "positions"}:
            metrics.POSITIONS.labels(PositionResult.MALFORMED).inc()
        problem = MalformedFrame(fault).body(trace_id=self._trace_id)
        self.send(messages.Problem(problem, outline.id))
        if self._malformed >= self._limits.malformed:
            raise _Ended(CloseCode.MALFORMED)


async def close(websocket: WebSocket, code: CloseCode, *, within_s: float) -> None:
    """Say goodbye with a code; to a peer who does not read, not for longer than `within_s`."""
    metrics.SOCKET_CLOSED.labels(str(int(code))).inc()
    log.debug("socket.closed", code=int(code))
    with contextlib.suppress(TimeoutError, OSError, WebSocketDisconnect, RuntimeError):
        async with asyncio.timeout(within_s):
            await websocket.close(int(code))
