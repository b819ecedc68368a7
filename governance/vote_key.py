"""The key a member's own device makes for one vote, and the twelve words it can be kept as.

Lose the device and the words before casting, and the vote is lost: no issuer can cancel a
credential for a key it never saw, so none can be given twice.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from governance.word_list import WORDS

ENTROPY_BYTES = 16
WORD_COUNT = 12
WORD_BITS = 11
CHECK_BITS = 4
_KEY_DOMAIN = b"meent-vote-key:1"
_NUMBER_OF_WORD = {word: number for number, word in enumerate(WORDS)}


@dataclass(frozen=True, slots=True)
class VoteKey:
    """One vote's Ed25519 key, made from 16 random bytes that only its owner has."""

    entropy: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.entropy) != ENTROPY_BYTES:
            raise ValueError(f"a vote key is made from {ENTROPY_BYTES} bytes")

    @property
    def public(self) -> bytes:
        """The 32 bytes that stand on the ballot instead of a name."""
        return self._private().public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of the message."""
        return self._private().sign(message)

    def words(self) -> tuple[str, ...]:
        """Twelve English words that hold the key and a 4-bit check (BIP-39, 128 bits)."""
        check = hashlib.sha256(self.entropy).digest()[0] >> (8 - CHECK_BITS)
        number = int.from_bytes(self.entropy) << CHECK_BITS | check
        shifts = range((WORD_COUNT - 1) * WORD_BITS, -1, -WORD_BITS)
        return tuple(WORDS[number >> shift & (len(WORDS) - 1)] for shift in shifts)

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(
            hashlib.sha256(_KEY_DOMAIN + self.entropy).digest()
        )


def new_vote_key() -> VoteKey:
    """A key nobody has had before; one vote, one key, or two votes could be linked."""
    return VoteKey(secrets.token_bytes(ENTROPY_BYTES))


def vote_key_from_words(words: Sequence[str]) -> VoteKey:
    """The key that the twelve words hold, in any case and with stray spaces.

    Refused (ValueError): another count, a word that is not on the list, a check that fails.
    """
    if len(words) != WORD_COUNT:
        raise ValueError(f"a vote key is {WORD_COUNT} words, got {len(words)}")
    number = 0
    for place, word in enumerate(words, start=1):
        known = _NUMBER_OF_WORD.get(word.strip().lower())
        if known is None:
            raise ValueError(f"word {place} is not on the list")
        number = number << WORD_BITS | known
    key = VoteKey((number >> CHECK_BITS).to_bytes(ENTROPY_BYTES))
    if key.words()[-1] != WORDS[number & (len(WORDS) - 1)]:
        raise ValueError("the words do not belong together: one is wrong or two are swapped")
    return key


def is_signed_by(public_key: bytes, *, message: bytes, signature: bytes) -> bool:
    """Whether the Ed25519 signature is this key's; a malformed key has signed nothing."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
