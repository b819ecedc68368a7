"""Kills the API and PostgreSQL again and again while the demo runs: nothing acknowledged is lost.

`python load_tests/kill_nine.py --times 10` prints a line for each kill and then the result; it
exits with the demo's own code, which is 0 only if nothing was lost or doubled and the audit is
clean. Further arguments go to `meent demo`.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.settings import default_home

VICTIMS = ("api", "postgres")
OPEN_WITHIN_S, BACK_WITHIN_S = 120.0, 60.0
BETWEEN_KILLS_S = (1.0, 3.0)


@dataclass(frozen=True)
class DemoProcess:
    """A demo that runs in a home of its own."""

    process: subprocess.Popen[bytes]
    home: Path
    log: Path

    @property
    def folder(self) -> Path:
        """Where the run keeps its files."""
        return self.home / "demo" / "run"

    def pids(self) -> dict[str, int]:
        """The newest process of each name; empty before there are any."""
        pids: dict[str, int] = _read(self.folder / "pids.json")
        return pids

    def seen(self) -> dict[str, Any]:
        """What the phones saw so far."""
        return _read(self.folder / "progress.json")

    def wait_until_rides_run(self, *, requested: int = 1) -> None:
        """So many rides were requested, and the platform's processes are known."""
        _until(
            lambda: bool(self.pids()) and self.seen().get("requested", 0) >= requested,
            process=self.process,
            within_s=OPEN_WITHIN_S,
        )

    def wait_until(self, holds: Callable[[dict[str, Any]], bool]) -> None:
        """What the phones saw is so."""
        _until(lambda: holds(self.seen()), process=self.process, within_s=OPEN_WITHIN_S)

    def is_ready(self) -> bool:
        """Whether the API says that it can serve."""
        url = f"{_read(self.folder / 'plan.json')['base_url']}/readyz"
        try:
            return httpx.get(url, timeout=2, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def kill(self, name: str) -> float:
        """The process was killed and the platform is ready again; return after how many seconds."""
        killed = self.pids()[name]
        os.kill(killed, signal.SIGKILL)
        killed_s = time.monotonic()
        _until(
            lambda: self.pids()[name] != killed and self.is_ready(),
            process=self.process,
            within_s=BACK_WITHIN_S,
        )
        return time.monotonic() - killed_s


def start_demo(*arguments: str, home: Path, log: Path) -> DemoProcess:
    """Start `meent demo` with these arguments; its output goes to the log."""
    folder = home / "demo" / "run"
    for name in ("pids.json", "progress.json", "plan.json"):
        (folder / name).unlink(missing_ok=True)  # An earlier run's would be taken for this one's.
    meent = Path(sys.executable).with_name("meent")
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(meent), "demo", *arguments],
            stdout=output,
            stderr=output,
            env={**os.environ, "MEENT_HOME": str(home)},
        )
    return DemoProcess(process, home, log)


def kill_in_turn(demo: DemoProcess, *, times: int, dice: random.Random) -> int:
    """Kill each victim so many times, a line for each; return how many kills there were."""
    kills = 0
    for number in range(times * len(VICTIMS)):
        time.sleep(dice.uniform(*BETWEEN_KILLS_S))
        if demo.process.poll() is not None:
            break
        name = VICTIMS[number % len(VICTIMS)]
        back_s = demo.kill(name)
        kills += 1
        seen = demo.seen()
        print(
            f"kill {kills}: {name}, ready again after {back_s:.2f} s; "
            f"{seen['requested']} requested, {seen['completed']} completed",
            flush=True,
        )
    return kills


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return found


def _until(is_so: Any, *, process: subprocess.Popen[bytes], within_s: float) -> None:
    end_s = time.monotonic() + within_s
    while not is_so():
        if process.poll() is not None:
            raise RuntimeError(f"the demo ended with code {process.returncode}")
        if time.monotonic() > end_s:
            raise TimeoutError(f"not within {within_s:g} s")
        time.sleep(0.05)


def main() -> int:
    """Run the demo, kill in it, print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10, help="kills of each process")
    parser.add_argument("--home", type=Path, default=default_home() / "kill-nine")
    options, rest = parser.parse_known_args()
    options.home.mkdir(parents=True, exist_ok=True)
    report_path = options.home / "report.json"
    log = options.home / "demo.log"
    demo = start_demo("--report", str(report_path), *rest, home=options.home, log=log)
    try:
        demo.wait_until_rides_run()
        kills = kill_in_turn(demo, times=options.times, dice=random.Random(9))
        code = demo.process.wait()
    finally:
        demo.process.terminate()
    if not report_path.exists():
        print(f"{kills} kills; no report, exit {code}; see {log}")
        return code or 1
    report = json.loads(report_path.read_bytes())
    print(
        f"{kills} kills: {report['acknowledged']} acts acknowledged, "
        f"{report['acknowledged_lost']} lost, {report['doubled']} doubled, "
        f"{report['completed']} of {report['requested']} rides completed, "
        f"{report['invariant_violations']} promises broken, restarts {report['restarts']}, "
        f"exit {code}"
    )
    return code


if __name__ == "__main__":
    sys.exit(main())
