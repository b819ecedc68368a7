"""A vote of four hundred on a real server, and everything that the server knows afterwards."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson

from app.foundation.events import Event
from governance.ballot_box import Ballot
from tests.app.assembly.ballots.scene import Vote, post
from tests.factories import Person, make_member
from tests.trust.linkage import Attack, Dump, People, attack

CASTERS = 8
SEGMENT_BYTES = 16 * 2**20
VALUES = range(1_200, 1_850, 50)

type Cast = Callable[["Voter"], Awaitable[None]]
type Rows = list[dict[str, Any]]


@dataclass
class Voter:
    """A member with a pseudonym on the roll and the ballot she will cast."""

    person: Person
    pseudonym: str
    ballot: Ballot

    @property
    def name(self) -> str:
        return str(self.person.id)


@dataclass
class Trial:
    """Members ask for their stamps and cast at once, in any order, eight at a time."""

    vote: Vote
    voters: list[Voter]
    wire: list[str] = field(default_factory=list)
    gone: list[Rows] = field(default_factory=list)

    async def run(self, cast: Cast, *, casters: int = CASTERS) -> None:
        waiting = iter(self.voters)

        async def caster() -> None:
            for voter in waiting:
                await self._issue(voter)
                await cast(voter)
                self.wire.append(voter.name)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(casters):
                tasks.create_task(caster())

    async def _issue(self, voter: Voter) -> None:
        """What the server learns when a member gets her stamps: names, events, numbers, times."""
        for issuer_no in range(2):
            async with self.vote.database.transaction() as tx:
                await tx.execute(
                    "insert into issuance (election_id, issuer_no, member_hash, house_no)"
                    " values ($1, $2, $3, 0)",
                    self.vote.id,
                    issuer_no,
                    voter.pseudonym,
                )
                told = Event("credential.issued", (voter.person.id,), {"issuer_no": issuer_no})
                tx.emit(told, at=datetime.now(UTC))

    def best_attack(
        self, tables: dict[str, Rows], *, wal: bytes, seed: int, only: Iterable[str] = ()
    ) -> list[Attack]:
        """How well the attacker did, its best guess first; `only` these ways if any are named."""
        people = People(
            {
                voter.name: frozenset({voter.name, str(voter.person.session_id), voter.pseudonym})
                for voter in self.voters
            }
        )
        truth = {voter.name: voter.ballot.vote_key for voter in self.voters}
        dump = Dump(tables=tables, wal=wal, wire=self.wire, gone=self.gone)
        return attack(dump, people=people, truth=truth, seed=seed, only=set(only))


async def prepare_trial(vote: Vote, *, voters: int, blindly: bool, seed: int) -> Trial:
    """Members who are signed in and on the roll, with ballots that were stamped for their keys."""
    chance = random.Random(seed)
    now = datetime.now(UTC)
    pseudonyms = vote.election.rolls[0][:voters]
    made = []
    for pseudonym in pseudonyms:
        person = await make_member(vote.owner, now=now)
        ballot = vote.election.vote(pseudonym, chance.choice(VALUES), blindly=blindly)
        made.append(Voter(person, pseudonym, ballot))
    await vote.owner.executemany(
        "insert into election_roll (election_id, member_hash, house_no, member_id)"
        " values ($1, $2, 0, $3)",
        [(vote.id, voter.pseudonym, voter.person.id) for voter in made],
    )
    chance.shuffle(made)
    return Trial(vote, made)


@dataclass
class SealedBox:
    """Casts through the API, and copies what waits just before each batch is put in.

    Casters pause for the copy, so that the attacker has every row of a batch.
    """

    trial: Trial
    client: httpx.AsyncClient
    open: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    since: int = 0

    def __post_init__(self) -> None:
        self.open.set()

    async def cast(self, voter: Voter) -> None:
        await self.open.wait()
        self.under_way += 1
        answer = await post(self.client, self.trial.vote, voter.ballot)
        self.under_way -= 1
        assert answer.status_code == 201, answer.text
        self.since += 1
        if self.since >= self.trial.vote.settings.ballot_batch and self.open.is_set():
            await self._publish()

    async def _publish(self) -> None:
        self.open.clear()
        while self.under_way:  # noqa: ASYNC110 - a few ms, four times in a test
            await asyncio.sleep(0.001)
        await self.copy_waiting()
        assert await self.trial.vote.publish() == len(self.trial.gone[-1])
        self.since = 0
        self.open.set()

    async def copy_waiting(self) -> None:
        self.trial.gone.append((await dump_tables(self.trial.vote.owner))["pending_ballot"])


async def dump_tables(owner: asyncpg.Connection) -> dict[str, Rows]:
    """Every row of every table, with where it lies, which transaction wrote it, and its sizes."""
    columns = await owner.fetch(
        "select table_name as table, column_name as name, data_type as type"
        " from information_schema.columns where table_schema = 'public'"
        " and table_name <> 'alembic_version' order by ordinal_position"
    )
    by_table: dict[str, list[str]] = {}
    for table, name, kind in columns:
        wanted = by_table.setdefault(table, ["ctid", "xmin"])
        wanted.append(f'"{name}"')
        if kind in ("bytea", "text", "jsonb"):
            wanted.append(f'pg_column_size("{name}") as "stored {name}"')
            wanted.append(f'pg_column_toast_chunk_id("{name}")::bigint as "toast {name}"')
    return {
        table: [dict(row) for row in await owner.fetch(f"select {', '.join(wanted)} from {table}")]
        for table, wanted in by_table.items()
    }


async def wal_place(owner: asyncpg.Connection) -> int:
    """Where the write-ahead log ends now, in bytes."""
    high, low = (await owner.fetchval("select pg_current_wal_insert_lsn()::text")).split("/")
    return int(high, 16) << 32 | int(low, 16)


async def read_wal(owner: asyncpg.Connection, *, since: int) -> bytes:
    """What was written to the write-ahead log since then, as it lies on the disk."""
    until = await wal_place(owner)
    await owner.fetchval("select pg_switch_wal()")
    folder = await data_folder(owner) / "pg_wal"
    segments = range(since // SEGMENT_BYTES, until // SEGMENT_BYTES + 1)
    written = b"".join(
        (folder / f"{1:08X}{number // 256:08X}{number % 256:08X}").read_bytes()
        for number in segments
    )
    return written[since % SEGMENT_BYTES :][: until - since]


async def data_folder(owner: asyncpg.Connection) -> Path:
    """The server's own folder."""
    return Path(await owner.fetchval("show data_directory"))


def rows_of_log(entries: Sequence[Any]) -> Rows:
    """The program's log as rows, for an attacker who reads it too."""
    return [
        {"line": number, **orjson.loads(orjson.dumps(entry, default=str))}
        for number, entry in enumerate(entries)
    ]
