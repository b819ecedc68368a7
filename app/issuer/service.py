"""The issuer's desk: makes keys, seals terms, stamps each member once, shows its log."""

import asyncio
import hashlib
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from app.foundation.clock import Clock
from app.issuer.errors import (
    AlreadyStamped,
    AnotherManifest,
    BadBlinding,
    BadSignature,
    IssuerBusy,
    IssuerTooManyRequests,
    MembershipEnded,
    NotOnTheRoll,
    TermsRefused,
    UnknownVote,
    VoteClosed,
)
from app.issuer.folder import IssuerFolder, hold_folder
from app.issuer.keys import KeyStore, VoteKeys
from app.issuer.papers import stamp_request
from app.issuer.queries import Book, SealedVote, Standing
from app.issuer.rules import Own, Rolls, check_rolls, check_time, find_place
from governance.credential import IssuanceLog, publish_log, stamp
from governance.manifest import Manifest, manifest_from, seal_manifest
from governance.vote_key import is_signed_by

# Whoever waits longer than this asks again; a request is the same the second time.
LONGEST_WAIT_S = 20.0
MOST_WAITING = 256
# A device asks once, and again where the answer was lost on its way.
REQUESTS_PER_MEMBER, WITHIN_S = 10, 60.0
KEEP_KEYS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StampRequest:
    """A member's request: the house, the pseudonym, the member key, what to stamp, signed."""

    house_no: int
    member: str
    member_key: bytes
    blinded: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class MemberLine:
    """What this issuer holds of one member: anybody can compare it with what should stand here."""

    member: str
    key: str
    is_stamped: bool
    has_ended: bool


