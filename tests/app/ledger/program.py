"""The program as the oracle's rival: its own functions on a connection that can be lost."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import asyncpg
from hypothesis import note

from app.foundation.database import APP_ROLE, Transaction
from app.foundation.problems import Problem
from tests.app.ledger.oracle import Refused

type Step = Callable[[Transaction], Awaitable[Any]]


class Program:
    """The program's own functions under its own rights, on a loop of their own thread."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._dsn = dsn
        self.connection: Any = None
        self.owner: Any = self.run(asyncpg.connect(dsn))
        self.reconnect()

    def run[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(coroutine)

    def reconnect(self) -> None:
        if self.connection is not None:
            self.connection.terminate()
        self.connection = self.run(asyncpg.connect(self._dsn, server_settings={"role": APP_ROLE}))

    def commit(self, step: Step) -> Any:
        """Run the step in a transaction; what it refuses rises as the oracle's refusal."""

        async def inside() -> Any:
            async with self.connection.transaction():
                return await step(Transaction(self.connection))

        try:
            return self.run(inside())
        except Problem as problem:
            raise Refused(problem.slug) from problem
        except asyncpg.PostgresError as refused:
            if refused.sqlstate != "MN003":
                raise
            raise Refused("other-lines") from refused

    def fail_before_commit(self, step: Step) -> None:
        """Run the step, and lose the connection where the commit would have come."""

        async def inside() -> None:
            await self.connection.execute("begin")
            await step(Transaction(self.connection))

        try:
            self.run(inside())
        except (Problem, asyncpg.PostgresError) as refused:
            note(f"refused before the crash: {refused!r}")
        self.reconnect()

    def close(self) -> None:
        self.connection.terminate()
        self.run(self.owner.close())
        self._loop.close()


def outcome(do: Callable[[], Any]) -> tuple[Any, str | None]:
    """What came of it, or why it was refused."""
    try:
        return do(), None
    except Refused as refusal:
        return None, str(refusal)
