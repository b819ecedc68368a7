"""Promises of `meent replay`, on the built-in city's generated demand."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.city import load_city
from app.replay.outlook import make_outlook
from app.replay.paired import paired_figures
from app.replay.plan import make_shifts, needed_drivers, read_stretch
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
    baselines = ["greedy-fcfs", "greedy-closest", "optimal-idle"]
    assert list(first["policies"]) == [*baselines, "meent:fairness_s=0", "meent"]
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


def test_who_booked_ahead_is_fetched_in_time_and_counted_apart(home: Path, tmp_path: Path) -> None:
    nobody = replayed(home, tmp_path, "--policy", "meent")["policies"]["meent"]
    enough = ("--policy", "meent", "--drivers", "60")
    some = replayed(home, tmp_path, *enough, "--scheduled-share", "0.2")
    of_some = some["policies"]["meent"]["scheduled"]
    assert nobody["scheduled"] == {"requested": 0, "kept": 0, "kept_share": None}
    assert some["scheduled_share"] == 0.2
    assert 0.1 * some["requests"] < of_some["requested"] < 0.3 * some["requests"]
    assert of_some["kept"] == of_some["requested"]


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
    assert "income per hour online, lowest to highest paid driver" in texts
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


def test_staggered_shifts_last_six_to_ten_hours_with_a_day_off_and_follow_demand(
    tmp_path: Path,
) -> None:
    city = load_city(BUILT_IN_CITY)
    stretch = read_stretch(city, home=tmp_path, start=None, end=None)
    shifts = make_shifts(stretch, kind="staggered", drivers=40, patience_s=600, seed=1)
    length_h = (shifts.end_s - shifts.start_s) / 3600
    whole = (shifts.start_s > 0) & (shifts.end_s < stretch.length_s + 600)
    assert (length_h[whole] >= 6).all()
    assert (length_h[whole] <= 10).all()
    # Some 40 of them are on the road when most are.
    assert 70 < len(np.unique(shifts.driver)) < 120
    per_driver = np.bincount(shifts.driver[whole])
    assert per_driver.min() >= 5
    assert per_driver.max() <= 6

    def on_shift(hour: float) -> int:
        days_s = np.arange(1, 7)[:, None] * 86_400 + hour * 3600
        return int(((shifts.start_s <= days_s) & (days_s < shifts.end_s)).sum())

    assert on_shift(17.5) > 2 * on_shift(3.5)
    assert max(on_shift(hour) for hour in range(24)) / 6 == pytest.approx(40, rel=0.1)
    same = make_shifts(stretch, kind="staggered", drivers=40, patience_s=600, seed=1)
    assert same.start_s.tolist() == shifts.start_s.tolist()
    other = make_shifts(stretch, kind="staggered", drivers=40, patience_s=600, seed=2)
    assert other.start_s.tolist() != shifts.start_s.tolist()


def test_at_the_busiest_hour_more_drivers_are_needed_than_all_day(tmp_path: Path) -> None:
    stretch = read_stretch(load_city(BUILT_IN_CITY), home=tmp_path, start=None, end=None)
    all_day = needed_drivers(stretch, kind="all-day")
    assert 1.3 * all_day < needed_drivers(stretch, kind="staggered") < 2 * all_day


def test_what_to_expect_is_known_from_other_days_only(tmp_path: Path) -> None:
    city = load_city(BUILT_IN_CITY)
    start = datetime(2026, 5, 22, 6, tzinfo=city.time_zone)
    stretch = read_stretch(city, home=tmp_path, start=start, end=start + timedelta(hours=30))
    outlook = make_outlook(city, stretch, home=tmp_path)
    assert outlook.per_hour.shape == (30, len(outlook.place))
    # The busiest hour of a Friday beside its quietest, as the four working days before were.
    assert outlook.per_hour[12].sum() > 2 * outlook.per_hour[21].sum()
    again = replace(stretch, trips=stretch.trips[:40])
    assert len(make_outlook(city, again, home=tmp_path).per_hour) == 30


def test_policies_are_compared_over_paired_seeds_with_hints_and_without(
    home: Path, tmp_path: Path
) -> None:
    words = ("--shifts", "staggered", "--paired-seeds", "2", "--seed", "4", "--policy")
    report = replayed(home, tmp_path, *words, "meent:fairness_s=0,meent:fairness_s=300:hints=1")
    paired = report["paired"]
    assert (paired["seeds"], paired["base"]) == ([4, 5], "meent:fairness_s=0")
    [(name, ratios)] = paired["policies"].items()
    assert name == "meent:fairness_s=300:hints=1"
    base, other = report["policies"].values()
    expected = other["pickup_s"]["mean"] / base["pickup_s"]["mean"]
    assert ratios["pickup_ratio"]["each"][0] == pytest.approx(expected, abs=1e-4)
    each = ratios["gini_ratio"]["each"]
    assert ratios["gini_ratio"]["mean"] == pytest.approx(sum(each) / 2, abs=1e-4)
    assert ratios["gini_ratio"]["se"] == pytest.approx(abs(each[0] - each[1]) / 2, abs=1e-4)
    assert (base["hints"], base["drift_km"]) == (0, 0)
    assert other["hints"] > 0
    assert 0 < other["drift_km"] < other["empty_km"]


def test_driving_empty_costs_what_the_currency_s_drivers_pay_or_what_is_said(
    home: Path, tmp_path: Path
) -> None:
    usual = replayed(home, tmp_path, "--policy", "meent")
    assert usual["rules"]["empty_km_cost_minor"] == 30
    dear = replayed(home, tmp_path, "--policy", "meent", "--empty-km-cost", "130")
    cheaper, dearer = (one["policies"]["meent"] for one in (usual, dear))
    assert dearer["empty_km"] == cheaper["empty_km"]
    per_hour = [one["income_per_online_hour_minor"]["mean"] for one in (cheaper, dearer)]
    paid_more = (per_hour[0] - per_hour[1]) * cheaper["online_hours"]
    assert paid_more == pytest.approx(cheaper["empty_km"] * 100, rel=0.05)


def test_meent_weighs_fairness_as_the_city_s_statutes_say_and_the_others_never(
    home: Path, tmp_path: Path
) -> None:
    words = ("--policy", "greedy-closest,optimal-idle,meent,meent:fairness_s=30")
    policies = replayed(home, tmp_path, *words)["policies"].values()
    voted_s = load_city(BUILT_IN_CITY).statutes.fairness_weight_s
    assert voted_s > 0
    assert [one["parameters"]["fairness_s"] for one in policies] == [0, 0, voted_s, 30]


def test_a_ratio_to_nothing_is_left_out() -> None:
    figures = {
        "gini_income_per_hour": 0.0,
        "pickup_s": {"mean": None},
        "wait_s": {"mean": 10.0, "p95": 10.0},
        "served": 5,
        "empty_km": 1.0,
        "income_per_online_hour_minor": {"mean": 5.0, "p10": 5.0},
    }
    ratios = paired_figures({1: {"a": figures, "b": figures}})["policies"]["b"]
    assert ratios["gini_ratio"] == {"mean": None, "se": None, "each": [None]}
    assert ratios["pickup_ratio"]["mean"] is None
    assert ratios["wait_ratio"] == {"mean": 1.0, "se": 0.0, "each": [1.0]}
