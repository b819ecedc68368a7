"""A vote in the database with a box that works, and a process that can die at any step."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import orjson
import pytest

from app.assembly.ballots import service
from app.assembly.board import board_key_hex, load_board_key
from app.foundation import secret_file
from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.settings import Settings
from governance.ballot_box import Ballot, BallotBox, cast
from governance.credential import Credential
from governance.manifest import Manifest
from governance.proposal import Stage
from governance.vote_key import VoteKey, new_vote_key
from tests.app.assembly.proposals.stories import store_proposal
from tests.conftest import FRIDAY_EVENING
from tests.governance.election import Election, election

OPENS_AT = FRIDAY_EVENING - timedelta(hours=1)
CLOSES_AT = FRIDAY_EVENING + timedelta(days=7)
PUBLISHED_BY = CLOSES_AT + timedelta(hours=1)
ROOM = ("pending_ballot", "ballot", "board_root", "ballot_box")


@dataclass
class Vote:
    """One vote that takes ballots now; the keys of its issuers and of its board are at hand."""

    id: UUID
    election: Election
    settings: Settings
    database: Database
    owner: asyncpg.Connection

    @property
    def manifest(self) -> Manifest:
        return self.election.manifest

    def voter(self) -> tuple[VoteKey, tuple[Credential, ...]]:
        """A vote key with both stamps."""
        key = new_vote_key()
        return key, tuple(self.election.credential(key, issuer_no=number) for number in range(2))

    def ballot(self, value: int = 1_400, *, sequence: int = 0, voter: Any = None) -> Ballot:
        key, credentials = voter or self.voter()
        return cast(self.manifest, key=key, value=value, credentials=credentials, sequence=sequence)

    async def accept(self, ballot: Ballot, *, now: Any = FRIDAY_EVENING) -> dict[str, Any]:
        return await self.accept_document(ballot.document(), now=now)

    async def accept_document(
        self, document: Mapping[str, Any], *, now: Any = FRIDAY_EVENING
    ) -> dict[str, Any]:
        return await service.accept_ballot(
            self.database,
            election_id=self.id,
            manifest=self.manifest,
            document=document,
            home=self.settings.home,
            now=now,
        )

    async def publish(self, *, now: Any = FRIDAY_EVENING, at_close: bool = False) -> int:
        return await service.publish_batch(
            self.database,
            election_id=self.id,
            manifest=self.manifest,
            settings=self.settings,
            now=now,
            at_close=at_close,
        )

    async def close(self) -> int:
        return await self.publish(now=CLOSES_AT, at_close=True)

    async def box(self) -> BallotBox:
        async with self.database.reading() as reader:
            return await service.read_box(reader, election_id=self.id)

    async def roots(self) -> list[dict[str, Any]]:
        async with self.database.reading() as reader:
            return await service.list_roots(reader, election_id=self.id)

    async def waiting(self) -> int:
        return int(await self.owner.fetchval("select count(*) from pending_ballot"))

    def keys_in_home(self) -> list[Path]:
        return sorted((self.settings.home / "ballot-keys").glob("*"))

    async def package(self) -> dict[str, Any]:
        """The public package of this box, as the vote's keeper would publish it."""
        self.election.box = await self.box()
        self.election.roots = await self.roots()
        return self.election.package()

    async def announce(self) -> None:
        """The box is closed, and its count stands in its objection window."""
        await self.close()
        proposal = await store_proposal(self.owner, stage=Stage.DELIBERATION)
        await self.owner.execute("set session_replication_role = replica")
        await self.owner.execute(
            "update proposal set stage = 'objection_window', rule = 'number', sign_by = $2,"
            " opens_at = $3, closes_at = $4, count_by = $5, due_at = $6 where id = $1",
            proposal.id,
            OPENS_AT - timedelta(hours=1),
            OPENS_AT,
            CLOSES_AT,
            PUBLISHED_BY,
            CLOSES_AT + timedelta(days=7),
        )
        await self.owner.execute(
            "update election set proposal_id = $2, terms = manifest where id = $1",
            self.id,
            proposal.id,
        )
        await self.owner.execute("set session_replication_role = origin")

    async def empty(self) -> None:
        """Begin again with an empty box of the same vote."""
        emptied = "; ".join(f"delete from {table}" for table in ROOM)
        await self.owner.execute(
            f"set session_replication_role = replica; {emptied};"
            " set session_replication_role = origin"
        )
        for path in self.keys_in_home():
            path.unlink()


async def hold_vote(
    owner: asyncpg.Connection,
    database: Database,
    settings: Settings,
    *,
    voters: int = 20,
    **terms: Any,
) -> Vote:
    """A vote on the commission with this many on the roll, open at the tests' moment."""
    vote_id = new_id()
    held = election(sizes=(voters,), **terms)
    held.manifest = replace(
        held.manifest,
        election=str(vote_id),
        board_key=board_key_hex(load_board_key(settings.home)),
        opens_at=OPENS_AT,
        closes_at=CLOSES_AT,
        published_by=PUBLISHED_BY,
    )
    # How a vote comes to be is another room's: here it simply stands there.
    await owner.execute("set session_replication_role = replica")
    await owner.execute(
        "insert into election (id, proposal_id, salt, terms, manifest, manifest_hash, frozen_at,"
        " opens_at, closes_at, published_by)"
        " values ($1, $2, $3, '{}', $4, $5, $6, $6, $7, $8)",
        vote_id,
        new_id(),
        bytes(32),
        orjson.dumps(held.manifest.document()).decode(),
        held.manifest.hash(),
        OPENS_AT,
        CLOSES_AT,
        PUBLISHED_BY,
    )
    await owner.execute("set session_replication_role = origin")
    return Vote(vote_id, held, settings, database, owner)


async def post(client: httpx.AsyncClient, vote: Vote, ballot: Ballot) -> httpx.Response:
    """Cast a ballot as a client does."""
    return await client.post(f"/v1/elections/{vote.id}/ballots", json=ballot.document())


class Killed(BaseException):
    """The process is no more. No BaseException is ever caught as a refusal or a failure."""


@dataclass
class Life:
    """Counts every step that leaves a mark in the database or on the disk, and ends at one.

    After the end every further step ends too, as a process that was killed takes none.
    """

    ends_at: int
    steps: int = 0
    lived: bool = True

    def step(self) -> None:
        if self.steps >= self.ends_at:
            self.lived = False
            raise Killed
        self.steps += 1

    def guard(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the disk's own steps count as well."""
        for holder, name in (
            (os, "fsync"),
            (Path, "hardlink_to"),
            (Path, "unlink"),
        ):
            monkeypatch.setattr(holder, name, self._counted(getattr(holder, name)))

    def _counted(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.step()
            return act(*args, **kwargs)

        return counted


class MortalConnection:
    """A connection of a process that may die before any statement."""

    def __init__(self, connection: Any, life: Life) -> None:
        self._connection, self._life = connection, life

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._connection, name)

        async def counted(*args: Any) -> Any:
            self._life.step()
            return await act(*args)

        return counted


class MortalDatabase(Database):
    """A database as seen by a process that may die: before a statement, a commit, or after it."""

    def __init__(self, database: Database, life: Life) -> None:
        super().__init__(database._pool, database._hints)
        self.life = life

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with super().transaction() as tx:
            yield Transaction(MortalConnection(tx.connection, self.life))
            self.life.step()
        self.life.step()


def forget_process() -> None:
    """What a new process does not know."""
    secret_file._kept.clear()
