"""What every address of proposals shares: pages of lists, and the version that somebody edits."""

import re
from typing import Annotated

from fastapi import Depends, Header, Query

from app.assembly.proposals.errors import (
    NotInTheRegister,
    ProposalUnknown,
    StepRefused,
    VersionChanged,
    VersionMissing,
)
from app.foundation.pagination import MAX_LIMIT
from app.members.access import COMMAND_PROBLEMS_EVEN_SUSPENDED
from app.members.errors import NotSignedIn

Cursor = Annotated[str | None, Query(description="from next_cursor; left out: the first page")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]

READ_PROBLEMS = (ProposalUnknown, NotSignedIn)
WRITE_PROBLEMS = (ProposalUnknown, StepRefused, NotInTheRegister, *COMMAND_PROBLEMS_EVEN_SUSPENDED)
EDIT_PROBLEMS = (VersionMissing, VersionChanged)


def etag(version: int) -> str:
    """Return a version as the ETag that If-Match takes."""
    return f'"{version}"'


async def get_version(
    if_match: Annotated[
        str | None,
        Header(description="the version that you read, in quotes", examples=['"3"']),
    ] = None,
) -> int:
    """Return the version that the caller edits.

    Raises:
        VersionMissing: no If-Match.
        VersionChanged: it names no version that there ever was.
    """
    if if_match is None:
        raise VersionMissing
    named = re.fullmatch(r'"(\d{1,9})"', if_match)
    if named is None:
        raise VersionChanged
    return int(named[1])


EditedVersion = Annotated[int, Depends(get_version)]
