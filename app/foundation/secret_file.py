"""A secret in a file of its own: made once, readable by its owner alone, destroyed for good."""

import os
import secrets
from pathlib import Path

SECRET_BYTES = 32

# Files that this process knows to be on the disk, so that it asks the disk once for each.
_kept: set[Path] = set()


def keep_secret(path: Path) -> bytes:
    """Return the 32 random bytes in the file; where there is none it is made, whole or not at all.

    It is on the disk before this returns, even if another process made it a moment ago. Where
    two processes try, the first one's stays. Blocks: call it in a thread.
    """
    if path not in _kept:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _write_once(path)
        # Another process may have made the file and not yet reached this line itself.
        _sync_folder(path.parent)
        _kept.add(path)
    secret = path.read_bytes()
    assert len(secret) == SECRET_BYTES, f"{path.name} does not hold a secret"
    return secret


def destroy_secret(path: Path) -> None:
    """The secret can no longer be read from the file, and the file is gone.

    It is overwritten in place before its name goes. On an ordinary disk that is the end of it. A
    flash drive, a copying file system, a snapshot or a backup taken meanwhile may still hold the
    old bytes, and no program can reach those: keep the home folder out of backups while a vote
    runs, or on an encrypted disk. Blocks: call it in a thread.
    """
    _kept.discard(path)
    try:
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return  # Another process was first, and it does the rest.
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _write_once(path: Path) -> None:
    # A draft whose process was killed is a second name of the same bytes, or of bytes never used.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """The folder's names are on the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
