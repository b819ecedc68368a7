"""Runs the ballot module as a browser would, in Node."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.voting.module import module_text

RUNNER = Path(__file__).with_name("module_runner.mjs")


class Refused(Exception):
    """The module threw a VotingError."""


class Module:
    """The module as served, in a file of its own; one call starts one Node."""

    def __init__(self, folder: Path) -> None:
        node = shutil.which("node")
        assert node, "these tests need Node 18.4 or later: apt-get install nodejs"
        self._node = node
        self._file = folder / "ballot.mjs"
        self._file.write_text(module_text())

    def call_all(self, *calls: tuple[Any, ...]) -> list[Any]:
        """What each call (name, arguments) gives; a refusal rises."""
        return [_bare(value) for value in self._travelled(calls)]

    def call(self, name: str, *inputs: Any) -> Any:
        return self.call_all((name, *inputs))[0]

    def call_as_travelled(self, name: str, *inputs: Any) -> Any:
        """What a call gives, in the form in which it can be given to the next."""
        return self._travelled([(name, *inputs)])[0]

    def _travelled(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        done = subprocess.run(
            [self._node, "--no-warnings", str(RUNNER), str(self._file)],
            input=json.dumps(calls),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answers = json.loads(done.stdout)
        for answer in answers:
            if "refused" in answer:
                raise Refused(answer["refused"])
        return [answer.get("value") for answer in answers]


def raw(content: bytes) -> dict[str, str]:
    return {"hex": content.hex()}


def number(value: int) -> dict[str, str]:
    return {"number": f"{value:x}"}


def _bare(value: Any) -> Any:
    """Bytes and great numbers back from how they travelled."""
    if isinstance(value, list):
        return [_bare(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"hex"}:
        return bytes.fromhex(value["hex"])
    if value.keys() == {"number"}:
        return int(value["number"], 16)
    return {name: _bare(one) for name, one in value.items()}
