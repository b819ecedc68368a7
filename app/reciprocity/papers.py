"""What cooperatives sign for each other: one JSON text for one meaning, and an Ed25519 signature.

Each paper says its `format` first of all, so that a signature under one is never good for another.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.foundation.secret_file import keep_secret
from app.reciprocity.rules import ClearingState, Rejection
from governance.clearing import Entry
from governance.manifest import canonical
from governance.vote_key import is_signed_by

LETTER: Final = "meent-guest-letter:1"
CLEARING: Final = "meent-clearing:1"
ANSWER: Final = "meent-clearing-answer:1"
STATEMENT: Final = "meent-peer-statement:1"
ENTRIES: Final = "meent-peer-entries:1"
KEY_FILE = "reciprocity.key"


@cache
def load_own_key(home: Path) -> Ed25519PrivateKey:
    """Return the cooperative's key towards its sisters from a file in home, made at the first call.

    Sisters know its public half: whoever loses the file must be registered anew. The first call
    blocks: make it in a thread.
    """
    return Ed25519PrivateKey.from_private_bytes(keep_secret(home / KEY_FILE))


def public_half(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes by which sisters know this key."""
    return key.public_key().public_bytes_raw()


def peer_id_of(public_key: bytes) -> UUID:
    """The id of a cooperative, made of its key: both sides know it without asking."""
    return UUID(bytes=hashlib.sha256(b"meent-peer:1\n" + public_key).digest()[:16])


def sign(paper: Mapping[str, Any], *, key: Ed25519PrivateKey) -> str:
    """The signature of a paper, in hex. Refused (ValueError): a paper that holds floats."""
    return key.sign(canonical(dict(paper))).hex()


def is_signed(paper: Mapping[str, Any], *, signature: str, public_key: bytes) -> bool:
    """Whether the holder of this key signed this very paper."""
    try:
        signed = bytes.fromhex(signature)
    except ValueError:
        return False
    return is_signed_by(public_key, message=canonical(dict(paper)), signature=signed)


def read_signed(raw: bytes) -> dict[str, Any] | None:
    """The paper and the signature in a sister's answer; None where it has not that form."""
    try:
        answer = json.loads(raw)
        paper, signature = answer["paper"], answer["signature"]
        canonical(paper)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(paper, dict) or not isinstance(signature, str):
        return None
    return {"paper": paper, "signature": signature}


def is_verdict(paper: Mapping[str, Any]) -> bool:
    """Whether an answer accepts a claim, or rejects it for a reason that there is."""
    if paper.get("state") == ClearingState.ACCEPTED:
        return paper.get("reason") is None
    return paper.get("state") == ClearingState.REJECTED and paper.get("reason") in set(Rejection)


def is_list_of_entries(listed: Any) -> bool:
    """Whether this is a list of clearings as cooperatives show it to each other, each once."""
    try:
        ids = {UUID(line["clearing_id"]) for line in listed}
        whole = all(type(line["amount_minor"]) is int for line in listed)
        named = all(UUID(line["creditor"]) for line in listed)
    except (TypeError, KeyError, ValueError, AttributeError):
        return False
    return whole and named and len(ids) == len(listed)


def statement_paper(
    *, own_id: UUID, peer_id: UUID, currency: str, month: str, entries: Sequence[Entry]
) -> dict[str, Any]:
    """A month between two cooperatives; both make the very same paper where their books agree.

    `month` is its first day. `nets` says what stands for each: above zero it is to get that much.
    """
    listed = [[str(e.clearing_id), str(e.creditor), e.amount_minor] for e in entries]
    own = sum(e.amount_minor if e.creditor == own_id else -e.amount_minor for e in entries)
    return {
        "format": STATEMENT,
        "month": month,
        "currency": currency,
        "clearings": len(entries),
        "entries_sha256": hashlib.sha256(canonical(sorted(listed))).hexdigest(),
        "nets": {str(own_id): own, str(peer_id): -own},
    }
