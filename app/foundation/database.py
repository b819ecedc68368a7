"""The database: one pool, one kind of transaction, and the only place that commits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from app.foundation.events import Event, LoggedEvent
from app.foundation.hints import Hints
from app.foundation.problems import DatabaseUnavailable

APP_ROLE = "meent_app"  # may read, and write what is not guarded by a function; migrations grant

# A statement that takes longer is a fault of ours, not patience to be asked of a caller.
_SESSION_SETTINGS = {
    "application_name": "meent",
    "statement_timeout": "5s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "5s",
    "timezone": "UTC",
}

# Raised when the server is away, starting, stopping, or dropped this connection.
UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
)

# Raised when two transactions stood in each other's way: the loser may simply try again.
COLLIDED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class Transaction:
    """One open transaction, and the events that will be true with it."""

    __slots__ = ("_events", "connection")

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._events: list[tuple[Event, datetime]] = []

    async def row(self, sql: str, *args: Any) -> Any | None:
        """Return the first row, or None."""
        return await self.connection.fetchrow(sql, *args)

    async def rows(self, sql: str, *args: Any) -> list[Any]:
        """Return every row."""
        return list(await self.connection.fetch(sql, *args))

    async def value(self, sql: str, *args: Any) -> Any:
        """Return the first column of the first row, or None."""
        return await self.connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> None:
        """Run a statement whose result nobody needs."""
        await self.connection.execute(sql, *args)

    def emit(self, event: Event, *, at: datetime) -> None:
        """Log the event when this transaction commits; it is told to listeners after that."""
        self._events.append((event, at))

    @property
    def streams(self) -> frozenset[UUID]:
        """The streams that will have news after the commit."""
        return frozenset(stream for event, _ in self._events for stream in event.streams)

    async def write_events(self) -> None:
        """Append the emitted events; the last thing a transaction does, so locks are short."""
        if not self._events:
            return
        entries = [(s, event, at) for event, at in self._events for s in event.streams]
        await self.connection.execute(
            "select append_events($1, $2, $3, $4)",
            [stream for stream, _, _ in entries],
            [event.type for _, event, _ in entries],
            [event.data for _, event, _ in entries],
            [at for _, _, at in entries],
        )


class Database:
    """The pool of connections that act as the app's own, limited role."""

    def __init__(self, pool: Any, hints: Hints) -> None:
        self._pool = pool
        self._hints = hints
        # Tests listen here to prove that a commit comes before the first byte of an answer.
        self.after_commit: list[Callable[[], None]] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction; commit it at the end of the block, or roll all of it back.

        Raises:
            DatabaseUnavailable: the server is away. Whether a commit that was under way took
                effect is then unknown, and a retry with the same Idempotency-Key finds out.
        """
        try:
            async with self._pool.acquire(timeout=5) as connection:
                tx = Transaction(connection)
                async with connection.transaction():
                    yield tx
                    await tx.write_events()
        except UNAVAILABLE as away:
            raise DatabaseUnavailable from away
        for listener in self.after_commit:
            listener()
        self._hints.publish(tx.streams)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Lend a connection for reads, each its own statement, with nothing to commit.

        Raises:
            DatabaseUnavailable: the server is away.
        """
        try:
            async with self._pool.acquire(timeout=5) as connection:
                yield Transaction(connection)
        except UNAVAILABLE as away:
            raise DatabaseUnavailable from away

    async def events_after(
        self, positions: Sequence[tuple[UUID, int]], *, limit: int = 500
    ) -> list[LoggedEvent]:
        """Return the events that follow each (stream, last seen number), in order per stream."""
        async with self.reading() as reader:
            rows = await reader.rows(
                "select e.stream_id, e.seq, e.type, e.at, e.data"
                " from unnest($1::uuid[], $2::bigint[]) as seen(stream_id, seq),"
                " lateral (select * from event_log e where e.stream_id = seen.stream_id"
                " and e.seq > seen.seq order by e.seq limit $3) e order by e.stream_id, e.seq",
                [stream for stream, _ in positions],
                [seq for _, seq in positions],
                limit,
            )
        return [LoggedEvent(**row) for row in rows]

    async def last_seq(self, stream_id: UUID) -> int:
        """Return the number of the stream's newest event, 0 where there is none."""
        async with self.reading() as reader:
            seq = await reader.value(
                "select last_seq from event_stream where stream_id = $1", stream_id
            )
        return int(seq or 0)


async def _prepare(connection: Any) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            # A UUID that came from a row is a subclass of its own, which orjson does not know.
            encoder=lambda value: orjson.dumps(value, default=str).decode(),
            decoder=orjson.loads,
        )


async def _no_reset(_connection: Any) -> None:
    """Spare a round trip: no session state is ever set, and transactions end in their block."""


@asynccontextmanager
async def open_database(
    dsn: str, *, hints: Hints, size: int = 10, role: str | None = APP_ROLE
) -> AsyncIterator[Database]:
    """Lend a database whose connections act as ``role`` (None: as the user of the URL)."""
    settings = _SESSION_SETTINGS | ({"role": role} if role else {})
    pool = await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        init=_prepare,
        reset=_no_reset,
        command_timeout=10,
        timeout=5,
        server_settings=settings,
    )
    try:
        yield Database(pool, hints)
    finally:
        # A connection still in use would keep close() waiting for ever.
        with contextlib.suppress(*UNAVAILABLE):
            await asyncio.wait_for(pool.close(), timeout=3)
        pool.terminate()
