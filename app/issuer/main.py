"""The issuer as a program: create_issuer()."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from app.foundation.clock import Clock, SystemClock
from app.foundation.schemas import ProblemDetails
from app.foundation.web import MAX_BODY_BYTES, Door, install_problem_handlers
from app.issuer.folder import read_folder
from app.issuer.routes import MOST_ROLL_BYTES, router
from app.issuer.service import Desk

TIDY_PACE_S = 60.0
_A_DAY_S = 24 * 3600
_DESCRIPTION = """
An issuer of a cooperative's votes. It stamps each member's vote key once without seeing it, and
shows whom it has stamped. It knows members by pseudonym only, and never sees a ballot.
"""

log = structlog.get_logger("issuer")


def create_issuer(
    folder: Path, *, clock: Clock | None = None, passphrase: str | None = None
) -> FastAPI:
    """Return the issuer of a folder as an ASGI application; its lifespan opens the book.

    Raises:
        IssuerError: the folder holds no issuer; from the lifespan also where another program
            serves it, or its keys do not open with this passphrase.
    """
    desk = Desk(read_folder(folder), clock=clock or SystemClock(), passphrase=passphrase)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with desk.open(), asyncio.TaskGroup() as group:
            tidying = group.create_task(_keep_tidy(desk), name="keeps the issuer tidy")
            yield
            tidying.cancel()

    issuer = FastAPI(
        title="Meent issuer",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    issuer.state.desk = desk
    install_problem_handlers(issuer)
    issuer.include_router(router)
    _describe_problems(issuer)
    issuer.add_middleware(Door, most_bytes=_most_bytes)
    # Outermost, so that a page may read every answer. No cookie and no order comes from a page.
    issuer.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["Content-Type"],
        expose_headers=["Retry-After"],
        max_age=_A_DAY_S,
    )
    return issuer


async def _keep_tidy(desk: Desk) -> None:
    while True:
        await asyncio.sleep(TIDY_PACE_S)
        try:
            await desk.tidy()
        except Exception:
            # A full disk is no reason to stop stamping; the next round tries again.
            log.exception("issuer.tidy.failed")


def _most_bytes(path: str) -> int:
    return MOST_ROLL_BYTES if path.endswith("/manifest") else MAX_BODY_BYTES


def _describe_problems(issuer: FastAPI) -> None:
    """Put the shape of a problem into the OpenAPI document; each operation refers to it."""
    generate = issuer.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
        return document

    issuer.openapi = openapi  # type: ignore[method-assign]
