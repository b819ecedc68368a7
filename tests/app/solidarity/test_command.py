"""`meent solidarity simulate` says how often the fund runs dry, and can say that it does."""

import json
from pathlib import Path
from typing import Any

from tests.app.commands import meent


def simulated(home: Path, *words: str) -> tuple[dict[str, Any], str]:
    done = meent(home, "solidarity", "simulate", "--seeds", "300", "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_the_simulation_reports_ruin_where_nothing_is_contributed(tmp_path: Path) -> None:
    nothing, said = simulated(tmp_path, "--contribution-bp", "0", "--most-bp", "0")
    again, _ = simulated(tmp_path, "--contribution-bp", "0", "--most-bp", "0")
    default, _ = simulated(tmp_path)

    assert nothing["ruin_share"] == 1.0
    assert nothing == again
    assert default["ruin_share"] < 0.01
    assert default["assumptions"][0]["source"].startswith("nu.nl")
    assert "300 of 300 drawn" in said


def test_a_table_and_a_plot_show_the_fund(tmp_path: Path) -> None:
    picture = tmp_path / "fund.svg"
    done = meent(
        tmp_path, "solidarity", "simulate", "--seeds", "50", "--years", "2", "--plot", str(picture)
    )

    assert done.returncode == 0, done.stderr
    assert "decades in which the fund ran dry" in done.stdout
    assert "[not looked up by anybody]" in " ".join(done.stdout.split())
    drawn = picture.read_text(encoding="utf-8")
    assert drawn.startswith("<svg")
    assert "simulated stretches of 24 months" in drawn
    assert "nan" not in drawn
