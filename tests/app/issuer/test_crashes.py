"""Promises that hold when an issuer's process is killed at any point."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.issuer import papers
from app.issuer.folder import read_folder
from app.issuer.keys import KeyStore
from app.issuer.queries import Book
from tests.app.commands import CHECKOUT, environment, meent
from tests.app.issuer.conftest import Vote
from tests.app.issuer.test_logs import logs_of
from tests.conftest import StandingClock
from tests.issuers import Cooperative, Person, ask_stamp, open_issuer

ONE_HOUSE = {"houses": ["everybody"]}


async def test_keys_whose_vote_the_book_does_not_name_are_made_anew(
    cooperative: Cooperative, folders: tuple[Path, Path], clock: StandingClock
) -> None:
    """The crash lies between the files and the book: nobody has seen these keys."""
    lost = KeyStore(read_folder(folders[0]), passphrase=None).make("one", houses=2)

    async with open_issuer(folders[0], clock=clock) as issuer:
        answers = [
            (await cooperative.order(issuer, papers.keys_path("one"), ONE_HOUSE)).json()
            for _ in range(2)
        ]

    assert answers[0] == answers[1]
    assert answers[0]["seal_key"] != lost.seal_key
    assert sorted(path.name for path in (folders[0] / "keys" / "one").iterdir()) == [
        "house-0.pem",
        "seal.pem",
    ]


async def test_keys_that_were_never_answered_are_answered_later(
    cooperative: Cooperative, folders: tuple[Path, Path], clock: StandingClock
) -> None:
    """The crash lies behind the book: the keys in the files are those it names."""
    async with open_issuer(folders[0], clock=clock) as issuer:
        first = await cooperative.order(issuer, papers.keys_path("one"), ONE_HOUSE)
    kept = KeyStore(read_folder(folders[0]), passphrase=None).load("one", houses=1)

    assert first.json() == {"moduli": list(kept.moduli), "seal_key": kept.seal_key}


async def test_a_crash_between_the_final_log_and_the_end_of_the_keys_leaves_no_keys(
    vote: Vote, folders: tuple[Path, Path], clock: StandingClock
) -> None:
    clock.pass_time(30 * 24 * 3600)
    logs = await logs_of(vote)
    with closing(Book(folders[0] / "book.sqlite3")) as book:
        book.insert_final_logs(vote.manifest.election, documents=logs[:1])
    assert (folders[0] / "keys" / vote.manifest.election).exists()

    await vote.issuers[0]._transport.app.state.desk.tidy()

    assert not (folders[0] / "keys" / vote.manifest.election).exists()
    assert await logs_of(vote) == logs


class Process:
    """An issuer as a process of its own, on a port that it keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        self._program = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "app.issuer.serve", str(self.folder)),
                *("--port", str(self.port)),
            ],
            cwd=CHECKOUT,
            env=environment(self.folder.parent) | {"PYTHONPATH": str(CHECKOUT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        end_s = time.monotonic() + 20
        while time.monotonic() < end_s:
            try:
                httpx.get(f"{self.url}/livez", timeout=2, trust_env=False)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        pytest.fail("the issuer does not answer")

    def kill(self) -> None:
        self._program.kill()

    def restart(self) -> None:
        self.end(signal.SIGKILL)
        self.start()

    def end(self, order: signal.Signals) -> str:
        self._program.send_signal(order)
        _, said = self._program.communicate(timeout=20)
        return said


@contextmanager
def running(folder: Path) -> Iterator[Process]:
    process = Process(folder)
    try:
        yield process
    finally:
        process.end(signal.SIGKILL)


async def test_no_stamp_is_lost_or_given_twice_when_the_process_is_killed(
    cooperative: Cooperative, folders: tuple[Path, Path], clock: StandingClock
) -> None:
    people = [Person(number) for number in range(40)]
    clock.moment = datetime.now(UTC)
    with running(folders[0]) as process:
        async with (
            httpx.AsyncClient(base_url=process.url, trust_env=False) as one,
            open_issuer(folders[1], clock=clock) as other,
        ):
            opens_at = clock.now().replace(microsecond=0) + timedelta(hours=1)
            manifest = await cooperative.terms([one, other], [people], opens_at=opens_at)
            assert (await cooperative.seal(one, manifest, [people])).status_code == 200
        bodies = [person.ask(manifest, issuer_no=0)[1] for person in people]
        answered: dict[int, str] = {}

        async def ask(client: httpx.AsyncClient, number: int) -> None:
            try:
                answer = await ask_stamp(client, manifest, bodies[number])
            except httpx.TransportError:
                return
            if answer.status_code == 200:
                answered[number] = answer.json()["stamp"]

        async def ask_and_kill(client: httpx.AsyncClient, number: int) -> None:
            await ask(client, number)
            if len(answered) == 8:
                process.kill()

        async with httpx.AsyncClient(base_url=process.url, trust_env=False, timeout=10) as client:
            await asyncio.gather(*(ask_and_kill(client, number) for number in range(len(people))))
        before = dict(answered)
        assert 8 <= len(before) < len(people), "killed in the middle"

        await asyncio.to_thread(process.restart)
        async with httpx.AsyncClient(base_url=process.url, trust_env=False, timeout=10) as client:
            log = await client.get(f"/v1/votes/{manifest.election}/log")
            (found,) = log.json()["logs"]
            # Every stamp that somebody holds has its name on the log.
            assert {people[number].member for number in before} <= set(found["members"])
            for number in range(len(people)):
                await ask(client, number)
            assert len(answered) == len(people)
            assert {number: answered[number] for number in before} == before
            second = await ask_stamp(client, manifest, people[0].ask(manifest, issuer_no=0)[1])
            assert second.status_code == 409


def test_an_issuer_is_made_served_and_shown_with_three_commands(tmp_path: Path) -> None:
    folder = tmp_path / "auditors"
    made = meent(
        tmp_path,
        *("issuer", "init", str(folder), "--name", "Auditors"),
        *("--cooperative-key", "ab" * 32),
    )
    assert made.returncode == 0, made.stderr

    with running(folder) as process:
        about = httpx.get(f"{process.url}/v1", trust_env=False).json()
        shown = meent(tmp_path, "issuer", "show", str(folder), "--json")
        second = meent(tmp_path, "issuer", "serve", str(folder))
        said = process.end(signal.SIGTERM)

    assert about == {"name": "Auditors", "protocol": 1, "cooperative_key": "ab" * 32}
    assert json.loads(shown.stdout) == {
        "name": "Auditors",
        "cooperative_key": "ab" * 32,
        "votes": [],
    }
    assert second.returncode == 1
    assert second.stderr.splitlines()[-1] == (
        f"meent: {folder} is served by another program already"
    )
    # Who asked, from where and for what stands in no log.
    assert said == ""


def test_what_goes_wrong_is_one_plain_line(tmp_path: Path) -> None:
    none = meent(tmp_path, "issuer", "show", str(tmp_path / "none"))
    assert none.returncode == 1
    assert none.stderr == (
        f"meent: {tmp_path / 'none'} is no issuer: make one with `meent issuer init`\n"
    )
