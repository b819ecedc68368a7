import json
from pathlib import Path

import pytest

from load_tests import dispatch
from load_tests.dispatch import PARTS, Part
from load_tests.goals import Goal
from load_tests.pooling import NEEDS
from load_tests.pooling import OURS as POOLING_OURS

FIGURES = {
    "rows": [
        {"method": "insertion by regret", "objective_ratio": 0.99, "median_ms": 2.0},
        {"method": POOLING_OURS, "objective_ratio": 1.0, "median_ms": 60.0},
        *({"method": peer, "objective_ratio": 1.1, "median_ms": 1e3} for peer in NEEDS),
    ]
}


def test_pooling_must_beat_every_peer_and_be_soon_enough() -> None:
    part = next(part for part in PARTS if part.name == "pooling")
    goals = part.goals(FIGURES)
    assert [goal.is_met for goal in goals] == [*(True for _ in NEEDS), False]
    assert [goal.value for goal in goals] == [*(1.1 for _ in NEEDS), 60.0]


def test_a_part_without_its_peer_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def none_of(figures: dispatch.Figures) -> list[Goal]:
        return [Goal(what=str(figures), value=0, at_least=0)]

    parts = (Part("search", ("no_such_peer",), (), none_of),)
    monkeypatch.setattr(dispatch, "PARTS", parts)
    file = tmp_path / "figures.json"
    monkeypatch.setattr("sys.argv", ["dispatch", "--json", str(file)])
    with pytest.raises(SystemExit, match="True"):
        dispatch.main()
    assert "not run: search: needs no_such_peer" in capsys.readouterr().out
    assert json.loads(file.read_text())["goals"] == []


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_part_is_a_program_of_its_own(part: Part) -> None:
    root = Path(dispatch.__file__).parent
    assert (root / f"{part.name}.py").exists() or (root / part.name / "__main__.py").exists()
