"""The board's key, with which roots, receipts and revocations are signed; never in the database."""

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.foundation.secret_file import keep_secret

BOARD_KEY_FILE = "board.key"


@cache
def load_board_key(home: Path) -> Ed25519PrivateKey:
    """Return the board's key from a file in home, made at the first call; its owner alone reads it.

    Manifests name its public half, so whoever loses the file can sign nothing more for votes under
    way. The first call blocks: make it in a thread.
    """
    return Ed25519PrivateKey.from_private_bytes(keep_secret(home / BOARD_KEY_FILE))


def board_key_hex(key: Ed25519PrivateKey) -> str:
    """Return the public half as a manifest names it."""
    return key.public_key().public_bytes_raw().hex()
