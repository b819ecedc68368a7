"""Mirrors hold every root that the box has, whatever came between."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.assembly.ballots.mirrors import MirrorDisagrees, append_to_mirror
from app.foundation.ids import new_id
from tests.app.assembly.ballots.scene import Vote

ROOTS: list[dict[str, Any]] = [{"size": size, "root": f"{size:064x}"} for size in (3, 6, 7)]
ELECTION = new_id()


def lines(folder: Path) -> list[Any]:
    [path] = folder.iterdir()
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_mirror_gets_the_roots_it_lacks_and_each_once(tmp_path: Path) -> None:
    added = [
        append_to_mirror(tmp_path, election_id=ELECTION, roots=ROOTS[:count]) for count in (1, 1, 3)
    ]

    assert added == [1, 0, 2]
    assert lines(tmp_path) == ROOTS


def test_a_line_cut_short_by_a_crash_is_written_again(tmp_path: Path) -> None:
    append_to_mirror(tmp_path, election_id=ELECTION, roots=ROOTS)
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-20])

    assert append_to_mirror(tmp_path, election_id=ELECTION, roots=ROOTS) == 1
    assert lines(tmp_path) == ROOTS


def test_a_mirror_that_holds_another_root_is_evidence_and_stays_as_it_is(tmp_path: Path) -> None:
    append_to_mirror(tmp_path, election_id=ELECTION, roots=ROOTS[:2])
    changed = [ROOTS[0], {"size": 5, "root": "f" * 64}, ROOTS[2]]

    with pytest.raises(MirrorDisagrees):
        append_to_mirror(tmp_path, election_id=ELECTION, roots=changed)

    assert lines(tmp_path) == ROOTS[:2]


async def test_a_mirror_that_was_away_gets_its_roots_when_it_is_back(
    vote: Vote, tmp_path: Path
) -> None:
    here, away = tmp_path / "here", tmp_path / "away"
    here.mkdir()
    vote.settings = vote.settings.model_copy(update={"ballot_mirrors": (str(away), str(here))})
    for _ in range(3):
        await vote.accept(vote.ballot())
    assert await vote.publish() == 3
    in_time = lines(here)
    away.mkdir()
    await vote.accept(vote.ballot())
    await vote.close()

    assert in_time == (await vote.roots())[:1]
    assert lines(here) == lines(away) == await vote.roots()
