"""Attackers with stated powers against one real vote: each cheats at the strongest place it has.

The vote is held by the program's own API, clock and issuers; an attacker then works on what it
owns: the rows of the database with every trigger off, the board's key, an issuer's keys and book.
What it made goes out through the API again, as any member fetches it.
"""

import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.assembly.board import load_board_key
from app.voting.client import StampedVote, Voter
from governance.ballot_box import cast, sign_root
from governance.credential import (
    Credential,
    credentials_from,
    receive_credential,
    request_credential,
    stamp,
)
from governance.electorate import House
from governance.manifest import Manifest, canonical, manifest_from
from governance.merkle import leaf_hash
from governance.verify import FaultKind, Recount, recount
from governance.vote_key import VoteKey, new_vote_key
from tests.app.assembly.elections.town import SERVER, Town
from tests.factories import Person

NAMES = ("Auditors", "Sister cooperative")
AGREED = 1_200
type Ballots = list[dict[str, Any]]


@dataclass
class Held:
    """A vote of three drivers and two riders, and what its members keep of it."""

    town: Town
    home: Path
    proposal_id: UUID
    election: str
    roots: list[dict[str, Any]] = field(default_factory=list)

    @property
    def people(self) -> list[Person]:
        """The drivers, then the riders."""
        return [*self.town.members[House.DRIVERS], *self.town.members[House.RIDERS]]

    def voter(self, number: int) -> Voter:
        """The device of one of them."""
        return self.town.voters[self.people[number].id]

    async def vote(self, *numbers: int, value: int = AGREED) -> None:
        """These members fetch their stamps and cast."""
        for number in numbers:
            await self.town.vote(self.election, self.people[number], value)

    async def keep_roots(self) -> None:
        """Somebody fetches the signed roots there are now, and keeps them."""
        self.roots = (await self.town.get(f"/v1/elections/{self.election}/roots"))["items"]

    async def close(self) -> None:
        """Voting has closed, and the program has counted, or has refused to."""
        await self.town.close(self.proposal_id)

    @property
    def last_at(self) -> datetime:
        """When the newest root that was kept was published, as it says."""
        return datetime.fromisoformat(self.roots[-1]["published_at"])

    def receipts(self) -> list[dict[str, Any]]:
        """What the board promised to everybody who cast."""
        return [
            kept.receipt
            for voter in self.town.voters.values()
            if self.election in voter.wallet.votes
            for kept in voter.wallet.votes[self.election].ballots
            if kept.receipt is not None
        ]

    async def package(self) -> dict[str, Any]:
        """The published package, as anybody gets it from the API."""
        path = f"{SERVER}/v1/elections/{self.election}/package"
        answer = await self.town.http.get(path)
        assert answer.status_code == 200, answer.text
        return dict(json.loads(answer.content))

    async def recount(self, *, with_keepsakes: bool = True) -> Recount:
        """A recount of the published package, with receipts and roots that members kept."""
        kept = {"receipts": self.receipts(), "roots": self.roots} if with_keepsakes else {}
        return recount(await self.package(), **kept)

    async def named(self, *, with_keepsakes: bool = True) -> set[FaultKind]:
        """The kinds of faults a recount of the published package names."""
        found = await self.recount(with_keepsakes=with_keepsakes)
        return {fault.kind for fault in found.faults}

    async def refused_to_count(self) -> set[str]:
        """The faults for which the program voided the vote instead of counting it."""
        shown = await self.town.get(f"/v1/elections/{self.election}")
        row = await self.town.owner.fetchrow(
            "select stage, void_ground from proposal where id = $1", self.proposal_id
        )
        assert tuple(row) == ("void", "proof_failed")
        assert await self.town.owner.fetchval("select count(*) from tally") == 0
        return {fault["kind"] for fault in shown["faults"]}

    async def manifest(self) -> Manifest:
        """The terms as the API shows them."""
        return manifest_from((await self.town.get(f"/v1/elections/{self.election}"))["manifest"])


