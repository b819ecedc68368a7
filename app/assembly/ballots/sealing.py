"""Seals ballots that wait for their batch: all of one size, readable with the batch's key alone."""

import hmac
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from governance.ballot_box import Ballot, ballot_from
from governance.ballot_rule import BALLOT_RULES
from governance.blind_signature import PREFIX_BYTES
from governance.manifest import Manifest, canonical
from governance.ranked_vote import NO_CHANGE

# One key may change its mind this often. Sequence numbers are counted from 0 instead of counting
# a key's ballots: a mark by which they could be counted would show which two wait for one voter.
BALLOTS_PER_KEY = 20
NONCE_BYTES = 12
_LENGTH_BYTES = 4

type Parameters = Mapping[str, Any]

# The value that takes most room, for each rule.
_LARGEST_VALUE: Mapping[str, Callable[[Parameters], Any]] = {
    "number": lambda given: max(given["floor"], given["ceiling"], key=lambda n: len(str(n))),
    "two_houses": lambda given: max(given["floor"], given["ceiling"], key=lambda n: len(str(n))),
    "text": lambda _: "abstain",
    "budget": lambda given: [given["points"]] * len(given["pots"]),
    "choice": lambda given: [*given["options"], NO_CHANGE],
}
assert _LARGEST_VALUE.keys() == BALLOT_RULES.keys(), "a rule without a largest value"


@dataclass(frozen=True, slots=True)
class SealedBallot:
    """A ballot as it waits: random to everyone without the key, and as long as every other."""

    blind_index: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class BatchKey:
    """What seals one batch of one election; destroyed when the batch is in the box."""

    election_id: UUID
    batch_no: int
    secret: bytes = field(repr=False)

    def seal(self, ballot: Ballot, *, size_bytes: int) -> SealedBallot:
        """The ballot encrypted (AES-256-GCM, random nonce) and padded to one size.

        The blind index (HMAC-SHA-256) is the same for the same vote key and sequence number, and
        belongs to the sealed text: neither can be moved to another row, batch or election.
        """
        document = canonical(ballot.document())
        assert len(document) <= size_bytes, "a ballot that the rule admits is larger than it can be"
        padded = len(document).to_bytes(_LENGTH_BYTES) + document.ljust(size_bytes, b"\0")
        blind_index = self._mac(b"index" + ballot.vote_key + ballot.sequence.to_bytes(4))
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + self._cipher().encrypt(nonce, padded, self._place(blind_index))
        return SealedBallot(blind_index=blind_index, sealed=sealed)

    def unseal(self, row: SealedBallot) -> Ballot:
        """The ballot again. Raises InvalidTag where key or row are not those of the sealing."""
        nonce, text = row.sealed[:NONCE_BYTES], row.sealed[NONCE_BYTES:]
        padded = self._cipher().decrypt(nonce, text, self._place(row.blind_index))
        length = int.from_bytes(padded[:_LENGTH_BYTES])
        return ballot_from(orjson.loads(padded[_LENGTH_BYTES : _LENGTH_BYTES + length]))

    def _cipher(self) -> AESGCM:
        return AESGCM(self._mac(b"cipher"))

    def _mac(self, message: bytes) -> bytes:
        return hmac.digest(self.secret, b"meent-pending-ballot:1" + message, "sha256")

    def _place(self, blind_index: bytes) -> bytes:
        return self.election_id.bytes + self.batch_no.to_bytes(4) + blind_index


def largest_ballot_bytes(manifest: Manifest) -> int:
    """The bytes of the longest ballot that these terms admit: what each is padded to."""
    signature_bytes = [
        max((int(modulus, 16).bit_length() + 7) // 8 for modulus in issuer.moduli)
        for issuer in manifest.issuers
    ]
    document = {
        "manifest": bytes(32).hex(),
        "house": len(manifest.houses) - 1,
        "vote_key": bytes(32).hex(),
        "sequence": BALLOTS_PER_KEY - 1,
        "value": _LARGEST_VALUE[manifest.rule](manifest.parameters),
        "credentials": [
            {"prefix": bytes(PREFIX_BYTES).hex(), "signature": bytes(length).hex()}
            for length in signature_bytes
        ],
        "signature": bytes(64).hex(),
    }
    return len(canonical(document))
