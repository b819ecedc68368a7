"""The socket's room at work: who comes in, what becomes of messages, the rounds behind it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from time import monotonic
from uuid import UUID

import structlog
from starlette.websockets import WebSocket

from app.assembly.stream import ASSEMBLY_STREAM
from app.drivers.positions import PositionResult, Positions
from app.foundation import metrics
from app.foundation.clock import Clock
from app.foundation.database import Database
from app.foundation.events import LoggedEvent
from app.foundation.hints import Hints
from app.foundation.problems import DatabaseUnavailable
from app.members import service as members
from app.members.access import Actor
from app.realtime import messages, queries
from app.realtime.close_codes import CloseCode
from app.realtime.connection import Connection, Limits, Pace, close
from app.realtime.fan_out import FanOut
from app.realtime.offer_acts import ActOnOffer, OfferActs

log = structlog.get_logger("realtime")

# After these the sessions are looked at once more, at once.
_ENDS_SESSIONS = frozenset({"member.suspended", "member.signed_out"})


class Realtime:
    """Every socket of this process, and the rounds that serve them while it is `running`.

    ``acts`` says what `accept_offer` and `decline_offer` do; the room of dispatch knows.
    """

    _database: Database
    fan_out: FanOut

    def __init__(
        self,
        *,
        hints: Hints,
        clock: Clock,
        positions: Positions,
        acts: Mapping[str, ActOnOffer],
        limits: Limits | None = None,
    ) -> None:
        self._hints = hints
        self._clock = clock
        self._positions = positions
        self._offer_acts = OfferActs(acts)
        self._limits = limits or Limits()
        self._connections: dict[UUID, list[Connection]] = {}  # by member, oldest first
        self._moved: set[UUID] = set()  # drivers, since positions were last shown
        self._doubt = asyncio.Event()  # a session may have ended
        self._empty = asyncio.Event()
        self._empty.set()
        self._stopping = False

    @asynccontextmanager
    async def running(self, database: Database) -> AsyncIterator[None]:
        """Serve sockets inside the block; at its end close each of them with 1012."""
        self._database = database
        self.fan_out = FanOut(database, hints=self._hints, on_event=self._notice)
        rounds = {
            "fan_out": self.fan_out.round,
            "check_sessions": self.check_sessions,
            "show_drivers": self.show_drivers,
            "look_after": self.look_after,
        }
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(_run(name, one)) for name, one in rounds.items()]
            try:
                yield
            finally:
                await self.stop()
                for task in running:
                    task.cancel()

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket from its handshake to its end."""
        if not _is_same_origin(websocket):
            await websocket.close()  # before the accept: refuses the handshake with 403
            return
        await websocket.accept()
        try:
            connection = await self._greet(websocket)
        except DatabaseUnavailable:
            connection = CloseCode.TOO_SLOW
        if isinstance(connection, CloseCode):
            await close(websocket, connection, within_s=self._limits.close_s)
        elif connection is not None:
            await self._keep(connection)

    async def _greet(self, websocket: WebSocket) -> Connection | CloseCode | None:
        """Hear the hello and welcome the member; or say why not; None where nobody is there."""
        try:
            async with asyncio.timeout(self._limits.hello_s):
                received = await websocket.receive()
        except TimeoutError:
            return CloseCode.NO_TICKET
        if received["type"] == "websocket.disconnect":
            return None
        hello = messages.decode_hello(received.get("text"))
        if hello is None:
            return CloseCode.NO_TICKET
        now = self._clock.now()
        async with self._database.transaction() as tx:
            actor = await members.redeem_ticket(tx, ticket=hello.ticket, now=now)
        if actor is None:
            return CloseCode.NO_TICKET
        return await self._welcome(websocket, actor, hello=hello, now=now)

    async def _welcome(
        self, websocket: WebSocket, actor: Actor, *, hello: messages.Hello, now: datetime
    ) -> Connection:
        resume_from = hello.resume_from
        async with self._database.reading() as reader:
            stream = await queries.find_stream(
                reader, stream_id=actor.member_id, seq=(resume_from or 0) + 1
            )
            assembly = await queries.find_stream(
                reader, stream_id=ASSEMBLY_STREAM, seq=(hello.resume_assembly_from or 0) + 1
            )
        connection = Connection(
            websocket,
            actor=actor,
            seq=stream.begin_at(resume_from),
            assembly_seq=assembly.begin_at(hello.resume_assembly_from),
            limits=self._limits,
            pace=Pace(
                per_s=self._limits.messages_per_s * self._clock.speed, burst=self._limits.burst
            ),
            on_message=self._act_on,
            on_room=self.fan_out.look_at,
        )
        connection.send(
            messages.Welcome(
                member_id=actor.member_id,
                last_seq=stream.last_seq,
                assembly_last_seq=assembly.last_seq,
                heartbeat_s=self._limits.heartbeat_s,
                server_time=now,
            )
        )
        if not stream.can_resume(resume_from):
            connection.send(messages.Resync(last_seq=stream.last_seq))
        if not assembly.can_resume(hello.resume_assembly_from):
            connection.send(messages.AssemblyResync(last_seq=assembly.last_seq))
        return connection

    async def _keep(self, connection: Connection) -> None:
        sockets = self._connections.setdefault(connection.stream_id, [])
        sockets.append(connection)
        for oldest in sockets[: -self._limits.sockets_per_member]:
            oldest.close(CloseCode.REPLACED)
        if self._stopping:
            connection.close(CloseCode.STOPPING)
        self._empty.clear()
        self.fan_out.add(connection)
        self.fan_out.add(connection.assembly)
        metrics.SOCKETS.inc()
        # The session may have ended between the ticket and this line, where no sweep saw it.
        self._doubt.set()
        try:
            await connection.run()
        finally:
            metrics.SOCKETS.dec()
            self.fan_out.remove(connection)
            self.fan_out.remove(connection.assembly)
            sockets.remove(connection)
            if not sockets:
                del self._connections[connection.stream_id]
            if not self._connections:
                self._empty.set()

    async def _act_on(self, connection: Connection, message: messages.Said) -> None:
        match message:
            case messages.Position():
                self._take(connection.actor, message)
            case messages.Positions():
                for fix in message.items:
                    self._take(connection.actor, fix)
            case messages.Ping():
                connection.send(messages.Pong())
            case messages.AcceptOffer() | messages.DeclineOffer():
                connection.send(
                    await self._offer_acts.answer(
                        message,
                        actor=connection.actor,
                        database=self._database,
                        now=self._clock.now(),
                    )
                )

    def _take(self, actor: Actor, fix: messages.Position | messages.Fix) -> None:
        result = self._positions.report(
            actor.member_id, lat=fix.lat, lng=fix.lng, device_at=fix.at, now=self._clock.now()
        )
        if result is PositionResult.ACCEPTED:
            self._moved.add(actor.member_id)

    def _notice(self, event: LoggedEvent) -> None:
        if event.type in _ENDS_SESSIONS:
            self._doubt.set()

    def _all(self) -> list[Connection]:
        return [each for sockets in self._connections.values() for each in sockets]

    async def check_sessions(self) -> None:
        """Close the sockets of sessions that ended and of members who are suspended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.check_s):
                await self._doubt.wait()
                # Many who come or go together cost one look.
                await asyncio.sleep(0.05)
        self._doubt.clear()
        sessions = {each.actor.session_id for each in self._all()}
        if not sessions:
            return
        async with self._database.reading() as reader:
            live = await members.live_sessions(reader, session_ids=sessions, now=self._clock.now())
        for connection in self._all():
            session_id = connection.actor.session_id
            if session_id in sessions and session_id not in live:
                connection.close(CloseCode.SHUT_OUT)

    async def show_drivers(self) -> None:
        """Show riders where the drivers of their rides moved to; nobody else, and not later."""
        await asyncio.sleep(max(1 / self._clock.speed, 0.1))
        moved, self._moved = self._moved, set()
        if not moved or not self._connections:
            return
        # Asked anew each time rather than remembered: a ride that ended is never shown again.
        async with self._database.reading() as reader:
            rides = await queries.list_driven_rides(
                reader, driver_ids=moved, rider_ids=self._connections
            )
        for ride in rides:
            fix = self._positions.find(ride["driver_id"])
            if fix is None:
                continue
            shown = messages.DriverPosition(ride["id"], fix.lat, fix.lng, fix.at)
            for connection in self._connections.get(ride["rider_id"], ()):
                connection.show(shown)

    async def look_after(self) -> None:
        """Send heartbeats that are due; close silent sockets and slow readers."""
        await asyncio.sleep(min(1.0, self._limits.heartbeat_s / 4))
        beat = messages.Heartbeat(self._clock.now())
        now_s = monotonic()
        for connection in self._all():
            connection.look_after(now_s, beat=beat)

    async def stop(self) -> None:
        """Close every socket, and wait a little until they are gone."""
        self._stopping = True
        for connection in self._all():
            connection.close(CloseCode.STOPPING)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.close_s + 1):
                await self._empty.wait()


async def _run(name: str, one_round: Callable[[], Awaitable[None]]) -> None:
    """Run rounds for ever; each waits for its own pace, and an error ends one round only."""
    while True:
        try:
            await one_round()
        except DatabaseUnavailable:
            metrics.WORKER_FAILURES.labels(name).inc()
            await asyncio.sleep(0.2)
        except Exception:
            metrics.WORKER_FAILURES.labels(name).inc()
            log.exception("realtime.round.failed", round=name)
            await asyncio.sleep(0.2)


def _is_same_origin(websocket: WebSocket) -> bool:
    """Return whether no page of another site opened this socket. Telephones send no Origin."""
    origin = websocket.headers.get("origin")
    return origin is None or origin.partition("://")[2] == websocket.headers.get("host")
