"""What enters the book: decided with the book in hand, by the one thread that has it."""

import hashlib
import math
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.issuer.errors import (
    AlreadyStamped,
    AnotherManifest,
    BadBlinding,
    BadSignature,
    IssuerTooManyRequests,
    MembershipEnded,
    NotOnTheRoll,
    TermsRefused,
    UnknownVote,
    VoteClosed,
)
from app.issuer.folder import IssuerFolder
from app.issuer.keys import KeyStore, VoteKeys
from app.issuer.papers import stamp_request
from app.issuer.queries import Book, SealedVote, Standing
from app.issuer.rules import Own, Rolls, check_rolls, check_time, find_place
from governance.credential import IssuanceLog, publish_log
from governance.manifest import Manifest, manifest_from, seal_manifest
from governance.vote_key import is_signed_by

# A device asks once, and again where the answer was lost on its way.
REQUESTS_PER_MEMBER, WITHIN_S = 10, 60.0


@dataclass(frozen=True, slots=True)
class StampRequest:
    """A member's request: the house, the pseudonym, the member key, what to stamp, signed."""

    house_no: int
    member: str
    member_key: bytes
    blinded: bytes
    signature: bytes


def note_keys(
    book: Book, keys: KeyStore, folder: IssuerFolder, election: str, *, houses: tuple[str, ...]
) -> Own:
    """The vote has keys, one for each house; where it had some, those.

    Raises:
        AnotherManifest: keys of this vote were made for other houses.
    """
    own = book.find_own(election, name=folder.name)
    if own is None:
        # The files come first: keys that no book names were answered to nobody.
        made = keys.make(election, houses=len(houses))
        own = Own(folder.name, houses, made.moduli, made.seal_key)
        book.insert_own(election, own=own)
    elif own.houses != houses:
        raise AnotherManifest(f"keys were made for {', '.join(own.houses)}")
    return own


def note_terms(
    book: Book,
    keys: KeyStore,
    folder: IssuerFolder,
    manifest: Manifest,
    *,
    rolls: Rolls,
    now: datetime,
) -> bytes:
    """Terms and rolls stand in the book for good; returns the seal, the same for the same terms.

    Raises:
        UnknownVote: no keys were made for this vote.
        AnotherManifest: other terms of it stand in the book.
        TermsRefused: terms and rolls do not hold together, or this issuer is not in them.
    """
    own = book.find_own(manifest.election, name=folder.name)
    if own is None:
        raise UnknownVote
    earlier = book.find_vote(manifest.election)
    if earlier is not None:
        if earlier.manifest_hash != manifest.hash():
            raise AnotherManifest
        return earlier.seal
    try:
        check_time(manifest, now=now)
        check_rolls(manifest, rolls=rolls)
        issuer_no = find_place(manifest, own=own, cooperative_key=folder.cooperative_key)
    except ValueError as wrong:
        raise TermsRefused(str(wrong)) from wrong
    seal_key = keys.load(manifest.election, houses=len(own.houses)).seal
    vote = SealedVote(
        election=manifest.election,
        manifest_hash=manifest.hash(),
        document=manifest.document(),
        issuer_no=issuer_no,
        closes_at_s=int(manifest.closes_at.timestamp()),
        published_by_s=int(manifest.published_by.timestamp()),
        seal=seal_manifest(manifest, seal_key=seal_key),
        is_final=False,
    )
    book.insert_vote(vote, rolls=rolls)
    return vote.seal


def load_keys(keys: KeyStore, vote: SealedVote) -> VoteKeys:
    """The private keys of a sealed vote. Raises IssuerError where they do not open."""
    return keys.load(vote.election, houses=len(vote.document["houses"]))


