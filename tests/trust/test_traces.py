"""A ballot that waits stands nowhere in the clear, and no trace of a key survives its batch."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
import structlog
from fastapi import FastAPI
from prometheus_client import generate_latest

from app.settings import Settings
from tests.app.assembly.ballots.scene import Vote, hold_vote, post
from tests.trust.trial import data_folder, dump_tables


@pytest.fixture
async def vote(app: FastAPI, owner: asyncpg.Connection, settings: Settings) -> Vote:
    small = settings.model_copy(update={"ballot_batch": 3})
    return await hold_vote(owner, app.state.database, small)


async def test_a_ballot_that_waits_stands_in_the_clear_nowhere_on_the_disk(
    vote: Vote, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    ballots = [vote.ballot() for _ in range(3)]
    needles = [
        needle
        for ballot in ballots
        for text in (ballot.vote_key, ballot.leaf(), ballot.signature)
        for needle in (text, text.hex().encode())
    ]
    for ballot in ballots:
        await post(client, vote, ballot)
        # A repeat and a refusal must not leave more than the ballot itself did.
        await post(client, vote, ballot)
    while_waiting = await _found(needles, vote, owner)
    await vote.publish()
    in_the_box = await _found(needles, vote, owner)

    assert while_waiting == set()
    # The same search does find them once they are public.
    assert {ballot.vote_key for ballot in ballots} <= in_the_box


async def test_logs_and_metrics_say_nothing_of_a_ballot(
    vote: Vote, client: httpx.AsyncClient
) -> None:
    ballot, spoilt = vote.ballot(), vote.ballot(1_401)
    with structlog.testing.capture_logs() as log:
        await post(client, vote, ballot)
        await post(client, vote, spoilt)
        await vote.publish()
        await client.get(f"/v1/elections/{vote.id}/ballots/{ballot.leaf().hex()}/inclusion")
    written = repr(log) + generate_latest().decode()

    assert "/elections/{election_id}/ballots" in written
    for part in (ballot, spoilt):
        assert part.vote_key.hex() not in written
        assert part.leaf().hex() not in written


async def test_the_key_of_a_batch_ends_with_it_in_home_and_in_memory(vote: Vote) -> None:
    await vote.accept(vote.ballot())
    [key] = vote.keys_in_home()
    secret = key.read_bytes()
    await vote.accept(vote.ballot())
    await vote.accept(vote.ballot())
    same = vote.keys_in_home() == [key] and key.read_bytes() == secret
    await vote.publish()
    after = vote.keys_in_home()
    await vote.accept(vote.ballot())
    [following] = vote.keys_in_home()

    assert same
    assert after == []
    assert following.read_bytes() != secret
    assert key.name != following.name


async def test_the_tables_of_the_box_have_no_place_for_a_time_a_number_in_order_or_a_person(
    owner: asyncpg.Connection, vote: Vote
) -> None:
    await vote.accept(vote.ballot())
    await vote.close()
    columns = await owner.fetch(
        "select table_name, column_name, data_type, column_default from information_schema.columns"
        " where table_name in ('ballot', 'pending_ballot', 'ballot_box')"
    )
    before = await dump_tables(owner)

    assert {row["data_type"] for row in columns} == {"uuid", "bytea", "integer", "boolean", "jsonb"}
    assert all(row["column_default"] is None for row in columns)
    assert {row["election_id"] for row in before["ballot"]} == {vote.id}
    assert not {str(vote.id)} & {str(row["stream_id"]) for row in before["event_log"]}


async def _found(needles: list[bytes], vote: Vote, owner: asyncpg.Connection) -> set[bytes]:
    """Which of the needles stand in a file of this database, of its log of writes, or of home."""
    await owner.execute("checkpoint")
    await owner.fetchval("select pg_switch_wal()")
    server = await data_folder(owner)
    database = await owner.fetchval(
        "select oid from pg_database where datname = current_database()"
    )
    folders = (server / "base" / str(database), server / "pg_wal", vote.settings.home)
    texts = [path.read_bytes() for folder in folders for path in _files(folder)]
    return {needle for needle in needles if any(needle in text for text in texts)}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
