"""Expected refusals, shown to the caller as problem details (RFC 9457), and their catalogue."""

from typing import Any, ClassVar


class Problem(Exception):
    """An expected refusal. Its class is its page in the catalogue at ``/problems``.

    A subclass sets ``status``, ``slug``, ``title`` and, as its docstring, what the reader can do.
    """

    status: ClassVar[int] = 409
    slug: ClassVar[str] = "problem"
    title: ClassVar[str] = "The request was refused"
    catalogue: ClassVar[dict[str, type["Problem"]]] = {}

    def __init__(
        self, detail: str | None = None, *, retry_after_s: int | None = None, **extra: Any
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.extra = extra

    def __init_subclass__(cls) -> None:
        """Enter the problem in the catalogue; two problems never share a slug."""
        assert cls.slug not in Problem.catalogue, f"two problems are called {cls.slug}"
        Problem.catalogue[cls.slug] = cls

    def body(self, *, trace_id: str) -> dict[str, Any]:
        """Return the members of the problem+json document."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "status": self.status,
            "trace_id": trace_id,
        }
        if self.detail:
            document["detail"] = self.detail
        return document | self.extra


class MalformedBody(Problem):
    """The body is not JSON. Send a JSON object with Content-Type application/json."""

    status = 400
    slug = "malformed-body"
    title = "The body could not be read as JSON"


class InvalidRequest(Problem):
    """A field is missing, unknown or out of range. ``errors`` names each one by its pointer."""

    status = 422
    slug = "invalid-request"
    title = "The request does not have the right form"


class BodyTooLarge(Problem):
    """The body is larger than 64 KiB. Nothing here needs that much; send less."""

    status = 413
    slug = "body-too-large"
    title = "The body is too large"


class NotFound(Problem):
    """There is no such thing, or it is not yours to see."""

    status = 404
    slug = "not-found"
    title = "There is no such thing here"


class MethodNotAllowed(Problem):
    """This address does not take that method."""

    status = 405
    slug = "method-not-allowed"
    title = "This method does not work here"


class TooManyRequests(Problem):
    """You asked too often. Wait the seconds named in Retry-After, then try again."""

    status = 429
    slug = "too-many-requests"
    title = "Too many requests"


class DatabaseUnavailable(Problem):
    """The database is away for a moment. Retry with the same Idempotency-Key: nothing doubles."""

    status = 503
    slug = "database-unavailable"
    title = "The database is away for a moment"

    def __init__(self) -> None:
        super().__init__(retry_after_s=1)


class InternalError(Problem):
    """A fault of ours. Quote the trace_id when you report it."""

    status = 500
    slug = "internal-error"
    title = "Something went wrong on our side"


class IdempotencyKeyMissing(Problem):
    """This command needs an Idempotency-Key header: 1 to 255 characters, new for each act."""

    status = 400
    slug = "idempotency-key-missing"
    title = "An Idempotency-Key is needed"


class IdempotencyKeyReused(Problem):
    """This key was used before with another request. Take a new key for a new act."""

    status = 422
    slug = "idempotency-key-reused"
    title = "The Idempotency-Key belongs to another request"


class CommandInFlight(Problem):
    """The first request with this key is still at work. Ask again in a second."""

    slug = "command-in-flight"
    title = "The same command is still at work"
