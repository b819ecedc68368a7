"""Changes a versioned text line by line, as members propose it during deliberation."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# The matcher looks at each pair of equal lines again and again: over texts of thousands of empty
# lines it would think for hours.
MOST_EQUAL_PAIRS = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """Lines `first` up to, not including, `last` of the old text become `lines`; counted from 0."""

    first: int
    last: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Amendment:
    """Changes to one version of a text, ascending and apart, and the version they were made for."""

    base: str
    changes: tuple[Change, ...]


class StaleAmendment(ValueError):
    """The text has changed since the amendment was written."""


def version_of(text: str) -> str:
    """Return the name of a version: SHA-256 of the text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def propose(old: str, new: str) -> Amendment:
    """Return the amendment that makes the old text the new one; it may have no changes.

    In texts with more than `MOST_EQUAL_PAIRS` pairs of equal lines all that lies between the first
    line that differs and the last one is a single change.
    """
    before, after = _lines(old), _lines(new)
    times = Counter(after)
    if sum(times[line] for line in before) > MOST_EQUAL_PAIRS:
        return Amendment(version_of(old), _whole(before, after))
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    changes = tuple(
        Change(first, last, tuple(after[start:end]))
        for kind, first, last, start, end in matcher.get_opcodes()
        if kind != "equal"
    )
    return Amendment(version_of(old), changes)


def accept(amendment: Amendment, *, text: str) -> str:
    """Return the text with an amendment's changes.

    Refused: a text that is not the version amended (StaleAmendment): its author writes it anew or
    it stands as a rival option; changes outside the text or over each other (ValueError).
    """
    if version_of(text) != amendment.base:
        raise StaleAmendment("the text has changed since the amendment was written")
    lines = _lines(text)
    _check(amendment.changes, length=len(lines))
    # From the end, so that no change moves the lines of one still to come.
    for change in reversed(amendment.changes):
        lines[change.first : change.last] = change.lines
    return "".join(lines)


def _whole(before: Sequence[str], after: Sequence[str]) -> tuple[Change, ...]:
    """Return the one change that makes these lines those, none where they are the same."""
    if before == after:
        return ()
    shorter = min(len(before), len(after))
    first = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    left = shorter - first
    kept = next((n for n in range(left) if before[-1 - n] != after[-1 - n]), left)
    return (Change(first, len(before) - kept, tuple(after[first : len(after) - kept])),)


def _lines(text: str) -> list[str]:
    """Lines with their ends. Only a line feed ends one: the same text is the same everywhere."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _check(changes: Sequence[Change], *, length: int) -> None:
    reached = 0
    for change in changes:
        if not reached <= change.first <= change.last <= length:
            raise ValueError("changes must be ascending, apart and inside the text")
        reached = change.last
