"""What an issuer and those who speak to it sign: orders of the cooperative, requests of members."""

import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.vote_key import is_signed_by

PROTOCOL: Final = 1
ORDER_HEADER: Final = "Meent-Signature"
_ORDER_DOMAIN = b"meent-issuer-order:1\n"
_STAMP_DOMAIN = b"meent-stamp-request:1"


def keys_path(election: str) -> str:
    """The path of the order to make a vote's keys."""
    return f"/v1/votes/{election}/keys"


def manifest_path(election: str) -> str:
    """The path of the order to seal a vote's terms."""
    return f"/v1/votes/{election}/manifest"


def revocations_path(election: str) -> str:
    """The path of the order that a membership has ended."""
    return f"/v1/votes/{election}/revocations"


def sign_order(path: str, *, body: bytes, board_key: Ed25519PrivateKey) -> str:
    """The `Meent-Signature` of a POST of this very body to this path, in hex.

    The path begins with `/v1`, whatever a proxy puts before it. An order holds no time: given
    twice, it changes nothing the second time.
    """
    return board_key.sign(_order(path, body=body)).hex()


def is_ordered(path: str, *, body: bytes, signature: str, cooperative_key: bytes) -> bool:
    """Whether the cooperative has signed a POST of this very body to this path."""
    try:
        signed = bytes.fromhex(signature)
    except ValueError:
        return False
    return is_signed_by(cooperative_key, message=_order(path, body=body), signature=signed)


def stamp_request(manifest_hash: bytes, *, house_no: int, blinded: bytes) -> bytes:
    """What a member key signs to ask for a stamp on a blinded vote key under these terms."""
    return _STAMP_DOMAIN + manifest_hash + house_no.to_bytes(2) + hashlib.sha256(blinded).digest()


def _order(path: str, *, body: bytes) -> bytes:
    return _ORDER_DOMAIN + b"POST\n" + path.encode() + b"\n" + hashlib.sha256(body).digest()
