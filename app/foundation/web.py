"""The door: problems rendered, requests named, counted and bounded. No BaseHTTPMiddleware."""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from app.foundation import metrics
from app.foundation.ids import new_id
from app.foundation.problems import (
    BodyTooLarge,
    InternalError,
    InvalidRequest,
    MalformedBody,
    MethodNotAllowed,
    NotFound,
    Problem,
)

MAX_BODY_BYTES = 64 * 1024

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

log = structlog.get_logger("http")


def trace_id(request: Request) -> str:
    """Return the name this request has in the answer, in the log and in a report."""
    return str(request.scope.get("trace_id", "-"))


def json_response(
    body: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Render a body as JSON; from status 400 on it is a problem document."""
    kind = "application/problem+json" if status >= 400 else "application/json"
    return Response(
        orjson.dumps(body, default=str), status_code=status, headers=headers, media_type=kind
    )


def problem_response(problem: Problem, *, trace: str) -> Response:
    """Render one problem as application/problem+json."""
    headers = {}
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return json_response(problem.body(trace_id=trace), status=problem.status, headers=headers)


def problem_responses(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Describe, for OpenAPI, the problems an operation can answer with."""
    by_status: dict[int | str, list[type[Problem]]] = {}
    every: tuple[type[Problem], ...] = (InvalidRequest, *problems)
    for problem in every:
        by_status.setdefault(problem.status, []).append(problem)
    return {
        status: {
            "description": "; ".join(f"`{p.slug}`: {p.title}" for p in group),
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/ProblemDetails"},
                    "examples": {
                        p.slug: {"value": p().body(trace_id="0190a1c2-example")} for p in group
                    },
                }
            },
        }
        for status, group in by_status.items()
    }


def _pointer(location: tuple[int | str, ...]) -> str:
    return "#/" + "/".join(str(part) for part in location)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error, whoever raised it, as application/problem+json."""

    async def on_problem(request: Request, problem: Exception) -> Response:
        assert isinstance(problem, Problem)
        return problem_response(problem, trace=trace_id(request))

    async def on_invalid(request: Request, invalid: Exception) -> Response:
        assert isinstance(invalid, RequestValidationError)
        faults = invalid.errors()
        if any(fault["type"] == "json_invalid" for fault in faults):
            return problem_response(MalformedBody(), trace=trace_id(request))
        # The rejected input itself stays out: it may hold a name, a number or a place.
        errors = [
            {"pointer": _pointer(fault["loc"]), "detail": str(fault["msg"])} for fault in faults
        ]
        return problem_response(InvalidRequest(errors=errors), trace=trace_id(request))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        kinds: dict[int, type[Problem]] = {
            400: MalformedBody,
            404: NotFound,
            405: MethodNotAllowed,
            413: BodyTooLarge,
        }
        problem = kinds.get(error.status_code, InternalError)()
        return problem_response(problem, trace=trace_id(request))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)


def _usual_bound(_path: str) -> int:
    return MAX_BODY_BYTES


class Door:
    """The outermost layer of the program: names, bounds, counts and logs every request.

    ``most_bytes`` gives the largest body that a path takes, where it is not everywhere the same.
    """

    def __init__(self, app: App, *, most_bytes: Callable[[str], int] = _usual_bound) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one ASGI request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace = str(new_id())
        scope["trace_id"] = trace
        started_s = time.perf_counter()
        status = 500
        answered = False

        async def send_named(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                answered, status = True, message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-trace-id", trace.encode())]
            await send(message)

        try:
            bounded = _bounded(scope, receive, most_bytes=self._most_bytes(scope["path"]))
            if bounded is None:
                await problem_response(BodyTooLarge(), trace=trace)(scope, receive, send_named)
            else:
                await self._app(scope, bounded, send_named)
        except Exception:
            log.exception("http.request.failed", trace_id=trace, method=scope["method"])
            if not answered:
                await problem_response(InternalError(), trace=trace)(scope, receive, send_named)
        finally:
            # The route's template, never the path: a path may hold an id that leads to a person.
            route = _template(scope)
            elapsed_s = time.perf_counter() - started_s
            metrics.HTTP_SECONDS.labels(scope["method"], route, str(status)).observe(elapsed_s)
            log.debug("http.request", trace_id=trace, route=route, status=status)


def _template(scope: MutableMapping[str, Any]) -> str:
    """Return the template of the route that a request was led to, from the program's root on.

    A route knows its own router's prefix only. What it became in the routers that include that
    one, FastAPI leaves beside it; there is no public way to ask.
    """
    route = scope.get("route")
    included = scope.get("fastapi", {}).get("effective_route_context")
    if included is not None and included.original_route is route:
        route = included
    return getattr(route, "path", "unmatched")


class _TooMuchBody(HTTPException):
    """Raised while a body without a stated length grows past the limit.

    An HTTPException, since FastAPI turns any other error of reading a body into a 400.
    """

    def __init__(self) -> None:
        super().__init__(413)


def _bounded(
    scope: MutableMapping[str, Any], receive: Receive, *, most_bytes: int
) -> Receive | None:
    """Return a receive that refuses to hand out too much; None where the length says so at once."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > most_bytes:
            return None
    seen_bytes = 0

    async def bounded() -> Message:
        nonlocal seen_bytes
        message = await receive()
        seen_bytes += len(message.get("body", b""))
        if seen_bytes > most_bytes:
            raise _TooMuchBody
        return message

    return bounded
