"""What machines ask the program about itself, and the pages that problems lead to."""

import asyncio
from functools import cache
from html import escape
from inspect import cleandoc
from typing import Annotated, Any

import orjson
import prometheus_client
from fastapi import APIRouter, Header, Request
from fastapi.responses import HTMLResponse, Response

from app.foundation.database import UNAVAILABLE, Database
from app.foundation.migrate import newest_revision
from app.foundation.problems import NotFound, Problem
from app.foundation.web import json_response, problem_responses

READY_TIMEOUT_S = 2.0

router = APIRouter(tags=["service"])

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto }}
  dt {{ margin-top: 1rem }} dd {{ margin: 0 }} code {{ font-size: .95em }}
</style>
<h1>{title}</h1>
{content}
</html>
"""


@router.get(
    "/livez",
    operation_id="get_livez",
    summary="Whether the process lives; asks nobody else",
    responses=problem_responses(),
)
async def get_livez() -> Response:
    """Return 200 as long as the event loop turns. Restart the process where this does not."""
    return json_response({"status": "alive"})


@router.get(
    "/readyz",
    operation_id="get_readyz",
    summary="Whether the program can serve now",
    responses={
        **problem_responses(),
        503: {"description": "Not ready: the database is away, or not at the newest migration."},
    },
)
async def get_readyz(request: Request) -> Response:
    """Return 200 where the database answers and is migrated; else 503 and what is missing.

    A road engine that is away makes answers estimates and is told here, but is no reason for 503.
    """
    migrations = await _migrations(request.app.state.database)
    roads = getattr(request.app.state, "roads", None)
    checks = {
        "database": "away" if migrations == "unknown" else "answers",
        "migrations": migrations,
        "roads": "closed" if roads is None else "estimated" if roads.is_estimate else "by road",
    }
    ready = migrations == "newest"
    # Not a problem document: a load balancer reads it, and nobody is being refused anything.
    return Response(
        orjson.dumps({"status": "ready" if ready else "not ready", "checks": checks}),
        status_code=200 if ready else 503,
        headers={} if ready else {"Retry-After": "1"},
        media_type="application/json",
    )


async def _migrations(database: Database) -> str:
    """Return newest, missing or other; unknown where the database does not answer in time."""
    expected = await asyncio.to_thread(_expected_revision)
    try:
        async with asyncio.timeout(READY_TIMEOUT_S), database.reading() as reader:
            if await reader.value("select to_regclass('alembic_version')") is None:
                return "missing"
            found = await reader.value("select version_num from alembic_version")
    except (Problem, *UNAVAILABLE):
        return "unknown"
    return "newest" if found == expected else "other"


_expected_revision = cache(newest_revision)


@router.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Figures for Prometheus",
    responses=problem_responses(),
)
def get_metrics() -> Response:
    """Return every metric of this process as text; none holds a place, a name or a number."""
    return Response(
        prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST
    )


def _described(problem: type[Problem]) -> dict[str, Any]:
    return {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "what_to_do": cleandoc(problem.__doc__ or problem.title),
    }


def _wants_page(accept: str | None) -> bool:
    return "text/html" in (accept or "")


@router.get(
    "/problems",
    operation_id="list_problems",
    summary="Every refusal there is, and what to do about it",
    responses=problem_responses(),
)
async def list_problems(accept: Annotated[str | None, Header()] = None) -> Response:
    """Return the catalogue as JSON, or as a page for people where HTML is accepted."""
    catalogue = [_described(problem) for _, problem in sorted(Problem.catalogue.items())]
    if not _wants_page(accept):
        return json_response({"items": catalogue})
    entries = "\n".join(
        f'<dt><a href="{entry["type"]}"><code>{entry["type"].rpartition("/")[2]}</code></a> '
        f"({entry['status']})<dd>{escape(entry['title'])}"
        for entry in catalogue
    )
    return HTMLResponse(_PAGE.format(title="Problems", content=f"<dl>\n{entries}\n</dl>"))


@router.get(
    "/problems/{slug}",
    operation_id="get_problem",
    summary="One refusal, and what to do about it",
    responses=problem_responses(NotFound),
)
async def get_problem(slug: str, accept: Annotated[str | None, Header()] = None) -> Response:
    """Return what a problem's ``type`` leads to, as JSON or as a page."""
    problem = Problem.catalogue.get(slug)
    if problem is None:
        raise NotFound
    entry = _described(problem)
    if not _wants_page(accept):
        return json_response(entry)
    content = (
        f"<p>HTTP status {entry['status']}, <code>{escape(entry['type'])}</code>\n"
        f"<p>{escape(entry['what_to_do'])}\n"
        '<p><a href="/problems">All problems</a>'
    )
    return HTMLResponse(_PAGE.format(title=escape(problem.title), content=content))
