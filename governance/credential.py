"""The stamp that lets a vote key vote once, given by each issuer without seeing the key.

The issuer knows who asks and looks them up on the roll; it does not learn which key it stamps.
One credential per issuer is needed, so one dishonest issuer can neither vote for others nor, by
itself, keep anything but its own stamp back. All issuers together could still stamp keys in the
name of members who never look: that is why every stamp is on a public log and told to the member.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from governance.blind_signature import (
    PREFIX_BYTES,
    SALT_BYTES,
    blind,
    blind_sign,
    finalize,
    prepare,
    verify,
)
from governance.manifest import Manifest, canonical, roll_hash
from governance.vote_key import VoteKey

_CREDENTIAL_DOMAIN = b"meent-credential:1"
_REQUEST_DOMAIN = b"meent-credential-request:1"
# A draw so much longer than the modulus leaves no bias in the remainder that anyone could find.
_SPARE_BYTES = 16
_LOG_DOMAIN = b"meent-issuance-log:1"
_REVOCATION_DOMAIN = b"meent-revocation:1"


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    """What a device keeps while an issuer stamps; only `blinded` is sent."""

    issuer_no: int
    house_no: int
    prepared: bytes = field(repr=False)
    blinded: bytes
    inverse: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credential:
    """One issuer's signature over manifest, issuer, house and vote key."""

    prefix: bytes
    signature: bytes

    def document(self) -> dict[str, str]:
        """The credential as it stands on a ballot."""
        return {"prefix": self.prefix.hex(), "signature": self.signature.hex()}


@dataclass(frozen=True, slots=True)
class IssuanceLog:
    """Whom one issuer stamped for one house: the roll's pseudonyms, without times."""

    issuer_no: int
    house_no: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Revocation:
    """A membership that ended under way, and whom each issuer had stamped by then.

    Sizes and hashes of the logs stand here so that none can be reordered later. A stamp given
    before cannot be taken back: nobody knows which ballot it is on.
    """

    member: str
    house_no: int
    stamped_before: tuple[int, ...]
    stamped_hashes: tuple[str, ...]


def revoke(member: str, *, logs: Sequence[IssuanceLog]) -> Revocation:
    """The end of a membership now, given this house's logs as they stand, in the issuers' order.

    Refused (ValueError): logs of different houses, or not one of each issuer in order.
    """
    houses = {log.house_no for log in logs}
    if len(houses) != 1 or [log.issuer_no for log in logs] != list(range(len(logs))):
        raise ValueError("give one house's logs, one of each issuer, in the issuers' order")
    return Revocation(
        member=member,
        house_no=houses.pop(),
        stamped_before=tuple(len(log.members) for log in logs),
        stamped_hashes=tuple(roll_hash(log.members) for log in logs),
    )


def request_credential(
    manifest: Manifest, *, vote_key: bytes, issuer_no: int, house_no: int = 0
) -> CredentialRequest:
    """A request that tells the issuer nothing about the vote key."""
    prepared = prepare(
        _message(manifest, vote_key=vote_key, issuer_no=issuer_no, house_no=house_no)
    )
    modulus = int(manifest.issuers[issuer_no].moduli[house_no], 16)
    blinded = blind(prepared, modulus=modulus)
    return CredentialRequest(
        issuer_no=issuer_no,
        house_no=house_no,
        prepared=prepared,
        blinded=blinded.blinded,
        inverse=blinded.inverse,
    )


