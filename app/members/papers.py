"""Which papers a driver needs, and which of them are missing on a day (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from app.members.roles import DocumentKind


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper and the last day on which it holds."""

    kind: DocumentKind
    number: str
    expires_on: date


def missing_papers(documents: Iterable[Paper], today: date) -> list[DocumentKind]:
    """Return the kinds that nobody shows or that ended before today, in the order of the kinds."""
    held = {paper.kind for paper in documents if paper.expires_on >= today}
    return [kind for kind in DocumentKind if kind not in held]
