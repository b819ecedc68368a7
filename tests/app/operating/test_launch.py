"""Promises about a whole platform: it comes up, heals itself, and leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.foundation.children import alive
from app.operating.launch import environment as settings_environment
from app.settings import BUILT_IN_CITY, Settings, load_settings
from tests.app.commands import CHECKOUT, PROGRAM, environment, meent, new_home, processes_of

START_S = 60


class Served:
    """A `meent serve` that is open, and how long it took to open."""

    def __init__(self, home: Path, **settings: str) -> None:
        began_s = time.monotonic()
        self.home = home
        self.program = subprocess.Popen(
            [*PROGRAM, "serve"],
            cwd=CHECKOUT,
            env=environment(home, log_level="error", **settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.said: list[str] = []
        for line in self.program.stderr:
            self.said.append(line)
            if " is open at " in line:
                break
        else:
            pytest.fail(f"serve ended: {self.said}")
        self.url = line.partition(" is open at ")[2].partition(";")[0]
        self.took_s = time.monotonic() - began_s

    def pid_of(self, words: str) -> int:
        """The process with these words in its command line; leashes and solvers aside."""
        found = [
            int(line.partition(" ")[0])
            for line in processes_of(self.home)
            if words in line and "leash.py" not in line
        ]
        assert len(found) == 1, found
        return found[0]

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def end(self, order: signal.Signals) -> int:
        """The exit code after a signal to the parent alone."""
        self.program.send_signal(order)
        code = self.program.wait(timeout=30)
        self.program.stdout.close()
        self.program.stderr.close()
        return code


def becomes(condition: object, *, within_s: float) -> bool:
    end_s = time.monotonic() + within_s
    while not condition() and time.monotonic() < end_s:
        time.sleep(0.05)
    return condition()


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with new_home() as home:
        yield home


@pytest.fixture(scope="module")
def first(home: Path) -> Iterator[Served]:
    served = Served(home)
    yield served
    if served.program.poll() is None:
        served.end(signal.SIGKILL)


def test_a_city_opens_with_one_command_and_says_that_it_is_ready(first: Served) -> None:
    answer = httpx.get(f"{first.url}/readyz", trust_env=False)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": "answers", "migrations": "newest", "roads": "by road"},
    }
    assert httpx.get(f"{first.url}/livez", trust_env=False).status_code == 200
    assert any("the cooperative of Liechtenstein is founded" in line for line in first.said)


def test_no_secret_stands_in_a_command_line(first: Served) -> None:
    password = (first.home / "postgres" / "password").read_text().strip()
    assert password
    assert not [line for line in processes_of(first.home) if password in line]


def test_a_command_finds_the_database_of_a_city_that_is_open(first: Served) -> None:
    appointed = meent(first.home, "appoint", "+4232345678", "staff", "--json")
    assert json.loads(appointed.stdout)["role"] == "staff"
    audited = meent(first.home, "audit", "--json")
    assert audited.returncode == 0, audited.stderr
    assert json.loads(audited.stdout)["violations"] == 0
    assert first.is_ready()


def test_a_second_platform_in_the_same_home_is_refused(first: Served) -> None:
    second = meent(first.home, "serve")
    assert second.returncode == 1
    assert len(second.stderr.splitlines()) == 1
    assert "is in use by another program" in second.stderr
    assert first.is_ready()


def test_a_killed_api_comes_back_on_the_same_port(first: Served) -> None:
    old = first.pid_of("app.operating.serve")
    os.kill(old, signal.SIGKILL)
    assert becomes(lambda: not alive(old), within_s=5)
    assert becomes(first.is_ready, within_s=START_S)
    assert first.pid_of("app.operating.serve") != old


def test_a_killed_database_comes_back_under_the_running_api(first: Served) -> None:
    api = first.pid_of("app.operating.serve")
    old = first.pid_of("/postgres -D")
    os.kill(old, signal.SIGKILL)
    assert becomes(lambda: not alive(old), within_s=5)
    assert becomes(first.is_ready, within_s=30)
    assert first.pid_of("/postgres -D") != old
    assert first.pid_of("app.operating.serve") == api


def test_a_city_without_issuers_runs_two_of_its_own_and_says_what_that_means(
    first: Served,
) -> None:
    assert any("both run by the same hands" in line for line in first.said)
    board = Ed25519PrivateKey.from_private_bytes((first.home / "board.key").read_bytes())
    own = {"cooperative_key": board.public_key().public_bytes_raw().hex(), "protocol": 1}
    for number, name in (("1", "First local issuer"), ("2", "Second local issuer")):
        port = (first.home / "issuers" / number / "port").read_text()
        about = httpx.get(f"http://127.0.0.1:{port}/v1", trust_env=False).json()
        assert about == own | {"name": name}


def test_a_local_issuer_hears_no_secret_of_the_cooperative(first: Served) -> None:
    environ = Path(f"/proc/{first.pid_of('issuers/1')}/environ").read_bytes().decode()
    told = {line.partition("=")[0] for line in environ.split("\0") if line.startswith("MEENT_")}
    assert told == {"MEENT_PROFILE", "MEENT_LOG_LEVEL", "MEENT_CLOCK_SPEED"}


def test_a_killed_issuer_comes_back_on_the_same_port(first: Served) -> None:
    port = (first.home / "issuers" / "2" / "port").read_text()
    old = first.pid_of("issuers/2")
    os.kill(old, signal.SIGKILL)
    assert becomes(lambda: not alive(old), within_s=5)

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False).is_success
        except httpx.TransportError:
            return False

    assert becomes(answers, within_s=20)


def test_ctrl_c_stops_everything_that_was_started(first: Served) -> None:
    assert first.end(signal.SIGINT) == 130
    assert processes_of(first.home) == []


def test_a_second_start_is_quicker_and_leaves_edited_statutes_to_the_assembly(
    first: Served, home: Path, tmp_path: Path
) -> None:
    assert first.program.poll() is not None
    city = Path(shutil.copytree(BUILT_IN_CITY, tmp_path / "city"))
    toml = city / "city.toml"
    statutes = toml.read_text()
    edited = statutes.replace("offer_time_s = ", "offer_time_s = 1", 1)
    assert edited != statutes
    toml.write_text(edited)
    second = Served(home, city=str(city))
    try:
        assert second.took_s < first.took_s
        assert any("the assembly decides now" in line for line in second.said)
    finally:
        second.end(signal.SIGKILL)
    # Nobody told the children that their parent is gone: their leashes noticed.
    assert becomes(lambda: processes_of(home) == [], within_s=20)


@pytest.mark.parametrize(
    ("step", "order", "code"),
    [
        ("making a database", signal.SIGINT, 130),
        ("road network, step 1", signal.SIGKILL, -signal.SIGKILL),
        ("road network, step 1", signal.SIGTERM, 143),
    ],
)
def test_a_start_that_is_stopped_half_way_leaves_nothing(
    step: str, order: signal.Signals, code: int
) -> None:
    with new_home() as home:
        program = subprocess.Popen(
            [*PROGRAM, "serve"],
            cwd=CHECKOUT,
            env=environment(home),
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        said = []
        for line in program.stderr:
            said.append(line)
            if step in line:
                program.send_signal(order)
        program.stderr.close()
        assert program.wait(timeout=30) == code
        assert becomes(lambda: processes_of(home) == [], within_s=20)
        assert not any("Traceback" in line for line in said)


def test_another_process_reads_the_same_settings_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours = Settings(
        home=tmp_path,
        secret="hidden",
        profile="demo",
        clock_start="2008-05-23T17:00:00-07:00",
        issuers="https://one.example, https://two.example/stamps",
    )
    assert ours.issuers == ("https://one.example", "https://two.example/stamps")
    for name, value in settings_environment(ours).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == ours