def repeatable_request(
    manifest: Manifest, *, key: VoteKey, issuer_no: int, house_no: int = 0
) -> CredentialRequest:
    """The request that this key always makes: its words alone get the same stamp again.

    Prefix, salt and factor come from the key's 16 secret bytes (HKDF-SHA-384, RFC 5869) instead
    of chance. So a device lost before casting is no lost vote; the price is that the request
    hides the key as well as 128 bits do, no longer unconditionally.
    """
    modulus = int(manifest.issuers[issuer_no].moduli[house_no], 16)
    drawn = HKDF(
        algorithm=SHA384(),
        length=PREFIX_BYTES + SALT_BYTES + (modulus.bit_length() + 7) // 8 + _SPARE_BYTES,
        salt=manifest.hash(),
        info=_REQUEST_DOMAIN + _place(issuer_no=issuer_no, house_no=house_no),
    ).derive(key.entropy)
    prefix, rest = drawn[:PREFIX_BYTES], drawn[PREFIX_BYTES:]
    message = _message(manifest, vote_key=key.public, issuer_no=issuer_no, house_no=house_no)
    prepared = prepare(message, prefix=prefix)
    blinded = blind(
        prepared,
        modulus=modulus,
        salt=rest[:SALT_BYTES],
        factor=int.from_bytes(rest[SALT_BYTES:]) % (modulus - 1) + 1,
    )
    return CredentialRequest(
        issuer_no=issuer_no,
        house_no=house_no,
        prepared=prepared,
        blinded=blinded.blinded,
        inverse=blinded.inverse,
    )


def stamp(blinded: bytes, *, key: RSAPrivateKey) -> bytes:
    """The issuer's answer; the caller has looked the member up and stamps each one once."""
    return blind_sign(blinded, key=key)


def receive_credential(
    manifest: Manifest, *, request: CredentialRequest, answer: bytes
) -> Credential:
    """The finished credential. Refused (ValueError): an answer that is no stamp on this request."""
    signature = finalize(
        request.prepared,
        blind_signature=answer,
        inverse=request.inverse,
        modulus=int(manifest.issuers[request.issuer_no].moduli[request.house_no], 16),
    )
    return Credential(prefix=request.prepared[:PREFIX_BYTES], signature=signature)


def is_credential(
    manifest: Manifest,
    *,
    credential: Credential,
    vote_key: bytes,
    issuer_no: int,
    house_no: int = 0,
) -> bool:
    """Whether this issuer stamped this key for this house under these very terms."""
    if len(credential.prefix) != PREFIX_BYTES:
        return False
    message = _message(manifest, vote_key=vote_key, issuer_no=issuer_no, house_no=house_no)
    return verify(
        credential.prefix + message,
        signature=credential.signature,
        modulus=int(manifest.issuers[issuer_no].moduli[house_no], 16),
    )


def publish_log(
    manifest: Manifest, *, log: IssuanceLog, seal_key: Ed25519PrivateKey
) -> dict[str, Any]:
    """The log as published, signed by its issuer."""
    body = {"issuer": log.issuer_no, "house": log.house_no, "members": list(log.members)}
    return _signed(body, domain=_LOG_DOMAIN, manifest=manifest, key=seal_key)


def publish_revocation(
    manifest: Manifest, *, revocation: Revocation, board_key: Ed25519PrivateKey
) -> dict[str, Any]:
    """The end of a membership as published, signed by the board."""
    body = {
        "member": revocation.member,
        "house": revocation.house_no,
        "stamped_before": list(revocation.stamped_before),
        "stamped_hashes": list(revocation.stamped_hashes),
    }
    return _signed(body, domain=_REVOCATION_DOMAIN, manifest=manifest, key=board_key)


def credentials_from(documents: Sequence[Mapping[str, str]]) -> tuple[Credential, ...]:
    """The credentials of a published ballot. Refused (ValueError): what is not hex."""
    return tuple(
        Credential(
            prefix=bytes.fromhex(document["prefix"]), signature=bytes.fromhex(document["signature"])
        )
        for document in documents
    )


def _message(manifest: Manifest, *, vote_key: bytes, issuer_no: int, house_no: int) -> bytes:
    place = _place(issuer_no=issuer_no, house_no=house_no)
    return _CREDENTIAL_DOMAIN + manifest.hash() + place + vote_key


def _place(*, issuer_no: int, house_no: int) -> bytes:
    return issuer_no.to_bytes(2) + house_no.to_bytes(2)


def _signed(
    body: dict[str, Any], *, domain: bytes, manifest: Manifest, key: Ed25519PrivateKey
) -> dict[str, Any]:
    return {**body, "signature": key.sign(domain + manifest.hash() + canonical(body)).hex()}
