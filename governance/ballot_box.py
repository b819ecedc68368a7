"""Ballots without names, and a glass box that anyone can count: it only ever grows.

A ballot carries a vote key, a value, a sequence number and all issuers' credentials; of one key
the highest sequence number counts, so a member may change their mind until the vote closes.
The box takes ballots in batches, each sorted by hash so that the order inside tells no time, and
after each batch the board signs the root of everything so far.

What this does not do: it is not coercion-proof, since a member can show key and receipt to prove
how they voted; it cannot make a server accept a ballot, it can only prove that an accepted one
was dropped; and whoever runs the casting host sees addresses and times, so another operator
should, without logs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.credential import Credential, credentials_from, is_credential
from governance.manifest import Manifest, canonical, time_text
from governance.merkle import consistency_proof, inclusion_proof, leaf_hash, root
from governance.vote_key import VoteKey, is_signed_by

PACKAGE_FORMAT = "meent-election-package:1"
_BALLOT_DOMAIN = b"meent-ballot:1"
_RECEIPT_DOMAIN = b"meent-receipt:1"
_ROOT_DOMAIN = b"meent-root:1"


@dataclass(frozen=True, slots=True)
class Ballot:
    """One cast ballot; `value` is whatever the rule takes, without floats."""

    manifest_hash: bytes
    house_no: int
    vote_key: bytes
    sequence: int
    value: Any
    credentials: tuple[Credential, ...]
    signature: bytes

    def document(self) -> dict[str, Any]:
        """The ballot as it lies in the box."""
        return {
            **_body(self),
            "credentials": [credential.document() for credential in self.credentials],
            "signature": self.signature.hex(),
        }

    def leaf(self) -> bytes:
        """The hash under which the ballot lies in the box."""
        return leaf_hash(canonical(self.document()))


def cast(
    manifest: Manifest,
    *,
    key: VoteKey,
    value: Any,
    credentials: Sequence[Credential],
    sequence: int = 0,
    house_no: int = 0,
) -> Ballot:
    """A ballot signed by the vote key; a later one needs a higher sequence number.

    Signed with the value are the manifest's hash, the house and all credentials, so nothing of
    one ballot can be moved to another. Refused (ValueError): a negative sequence, a value with
    floats.
    """
    if sequence < 0:
        raise ValueError(f"sequence must be at least 0, got {sequence}")
    unsigned = Ballot(
        manifest_hash=manifest.hash(),
        house_no=house_no,
        vote_key=key.public,
        sequence=sequence,
        value=value,
        credentials=tuple(credentials),
        signature=b"",
    )
    return Ballot(
        manifest_hash=unsigned.manifest_hash,
        house_no=house_no,
        vote_key=unsigned.vote_key,
        sequence=sequence,
        value=value,
        credentials=unsigned.credentials,
        signature=key.sign(_signed_part(unsigned)),
    )


def ballot_from(document: Mapping[str, Any]) -> Ballot:
    """The ballot a document holds. Refused (ValueError): anything that is not one."""
    try:
        ballot = Ballot(
            manifest_hash=bytes.fromhex(document["manifest"]),
            house_no=document["house"],
            vote_key=bytes.fromhex(document["vote_key"]),
            sequence=document["sequence"],
            value=document["value"],
            credentials=credentials_from(document["credentials"]),
            signature=bytes.fromhex(document["signature"]),
        )
    except (KeyError, TypeError) as wrong:
        raise ValueError(f"not a ballot: {wrong}") from wrong
    if type(ballot.sequence) is not int or type(ballot.house_no) is not int:
        raise ValueError("sequence and house are whole numbers")
    if canonical(ballot.document()) != canonical(document):
        raise ValueError("the ballot is not in its canonical form")
    return ballot


def check_ballot(ballot: Ballot, *, manifest: Manifest) -> None:
    """Nothing, if the ballot may lie in the box; whether the rule takes its value is the rule's.

    Refused (ValueError): other terms, an unknown house, a wrong signature, a missing or wrong
    credential.
    """
    if ballot.manifest_hash != manifest.hash():
        raise ValueError("the ballot was cast under other terms")
    if not 0 <= ballot.house_no < len(manifest.houses) or ballot.sequence < 0:
        raise ValueError("the ballot names no house of this vote, or no sequence number")
    if not is_signed_by(ballot.vote_key, message=_signed_part(ballot), signature=ballot.signature):
        raise ValueError("the ballot is not signed by its vote key")
    if len(ballot.credentials) != len(manifest.issuers):
        raise ValueError("the ballot does not carry one credential of each issuer")
    for issuer_no, credential in enumerate(ballot.credentials):
        if not is_credential(
            manifest,
            credential=credential,
            vote_key=ballot.vote_key,
            issuer_no=issuer_no,
            house_no=ballot.house_no,
        ):
            raise ValueError(f"the credential of issuer {issuer_no} is not for this ballot")


def sign_receipt(
    ballot: Ballot, *, board_key: Ed25519PrivateKey, due_at: datetime
) -> dict[str, Any]:
    """The board's promise that the ballot lies under a root by `due_at`; the voter keeps it."""
    body = {
        "manifest": ballot.manifest_hash.hex(),
        "leaf": ballot.leaf().hex(),
        "due_at": time_text(due_at),
    }
    return {**body, "signature": board_key.sign(_RECEIPT_DOMAIN + canonical(body)).hex()}


