"""`meent demo` from the outside: a city that opens, is hit, is stopped, and keeps its promises."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sepaxml
import xmlschema
from defusedxml.ElementTree import parse

from app.foundation.children import alive
from app.settings import default_home
from load_tests.kill_nine import DemoProcess, kill_in_turn, start_demo

PROJECT = Path(__file__).parents[2]
# Minutes in which, by the seed, all rides are short: the tests need not wait for long ones.
SHORT = ("--from", "2026-05-22T11:50:00", "--minutes", "4", "--speed", "60", "--drivers", "9")
BUSY = ("--from", "2026-05-22T14:39:00", "--minutes", "4", "--speed", "30", "--drivers", "12")
# The shortest hour, in real seconds, that holds an assembly with some room before and after.
ASSEMBLY = ("--from", "2026-05-22T11:50:00", "--minutes", "52", "--speed", "60", "--drivers", "24")
PATIENCE_S = 240


@pytest.fixture
def home() -> Path:
    """A home for demos: its roads are kept, its database is not, whatever an older run left."""
    checkout = hashlib.sha256(str(PROJECT).encode()).hexdigest()[:12]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    home = default_home() / f"tests-{checkout}" / f"{worker}-demos"
    home.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(home / "demo" / "postgres", ignore_errors=True)
    return home


@pytest.fixture
def started(home: Path, tmp_path: Path) -> Iterator[Any]:
    """Starts demos; those that a failed test left are stopped."""
    demos: list[DemoProcess] = []

    def start(*arguments: str) -> DemoProcess:
        demos.append(start_demo(*arguments, home=home, log=tmp_path / "demo.log"))
        return demos[-1]

    yield start
    for demo in demos:
        demo.process.terminate()
        demo.process.wait(30)


def _wait_until_gone(pids: dict[str, int]) -> None:
    end_s = time.monotonic() + 20
    while left := {name for name, pid in pids.items() if alive(pid)}:
        assert time.monotonic() < end_s, f"still there: {left}"
        time.sleep(0.05)


def _report(path: Path, demo: DemoProcess) -> Any:
    code = demo.process.wait(PATIENCE_S)
    assert code == 0, demo.log.read_text(encoding="utf-8")
    return json.loads(path.read_bytes())


def _assert_kept(report: Any) -> None:
    assert report["completed"] > 0
    assert report["acknowledged_lost"] == 0, report["lost"]
    assert report["doubled"] == 0, report["doubles"]
    assert report["invariant_violations"] == 0, report["audit"]
    assert report["explanations"] == 1
    assert 0 < report["dispatch_gap"]["proven"] <= report["dispatch_ticks"]
    assert 0 <= report["dispatch_gap"]["mean"] <= report["dispatch_gap"]["max"]
    assert 0 <= report["gini_income_per_hour"] < 1
    shared = report["shared_rides"]
    assert 0 <= shared["together"] <= shared["requested"] <= report["requested"]
    assert 0 <= report["hints"]["followed"] <= report["hints"]["given"]
    assert report["fare_minor"] == report["commission_minor"] + report["driver_net_minor"] > 0


def _assert_closed(report: Any) -> None:
    """The day was closed to the cent, refunds were made, and the bank can read who is paid."""
    period = report["period"]
    steps = {step["words"]: step["amount_minor"] for step in period["steps"]}
    assert steps["What the period made"] > 0
    assert steps["Of the rest: to refunds to members"] > 0
    assert sum(part["of_ten_minor"] for part in period["of_ten"]) == 1_000
    schema = xmlschema.XMLSchema(Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd")
    schema.validate(period["payout_file"])
    root = parse(period["payout_file"]).getroot()
    [payments] = root.iter("{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}PmtInf")
    told = {part.tag.rpartition("}")[2]: part.text for part in payments}
    assert int(told["NbOfTxs"] or 0) == period["payouts"] > 0
    assert told["CtrlSum"] == f"{period['paid_minor'] / 100:.2f}"
    # Drivers get all that riders paid but the commission, and their refunds in money.
    cash = next(minor for words, minor in steps.items() if words.endswith("in money"))
    assert period["paid_minor"] == report["driver_net_minor"] + cash
    assert "<svg" in Path(period["page"]).read_text(encoding="utf-8")


def test_a_demo_lets_no_second_one_in_and_ends_at_ctrl_c_leaving_nothing_running(
    started: Any,
) -> None:
    demo = started(*SHORT)
    demo.wait_until_rides_run()
    pids = demo.pids()
    assert set(pids) >= {"postgres", "api", "phones"}
    second = subprocess.run(
        demo.process.args,
        env={**os.environ, "MEENT_HOME": str(demo.home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "a demo runs in" in second.stderr

    assert demo.pids() == pids
    demo.process.send_signal(signal.SIGINT)

    assert demo.process.wait(30) == 130, demo.log.read_text(encoding="utf-8")
    assert [name for name, pid in pids.items() if alive(pid)] == []


def test_a_demo_killed_half_way_is_audited_and_the_next_one_serves_the_city(
    started: Any, tmp_path: Path
) -> None:
    killed = started(*SHORT)
    killed.wait_until_rides_run(requested=3)
    pids = killed.pids()
    killed.process.kill()
    _wait_until_gone(pids)

    path = tmp_path / "report.json"
    demo = started(*SHORT, "--report", str(path))
    report = _report(path, demo)

    _assert_kept(report)
    told = demo.log.read_text(encoding="utf-8")
    assert "the run before left" in told
    assert "audit: " in told
    assert report["demand"] == "generated"
    assert "(generated)" in told
    assert "© OpenStreetMap contributors" in told
    assert report["city"] == "Liechtenstein"
    names = ("postgres", "osrm", "issuer-1", "issuer-2", "api")
    assert report["restarts"] == dict.fromkeys(names, 0)
    assert report["assembly"] is None
    assert "no assembly is played: it takes an hour that lasts" in told
    closed = report["completed"] + report["cancelled"] + report["no_driver"] + report["no_show"]
    assert closed + report["unfinished"] + report["refused"] == report["requested"]
    assert report["offers"]["accepted"] >= report["completed"]
    assert 0 < report["pickup_wait_s"]["p50"] <= report["pickup_wait_s"]["p95"]
    assert 0 < report["dispatch_tick_ms"]["p50"] <= report["dispatch_tick_ms"]["p99"]


@pytest.mark.slow
def test_killing_the_api_and_the_database_loses_and_doubles_nothing(
    started: Any, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    demo = started(*BUSY, "--report", str(path))
    demo.wait_until_rides_run(requested=2)

    kills = kill_in_turn(demo, times=2, dice=random.Random(9))

    report = _report(path, demo)
    _assert_kept(report)
    assert kills == 4
    assert report["restarts"]["postgres"] == 2
    # An API that starts while its database does may have to start once more.
    assert report["restarts"]["api"] >= 2


def test_members_change_the_share_while_rides_run_though_an_issuer_is_killed_meanwhile(
    started: Any, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    demo = started(*ASSEMBLY, "--close-period", "--report", str(path))
    demo.wait_until_rides_run()
    demo.wait_until(lambda seen: "the right to vote" in seen.get("assembly", ""))
    demo.kill("issuer-1")

    report = _report(path, demo)

    _assert_kept(report)
    assembly = report["assembly"]
    assert assembly["stage"] == "enacted", assembly
    assert assembly["result"] == {"value": assembly["share_after_bp"]}
    assert assembly["share_after_bp"] < assembly["share_before_bp"]
    assert assembly["rides_before"] > 0
    assert assembly["rides_after"] > 0
    assert assembly["rides_with_wrong_share"] == 0
    assert assembly["package_faults"] == 0
    assert report["restarts"]["issuer-1"] == 1
    assert assembly["receipts"] <= assembly["ballots"]
    assert assembly["voted"] <= assembly["stamps"] <= sum(assembly["roll"].values())
    assert assembly["issuers"] == 2
    told = demo.log.read_text(encoding="utf-8")
    assert "in the demo's own short windows" in told
    assert "The members voted: commission 15 % → 13 %" in told
    # The days that go by later are lived under the statutes of the founding, demo windows and all.
    assert "the statutes file changed" not in told
    recounted = subprocess.run(
        [Path(sys.executable).with_name("meent-verify"), assembly["package"]],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert recounted.returncode == 0, recounted.stdout
    _assert_closed(report)


def test_a_demo_at_an_hour_without_trips_says_so_in_one_line(
    started: Any, tmp_path: Path, built_in_city: Path
) -> None:
    quiet = tmp_path / "quiet"
    quiet.mkdir()
    for name in ("city.toml", "roads.osm.pbf"):
        (quiet / name).write_bytes((built_in_city / name).read_bytes())
    toml = (quiet / "city.toml").read_text(encoding="utf-8")
    rare = toml.replace("requests_per_hour = 90", "requests_per_hour = 0.001")
    assert rare != toml
    (quiet / "city.toml").write_text(rare, encoding="utf-8")

    demo = started("--city", str(quiet), "--minutes", "1")

    assert demo.process.wait(60) == 1
    last = demo.log.read_text(encoding="utf-8").strip().splitlines()[-1]
    assert last.startswith("meent: ")
    assert "choose another time with --from" in last


@pytest.fixture
def built_in_city() -> Path:
    return PROJECT / "app" / "demo" / "cities" / "liechtenstein"
