"""Whatever dies at whatever step: a receipted ballot is never lost and never twice."""

import asyncio
import contextlib
import json
import random
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from governance.ballot_box import Ballot
from governance.verify import recount
from tests.app.assembly.ballots.scene import Killed, Life, MortalDatabase, Vote, forget_process
from tests.conftest import FRIDAY_EVENING, PROJECT

CASTER = "tests/app/assembly/ballots/caster.py"


async def test_a_death_at_any_step_loses_no_receipted_ballot_and_doubles_none(
    vote: Vote, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    vote.settings = vote.settings.model_copy(update={"ballot_mirrors": (str(mirror),)})
    ballots = [vote.election.vote(member, 1_400) for member in vote.election.rolls[0][:4]]
    safe = vote.database
    for ends_at in count():
        receipts: dict[bytes, Any] = {}
        life = Life(ends_at=ends_at)
        vote.database = MortalDatabase(safe, life)
        with monkeypatch.context() as patched, contextlib.suppress(Killed):
            life.guard(patched)
            await _story(vote, ballots, receipts)
        vote.database = safe
        forget_process()
        promised = dict(receipts)
        # Every other time the clients come again for the receipts they did not get.
        await _story(vote, ballots if ends_at % 2 else [], receipts)

        leaves = (await vote.box()).leaves()
        assert len(set(leaves)) == len(leaves)
        assert promised.keys() <= set(leaves), f"lost by a death at step {ends_at}"
        assert all(receipts[leaf] == receipt for leaf, receipt in promised.items())
        assert await vote.waiting() == 0
        assert vote.keys_in_home() == []
        assert recount(await vote.package(), receipts=list(receipts.values())).faults == []
        assert _lines(mirror) == await vote.roots()
        if life.lived:
            break
        await vote.empty()
        for path in mirror.iterdir():
            path.unlink()

    assert ends_at > 60


async def _story(vote: Vote, ballots: list[Ballot], receipts: dict[bytes, Any]) -> None:
    """Ballots come, a batch of three is put in between, then the box is closed."""
    for ballot in ballots:
        if ballot.leaf() not in receipts:
            receipts[ballot.leaf()] = await vote.accept(ballot)
            await vote.publish()
    await vote.close()


def _lines(mirror: Path) -> list[Any]:
    return [json.loads(line) for path in mirror.iterdir() for line in path.read_text().splitlines()]


async def test_processes_killed_while_they_cast_lose_and_double_nothing(
    vote: Vote, dsn: str, tmp_path: Path
) -> None:
    ballots = [vote.election.vote(member, 1_400) for member in vote.election.rolls[0]]
    documents = [ballot.document() for ballot in ballots]
    promised: set[str] = set()
    kills = 0
    for receipts_wanted in (1, 7, 40):
        story = tmp_path / "story.json"
        # A new process casts everything again: what has a receipt must get it once more.
        story.write_text(
            json.dumps(
                {
                    "dsn": dsn,
                    "home": str(vote.settings.home),
                    "now": FRIDAY_EVENING.isoformat(),
                    "election": str(vote.id),
                    "manifest": vote.manifest.document(),
                    "ballots": random.sample(documents, len(documents)),
                }
            )
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            CASTER,
            str(story),
            cwd=PROJECT,
            env={"PYTHONPATH": str(PROJECT)},
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        async with asyncio.timeout(60):
            async for line in process.stdout:
                promised.add(line.decode().strip())
                if len(promised) >= receipts_wanted and process.returncode is None:
                    process.kill()
                    kills += 1
                    break
            promised |= {line.decode().strip() async for line in process.stdout}
            await process.wait()
    await vote.close()

    leaves = [leaf.hex() for leaf in (await vote.box()).leaves()]
    assert kills == 2
    assert promised == {ballot.leaf().hex() for ballot in ballots} == set(leaves)
    assert len(leaves) == len(ballots)
    assert recount(await vote.package()).faults == []
