"""Sealed journals: what everybody may see of one, what it hides, and how seals form a chain.

A leaf commits to two things. Shown is what moved between which codes and when, to the quarter of
an hour: a recount needs that. A code is made for one line alone, from a secret that an account's
owner alone is told, so that two lines of one person have nothing in common for anybody else. Hidden
is the journal as it stands in the books, with its people and its exact moments, under a salt:
whoever has the salt can prove that it is in there, and once the salt is deleted nobody can, nor
guess it.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from governance.merkle import leaf_hash, root

SALT_BYTES = 16
SECRET_BYTES = 32
_CODE_BYTES = 16
FIRST_PREVIOUS = bytes(32)  # what the first seal follows
_QUARTER_MINUTES = 15
_SEAL_DOMAIN = b"meent-seal:1"
# The text of a manifest, without the search for floats: here are none, and there are many journals.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class ShownLine:
    """An amount that left one code and reached another, in minor units of a currency."""

    debit: str
    credit: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class ShownJournal:
    """What everybody may see of a journal: accounts by kind and code, the quarter of an hour."""

    number: int
    kind: str
    at: datetime
    reverses: int | None
    lines: tuple[ShownLine, ...]

    def document(self) -> dict[str, Any]:
        """Return it as published; `at` is rounded down to the quarter of an hour, in UTC."""
        return {
            "journal": self.number,
            "kind": self.kind,
            "at": quarter_hour(self.at).isoformat(),
            "reverses": self.reverses,
            "lines": [
                [line.debit, line.credit, line.amount_minor, line.currency] for line in self.lines
            ],
        }


def _canonical(document: Mapping[str, Any]) -> bytes:
    return _ENCODER.encode(document).encode()


def quarter_hour(at: datetime) -> datetime:
    """The quarter of an hour in which a moment lies, by its beginning in UTC."""
    utc = at.astimezone(UTC)
    return utc.replace(minute=utc.minute - utc.minute % _QUARTER_MINUTES, second=0, microsecond=0)


def line_code(secret: bytes, *, journal: int, line: int) -> str:
    """What a person's account is called in one line of one journal (lines count from 1), hex."""
    return _code(secret, b"line", journal.to_bytes(8) + line.to_bytes(4))


def period_code(secret: bytes, *, period_id: UUID) -> str:
    """What a driver is called where a period's totals of each driver stand, hex."""
    return _code(secret, b"period", period_id.bytes)


def opening_code(secret: bytes, *, period_id: UUID) -> str:
    """What an account is called where it stands what it held before a period, hex."""
    return _code(secret, b"opening", period_id.bytes)


def _code(secret: bytes, purpose: bytes, what: bytes) -> str:
    """HMAC-SHA-256 of the secret, cut. No purpose is the beginning of another."""
    return hmac.digest(secret, purpose + what, "sha256")[:_CODE_BYTES].hex()


def hidden_hash(hidden: Mapping[str, Any], *, salt: bytes) -> bytes:
    """The commitment to what a journal hides. Refused (ValueError): a salt of another length."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return hashlib.sha256(salt + _canonical(hidden)).digest()


def journal_leaf(shown: Mapping[str, Any], *, hidden: bytes) -> bytes:
    """The leaf of a journal: RFC 6962's hash over what is hidden and what is shown."""
    return leaf_hash(hidden + _canonical(shown))


@dataclass(frozen=True, slots=True)
class Seal:
    """The head of a block of journals: their root, and the hash of the seal before."""

    height: int
    epoch: int
    size: int
    root: bytes
    previous: bytes
    key: bytes
    sealed_at: datetime

    def document(self) -> dict[str, Any]:
        """Return what is hashed and signed, as it is published."""
        return {
            "height": self.height,
            "epoch": self.epoch,
            "size": self.size,
            "root": self.root.hex(),
            "previous": self.previous.hex(),
            "key": self.key.hex(),
            "sealed_at": self.sealed_at.astimezone(UTC).isoformat(),
        }

    @property
    def hash(self) -> bytes:
        """What the next seal names as the one before."""
        return hashlib.sha256(_SEAL_DOMAIN + _canonical(self.document())).digest()

    def sign(self, key: Ed25519PrivateKey) -> bytes:
        """Return the signature. Refused (ValueError): not the key that the seal names."""
        if key.public_key().public_bytes_raw() != self.key:
            raise ValueError("a seal is signed by the key that it names")
        return key.sign(_SEAL_DOMAIN + self.hash)

    def is_signed(self, signature: bytes) -> bool:
        """Whether the signature is the named key's."""
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, _SEAL_DOMAIN + self.hash)
        except (InvalidSignature, ValueError):
            return False
        return True


def seal_faults(seal: Seal, *, signature: bytes, previous: Seal | None) -> list[str]:
    """What is wrong with a seal after the one before it, in plain words; of the first, None."""
    height, before = (previous.height, previous.hash) if previous else (0, FIRST_PREVIOUS)
    faults = []
    if seal.height != height + 1:
        faults.append(f"block {seal.height} follows block {height}")
    if seal.previous != before:
        faults.append(f"block {seal.height} does not name the hash of the block before")
    if not seal.is_signed(signature):
        faults.append(f"block {seal.height} is not signed by its key")
    return faults


def root_fault(seal: Seal, *, leaves: Sequence[bytes]) -> str | None:
    """What is wrong with the leaves of a block, or None."""
    if len(leaves) != seal.size:
        return f"block {seal.height} sealed {seal.size} journals, {len(leaves)} are left"
    if root(leaves) != seal.root:
        return f"block {seal.height} was changed: its journals give another root"
    return None
