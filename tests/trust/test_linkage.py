"""Who voted what is not to be read from a whole copy of a server; where it is, we would see it."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import structlog
from fastapi import FastAPI

from app.settings import Settings
from governance.verify import recount
from tests.app.assembly.ballots.scene import Vote, hold_vote
from tests.trust.linkage import Attack
from tests.trust.trial import (
    CASTERS,
    Cast,
    SealedBox,
    Trial,
    Voter,
    dump_tables,
    prepare_trial,
    read_wal,
    rows_of_log,
    wal_place,
)

VOTERS = 400
ALLOWED = 1 / VOTERS + 0.02
TRIALS = 4  # luck alone passes all of them less than once in a hundred thousand runs

NAIVE = """
create table naive_ballot (
  id bigserial primary key, vote_key bytea, value int, document jsonb,
  cast_at timestamptz default clock_timestamp());
create table naive_turnout (member_hash text primary key);
grant select, insert on naive_ballot, naive_turnout to meent_app;
grant usage on sequence naive_ballot_id_seq to meent_app;
"""


@pytest.fixture
async def vote(app: FastAPI, owner: asyncpg.Connection, settings: Settings) -> Vote:
    """A vote whose box takes batches of the size that is set by default."""
    return await hold_vote(owner, app.state.database, settings, voters=VOTERS)


@pytest.fixture
async def naive_tables(owner: asyncpg.Connection) -> AsyncIterator[None]:
    """A ballot table as one would make it who never thought of this."""
    await owner.execute(NAIVE)
    yield
    await owner.execute("drop table naive_ballot, naive_turnout")


async def test_nobody_is_linked_to_a_ballot_by_all_that_the_server_holds(
    app: FastAPI,
    owner: asyncpg.Connection,
    settings: Settings,
    client: httpx.AsyncClient,
) -> None:
    suspects: list[str] = []
    for seed in range(TRIALS):
        # Who watches the wire is right in one guess of two hundred, the ballots of a batch;
        # and of a thousand ways to guess one may be lucky once. A leak is lucky each time.
        vote = await hold_vote(owner, app.state.database, settings, voters=VOTERS)
        trial = await prepare_trial(vote, voters=VOTERS, blindly=seed == 0, seed=seed)
        box = SealedBox(trial, client)
        since = await wal_place(owner)
        with structlog.testing.capture_logs() as log:
            await trial.run(box.cast)
            await box.copy_waiting()
            await vote.close()
        tables = await dump_tables(owner) | {"log": rows_of_log(log)}
        wal = await read_wal(owner, since=since)
        attacks = trial.best_attack(tables, wal=wal, seed=seed, only=suspects)
        _say("sealed", attacks)
        suspects = [one.name for one in attacks if one.linked > ALLOWED]
        if not suspects:
            break

    assert suspects == [], "these ways name more voters' ballots than luck does, each time"
    assert len((await vote.box()).ballots) == VOTERS
    assert recount(await vote.package()).faults == []


async def test_the_same_attack_links_everybody_where_turnout_and_ballot_are_written_together(
    vote: Vote, naive_tables: None
) -> None:
    trial = await prepare_trial(vote, voters=VOTERS, blindly=False, seed=7)

    async def cast(voter: Voter) -> None:
        async with vote.database.transaction() as tx:
            await tx.execute("insert into naive_turnout values ($1)", voter.pseudonym)
            await tx.execute(*_naive_row(voter))

    assert await _linked(trial, cast) > 0.99


@pytest.mark.parametrize(("casters", "at_least"), [(1, 0.99), (CASTERS, 0.5)])
async def test_the_same_attack_links_where_ballots_are_written_one_by_one_as_they_come(
    vote: Vote, naive_tables: None, casters: int, at_least: float
) -> None:
    trial = await prepare_trial(vote, voters=VOTERS, blindly=False, seed=8)

    async def cast(voter: Voter) -> None:
        async with vote.database.transaction() as tx:
            await tx.execute(*_naive_row(voter))

    assert await _linked(trial, cast, casters=casters) > at_least


def _naive_row(voter: Voter) -> tuple[object, ...]:
    ballot = voter.ballot
    return (
        "insert into naive_ballot (vote_key, value, document) values ($1, $2, $3)",
        ballot.vote_key,
        ballot.value,
        ballot.document(),
    )


async def _linked(trial: Trial, cast: Cast, *, casters: int = CASTERS) -> float:
    owner = trial.vote.owner
    since = await wal_place(owner)
    await trial.run(cast, casters=casters)
    tables, wal = await dump_tables(owner), await read_wal(owner, since=since)
    attacks = trial.best_attack(tables, wal=wal, seed=0)
    _say("naive", attacks)
    return attacks[0].linked


def _say(kind: str, attacks: list[Attack]) -> None:
    best = attacks[0]
    print(f"{kind}: the best of {len(attacks)} ways links {best.linked:.2%} ({best.name})")  # noqa: T201 - pytest -s shows the figure
