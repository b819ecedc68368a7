"""What a device looks at before it votes: that the terms shown are the ones all issuers signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.voting.errors import FalseTermsError, VotingError
from governance.manifest import (
    Manifest,
    is_sealed_by_all,
    manifest_from,
    member_hash,
    roll_hash,
)

Json = Mapping[str, Any]
SALT_BYTES = 32  # of a seat on the roll


@dataclass(frozen=True, slots=True)
class ShownIssuer:
    """Who stamps, where, and the beginning of the key by which others can recognise it."""

    name: str
    url: str
    seal_key: str


@dataclass(frozen=True, slots=True)
class Terms:
    """A vote whose manifest, seals and rolls were checked."""

    election: str
    stage: str
    manifest: Manifest
    issuers: tuple[ShownIssuer, ...]
    rolls: tuple[tuple[str, ...], ...]


def checked_terms(document: Json, *, rolls: Sequence[Sequence[str]]) -> Terms:
    """The terms in an election's document, given the published rolls, house by house.

    Refused (VotingError): terms that are not fixed yet. Refused (FalseTermsError): another hash, a
    seal that is missing or false, a roll that is not the frozen one, issuers by another name.
    """
    if document.get("manifest") is None:
        raise VotingError("The terms of this vote are not fixed yet. Look again later.")
    try:
        manifest = manifest_from(document["manifest"])
        seals = [bytes.fromhex(seal) for seal in document["seals"]]
        sealed = is_sealed_by_all(manifest, seals=seals)
        shown = tuple(
            ShownIssuer(name=issuer["name"], url=issuer["url"], seal_key=known.seal_key)
            for issuer, known in zip(document["issuers"], manifest.issuers, strict=True)
        )
    except (KeyError, TypeError, ValueError) as wrong:
        raise FalseTermsError(f"The terms of this vote cannot be read: {wrong}.") from wrong
    if manifest.hash().hex() != document["manifest_hash"]:
        raise FalseTermsError("The terms shown are not the ones that were announced.")
    if manifest.election != str(document["id"]):
        raise FalseTermsError("The terms shown belong to another vote.")
    if not sealed:
        raise FalseTermsError("Not every issuer has signed these terms.")
    for issuer, known in zip(shown, manifest.issuers, strict=True):
        if issuer.name != known.name:
            raise FalseTermsError(f"The issuer {known.name} is shown as {issuer.name}.")
    frozen = [(house.roll_hash, house.roll_size) for house in manifest.houses]
    if [(roll_hash(roll), len(set(roll))) for roll in rolls] != frozen:
        raise FalseTermsError("The published roll is not the one that was frozen.")
    return Terms(
        election=manifest.election,
        stage=str(document["stage"]),
        manifest=manifest,
        issuers=shown,
        rolls=tuple(tuple(roll) for roll in rolls),
    )


def own_place(terms: Terms, me: Json) -> tuple[int, str]:
    """The member's house and pseudonym. Refused (VotingError): not on the published roll."""
    if not me["on_roll"]:
        raise VotingError("You are not on the roll of this vote.")
    house_no, member = int(me["house_no"]), str(me["member"])
    if not 0 <= house_no < len(terms.rolls) or member not in terms.rolls[house_no]:
        raise FalseTermsError("You are said to be on the roll, but the published roll lacks you.")
    return house_no, member


def is_own_line(me: Json, *, key: str, member_id: str | None) -> bool:
    """Whether the pseudonym is made of this member and this member key, in hex.

    So no other member was told the same one. Where the wallet does not know who its owner is,
    `member_id` is None, and the answer's own counts: the key still sets two members apart.
    """
    try:
        salt = bytes.fromhex(me["salt"])
        named = f"{member_id or me['member_id']}:{key if me['has_key'] else ''}"
    except (KeyError, TypeError, ValueError):
        return False
    return len(salt) == SALT_BYTES and member_hash(named, salt=salt) == me["member"]
