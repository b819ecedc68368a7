"""The issuer's desk: makes keys, seals terms, stamps each member once, shows its log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from app.foundation.clock import Clock
from app.issuer.entries import (
    Patience,
    StampRequest,
    check_blinded,
    end_vote,
    load_keys,
    note_keys,
    note_revocation,
    note_stamp,
    note_terms,
    sign_logs,
)
from app.issuer.errors import IssuerBusy, NotOnTheRoll, TermsRefused, UnknownVote, VoteClosed
from app.issuer.folder import IssuerFolder, hold_folder
from app.issuer.keys import KeyStore
from app.issuer.queries import Book, SealedVote
from app.issuer.rules import Own, Rolls
from governance.credential import stamp
from governance.manifest import Manifest, manifest_from

# Whoever waits longer than this asks again; a request is the same the second time.
LONGEST_WAIT_S = 20.0
MOST_WAITING = 256
# An order may hold rolls of many megabytes, and who sent it is known only when all is read.
ORDERS_AT_ONCE, LONGEST_ORDER_S = 4, 60.0
KEEP_KEYS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MemberLine:
    """What this issuer holds of one member: anybody can compare it with what should stand here."""

    member: str
    key: str
    is_stamped: bool
    has_ended: bool


class Desk:
    """One issuer at work.

    One thread alone touches the book, and whatever it has begun it ends, even where nobody waits
    for the answer any more. Stamps are made in other threads.
    """

    def __init__(self, folder: IssuerFolder, *, clock: Clock, passphrase: str | None) -> None:
        self.folder = folder
        self._clock = clock
        self._keys = KeyStore(folder, passphrase=passphrase)
        self._book: Book
        self._scribe: ThreadPoolExecutor
        self._waiting = 0
        self._readers = asyncio.Semaphore(ORDERS_AT_ONCE)
        self._votes: dict[str, tuple[SealedVote, Manifest]] = {}
        self._patience = Patience()

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
                    await asyncio.to_thread(load_keys, self._keys, vote)
            await self.tidy()
            yield

    async def read_order(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return an order's body, few at once. Raises IssuerBusy where it comes too slowly."""
        async with _in_time(LONGEST_ORDER_S), self._readers:
            return await read()

    async def order_keys(self, election: str, *, houses: tuple[str, ...]) -> Own:
        """The vote has keys, fresh ones, one for each house; asked again, the same.

        Raises:
            AnotherManifest: keys of this vote were made for other houses.
        """
        return await self._write(
            partial(note_keys, self._book, self._keys, self.folder, election, houses=houses)
        )

    async def seal(self, election: str, *, document: Mapping[str, Any], rolls: Rolls) -> bytes:
        """The terms are fixed in the book and sealed; the same again gets the same seal.

        Raises:
            UnknownVote: no keys were made for it.
            TermsRefused: terms and rolls do not hold together, or this issuer is not in them.
            AnotherManifest: other terms of this vote were sealed here.
        """
        manifest = await asyncio.to_thread(_terms, election, document)
        terms = partial(note_terms, self._book, self._keys, self.folder)
        return await self._write(partial(terms, manifest, rolls=rolls, now=self._clock.now()))

    async def stamp(self, election: str, *, request: StampRequest) -> bytes:
        """The member is stamped, once; the very same request again gets the same stamp.

        The row is on the disk before the stamp leaves. Raises the refusals that its name says.
        """
        vote, manifest = await self._get_vote(election)
        if self._clock.now() >= manifest.closes_at:
            raise VoteClosed
        if request.house_no >= len(manifest.houses):
            raise NotOnTheRoll
        check_blinded(request, modulus=manifest.issuers[vote.issuer_no].moduli[request.house_no])
        note = partial(note_stamp, self._book, vote, request=request, patience=self._patience)
        await self._write(note)
        keys = await asyncio.to_thread(load_keys, self._keys, vote)
        private = keys.houses[request.house_no]
        return await asyncio.to_thread(stamp, request.blinded, key=private)

    async def revoke(self, election: str, *, house_no: int, member: str) -> tuple[str, ...]:
        """The member gets no stamp any more; returns whom the log named by then, in its order.

        Raises:
            UnknownVote, NotOnTheRoll: as they say.
            VoteClosed: the log is final.
        """
        vote, _ = await self._get_vote(election)
        note = partial(note_revocation, self._book, vote, house_no=house_no, member=member)
        return await self._write(note)

    async def list_logs(self, election: str) -> list[dict[str, Any]]:
        """The log of each house as it stands now, signed. Raises UnknownVote."""
        vote, _ = await self._get_vote(election)
        return await self._write(partial(sign_logs, self._book, self._keys, vote))

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
                await self._write(partial(end_vote, self._book, self._keys, vote))
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


@asynccontextmanager
async def _in_time(longest_s: float = LONGEST_WAIT_S) -> AsyncIterator[None]:
    """The block ends within the longest wait, or with IssuerBusy."""
    try:
        async with asyncio.timeout(longest_s):
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
