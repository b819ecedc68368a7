"""The secret behind one-time codes and refresh tokens, and the keyed hashes made with it."""

import base64
import hmac
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.settings import Settings

KEY_FILE = "sign-in.key"


class Keys:
    """Keyed hashes (HMAC-SHA256), a different family for each purpose.

    A code has only a million values: whoever reads the database must not be able to try them all,
    so the key lives elsewhere. If it is lost, codes under way and refresh tokens stop working and
    everyone signs in again; nothing else depends on it.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def mac(self, purpose: str, *parts: str) -> bytes:
        """Return 32 bytes that only the holder of the secret can make."""
        # Lengths stand before the parts, so that no two lists of parts read the same.
        message = "".join(f"{len(part)}:{part}" for part in (purpose, *parts))
        return hmac.digest(self._secret, message.encode(), "sha256")

    def lock(self, purpose: str, *parts: str) -> int:
        """Return a number for an advisory lock: 64 bits with a sign, as PostgreSQL wants it."""
        return int.from_bytes(self.mac(purpose, *parts)[:8], signed=True)

    def seal(self, purpose: str, text: str) -> str:
        """Return the text with a proof behind it that we wrote it."""
        proof = base64.urlsafe_b64encode(self.mac(purpose, text)).rstrip(b"=").decode()
        return f"{text}.{proof}"

    def unseal(self, purpose: str, sealed: str) -> str | None:
        """Return the text of `seal`, or None where we did not write it."""
        text, _, _ = sealed.rpartition(".")
        genuine = hmac.compare_digest(self.seal(purpose, text).encode(), sealed.encode())
        return text if genuine else None


def load_keys(settings: Settings) -> Keys:
    """Return the keys of the setting ``secret``, or of a file in home that is made once."""
    if settings.secret is not None:
        return Keys(settings.secret.get_secret_value().encode())
    return Keys(_secret_in(settings.home))


@cache
def _secret_in(home: Path) -> bytes:
    path = home / KEY_FILE
    if not path.exists():
        _write_once(path, secrets.token_bytes(32))
    return path.read_bytes()


def _write_once(path: Path, secret: bytes) -> None:
    """Make the file whole or not at all; where two processes try, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)


async def get_keys(connection: HTTPConnection) -> Keys:
    """Return the program's keys. Not async: the first call may write a file, which blocks."""
    return load_keys(connection.app.state.settings)


KeysDep = Annotated[Keys, Depends(get_keys)]