async def begin(town: Town, home: Path) -> Held:
    """Voting is open; nobody has voted."""
    await town.settle(drivers=3, riders=2)
    proposal_id = await town.propose()
    return Held(town, home, proposal_id, await town.open_voting(proposal_id))


async def hold(town: Town, home: Path) -> Held:
    """An honest vote, counted: all five voted, in two batches; somebody kept the roots."""
    held = await begin(town, home)
    await held.vote(0, 1, 3)
    await town.round()
    await held.vote(2, 4)
    await held.close()
    await held.keep_roots()
    assert [root["size"] for root in held.roots] == [3, 5]
    found = await held.recount()
    assert (found.faults, found.counted, found.result) == ([], [3, 2], {"value": AGREED})
    return held


# What an attacker may have.


@dataclass
class DatabaseOwner:
    """May change any row, with every trigger off; has no key."""

    held: Held

    async def change(self, sql: str, *args: Any) -> None:
        """Change rows that nobody may change; exactly that many as there must be."""
        async with self.rows() as owner:
            done = await owner.execute(sql, *args)
        assert not done.endswith(" 0"), f"nothing was attacked: {sql}"

    @asynccontextmanager
    async def rows(self) -> AsyncIterator[Any]:
        owner = self.held.town.owner
        await owner.execute("set session_replication_role = replica")
        try:
            yield owner
        finally:
            await owner.execute("set session_replication_role = origin")

    async def announce(self, result: Any) -> None:
        """The tally says this, and the hash that stands beside it is the package's."""
        await self.change("update tally set result = $1", json.dumps(result))
        digest = hashlib.sha256(canonical(await self.held.package())).digest()
        await self.change("update tally set package_hash = $1", digest)

    async def announce_what_is_counted(self) -> None:
        """The tally says what the ballots that were not caught decide: nothing looks odd."""
        await self.announce(recount(await self.held.package()).result)


@dataclass
class Board(DatabaseOwner):
    """Owns the database and the board's key: it is the cooperative's own secretary."""

    @property
    def key(self) -> Ed25519PrivateKey:
        """The key that signs receipts and roots."""
        return load_board_key(self.held.town.app.state.settings.home)

    async def refill(
        self,
        change: Callable[[Ballots], Ballots],
        *,
        published_at: datetime | None = None,
        keep_roots: bool = False,
    ) -> None:
        """Other ballots lie in the box, roots are signed anew over them, the result is fitted.

        With `keep_roots` the roots so far stay, and the new ballots come under a further one.
        """
        manifest = await self.held.manifest()
        before = (await self.held.package())["ballots"]
        after = change([dict(ballot) for ballot in before])
        old = len(before) if keep_roots else 0
        ordered = [*after[:old], *sorted(after[old:], key=_leaf)]
        root = sign_root(
            manifest,
            leaves=[_leaf(ballot) for ballot in ordered],
            board_key=self.key,
            published_at=published_at or manifest.closes_at,
        )
        async with self.rows() as owner:
            await owner.execute("delete from ballot")
            for place, ballot in enumerate(ordered):
                await owner.execute(
                    "insert into ballot (election_id, vote_key, sequence, leaf, batch_no, document)"
                    " values ($1, $2, $3, $4, $5, $6)",
                    UUID(self.held.election),
                    bytes.fromhex(ballot["vote_key"]),
                    # The document's own number stands in the package; this only keeps rows apart.
                    place,
                    _leaf(ballot),
                    place + 1,
                    json.dumps(ballot),
                )
            if not keep_roots:
                await owner.execute("delete from board_root")
            await owner.execute(
                "insert into board_root (election_id, size, document) values ($1, $2, $3)",
                UUID(self.held.election),
                len(ordered),
                json.dumps(root),
            )
        await self.announce_what_is_counted()


