"""Promises of `meent replay`, on the built-in city's generated demand."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.city import load_city
from app.replay.plan import make_shifts, read_stretch
from app.settings import BUILT_IN_CITY
from tests.app.commands import meent, new_home

HOUR = ("--from", "2026-05-22 18:00", "--to", "2026-05-22 19:00", "--drivers", "18")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with new_home() as home:
        home.mkdir()
        yield home


def replayed(home: Path, folder: Path, *words: str) -> dict[str, Any]:
    report = folder / "report.json"
    done = meent(home, "replay", *HOUR, "--report", str(report), *words)
    assert done.returncode == 0, done.stderr
    written: dict[str, Any] = json.loads(report.read_bytes())
    return written


def without_clocks(report: dict[str, Any]) -> dict[str, Any]:
    for one in report["policies"].values():
        del one["tick_ms"], one["wall_s"]
    return report


def test_an_hour_is_replayed_under_every_policy_and_comes_out_the_same_twice(
    home: Path, tmp_path: Path
) -> None:
    first = replayed(home, tmp_path, "--seed", "3", "--accept", "0.9", "--cancel", "0.05")
    assert list(first["policies"]) == ["greedy-fcfs", "greedy-closest", "optimal-idle", "meent"]
    assert (first["city"], first["demand"], first["drivers"]) == ("Liechtenstein", "generated", 18)
    for one in first["policies"].values():
        assert one["served"] + one["lost"] == one["requests"] == first["requests"] > 50
        assert one["wait_s"]["p50"] <= one["wait_s"]["p95"]
        assert 0 <= one["gini_income_per_hour"] < 1
        assert one["declined"] > 0
        assert one["income_per_online_hour_minor"]["mean"] > 0
        # Drivers stay until the last rider's patience ends.
        assert 18 * 1.16 < one["online_hours"] < 18 * 2
    again = replayed(home, tmp_path, "--seed", "3", "--accept", "0.9", "--cancel", "0.05")
    assert without_clocks(again) == without_clocks(first)


def test_the_table_shows_the_policies_side_by_side_and_the_plot_is_a_picture(
    home: Path, tmp_path: Path
) -> None:
    plot = tmp_path / "day.svg"
    words = ("--policy", "greedy-closest,meent:horizon_s=300", "--plot", str(plot))
    done = meent(home, "replay", *HOUR, *words)
    assert done.returncode == 0, done.stderr
    heading = next(line for line in done.stdout.splitlines() if "greedy-closest" in line)
    assert "meent:horizon_s=300" in heading
    assert re.search(r"wait 95 % below, s +[\d.,]+ +[\d.,]+", done.stdout)
    assert "generated requests" in done.stderr
    assert "OpenStreetMap" in done.stderr
    picture = ET.parse(plot).getroot()  # noqa: S314 - we drew it
    texts = [element.text for element in picture.iter() if element.tag.endswith("text")]
    assert "riders waiting for a driver to be sent" in texts
    assert "meent:horizon_s=300" in texts
    assert len([one for one in picture.iter() if one.tag.endswith("path")]) > 8


def test_times_by_road_come_from_the_city_s_road_engine(home: Path, tmp_path: Path) -> None:
    line = replayed(home, tmp_path, "--policy", "meent")
    road = replayed(home, tmp_path, "--policy", "meent", "--times", "road")
    assert (line["times"], road["times"]) == ("line", "road")
    served = road["policies"]["meent"]["served"]
    assert served > road["requests"] / 3
    assert road["policies"]["meent"]["pickup_s"] != line["policies"]["meent"]["pickup_s"]


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("--policy", "nearest"), "'nearest' is no policy; known are greedy-fcfs"),
        (("--policy", "meent:speed=3"), "'speed' is no parameter"),
        (("--policy", "meent:margin_s=much"), "margin_s must be a number, got 'much'"),
        (("--policy", "meent:margin_s=-1"), "margin_s must not be negative"),
        (("--policy", "meent,meent"), "name each policy once"),
        (("--from", "2026-05-22", "--to", "2026-05-21"), "--to must be later than --from"),
        (("--plot", "day.png"), "name a file that ends in .svg"),
        (("--report", "nowhere/report.json"), "there is no such folder"),
        (("--city", "nowhere"), "nowhere: no such folder"),
    ],
)
def test_what_cannot_be_replayed_is_told_in_one_line(
    home: Path, words: tuple[str, ...], refusal: str
) -> None:
    done = meent(home, "replay", *words)
    assert done.returncode == 1
    assert done.stdout == ""
    assert refusal in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].startswith("meent: ")
    assert "Traceback" not in done.stderr


def test_an_option_that_is_none_is_a_mistyped_command(home: Path) -> None:
    done = meent(home, "replay", "--shifts", "night")
    assert done.returncode == 2
    assert "'night' is not one of 'all-day', 'staggered'" in done.stderr


def test_staggered_shifts_last_eight_to_ten_hours_a_day_and_follow_demand(tmp_path: Path) -> None:
    city = load_city(BUILT_IN_CITY)
    stretch = read_stretch(city, home=tmp_path, start=None, end=None)
    shifts = make_shifts(stretch, kind="staggered", drivers=40, patience_s=600, seed=1)
    length_h = (shifts.end_s - shifts.start_s) / 3600
    whole = (shifts.start_s > 0) & (shifts.end_s < stretch.length_s + 600)
    assert (length_h[whole] >= 8).all()
    assert (length_h[whole] <= 10).all()
    assert np.unique(shifts.driver).tolist() == list(range(40))
    per_driver = np.bincount(shifts.driver[whole])
    assert per_driver.min() >= 5
    assert per_driver.max() <= 7

    def on_shift(hour: float) -> int:
        days_s = np.arange(1, 7)[:, None] * 86_400 + hour * 3600
        return int(((shifts.start_s <= days_s) & (days_s < shifts.end_s)).sum())

    assert on_shift(17.5) > on_shift(3.5)
    same = make_shifts(stretch, kind="staggered", drivers=40, patience_s=600, seed=1)
    assert same.start_s.tolist() == shifts.start_s.tolist()