def is_receipt(receipt: Mapping[str, Any], *, manifest: Manifest) -> bool:
    """Whether the board promised this under these terms."""
    return _is_of_board(receipt, domain=_RECEIPT_DOMAIN, manifest=manifest)


def is_root(signed: Mapping[str, Any], *, manifest: Manifest) -> bool:
    """Whether the board signed this root under these terms."""
    return _is_of_board(signed, domain=_ROOT_DOMAIN, manifest=manifest)


def sign_root(
    manifest: Manifest,
    *,
    leaves: Sequence[bytes],
    board_key: Ed25519PrivateKey,
    published_at: datetime,
) -> dict[str, Any]:
    """The signed root over the leaf hashes of a box, in its order."""
    body = {
        "manifest": manifest.hash().hex(),
        "size": len(leaves),
        "root": root(leaves).hex(),
        "published_at": time_text(published_at),
    }
    return {**body, "signature": board_key.sign(_ROOT_DOMAIN + canonical(body)).hex()}


@dataclass(frozen=True, slots=True)
class BallotBox:
    """All ballots so far, in batches; adding gives a new box that begins with the old one."""

    ballots: tuple[Ballot, ...] = ()

    def leaves(self) -> tuple[bytes, ...]:
        """The leaf hashes in the box's order."""
        return tuple(ballot.leaf() for ballot in self.ballots)

    def with_batch(self, batch: Iterable[Ballot]) -> "BallotBox":
        """The box with the batch behind what was in it, sorted by hash so it tells no time.

        Refused (ValueError): a ballot that is already in the box, or twice in the batch.
        """
        known = set(self.leaves())
        added: dict[bytes, Ballot] = {}
        for ballot in batch:
            leaf = ballot.leaf()
            if leaf in known or leaf in added:
                raise ValueError("the ballot is already in the box")
            added[leaf] = ballot
        return BallotBox((*self.ballots, *(added[leaf] for leaf in sorted(added))))

    def sign_root(
        self, manifest: Manifest, *, board_key: Ed25519PrivateKey, published_at: datetime
    ) -> dict[str, Any]:
        """The signed root over the whole box, to be mirrored where the board has no hand."""
        return sign_root(
            manifest, leaves=self.leaves(), board_key=board_key, published_at=published_at
        )

    def inclusion(self, leaf: bytes) -> tuple[int, tuple[bytes, ...]]:
        """Where the ballot lies and the proof of it. Refused (ValueError): not in the box."""
        leaves = self.leaves()
        if leaf not in leaves:
            raise ValueError("the ballot is not in the box")
        index = leaves.index(leaf)
        return index, inclusion_proof(leaves, index=index)

    def consistency(self, old_size: int) -> tuple[bytes, ...]:
        """The proof that the box of `old_size` ballots is this one's beginning."""
        return consistency_proof(self.leaves(), old_size=old_size)


def public_package(
    manifest: Manifest,
    *,
    seals: Sequence[bytes],
    rolls: Sequence[Sequence[str]],
    issuance: Sequence[Mapping[str, Any]],
    revocations: Sequence[Mapping[str, Any]],
    box: BallotBox,
    roots: Sequence[Mapping[str, Any]],
    result: Any,
) -> dict[str, Any]:
    """All that `meent-verify` needs, ready for JSON; `result` is what was announced."""
    return {
        "format": PACKAGE_FORMAT,
        "manifest": manifest.document(),
        "seals": [seal.hex() for seal in seals],
        "rolls": [sorted(roll) for roll in rolls],
        "issuance": [dict(log) for log in issuance],
        "revocations": [dict(revocation) for revocation in revocations],
        "ballots": [ballot.document() for ballot in box.ballots],
        "roots": [dict(signed) for signed in roots],
        "result": result,
    }


def _body(ballot: Ballot) -> dict[str, Any]:
    return {
        "manifest": ballot.manifest_hash.hex(),
        "house": ballot.house_no,
        "vote_key": ballot.vote_key.hex(),
        "sequence": ballot.sequence,
        "value": ballot.value,
    }


def _signed_part(ballot: Ballot) -> bytes:
    document = ballot.document()
    del document["signature"]
    return _BALLOT_DOMAIN + canonical(document)


def _is_of_board(document: Mapping[str, Any], *, domain: bytes, manifest: Manifest) -> bool:
    body = {name: value for name, value in document.items() if name != "signature"}
    try:
        signature, message = bytes.fromhex(document["signature"]), domain + canonical(body)
    except (KeyError, TypeError, ValueError):
        return False
    signed = is_signed_by(bytes.fromhex(manifest.board_key), message=message, signature=signature)
    return signed and body.get("manifest") == manifest.hash().hex()