class Desk:
    """One issuer at work. One thread alone touches the book; keys are used in others."""

    def __init__(self, folder: IssuerFolder, *, clock: Clock, passphrase: str | None) -> None:
        self.folder = folder
        self._clock = clock
        self._keys = KeyStore(folder, passphrase=passphrase)
        self._book: Book
        self._scribe: ThreadPoolExecutor
        self._waiting = 0
        self._one_maker = asyncio.Lock()
        self._votes: dict[str, tuple[SealedVote, Manifest]] = {}
        self._asked: Counter[tuple[str, int, str]] = Counter()
        self._asked_since_s = 0.0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """The book is open until the end of the block, and nobody else serves this folder.

        Raises:
            IssuerError: another program serves it, or its keys do not open.
        """
        with ExitStack() as stack:
            stack.enter_context(hold_folder(self.folder))
            self._scribe = stack.enter_context(ThreadPoolExecutor(1, "scribe"))
            self._book = await self._write(partial(Book, self.folder.book_path))
            stack.callback(lambda: self._scribe.submit(self._book.close).result())
            for vote in await self._write(self._book.list_votes):
                if not vote.is_final:
                    await asyncio.to_thread(self._load_keys, vote)
            await self.tidy()
            yield

    async def order_keys(self, election: str, *, houses: tuple[str, ...]) -> Own:
        """The vote has keys, fresh ones, one for each house; asked again, the same.

        Raises:
            AnotherManifest: keys of this vote were made for other houses.
        """
        async with _in_time(), self._one_maker:
            own = await self._write(partial(self._book.find_own, election, name=self.folder.name))
            if own is None:
                # The files come first: keys that no book names were answered to nobody.
                made = await asyncio.to_thread(self._keys.make, election, houses=len(houses))
                own = Own(self.folder.name, houses, made.moduli, made.seal_key)
                await self._write(partial(self._book.insert_own, election, own=own))
            elif own.houses != houses:
                raise AnotherManifest(f"keys were made for {', '.join(own.houses)}")
        return own

    async def seal(self, election: str, *, document: Mapping[str, Any], rolls: Rolls) -> bytes:
        """The terms are fixed in the book and sealed; the same again gets the same seal.

        Raises:
            UnknownVote: no keys were made for it.
            TermsRefused: terms and rolls do not hold together, or this issuer is not in them.
            AnotherManifest: other terms of this vote were sealed here.
        """
        async with _in_time(), self._one_maker:
            own = await self._write(partial(self._book.find_own, election, name=self.folder.name))
            if own is None:
                raise UnknownVote
            manifest = await asyncio.to_thread(_terms, election, document)
            if earlier := await self._find_vote(election):
                if earlier[0].manifest_hash != manifest.hash():
                    raise AnotherManifest
                return earlier[0].seal
            look = partial(self._checked_place, manifest, rolls=rolls, own=own)
            issuer_no = await asyncio.to_thread(look)
            load = partial(self._keys.load, election, houses=len(own.houses))
            keys = await asyncio.to_thread(load)
            vote = SealedVote(
                election=election,
                manifest_hash=manifest.hash(),
                document=manifest.document(),
                issuer_no=issuer_no,
                closes_at_s=int(manifest.closes_at.timestamp()),
                published_by_s=int(manifest.published_by.timestamp()),
                seal=seal_manifest(manifest, seal_key=keys.seal),
                is_final=False,
            )
            await self._write(partial(self._book.insert_vote, vote, rolls=rolls))
            return vote.seal

    async def stamp(self, election: str, *, request: StampRequest) -> bytes:
        """The member is stamped, once; the very same request again gets the same stamp.

        The row is on the disk before the stamp leaves. Raises the refusals that its name says.
        """
        vote, manifest = await self._get_vote(election)
        if self._clock.now() >= manifest.closes_at:
            raise VoteClosed
        if request.house_no >= len(manifest.houses):
            raise NotOnTheRoll
        _check_blinded(request, manifest=manifest, issuer_no=vote.issuer_no)
        await self._write(partial(self._note_stamp, vote, request))
        keys = await asyncio.to_thread(self._load_keys, vote)
        private = keys.houses[request.house_no]
        return await asyncio.to_thread(stamp, request.blinded, key=private)

    async def revoke(self, election: str, *, house_no: int, member: str) -> tuple[str, ...]:
        """The member gets no stamp any more; returns whom the log named by then, in its order.

        Raises:
            UnknownVote, NotOnTheRoll: as they say.
            VoteClosed: the log is final.
        """
        vote, _ = await self._get_vote(election)
        return await self._write(partial(self._note_revocation, vote, house_no, member))

    async def list_logs(self, election: str) -> list[dict[str, Any]]:
        """The log of each house as it stands now, signed. Raises UnknownVote."""
        vote, manifest = await self._get_vote(election)
        if final := await self._write(partial(self._book.list_final_logs, election)):
            return final
        stamped = await self._write(partial(self._list_stamped, vote))
        return await asyncio.to_thread(self._signed_logs, vote, manifest, stamped)

    async def get_line(self, election: str, *, house_no: int, member: str) -> MemberLine:
        """Which key this issuer holds for a pseudonym. Raises UnknownVote, NotOnTheRoll."""
        await self._get_vote(election)
        look = partial(self._book.find_standing, election, house_no=house_no, member=member)
        found = await self._write(look)
        if found is None:
            raise NotOnTheRoll
        return MemberLine(
            member=member,
            key=(found.member_key or b"").hex(),
            is_stamped=found.blinded_hash is not None,
            has_ended=found.has_ended,
        )

    async def tidy(self) -> None:
        """Votes that are over have their final logs and no private keys any more."""
        now = self._clock.now()
        for vote in await self._write(self._book.list_votes):
            if now.timestamp() >= vote.published_by_s + KEEP_KEYS.total_seconds():
                if not vote.is_final:
                    documents = await self.list_logs(vote.election)
                    write = partial(self._book.insert_final_logs, vote.election)
                    await self._write(partial(write, documents=documents))
                # Also where a crash came between the final log and the end of the keys.
                await asyncio.to_thread(self._keys.destroy, vote.election)
        await self._write(self._book.forget_order)

    async def _write[T](self, work: Callable[[], T]) -> T:
        """Do something with the book, in turn; IssuerBusy where too many wait already."""
        if self._waiting >= MOST_WAITING:
            raise IssuerBusy
        self._waiting += 1
        turn = asyncio.get_running_loop().run_in_executor(self._scribe, work)
        turn.add_done_callback(self._served)
        async with _in_time():
            return await turn

    def _served(self, _: object) -> None:
        self._waiting -= 1

    async def _find_vote(self, election: str) -> tuple[SealedVote, Manifest] | None:
        """Terms never change, so they are read from the book once."""
        if election not in self._votes:
            vote = await self._write(partial(self._book.find_vote, election))
            if vote is None:
                return None
            self._votes[election] = vote, await asyncio.to_thread(manifest_from, vote.document)
        return self._votes[election]

    async def _get_vote(self, election: str) -> tuple[SealedVote, Manifest]:
        found = await self._find_vote(election)
        if found is None:
            raise UnknownVote
        return found

    def _checked_place(self, manifest: Manifest, *, rolls: Rolls, own: Own) -> int:
        try:
            check_time(manifest, now=self._clock.now())
            check_rolls(manifest, rolls=rolls)
            return find_place(manifest, own=own, cooperative_key=self.folder.cooperative_key)
        except ValueError as wrong:
            raise TermsRefused(str(wrong)) from wrong

    def _load_keys(self, vote: SealedVote) -> VoteKeys:
        return self._keys.load(vote.election, houses=len(vote.document["houses"]))

    def _note_stamp(self, vote: SealedVote, request: StampRequest) -> None:
        """The book names the member with this very request, or refuses."""
        house_no, member = request.house_no, request.member
        standing = self._book.find_standing(vote.election, house_no=house_no, member=member)
        if standing is None:
            raise NotOnTheRoll
        _check_signature(request, vote=vote, standing=standing)
        # Counted by now only: otherwise anybody could use up what another member may ask.
        self._count(vote, request)
        digest = hashlib.sha256(request.blinded).digest()
        if standing.blinded_hash == digest:
            return
        if standing.has_ended:
            raise MembershipEnded
        if standing.blinded_hash is not None:
            raise AlreadyStamped
        self._book.insert_stamp(
            vote.election, house_no=house_no, member=member, blinded_hash=digest
        )

    def _count(self, vote: SealedVote, request: StampRequest) -> None:
        passed_s = time.monotonic() - self._asked_since_s
        if passed_s >= WITHIN_S:
            self._asked.clear()
            self._asked_since_s, passed_s = time.monotonic(), 0.0
        who = (vote.election, request.house_no, request.member)
        self._asked[who] += 1
        if self._asked[who] > REQUESTS_PER_MEMBER:
            raise IssuerTooManyRequests(retry_after_s=math.ceil(WITHIN_S - passed_s))

    def _note_revocation(self, vote: SealedVote, house_no: int, member: str) -> tuple[str, ...]:
        standing = self._book.find_standing(vote.election, house_no=house_no, member=member)
        if standing is None:
            raise NotOnTheRoll
        if not standing.has_ended:
            if self._book.list_final_logs(vote.election):
                raise VoteClosed("the log of this vote is final")
            self._book.insert_revocation(vote.election, house_no=house_no, member=member)
        return self._book.list_stamped(vote.election, house_no=house_no, before=member)

    def _list_stamped(self, vote: SealedVote) -> list[tuple[str, ...]]:
        return [
            self._book.list_stamped(vote.election, house_no=house_no)
            for house_no in range(len(vote.document["houses"]))
        ]

    def _signed_logs(
        self, vote: SealedVote, manifest: Manifest, stamped: Sequence[tuple[str, ...]]
    ) -> list[dict[str, Any]]:
        seal_key = self._load_keys(vote).seal
        return [
            publish_log(
                manifest,
                log=IssuanceLog(issuer_no=vote.issuer_no, house_no=house_no, members=members),
                seal_key=seal_key,
            )
            for house_no, members in enumerate(stamped)
        ]


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    """The block ends within the longest wait, or with IssuerBusy."""
    try:
        async with asyncio.timeout(LONGEST_WAIT_S):
            yield
    except TimeoutError:
        raise IssuerBusy from None


def _terms(election: str, document: Mapping[str, Any]) -> Manifest:
    """The terms of this very vote, or TermsRefused."""
    try:
        manifest = manifest_from(document)
    except (ValueError, AttributeError) as wrong:
        raise TermsRefused(str(wrong)) from wrong
    if manifest.election != election:
        raise TermsRefused("these are the terms of another vote")
    return manifest


def _check_blinded(request: StampRequest, *, manifest: Manifest, issuer_no: int) -> None:
    """Refuse before the book names the member what could never be stamped after it."""
    modulus = int(manifest.issuers[issuer_no].moduli[request.house_no], 16)
    fits = len(request.blinded) == (modulus.bit_length() + 7) // 8
    if not fits or int.from_bytes(request.blinded) >= modulus:
        raise BadBlinding


def _check_signature(request: StampRequest, *, vote: SealedVote, standing: Standing) -> None:
    if standing.member_key is None:
        raise BadSignature("no key stands on the roll for this member, so none can ask")
    if request.member_key != standing.member_key or not is_signed_by(
        request.member_key,
        message=stamp_request(
            vote.manifest_hash, house_no=request.house_no, blinded=request.blinded
        ),
        signature=request.signature,
    ):
        raise BadSignature
