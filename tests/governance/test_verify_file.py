"""Promises of the verifier as one file: honest elections pass, fast, and nothing breaks it."""

import ast
import copy
import json
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from governance import verify
from governance.verify import recount
from tests.governance.election import (
    NUMBER,
    OPENS_AT,
    Election,
    election,
    forged,
    honest_election,
    kinds,
)


@pytest.fixture
def honest() -> Election:
    return honest_election()


@pytest.fixture
def package(honest: Election) -> dict[str, Any]:
    return honest.package()


def test_an_honest_election_has_no_fault(package: dict[str, Any], honest: Election) -> None:
    receipts = [honest.receipt(ballot) for ballot in honest.box.ballots]
    found = recount(json.loads(json.dumps(package)), receipts=receipts, roots=honest.roots)
    assert (found.faults, found.counted, found.result) == ([], [9], {"value": 1_300})


def test_a_broken_package_is_a_fault_and_never_an_exception(package: dict[str, Any]) -> None:
    for name in package:
        for wrong in (None, 7, "text", [None], {"a": 1}):
            if name != "result":
                assert kinds({**package, name: wrong}), (name, wrong)
    for name in package["ballots"][0]:
        for wrong in (None, 7.5, "zz", [], {}):
            cheat = copy.deepcopy(package)
            cheat["ballots"][0][name] = wrong
            assert kinds(cheat), (name, wrong)


def test_six_hundred_ballots_of_a_thousand_members_are_recounted_in_two_seconds() -> None:
    vote = election(sizes=(1_000,), parameters={**NUMBER, "quorums": [201]})
    ballots = [
        vote.vote(member, 800 + 50 * (number % 17))
        for number, member in enumerate(vote.rolls[0][:600])
    ]
    for first in range(0, 600, 100):
        vote.publish(ballots[first : first + 100], at=OPENS_AT + timedelta(days=1 + first // 100))
    package = vote.package()
    started = time.perf_counter()
    found = recount(package)
    assert time.perf_counter() - started < 2
    assert (found.faults, found.counted) == ([], [600])


def test_the_file_alone_recounts_and_says_what_it_found(
    package: dict[str, Any], honest: Election, tmp_path: Path
) -> None:
    alone = shutil.copy(verify.__file__, tmp_path / "recount.py")
    dropped = forged(package, lambda ballots: ballots.remove(honest.box.ballots[2].document()))
    files = {
        "honest.json": package,
        "dropped.json": dropped,
        "receipt.json": honest.receipt(honest.box.ballots[2]),
    }
    for name, document in files.items():
        (tmp_path / name).write_text(json.dumps(document))
    (tmp_path / "fraction.json").write_text('{"share": 0.5}')

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-I", alone, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout

    code, said = run("honest.json", "--receipt", "receipt.json")
    assert (code, 'result counted:  {"value":1300}' in said) == (0, True)
    code, said = run("dropped.json", "--receipt", "receipt.json")
    assert (code, "FAULT: a receipted ballot is missing from the box" in said) == (1, True)
    assert run("fraction.json")[0] == run("nowhere.json")[0] == 2


def test_the_file_needs_python_and_cryptography_only() -> None:
    names = set()
    for node in ast.walk(ast.parse(Path(verify.__file__).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).split(".")[0])
    assert names - sys.stdlib_module_names == {"cryptography"}
