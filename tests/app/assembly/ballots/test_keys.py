"""Keys lie in files outside the database, made once, readable by their owner, and truly end."""

import os
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from app.assembly.ballots.batch_keys import destroy_batch_keys, find_batch_key, keep_batch_key
from app.assembly.ballots.sealing import BatchKey, SealedBallot, largest_ballot_bytes
from app.assembly.board import BOARD_KEY_FILE, load_board_key
from app.foundation.ids import new_id
from app.foundation.secret_file import destroy_secret, keep_secret
from tests.app.assembly.ballots.scene import Vote


def test_a_secret_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "one.key"
    secret = keep_secret(path)

    assert keep_secret(path) == secret
    assert len(secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [found.name for found in path.parent.iterdir()] == ["one.key"]


def test_processes_and_threads_that_make_a_secret_at_once_share_one(tmp_path: Path) -> None:
    path = tmp_path / "one.key"
    with ThreadPoolExecutor(8) as threads:
        secrets = set(threads.map(keep_secret, [path] * 32))
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as processes:
        other = tmp_path / "other.key"
        others = set(processes.map(keep_secret, [other] * 12))

    assert len(secrets) == len(others) == 1
    assert secrets != others
    assert len(list(tmp_path.iterdir())) == 2


def test_a_destroyed_secret_is_overwritten_before_its_name_goes(tmp_path: Path) -> None:
    path, witness = tmp_path / "one.key", tmp_path / "a second name of the same bytes"
    secret = keep_secret(path)
    os.link(path, witness)

    destroy_secret(path)
    destroy_secret(path)

    assert not path.exists()
    assert len(witness.read_bytes()) == 32
    assert witness.read_bytes() != secret
    assert keep_secret(path) != secret


def test_keys_of_earlier_batches_end_and_the_present_one_stays(tmp_path: Path) -> None:
    mine, other = new_id(), new_id()
    for batch_no in (1, 2, 10):
        keep_batch_key(tmp_path, election_id=mine, batch_no=batch_no)
    keep_batch_key(tmp_path, election_id=other, batch_no=1)
    draft = tmp_path / "ballot-keys" / f"{mine}.2.key.4711.c0ffee00"
    draft.write_bytes(bytes(32))

    destroy_batch_keys(tmp_path, election_id=mine, before=10)

    left = {path.name for path in (tmp_path / "ballot-keys").iterdir()}
    assert left == {f"{mine}.10.key", f"{other}.1.key"}
    assert find_batch_key(tmp_path, election_id=mine, batch_no=1) is None
    assert find_batch_key(tmp_path, election_id=mine, batch_no=10) is not None


def test_the_boards_key_stays_the_same_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = load_board_key(tmp_path)
    load_board_key.cache_clear()

    assert load_board_key(tmp_path).private_bytes_raw() == key.private_bytes_raw()
    assert stat.S_IMODE((tmp_path / BOARD_KEY_FILE).stat().st_mode) == 0o600


async def test_a_sealed_ballot_opens_in_its_own_place_only(vote: Vote) -> None:
    key = BatchKey(election_id=vote.id, batch_no=1, secret=os.urandom(32))
    size_bytes = largest_ballot_bytes(vote.manifest)
    ballot, other = vote.ballot(), vote.ballot()
    sealed = key.seal(ballot, size_bytes=size_bytes)
    moved = SealedBallot(key.seal(other, size_bytes=size_bytes).blind_index, sealed.sealed)

    assert key.unseal(sealed) == ballot
    # The same ballot is sealed anew each time, under the same index.
    again = key.seal(ballot, size_bytes=size_bytes)
    assert (again.blind_index, again.sealed == sealed.sealed) == (sealed.blind_index, False)
    for wrong_key, row in (
        (key, moved),
        (BatchKey(vote.id, 2, key.secret), sealed),
        (BatchKey(new_id(), 1, key.secret), sealed),
        (BatchKey(vote.id, 1, os.urandom(32)), sealed),
    ):
        with pytest.raises(InvalidTag):
            wrong_key.unseal(row)