@dataclass(frozen=True)
class Operator:
    """Runs one issuer: has its keys and its book."""

    held: Held
    issuer_no: int

    @property
    def folder(self) -> Path:
        """The issuer's folder."""
        return self.held.home / NAMES[self.issuer_no]

    def key(self, *, house_no: int) -> RSAPrivateKey:
        """The key that stamps for a house."""
        [path] = self.folder.glob(f"**/house-{house_no}.pem")
        private = load_pem_private_key(path.read_bytes(), password=None)
        assert isinstance(private, RSAPrivateKey)
        return private

    def stamp(self, manifest: Manifest, *, key: VoteKey, house_no: int = 0) -> Credential:
        """A true stamp of this issuer on a key that belongs to nobody on the roll."""
        request = request_credential(
            manifest, vote_key=key.public, issuer_no=self.issuer_no, house_no=house_no
        )
        answer = stamp(request.blinded, key=self.key(house_no=house_no))
        return receive_credential(manifest, request=request, answer=answer)

    def change_book(self, statement: str, *args: Any) -> None:
        """Change rows of the book that only ever grows: its triggers are gone first."""
        book = sqlite3.connect(self.folder / "book.sqlite3")
        try:
            triggers = book.execute("select name from sqlite_master where type = 'trigger'")
            for (name,) in triggers.fetchall():
                book.execute(f'drop trigger "{name}"')
            assert book.execute(statement, args).rowcount == 1, statement
            book.commit()
        finally:
            book.close()


def forge(
    manifest: Manifest, *, key: VoteKey, credentials: Sequence[Credential], value: int = 1_350
) -> dict[str, Any]:
    """A driver's ballot of this key with whatever stamps one has."""
    return cast(manifest, key=key, value=value, credentials=credentials).document()


def ballot_not_sent(stamped: StampedVote, *, value: int = 1_350) -> dict[str, Any]:
    """The true ballot of a member who has both stamps and has not cast."""
    vote = stamped.vote
    return cast(
        stamped.terms.manifest,
        key=vote.key,
        value=value,
        credentials=credentials_from([one for one in vote.credentials if one is not None]),
        house_no=vote.house_no,
    ).document()


def stolen_credentials(ballot: dict[str, Any]) -> tuple[Credential, ...]:
    """The stamps on somebody else's ballot, which everybody can read."""
    return credentials_from(ballot["credentials"])


# What a secretary may put into the box.


async def other_value(held: Held, ballots: Ballots) -> Ballots:
    """One ballot says something else; its voter's signature stays."""
    return [ballots[0] | {"value": 1_350}, *ballots[1:]]


async def copied_credential(held: Held, ballots: Ballots) -> Ballots:
    """One ballot more, of a key of one's own under somebody else's stamps."""
    stolen = stolen_credentials(ballots[0])
    forged = forge(await held.manifest(), key=new_vote_key(), credentials=stolen)
    return [*ballots, forged]


async def one_dishonest_issuer(held: Held, ballots: Ballots) -> Ballots:
    """One ballot more, stamped by the first issuer for nobody, and by it alone."""
    manifest, key = await held.manifest(), new_vote_key()
    stamp = Operator(held, 0).stamp(manifest, key=key)
    return [*ballots, forge(manifest, key=key, credentials=[stamp, stamp])]


async def all_issuers_without_their_logs(held: Held, ballots: Ballots) -> Ballots:
    """One ballot more, stamped by both for nobody; their logs say nothing."""
    manifest, key = await held.manifest(), new_vote_key()
    stamps = [Operator(held, number).stamp(manifest, key=key) for number in range(2)]
    return [*ballots, forge(manifest, key=key, credentials=stamps)]


async def duplicate(held: Held, ballots: Ballots) -> Ballots:
    """One ballot twice."""
    return [*ballots, ballots[0]]


def _leaf(ballot: dict[str, Any]) -> bytes:
    return leaf_hash(canonical(ballot))
