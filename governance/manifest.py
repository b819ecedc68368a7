"""What is fixed before a vote opens, in one canonical text whose hash every ballot carries.

The question, the rule with its figures, the houses with the hashes of their rolls, the issuers'
keys and the times stand here. Whoever changes one letter later has another hash, and no ballot
and no credential fits it any more.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.blind_signature import MINIMUM_MODULUS_BITS
from governance.vote_key import is_signed_by

FORMAT = "meent-manifest:1"
MINIMUM_ISSUERS = 2
_SEAL_DOMAIN = b"meent-manifest-seal:1"


@dataclass(frozen=True, slots=True)
class House:
    """One group that votes on its own roll; a vote without houses has just one."""

    name: str
    roll_hash: str
    roll_size: int


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who stamps credentials: one RSA modulus per house, and a second key for what it says.

    The seal key is another key because an issuer's blind key signs anything a member sends: it
    could be made to sign a manifest without knowing.
    """

    name: str
    moduli: tuple[str, ...]
    seal_key: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The frozen terms of one vote; keys and hashes in hex, times in UTC to the second.

    `parameters` are the rule's figures: text, whole numbers, or lists and objects of these; a
    fraction is written as two whole numbers. Casting ends at `closes_at`; a ballot counts only
    under a root published by `published_by`. Refused (ValueError): fewer than two issuers, an
    issuer without one key of 2048 bits per house, a key used twice, times out of order or
    without zone.
    """

    election: str
    question: str
    explanation: str
    options: tuple[str, ...]
    rule: str
    parameters: Mapping[str, Any]
    houses: tuple[House, ...]
    issuers: tuple[Issuer, ...]
    board_key: str
    opens_at: datetime
    closes_at: datetime
    published_by: datetime

    def __post_init__(self) -> None:
        if not self.houses:
            raise ValueError("a vote has at least one house")
        if len(self.issuers) < MINIMUM_ISSUERS:
            raise ValueError(f"a vote has at least {MINIMUM_ISSUERS} issuers")
        moduli = [int(modulus, 16) for issuer in self.issuers for modulus in issuer.moduli]
        if any(modulus.bit_length() < MINIMUM_MODULUS_BITS for modulus in moduli):
            raise ValueError(f"an issuer's keys have at least {MINIMUM_MODULUS_BITS} bits")
        if any(len(issuer.moduli) != len(self.houses) for issuer in self.issuers):
            raise ValueError("an issuer has one key for each house")
        seals = [issuer.seal_key for issuer in self.issuers]
        if len(set(moduli)) != len(moduli) or len({*seals, self.board_key}) != len(seals) + 1:
            raise ValueError("no two issuers, houses or boards share a key")
        times = (self.opens_at, self.closes_at, self.published_by)
        if any(time.tzinfo is None for time in times):
            raise ValueError("times carry their zone")
        if not self.opens_at < self.closes_at <= self.published_by:
            raise ValueError("a vote opens, then closes, then its last root is published")

    def document(self) -> dict[str, Any]:
        """The manifest as it is published and hashed."""
        times = {
            name: time_text(getattr(self, name))
            for name in ("opens_at", "closes_at", "published_by")
        }
        return {"format": FORMAT, **asdict(self), **times}

    def hash(self) -> bytes:
        """SHA-256 of the canonical document: what ballots, credentials and roots are bound to."""
        return hashlib.sha256(canonical(self.document())).digest()


def manifest_from(document: Mapping[str, Any]) -> Manifest:
    """The manifest a published document holds; its hash is the document's.

    Refused (ValueError): another format, fields missing or unknown, what `Manifest` refuses.
    """
    fields = dict(document)
    if fields.pop("format", None) != FORMAT:
        raise ValueError(f"a manifest's format is {FORMAT}")
    try:
        manifest = Manifest(
            **{
                **fields,
                "options": tuple(fields["options"]),
                "houses": tuple(House(**house) for house in fields["houses"]),
                "issuers": tuple(
                    Issuer(**{**issuer, "moduli": tuple(issuer["moduli"])})
                    for issuer in fields["issuers"]
                ),
                **{
                    name: datetime.fromisoformat(fields[name])
                    for name in ("opens_at", "closes_at", "published_by")
                },
            }
        )
    except (KeyError, TypeError) as wrong:
        raise ValueError(f"not a manifest: {wrong}") from wrong
    if canonical(manifest.document()) != canonical(document):
        raise ValueError("the manifest is not in its canonical form")
    return manifest


def seal_manifest(manifest: Manifest, *, seal_key: Ed25519PrivateKey) -> bytes:
    """One issuer's signature that these are the terms; a vote opens when all have signed."""
    return seal_key.sign(_SEAL_DOMAIN + manifest.hash())


def is_sealed_by_all(manifest: Manifest, *, seals: Sequence[bytes]) -> bool:
    """Whether every issuer, in the manifest's order, has signed these very terms."""
    return len(seals) == len(manifest.issuers) and all(
        is_signed_by(
            bytes.fromhex(issuer.seal_key),
            message=_SEAL_DOMAIN + manifest.hash(),
            signature=seal,
        )
        for issuer, seal in zip(manifest.issuers, seals, strict=True)
    )


def member_hash(member_id: str, *, salt: bytes) -> str:
    """The pseudonym on roll and issuance log: who knows id and salt can find it, nobody else."""
    return hashlib.sha256(salt + member_id.encode()).hexdigest()


def roll_hash(members: Sequence[str]) -> str:
    """The hash of a roll of member hashes, whatever their order."""
    return hashlib.sha256(canonical(sorted(members))).hexdigest()


def canonical(document: Any) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8: one text for one meaning.

    Refused (ValueError): floats, for which no two programs agree on one text.
    """
    if _holds_floats(document):
        raise ValueError("a canonical document holds no floats")
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def time_text(time: datetime) -> str:
    """The time in UTC to the second, as in 2027-01-10T18:00:00Z.

    Refused (ValueError): a time without zone.
    """
    if time.tzinfo is None:
        raise ValueError("times carry their zone")
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _holds_floats(document: Any) -> bool:
    if isinstance(document, Mapping):
        return any(_holds_floats(value) for value in document.values())
    if isinstance(document, list | tuple):
        return any(_holds_floats(value) for value in document)
    return isinstance(document, float)
