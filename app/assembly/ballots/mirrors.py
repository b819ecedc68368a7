"""Copies of the signed roots in folders where other hands can keep them: one line for each root."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from governance.manifest import canonical


class MirrorDisagrees(Exception):
    """A mirror holds another root than the table; one of the two was changed afterwards."""


def append_to_mirror(folder: Path, *, election_id: UUID, roots: Sequence[dict[str, Any]]) -> int:
    """The mirror's file of this election holds every root given; return how many it lacked.

    A line that a crash cut short is written again; nothing else is ever changed. Blocks: call it
    in a thread.

    Raises:
        MirrorDisagrees: what stands there does not begin what should stand there.
        OSError: the folder cannot be reached or written.
    """
    expected = [canonical(signed) + b"\n" for signed in roots]
    with (folder / f"{election_id}.roots.jsonl").open("a+b") as file:
        # Another process of this program may come with the same root at the same moment.
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        held = file.read().splitlines(keepends=True)
        if held and not held[-1].endswith(b"\n"):
            file.truncate(sum(map(len, held[:-1])))
            held.pop()
        # More than we expect is what another process appended since we read the table.
        if any(line != wanted for line, wanted in zip(held, expected, strict=False)):
            raise MirrorDisagrees(f"{file.name} holds another root than the ballot box")
        missing = expected[len(held) :]
        file.writelines(missing)
        file.flush()
        os.fsync(file.fileno())
    return len(missing)