class Patience:
    """Counts what each member asked for lately; nothing of it is kept anywhere else."""

    def __init__(self) -> None:
        self._asked: Counter[tuple[str, int, str]] = Counter()
        self._since_s = 0.0

    def count(self, election: str, *, house_no: int, member: str) -> None:
        """One request more. Raises IssuerTooManyRequests beyond ten within a minute."""
        passed_s = time.monotonic() - self._since_s
        if passed_s >= WITHIN_S:
            self._asked.clear()
            self._since_s, passed_s = time.monotonic(), 0.0
        self._asked[election, house_no, member] += 1
        if self._asked[election, house_no, member] > REQUESTS_PER_MEMBER:
            raise IssuerTooManyRequests(retry_after_s=math.ceil(WITHIN_S - passed_s))


def check_blinded(request: StampRequest, *, modulus: str) -> None:
    """Refuse, before the book names the member, what could not be stamped afterwards.

    Raises:
        BadBlinding: a number of another length than the modulus, or not below it.
    """
    limit = int(modulus, 16)
    fits = len(request.blinded) == (limit.bit_length() + 7) // 8
    if not fits or int.from_bytes(request.blinded) >= limit:
        raise BadBlinding


def note_stamp(book: Book, vote: SealedVote, *, request: StampRequest, patience: Patience) -> None:
    """The book names the member with this very request.

    Raises:
        NotOnTheRoll, BadSignature, MembershipEnded, IssuerTooManyRequests: as they say.
        AlreadyStamped: it names the member with another request.
    """
    house_no, member = request.house_no, request.member
    standing = book.find_standing(vote.election, house_no=house_no, member=member)
    if standing is None:
        raise NotOnTheRoll
    _check_signature(request, vote=vote, standing=standing)
    # Counted only now: otherwise anybody could use up what another member may ask.
    patience.count(vote.election, house_no=house_no, member=member)
    digest = hashlib.sha256(request.blinded).digest()
    if standing.blinded_hash == digest:
        return
    if standing.has_ended:
        raise MembershipEnded
    if standing.blinded_hash is not None:
        raise AlreadyStamped
    book.insert_stamp(vote.election, house_no=house_no, member=member, blinded_hash=digest)


def note_revocation(book: Book, vote: SealedVote, *, house_no: int, member: str) -> tuple[str, ...]:
    """The member is stamped no more; returns whom the log named by then, in its order.

    Raises:
        NotOnTheRoll: as it says.
        VoteClosed: the log is final.
    """
    standing = book.find_standing(vote.election, house_no=house_no, member=member)
    if standing is None:
        raise NotOnTheRoll
    if not standing.has_ended:
        if book.list_final_logs(vote.election):
            raise VoteClosed("the log of this vote is final")
        book.insert_revocation(vote.election, house_no=house_no, member=member)
    return book.list_stamped(vote.election, house_no=house_no, before=member)


def sign_logs(book: Book, keys: KeyStore, vote: SealedVote) -> list[dict[str, Any]]:
    """The log of each house, signed: as it stands now, or the final one."""
    if final := book.list_final_logs(vote.election):
        return final
    manifest = manifest_from(vote.document)
    seal_key = load_keys(keys, vote).seal
    logs = [
        IssuanceLog(
            issuer_no=vote.issuer_no,
            house_no=house_no,
            members=book.list_stamped(vote.election, house_no=house_no),
        )
        for house_no in range(len(manifest.houses))
    ]
    return [publish_log(manifest, log=log, seal_key=seal_key) for log in logs]


def end_vote(book: Book, keys: KeyStore, vote: SealedVote) -> None:
    """The vote has final logs and no private keys; repeated after a crash, the same."""
    if not book.list_final_logs(vote.election):
        book.insert_final_logs(vote.election, documents=sign_logs(book, keys, vote))
    keys.destroy(vote.election)


def _check_signature(request: StampRequest, *, vote: SealedVote, standing: Standing) -> None:
    if standing.member_key is None:
        raise BadSignature("no key stands on the roll for this member, so none can ask")
    message = stamp_request(vote.manifest_hash, house_no=request.house_no, blinded=request.blinded)
    if request.member_key != standing.member_key or not is_signed_by(
        request.member_key, message=message, signature=request.signature
    ):
        raise BadSignature
