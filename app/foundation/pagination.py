"""Lists in pages: an opaque cursor names the last key seen, so nothing is skipped or doubled."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.foundation.problems import InvalidRequest

MAX_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Page[T]:
    """Some items, and where the next ones begin; None at the end."""

    items: Sequence[T]
    next_cursor: str | None


def encode_cursor(last: UUID) -> str:
    """Return the cursor for what follows this key."""
    return base64.urlsafe_b64encode(last.bytes).rstrip(b"=").decode()


def decode_cursor(cursor: str | None) -> UUID | None:
    """Return the key after which the page begins, None for the first page.

    Raises:
        InvalidRequest: the cursor was not made here.
    """
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        fault = {"pointer": "#/query/cursor", "detail": "Send a cursor as an earlier page gave it"}
        raise InvalidRequest(errors=[fault]) from None


def make_page[T](found: Sequence[T], *, limit: int, key: Callable[[T], UUID]) -> Page[T]:
    """Return the page of up to ``limit`` items, out of a query that asked for one more."""
    items = found[:limit]
    more = len(found) > limit
    return Page(items, encode_cursor(key(items[-1])) if more else None)
