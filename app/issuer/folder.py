"""An issuer's folder on its keeper's machine: who it is, and whom it takes orders from."""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from governance.blind_signature import MINIMUM_MODULUS_BITS

FORMAT = "meent-issuer:1"
KEY_BITS = (MINIMUM_MODULUS_BITS, 3_072)
MOST_NAME_CHARACTERS = 80


class IssuerError(Exception):
    """An issuer's folder cannot be used; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class IssuerFolder:
    """An issuer's own name and the one key whose orders it follows, fixed when it was made."""

    path: Path
    name: str
    cooperative_key: bytes
    key_bits: int

    @property
    def book_path(self) -> Path:
        """The file in which the issuer keeps whom it has stamped."""
        return self.path / "book.sqlite3"

    @property
    def keys_path(self) -> Path:
        """The folder of the private keys of votes under way."""
        return self.path / "keys"


def make_folder(
    path: Path, *, name: str, cooperative_key: str, key_bits: int = KEY_BITS[0]
) -> IssuerFolder:
    """The folder is made, readable by nobody but its owner.

    Raises:
        IssuerError: there is an issuer already, or a value is not what it must be.
    """
    if not 0 < len(name.strip()) <= MOST_NAME_CHARACTERS:
        raise IssuerError(f"an issuer has a name of at most {MOST_NAME_CHARACTERS} characters")
    if not re.fullmatch("[0-9a-f]{64}", cooperative_key):
        raise IssuerError("the cooperative's key is 64 hexadecimal digits in lower case")
    if key_bits not in KEY_BITS:
        raise IssuerError(f"keys have {' or '.join(map(str, KEY_BITS))} bits")
    config = path / "issuer.json"
    if config.exists():
        raise IssuerError(f"{path} is an issuer already, and an issuer is never made over")
    document = {
        "format": FORMAT,
        "name": name.strip(),
        "cooperative_key": cooperative_key,
        "key_bits": key_bits,
    }
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        write_durably(config, json.dumps(document, indent=2).encode() + b"\n")
    except OSError as error:
        raise IssuerError(f"{path} cannot be made: {error.strerror}") from None
    return read_folder(path)


def read_folder(path: Path) -> IssuerFolder:
    """Return who this folder's issuer is. Raises IssuerError where there is none."""
    try:
        document = json.loads((path / "issuer.json").read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise IssuerError(f"{path} is an issuer of another version: {document['format']}")
        return IssuerFolder(
            path=path,
            name=document["name"],
            cooperative_key=bytes.fromhex(document["cooperative_key"]),
            key_bits=int(document["key_bits"]),
        )
    except FileNotFoundError:
        raise IssuerError(f"{path} is no issuer: make one with `meent issuer init`") from None
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise IssuerError(f"{path / 'issuer.json'} cannot be read: {wrong}") from wrong


@contextmanager
def hold_folder(folder: IssuerFolder) -> Iterator[None]:
    """No other program serves this folder until the end of the block.

    Raises:
        IssuerError: another one does.
    """
    lock = os.open(folder.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise IssuerError(f"{folder.path} is served by another program already") from None
    finally:
        os.close(lock)


def write_durably(path: Path, content: bytes) -> None:
    """The file holds this content, mode 0600, and no crash leaves half of it."""
    new = path.with_name(path.name + ".new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    new.rename(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """What was made, renamed or removed in the folder survives a loss of power."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
