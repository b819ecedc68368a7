"""The one place where all rooms meet: create_app()."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from app.foundation.clock import Clock, ScaledClock, SystemClock
from app.foundation.database import open_database
from app.foundation.hints import Hints
from app.foundation.web import Door, install_problem_handlers
from app.members import routes as members
from app.settings import Settings


def make_clock(settings: Settings) -> Clock:
    """Return the system's clock, or in the demo profile the scaled one."""
    if settings.clock_start is None or settings.clock_anchor_s is None:
        return SystemClock()
    return ScaledClock(settings.clock_start, settings.clock_anchor_s, settings.clock_speed)


def create_app(settings: Settings, *, dsn: str, clock: Clock | None = None) -> FastAPI:
    """Return the program as an ASGI application; its lifespan opens and closes all it needs."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.database = await stack.enter_async_context(
                open_database(dsn, hints=app.state.hints, size=settings.database_connections)
            )
            yield

    app = FastAPI(title="Meent", version="0.1.0", lifespan=lifespan)
    app.state.settings = settings
    app.state.clock = clock or make_clock(settings)
    app.state.hints = Hints()
    install_problem_handlers(app)
    app.include_router(members.router)
    app.add_middleware(Door)  # type: ignore[arg-type]
    return app
