"""The keys that seal waiting ballots: one file in home for each batch, gone when the batch is in.

They lie in no database, so a copy of the database, of its log or of its backups opens no ballot.
Every process that takes ballots works on the same home; a second machine with a home of its own
could neither read nor recognise what the first one sealed.
"""

from pathlib import Path
from uuid import UUID

from app.assembly.ballots.sealing import BatchKey
from app.foundation.secret_file import destroy_secret, keep_secret

BATCH_KEYS_FOLDER = "ballot-keys"


def keep_batch_key(home: Path, *, election_id: UUID, batch_no: int) -> BatchKey:
    """Return the batch's key, on the disk before this returns. Blocks: call it in a thread."""
    secret = keep_secret(_path(home, election_id, batch_no))
    return BatchKey(election_id=election_id, batch_no=batch_no, secret=secret)


def has_batch_key(home: Path, *, election_id: UUID, batch_no: int) -> bool:
    """Return whether the batch's key is there. Blocks: call it in a thread."""
    return _path(home, election_id, batch_no).exists()


def find_batch_key(home: Path, *, election_id: UUID, batch_no: int) -> BatchKey | None:
    """Return the batch's key if there is one; none is made. Blocks: call it in a thread."""
    if not has_batch_key(home, election_id=election_id, batch_no=batch_no):
        return None
    return keep_batch_key(home, election_id=election_id, batch_no=batch_no)


def destroy_batch_keys(home: Path, *, election_id: UUID, before: int) -> None:
    """No key of an earlier batch is left, nor a draft of one. Blocks: call it in a thread."""
    # Keys of every earlier batch, since a crash may have come between a batch and its key's end.
    for path in (home / BATCH_KEYS_FOLDER).glob(f"{election_id}.*.key*"):
        if int(path.name.split(".")[1]) < before:
            destroy_secret(path)


def _path(home: Path, election_id: UUID, batch_no: int) -> Path:
    return home / BATCH_KEYS_FOLDER / f"{election_id}.{batch_no}.key"
